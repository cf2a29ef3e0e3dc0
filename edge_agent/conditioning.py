"""Turns samples into readings: no-value codes, scaling, plausibility, deadband.

One `Conditioner` belongs to one poll group and works on columns: of all points of a poll, or of
those that changed. It remembers what was published last, and nothing else; time comes in as an
argument.
"""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from math import inf, isfinite, lcm
from typing import NamedTuple, TypeVar

from edge_agent.config.model import Point
from edge_agent.gates import TIMELY, gate, open_gates
from edge_agent.language import _
from edge_agent.model import NOTHING, Flaw, Quality, Samples, Value, Why

LARGEST_FLOAT = int(sys.float_info.max)  # larger integers are as good as infinite

Scaling = Callable[[float], float]
T = TypeVar("T")


class Readings(NamedTuple):
    """Readings as columns: of all points of the group, or of those that changed.

    Attributes:
        indices: Which rows are to be published, ascending.
        values: Engineering values; None where the quality is bad.
        flaws: Row -> why that value is not good.
        times: Row -> the device's own time, ms since 1970 UTC.
        points: The point of each row; None where they are all points of the group in order.
    """

    indices: Sequence[int]
    values: list[Value]
    flaws: Mapping[int, Flaw]
    times: Mapping[int, int]
    points: Sequence[int] | None = None


class Conditioner:
    """Conditions the samples of one poll group.

    No-value codes are compared with raw values, before scaling. `range` is about engineering
    values: one outside is uncertain and keeps its value. A number that is not finite never passes.
    A deadband in percent is of the point's `range` where it has one, else of the value published
    last. A change of quality or reason always passes, and so does the first reading.

    Args:
        points: The points of the group.
        watched: Whether changes are reported, so that silence does not mean that nobody looks.
    """

    def __init__(self, points: Sequence[Point], *, watched: bool = False) -> None:
        self._no_value = {i: frozenset(p.no_value) for i, p in enumerate(points) if p.no_value}
        self._scaling = {
            i: scaling(p.scale, p.add) for i, p in enumerate(points) if (p.scale, p.add) != (1, 0)
        }
        self._ranges = {i: p.range for i, p in enumerate(points) if p.range}
        gates = ((i, gate(p, watched=watched)) for i, p in enumerate(points))
        self._gates = {i: found for i, found in gates if found is not None}
        self._open = open_gates(points) if watched else None
        self._all = range(len(points))

    def condition(
        self, samples: Samples, now: float, points: Sequence[int] | None = None
    ) -> Readings:
        """Turn samples into readings.

        Args:
            samples: One per point, in the order of the points.
            now: Seconds on a steady clock, for `max_silence`.
            points: The point of each sample, where they are not all points in order.
        """
        values, flaws = self.judge(samples, points)
        news = self._news(values, flaws, now, self._all if points is None else points)
        return Readings(news, values, flaws or NOTHING, samples.times, points)

    def judge(
        self, samples: Samples, points: Sequence[int] | None = None
    ) -> tuple[list[Value], dict[int, Flaw]]:
        """Give engineering values, and row -> flaw, without deciding what is news."""
        values = list(samples.values)
        flaws = dict(samples.flaws) if samples.flaws else {}
        _drop_no_value(values, flaws, _rows(self._no_value, points))
        _scale(values, _rows(self._scaling, points))
        _drop_unusable(values, flaws)
        _doubt_outliers(values, flaws, _rows(self._ranges, points))
        return values, flaws

    def _news(
        self, values: list[Value], flaws: dict[int, Flaw], now: float, points: Sequence[int]
    ) -> Sequence[int]:
        if not (self._gates or self._open):
            return range(len(values))
        return [
            row
            for row, point in enumerate(points)
            if self._lets_pass(point, values[row], flaws.get(row), now)
        ]

    def _lets_pass(self, point: int, value: Value, flaw: Flaw | None, now: float) -> bool:
        if (own := self._gates.get(point)) is not None:
            return own.lets_pass(value, flaw, now)
        return self._open is None or self._open.lets_pass(point, value, flaw, now)

    def quiet(self, now: float) -> list[int]:
        """Give the points of which something was sent once, and nothing for about too long."""
        quiet = [point for point, own in self._gates.items() if own.is_quiet(now)]
        return sorted([*quiet, *self._open.quiet(now)]) if self._open else quiet

    @property
    def patience(self) -> float:
        """Give the seconds within which `quiet` has to be asked again, to be in time for all."""
        waits = [own.longest for own in self._gates.values()]
        longest = min([*waits, *(self._open.longest if self._open else ())], default=inf)
        return longest * (1 - TIMELY) / TIMELY


