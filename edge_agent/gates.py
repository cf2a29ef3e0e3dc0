"""Decides for each point whether a value is news. Pure; time comes in as an argument."""

from array import array
from collections.abc import Iterable, Sequence
from math import inf, isnan, nan

from edge_agent.config.model import Point
from edge_agent.model import Flaw, Quality, Value, Why

NEARLY = 0.9  # of the time between two polls
USUAL_SILENCE = 60.0  # seconds after which a watched point without deadband is read again
TIMELY = 0.75  # of the longest silence: from then on a watched point is read again


class Gate:
    """Decides for one point with a deadband whether a value is news."""

    __slots__ = ("basis", "last", "longest", "percent", "quality", "sent_at", "size")

    def __init__(self, point: Point, longest: float) -> None:
        deadband = point.deadband
        self.size = deadband.size if deadband else 0.0
        self.percent = deadband.percent if deadband else False
        self.basis = abs(point.range[1] - point.range[0]) if point.range else None
        self.longest = longest
        self.last: Value = None
        self.quality: tuple[Quality, Why] | None = None
        self.sent_at: float | None = None

    def lets_pass(self, value: Value, flaw: Flaw | None, now: float) -> bool:
        """Tell whether a value is news; if it is, it counts as sent now."""
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

    def is_quiet(self, now: float) -> bool:
        """Tell whether nothing was sent for about too long since the first."""
        return self.sent_at is not None and now - self.sent_at > self.longest


class OpenGates:
    """Lets every value of watched points pass; a value that is missing only once.

    Columns, since there may be ten thousand points: an object for each took 2 MB, and as much
    again by living on among what only the start needs.

    Args:
        longest: Of each point, the seconds after which it is quiet.
    """

    __slots__ = ("_qualities", "_sent_at", "longest")

    def __init__(self, longest: Iterable[float]) -> None:
        self.longest = array("d", longest)
        self._sent_at = array("d", [nan]) * len(self.longest)  # not a number: nothing yet
        self._qualities: dict[int, tuple[Quality, Why]] = {}

    def lets_pass(self, point: int, value: Value, flaw: Flaw | None, now: float) -> bool:
        """Tell whether a value of a point is news; it counts as sent now."""
        quality = flaw and flaw[:2]
        news = (
            value is not None
            or isnan(self._sent_at[point])
            or quality != self._qualities.get(point)
        )
        self._sent_at[point] = now
        if quality is not None:
            self._qualities[point] = quality
        elif self._qualities:
            self._qualities.pop(point, None)
        return news

    def quiet(self, now: float) -> list[int]:
        """Give the points of which nothing was sent for about too long since the first."""
        both = enumerate(zip(self._sent_at, self.longest, strict=True))
        return [point for point, (sent_at, longest) in both if now - sent_at > longest]


def gate(point: Point, *, watched: bool) -> Gate | None:
    """Make the gate of one point with a deadband."""
    if not point.deadband:
        return None
    if watched:
        return Gate(point, TIMELY * (point.max_silence or inf))
    # The next poll would come too late after this; polls are not on time to the millisecond.
    return Gate(point, (point.max_silence or inf) - NEARLY * point.every)


def open_gates(points: Sequence[Point]) -> OpenGates:
    """Make the gates of watched points; those with a deadband have their own."""
    return OpenGates(
        inf if point.deadband else TIMELY * (point.max_silence or USUAL_SILENCE) for point in points
    )
