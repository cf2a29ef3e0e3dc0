"""What flows through the agent: values with their quality and time, in columns.

A *sample* is what one address held at one instant. Samples of one poll travel together as columns
(`Samples`), because an object per value costs more than everything else done to it.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

Value = bool | int | float | str | None
"""What a point can hold. None means that there is no value, and then the quality is bad."""

Learnt = Mapping[str, Any]
"""What a driver knows about one device from experience; JSON-able, kept by the agent."""

NOTHING: Mapping[int, Any] = MappingProxyType({})


class Quality(IntEnum):
    """How far a value can be trusted. Source: the severities of OPC 10000-4, 7.39 (StatusCode)."""

    GOOD = 0
    UNCERTAIN = 1
    BAD = 2


class Why(StrEnum):
    """Why a value is not good: the closed list of the published contract."""

    TIMEOUT = "timeout"
    DAMAGED = "damaged"
    REFUSED = "refused"
    LINK_DOWN = "link_down"
    NO_VALUE = "no_value"
    NOT_A_NUMBER = "not_a_number"
    OUT_OF_RANGE = "out_of_range"
    DECODE_ERROR = "decode_error"
    STALE = "stale"
    DEVICE_BAD = "device_bad"
    DEVICE_UNCERTAIN = "device_uncertain"
    CLOCK_SKEW = "clock_skew"
    CATCH_UP = "catch_up"
    DYNAMIC = "dynamic"
    OVERLOAD = "overload"
    UNDERLOAD = "underload"
    STARTING = "starting"


class Flaw(NamedTuple):
    """Why one value is not good. `detail` is for people and is not published with the value."""

    quality: Quality
    why: Why
    detail: str = ""


class Sample(NamedTuple):
    """What one address held at one instant, in the device's own units.

    `time` is the device's own time in milliseconds since 1970 UTC, where it gives one.
    """

    value: Value
    flaw: Flaw | None = None
    time: int | None = None


def bad(why: Why, detail: str = "") -> Sample:
    """Make the sample of an address that has no value."""
    return Sample(None, Flaw(Quality.BAD, why, detail))


class Samples:
    """The samples of one read, as columns in the order of the plan's addresses.

    Attributes:
        values: One value per address; None where there is none.
        flaws: Index -> flaw, only for values that are not good.
        times: Index -> the device's own time (ms since 1970 UTC), only where it gave one.
        learnt: What the driver now knows about the device, or None if nothing new; the agent
            keeps it and plans again.
    """

    __slots__ = ("flaws", "learnt", "times", "values")

    def __init__(
        self,
        values: list[Value],
        flaws: Mapping[int, Flaw] = NOTHING,
        times: Mapping[int, int] = NOTHING,
        learnt: Learnt | None = None,
    ) -> None:
        self.values = values
        self.flaws = flaws
        self.times = times
        self.learnt = learnt

    @classmethod
    def of(cls, samples: Iterable[Sample]) -> "Samples":
        """Turn samples into columns."""
        rows = list(samples)
        return cls(
            [row.value for row in rows],
            {index: row.flaw for index, row in enumerate(rows) if row.flaw is not None},
            {index: row.time for index, row in enumerate(rows) if row.time is not None},
        )

    @classmethod
    def all_bad(cls, count: int, why: Why, detail: str = "") -> "Samples":
        """Make the samples of a read that brought nothing."""
        flaw = Flaw(Quality.BAD, why, detail)
        return cls([None] * count, dict.fromkeys(range(count), flaw))

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self.values)))

    def __getitem__(self, index: int) -> Sample:
        return Sample(self.values[index], self.flaws.get(index), self.times.get(index))

    def __repr__(self) -> str:
        return f"Samples({list(self)!r})"