def _rows(known: Mapping[int, T], points: Sequence[int] | None) -> Iterable[tuple[int, T]]:
    """Pair rows with what is known of their points."""
    if points is None or not known:
        return known.items()
    return [(row, known[point]) for row, point in enumerate(points) if point in known]


def _drop_no_value(
    values: list[Value], flaws: dict[int, Flaw], rows: Iterable[tuple[int, frozenset[float | str]]]
) -> None:
    for row, codes in rows:
        if values[row] in codes and values[row] is not None:
            flaws[row] = Flaw(
                Quality.BAD, Why.NO_VALUE, _("raw value {values}").format(values=values[row])
            )


def _scale(values: list[Value], rows: Iterable[tuple[int, Scaling]]) -> None:
    for row, scale in rows:
        value = values[row]
        if isinstance(value, int | float) and value.__class__ is not bool:
            values[row] = scale(value)


def _doubt_outliers(
    values: list[Value], flaws: dict[int, Flaw], rows: Iterable[tuple[int, tuple[float, float]]]
) -> None:
    for row, (lowest, highest) in rows:
        value = values[row]
        numeric = isinstance(value, int | float) and row not in flaws
        if numeric and not lowest <= value <= highest:  # type: ignore[operator]  # numeric
            flaws[row] = Flaw(
                Quality.UNCERTAIN,
                Why.OUT_OF_RANGE,
                _("not within {lowest:g} to {highest:g}").format(lowest=lowest, highest=highest),
            )


def _drop_unusable(values: list[Value], flaws: dict[int, Flaw]) -> None:
    """Make sure that no bad value and no number that is not finite is left."""
    if not flaws and _all_finite(values):
        return
    unusable = [
        (i, value)
        for i, value in enumerate(values)
        if value is None
        or (value.__class__ is float and not isfinite(value))
        or (value.__class__ is int and not -LARGEST_FLOAT <= value <= LARGEST_FLOAT)
    ]
    for index, value in unusable:
        why = Why.NO_VALUE if value is None else Why.NOT_A_NUMBER
        known = flaws.get(index) or Flaw(Quality.BAD, why, "" if value is None else _("not finite"))
        flaws[index] = known._replace(quality=Quality.BAD)
    for index, flaw in flaws.items():
        if flaw.quality is Quality.BAD:
            values[index] = None


def _all_finite(values: list[Value]) -> bool:
    """Tell whether all are finite numbers, as nearly always: this looks at them in one go."""
    try:
        return all(map(isfinite, values))  # type: ignore[arg-type]  # what is none raises
    except (TypeError, OverflowError):  # None or a text; an integer beyond all floats
        return False


def scaling(scale: float, add: float) -> Scaling:
    """Make the function raw -> raw * scale + add that rounds only once.

    The factors are taken as the decimal numbers a person wrote, so that 2314 * 0.1 is 231.4 and
    not 231.40000000000003: for an integer, (raw * numerator + addend) / denominator is exact up
    to the final division. Without a denominator integers stay integers.
    """
    times, below = Decimal(repr(scale)).as_integer_ratio()
    plus, below_too = Decimal(repr(add)).as_integer_ratio()
    denominator = lcm(below, below_too)
    numerator, addend = times * (denominator // below), plus * (denominator // below_too)

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
