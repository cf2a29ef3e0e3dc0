"""The border between the agent and equipment: a driver turns addresses into samples.

Nothing else crosses it: no names, units, intervals, retries, storage or MQTT. A driver package
needs only this module (and `edge_agent.testing` in its tests); `drivers/README.md` shows how to
write one in fifteen minutes.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from edge_agent.address import Address, Duration, Settings
from edge_agent.changes import ChangeQueue, Changes
from edge_agent.described import Described
from edge_agent.errors import ConnectionLost, DriverError, NoResponse
from edge_agent.language import later
from edge_agent.model import Flaw, Learnt, Quality, Sample, Samples, Value, Why, bad

__all__ = [
    "Address",
    "ChangeQueue",
    "Changes",
    "ConnectionLost",
    "Described",
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
    "WatchGroup",
    "WatchingDriver",
    "Why",
    "bad",
]

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
        action: What somebody has to do for the read to bring anything, such as `scan or measure`.
    """

    addresses: Sequence[A]
    cost: float = 0.0
    patience: float = 30.0
    cost_of_silence: float = 0.0
    requests: int = 1
    action: str = ""


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
    remedy: str = later("compare their addresses with the device's manual")
    """What to do about addresses that a device refuses."""

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

    @classmethod
    def completed(cls, settings: S, address: A) -> A:
        """Fill in what the settings tell about an address, such as its type. Pure."""
        return address

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

    async def identify(self, plan: Plan[A]) -> Mapping[str, str]:
        """Ask the device of this plan who it is, such as its maker, model and version.

        Only people have it asked, when they compare devices; nothing polls meanwhile. What it does
        not say is left out; the usual answer is nothing.

        Raises:
            ConnectionLost: The link is gone.
        """
        return {}

    @abstractmethod
    async def close(self) -> None:
        """Close the link. Safe to call twice, and after an open() that failed."""

    def details(self) -> Mapping[str, Any]:
        """Give what is worth knowing about the open link, JSON-able, for `status`."""
        return {}


@dataclass(frozen=True, slots=True)
class WatchGroup(Generic[A]):
    """Points of one device whose changes are wanted.

    Attributes:
        plan: Where their values live, and what is known about reading them.
        every: Seconds; changes need not be reported more often than this. What cannot be reported
            is polled as often.
        deadbands: Index of an address -> by how much its raw value must change to be news; any
            change of the others is. A driver may ignore it: the agent looks as well.
        device: A number that groups of the same device share.
    """

    plan: Plan[A]
    every: float
    deadbands: Mapping[int, float]
    device: int = 0

    @property
    def addresses(self) -> Sequence[A]:
        """Give where their values live."""
        return self.plan.addresses


class WatchingDriver(Driver[S, A]):
    """Equipment that reports changes by itself.

    After `open` the agent calls `watch` once, and then `changes` whenever nothing else is due. It
    still calls from one task: `read` and `changes` never run at the same time. What arrives in
    between the driver keeps (`ChangeQueue` does that) and nothing of it is left out.

    Attributes:
        reads_watched: Whether a watched point can also be read at any time. The agent does so when
            `max_silence` is over, since an old value with a new time would be a lie; where it
            cannot, silence is kept.
    """

    reads_watched: ClassVar[bool] = True

    @property
    def is_watching(self) -> bool:
        """Tell whether the settings want changes to be reported; else the agent only polls."""
        return True

    @abstractmethod
    async def watch(self, groups: Sequence[WatchGroup[A]]) -> None:
        """Have changes reported from now on, until `close`; return without waiting for any.

        The present value of every address comes as its first change. One that cannot be watched
        now comes as a bad sample with the reason, once, and is tried again until it can; one that
        can never be is named in `Changes.unwatched`, and the agent polls it.

        Raises:
            ConnectionLost: The link is gone.
        """

    @abstractmethod
    async def changes(self) -> Sequence[Changes]:
        """Wait until something is reported, and give all of it in the order of its arrival.

        The agent cancels it when something else is due, and nothing may be lost by that. What is
        there already is given without waiting.

        Raises:
            ConnectionLost: The link is gone; everything that came before was given.
        """
