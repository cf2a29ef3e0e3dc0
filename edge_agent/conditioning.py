"""Turns samples into readings: no-value codes, scaling, plausibility, deadband.

One `Conditioner` belongs to one poll group and works on whole columns. It remembers what was
published last, and nothing else; time comes in as an argument.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from math import inf, isfinite, lcm
from typing import NamedTuple

from edge_agent.config.model import Point
from edge_agent.model import NOTHING, Flaw, Quality, Samples, Value, Why

NEARLY = 0.9  # of the time between two polls
LARGEST_FLOAT = int(sys.float_info.max)  # larger integers are as good as infinite

Scaling = Callable[[float], float]


class Readings(NamedTuple):
    """The readings of one poll, as columns over all points of the group.

    Attributes:
        indices: Which points are to be published, ascending.
        values: Engineering values of all points; None where the quality is bad.
        flaws: Index -> why that value is not good.
        times: Index -> the device's own time, ms since 1970 UTC.
    """

    indices: Sequence[int]
    values: list[Value]
    flaws: Mapping[int, Flaw]
    times: Mapping[int, int]


class _Gate:
    """Decides for one point with a deadband whether a value is news."""

    __slots__ = ("basis", "last", "longest", "percent", "quality", "sent_at", "size")

    def __init__(self, point: Point) -> None:
        deadband = point.deadband
        self.size = deadband.size if deadband else 0.0
        self.percent = deadband.percent if deadband else False
        self.basis = abs(point.range[1] - point.range[0]) if point.range else None
        # The next poll would come too late after this; polls are not on time to the millisecond.
        self.longest = (point.max_silence or inf) - NEARLY * point.every
        self.last: Value = None
        self.quality: tuple[Quality, Why] | None = None
        self.sent_at: float | None = None

    def lets_pass(self, value: Value, flaw: Flaw | None, now: float) -> bool:
        quality = flaw and flaw[:2]
        news = (
            self.sent_at is None
            or quality != self.quality
            or now - self.sent_at > self.longest
            or self._moved(value)
        )
        if news:
            self.last, self.quality, self.sent_at = value, quality, now
        return news

    def _moved(self, value: Value) -> bool:
        last = self.last
        if isinstance(value, bool | str | None) or isinstance(last, bool | str | None):
            return value != last
        limit = self.size
        if self.percent:
            limit *= (abs(last) if self.basis is None else self.basis) / 100
        return abs(value - last) > limit


class Conditioner:
    """Conditions the samples of one poll group.

    No-value codes are compared with raw values, before scaling. `range` is about engineering
    values: one outside is uncertain and keeps its value. A number that is not finite never passes.
    A deadband in percent is of the point's `range` where it has one, else of the value published
    last. A change of quality or reason always passes, and so does the first reading.
    """

    def __init__(self, points: Sequence[Point]) -> None:
        self._no_value = [(i, frozenset(p.no_value)) for i, p in enumerate(points) if p.no_value]
        self._scaling = [
            (i, scaling(p.scale, p.add)) for i, p in enumerate(points) if (p.scale, p.add) != (1, 0)
        ]
        self._ranges = [(i, *p.range) for i, p in enumerate(points) if p.range]
        self._gates = {i: _Gate(p) for i, p in enumerate(points) if p.deadband}
        self._all = range(len(points))

    def condition(self, samples: Samples, now: float) -> Readings:
        """Turn the samples of one poll into readings.

        Args:
            samples: One per point, in the order of the points.
            now: Seconds on a steady clock, for `max_silence`.
        """
        values = list(samples.values)
        flaws = dict(samples.flaws) if samples.flaws else {}
        self._drop_no_value(values, flaws)
        self._scale(values)
        _drop_unusable(values, flaws)
        self._doubt_outliers(values, flaws)
        return Readings(self._news(values, flaws, now), values, flaws or NOTHING, samples.times)

    def _drop_no_value(self, values: list[Value], flaws: dict[int, Flaw]) -> None:
        for index, codes in self._no_value:
            if values[index] in codes and values[index] is not None:
                flaws[index] = Flaw(Quality.BAD, Why.NO_VALUE, f"raw value {values[index]}")

    def _scale(self, values: list[Value]) -> None:
        for index, scale in self._scaling:
            value = values[index]
            if isinstance(value, int | float) and value.__class__ is not bool:
                values[index] = scale(value)

    def _doubt_outliers(self, values: list[Value], flaws: dict[int, Flaw]) -> None:
        for index, lowest, highest in self._ranges:
            value = values[index]
            numeric = isinstance(value, int | float) and index not in flaws
            if numeric and not lowest <= value <= highest:  # type: ignore[operator]  # numeric
                flaws[index] = Flaw(
                    Quality.UNCERTAIN, Why.OUT_OF_RANGE, f"not within {lowest:g} to {highest:g}"
                )

    def _news(self, values: list[Value], flaws: dict[int, Flaw], now: float) -> Sequence[int]:
        if not self._gates:
            return self._all
        gate = self._gates.get
        return [
            i
            for i in self._all
            if (g := gate(i)) is None or g.lets_pass(values[i], flaws.get(i), now)
        ]


def _drop_unusable(values: list[Value], flaws: dict[int, Flaw]) -> None:
    """Make sure that no bad value and no number that is not finite is left."""
    unusable = [
        (i, value)
        for i, value in enumerate(values)
        if value is None
        or (value.__class__ is float and not isfinite(value))
        or (value.__class__ is int and not -LARGEST_FLOAT <= value <= LARGEST_FLOAT)
    ]
    for index, value in unusable:
        why = Why.NO_VALUE if value is None else Why.NOT_A_NUMBER
        known = flaws.get(index) or Flaw(Quality.BAD, why, "" if value is None else "not finite")
        flaws[index] = known._replace(quality=Quality.BAD)
    for index, flaw in flaws.items():
        if flaw.quality is Quality.BAD:
            values[index] = None


def scaling(scale: float, add: float) -> Scaling:
    """Make the function raw -> raw * scale + add that rounds only once.

    The factors are taken as the decimal numbers a person wrote, so that 2314 * 0.1 is 231.4 and
    not 231.40000000000003: for an integer, (raw * numerator + addend) / denominator is exact up
    to the final division. Without a denominator integers stay integers.
    """
    exact_scale, exact_add = Fraction(Decimal(repr(scale))), Fraction(Decimal(repr(add)))
    denominator = lcm(exact_scale.denominator, exact_add.denominator)
    numerator = int(exact_scale * denominator)
    addend = int(exact_add * denominator)

    def scaled(raw: float) -> float:
        if raw.__class__ is int:
            exact = raw * numerator + addend
            return exact if denominator == 1 else _divided(exact, denominator)
        return raw * scale + add

    return scaled


def _divided(dividend: int, divisor: int) -> float:
    try:
        return dividend / divisor
    except OverflowError:
        return inf if dividend > 0 else -inf
