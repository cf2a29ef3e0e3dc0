"""What a configuration says to a driver: how to reach the equipment, and where a value lives."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, WithJsonSchema

from edge_agent.described import Described
from edge_agent.quantities import DURATION_PATTERN, seconds

Duration = Annotated[
    float,
    BeforeValidator(seconds),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": f"^{DURATION_PATTERN}$"},
                {"type": "number", "minimum": 0},
            ]
        }
    ),
]
"""Seconds, 0 or more; written as `200ms`, `1s`, `5m`, `8h`, `30d` or a number of seconds.

Where 0 makes no sense add `Field(gt=0)`.
"""


class Settings(Described):
    """How to reach the equipment: one link, that is one serial line, endpoint or session."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def line(self) -> str | None:
        """Name the physical line, such as `/dev/ttyUSB0` or `10.0.0.5:502`.

        Two connections that name the same line would disturb each other, so the configuration
        allows one connection per line. None means that connections never share anything.
        """
        return None

    def peers(self) -> Sequence[str] | None:
        """Name the hosts, addresses or networks that packets go to or come from, for a filter.

        None means that this driver does not say, so people have to.
        """
        return None

    def secret_files(self) -> Mapping[str, Path]:
        """Name the files that hold secrets: key of these settings -> absolute path.

        `edge-agent check` says which of them are missing, or readable by others. It opens none.
        """
        return {}


class Address(Described):
    """Where one value lives on the other side. Frozen, so it can be hashed and compared.

    An address written as plain text in the configuration arrives as `{"at": text}`, merged over
    the device's own `address` mapping; a driver with a text form declares a field `at` or takes it
    apart in a validator that runs before the others. `str(address)` is what people read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def merged(cls, device: Mapping[str, Any], point: Mapping[str, Any]) -> dict[str, Any]:
        """Put a point's keys over those of its device, before they are checked as an address.

        A driver overrides it where a key of the device is meant for some of its points only.
        """
        return {**device, **point}

    def without(self, codes: Sequence[float | str]) -> "Address | None":
        """Give an address that itself has no value where the raw one is among the point's codes.

        None, the usual answer, means that samples hold raw values, and the agent compares them.
        """
        return None

    def value_type(self) -> str:
        """Name the type of the value, such as `int16` or `string`; empty if it is not known."""
        return ""

    def usual_unit(self) -> str:
        """Name the value's UCUM unit where the configuration names none; empty if not known."""
        return ""
