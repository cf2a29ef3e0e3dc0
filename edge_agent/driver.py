"""The border between the agent and equipment: a driver turns addresses into samples.

Nothing else crosses it: no names, units, intervals, retries, storage or MQTT. A driver package
needs only this module (and `edge_agent.testing` in its tests); `drivers/README.md` shows how to
write one in fifteen minutes.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Generic, NamedTuple, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, WithJsonSchema

from edge_agent.errors import ConnectionLost, DriverError, NoResponse
from edge_agent.model import Flaw, Learnt, Quality, Sample, Samples, Value, Why, bad
from edge_agent.quantities import DURATION_PATTERN, seconds

__all__ = [
    "Address",
    "ConnectionLost",
    "Diagnosis",
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

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, defer_build=True
    )

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

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, defer_build=True
    )

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
        cost_of_silence: Seconds the line is blocked when the device does not answer; 0 where the
            driver does not know, then the agent measures it.
        requests: How many requests it takes; each waits once for the device's answer.
    """

    addresses: tuple[A, ...]
    cost: float = 0.0
    patience: float = 30.0
    cost_of_silence: float = 0.0
    requests: int = 1


class Diagnosis(NamedTuple):
    """What is most likely wrong with a device or its line.

    Attributes:
        code: `E-...`, the same for the same fault, so that help can be given by telephone.
        sentence: What is wrong, in plain words.
        action: What to do next, in plain words.
    """

    code: str
    sentence: str
    action: str


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

    @classmethod
    def faults(cls, settings: S, address: A) -> Mapping[str, str]:
        """Tell what cannot work although settings and address are each right, for `check`.

        Returns:
            Key of the address -> a sentence of the form `what is wrong: write ...`.
        """
        return {}

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

    def probe(self, plan: Plan[A]) -> Plan[A]:
        """Give the cheapest plan that shows whether the device of this plan answers. Pure.

        The agent reads it, and uses nothing but the fact of an answer, while a device is silent.
        """
        return plan

    def noticed(self, plan: Plan[A]) -> "Counter[str] | None":
        """Give the evidence counted so far that concerns the device of this plan.

        Returns:
            None, the usual answer, where it cannot be told apart; then the agent blames the device
            during whose read `evidence` grew.
        """
        return None

    def diagnose(self, evidence: Mapping[str, int]) -> Diagnosis | None:
        """Say what is most likely wrong with one device. Pure.

        Args:
            evidence: What was counted in its last reads, or since its last answer: the driver's
                own kinds of evidence; `reads`, `answered`; `refused`, values it would not give;
                `neighbours`, answers of others on the line since it fell silent, and
                `answered_lately`, its own answers before.

        Returns:
            None where nothing is wrong, or nothing better can be said than that it is silent.
        """
        return None

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
