"""The border between the agent and equipment: a driver turns addresses into samples.

Nothing else crosses it: no names, units, intervals, retries, storage or MQTT. A driver package
needs only this module (and `edge_agent.testing` in its tests); `drivers/README.md` shows how to
write one in fifteen minutes.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, WithJsonSchema

from edge_agent.errors import ConnectionLost, DriverError, NoResponse
from edge_agent.model import Flaw, Learnt, Quality, Sample, Samples, Value, Why, bad
from edge_agent.quantities import DURATION_PATTERN, seconds

__all__ = [
    "Address",
    "ConnectionLost",
    "Driver",
    "DriverError",
    "Duration",
    "Flaw",
    "Learnt",
    "NoResponse",
    "Plan",
    "Quality",
    "Sample",
    "Samples",
    "Settings",
    "Value",
    "Why",
    "bad",
]

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


class Settings(BaseModel):
    """How to reach the equipment: one link, that is one serial line, endpoint or session."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    def line(self) -> str | None:
        """Name the physical line, such as `/dev/ttyUSB0` or `10.0.0.5:502`.

        Two connections that name the same line would disturb each other, so the configuration
        allows one connection per line. None means that connections never share anything.
        """
        return None


class Address(BaseModel):
    """Where one value lives on the other side. Frozen, so it can be hashed and compared.

    An address written as plain text in the configuration arrives as `{"at": text}`, merged over
    the device's own `address` mapping; a driver with a text form declares a field `at` or takes it
    apart in a validator that runs before the others. `str(address)` is what people read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    def value_type(self) -> str:
        """Name the type of the value, such as `int16` or `string`; empty if it is not known."""
        return ""


S = TypeVar("S", bound=Settings)
A = TypeVar("A", bound=Address)


@dataclass(frozen=True, slots=True)
class Plan(Generic[A]):
    """How a driver will read some addresses of one device; drivers subclass it for their own needs.

    Attributes:
        addresses: What is read; samples come back in this order.
        cost: Seconds the line is busy when the device answers as it should.
        patience: Seconds after which the agent cancels the read; more than the driver's own
            timeouts of all its requests together.
    """

    addresses: tuple[A, ...]
    cost: float = 0.0
    patience: float = 30.0


class Driver(ABC, Generic[S, A]):
    """One way of reading equipment; one object per connection.

    The agent calls a driver from one task, so it needs no lock. A driver never retries, never logs
    a failure it raises, and never reads the clock except for a device's own time. What it notices
    beside values it counts in `evidence` (`late`, `damaged`, `echo`, `foreign`, ...).
    """

    settings_type: ClassVar[type[Settings]]
    address_type: ClassVar[type[Address]]

    def __init__(self, settings: S) -> None:
        """Keep the settings; touch no hardware."""
        self.settings = settings
        self.evidence: Counter[str] = Counter()

    @abstractmethod
    async def open(self) -> None:
        """Open the link.

        Raises:
            ConnectionLost: It cannot be opened; the message says what, where and what to do.
        """

    def plan(self, addresses: Sequence[A], learnt: Learnt) -> Plan[A]:
        """Decide how to read these addresses of one device. Pure: no I/O, no clock.

        Args:
            addresses: Addresses of one device, in the order in which samples are wanted.
            learnt: What earlier reads of this device taught; empty at first.
        """
        return Plan(tuple(addresses))

    @abstractmethod
    async def read(self, plan: Plan[A]) -> Samples:
        """Read once: one sample per address of the plan, in its order.

        An address that the device refuses gives a bad sample and spoils no other.

        Raises:
            NoResponse: Nothing of the plan was answered, but the link works.
            ConnectionLost: The link is gone.
        """

    @abstractmethod
    async def close(self) -> None:
        """Close the link. Safe to call twice, and after an open() that failed."""
