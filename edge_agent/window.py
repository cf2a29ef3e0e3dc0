"""How much may wait for its acknowledgement at once. Pure.

Everything in flight shares one line, so each historical message that waits there delays the live
ones behind it. The backlog therefore gets only what the line carries without a queue; live
messages wait for nothing but a place in the window.
"""

from typing import NamedTuple

QUEUE = 0.25  # seconds that the backlog may make others wait; live must stay below 2
FIRST_ROOM = 8192  # bytes in flight before anything is known about a line: two usual messages
GROWTH = 0.5  # bytes more for each byte that was prompt: half as much again with each round trip,
# or what makes the queue longer by QUEUE, where that is less
MEMORY = 10.0  # seconds after which the shortest time is measured anew: a line may become longer


class Departure(NamedTuple):
    """A message that left: what must be known of it when it arrives.

    Attributes:
        size: Its bytes.
        flying: Bytes in flight when it had left, its own included.
        at: When, in seconds on a steady clock.
        backlog: Whether it is historical.
    """

    size: int
    flying: int
    at: float
    backlog: bool


class Line:
    """What a line carries, learnt from how long acknowledgements take.

    The shortest time seen is the line itself; what a message takes beyond that, it stood in a
    queue. While the queue is short, the room grows. When it is not, the line has shown what it
    carries: what was in flight when the message left, in the time that it took. As much of that as
    fits into the shortest time fills the line and leaves no queue, which also shows the shortest
    time again. TCP Vegas and BBR share a line in this way.

    Attributes:
        room: Bytes that may be in flight.
    """

    def __init__(self) -> None:
        self.room = float(FIRST_ROOM)
        self._shortest = self._shortest_before = float("inf")
        self._measured_since = self._cut_at = float("-inf")

    def learn(self, departure: Departure, now: float) -> None:
        """Learn from the acknowledgement of a message that arrives now."""
        took = now - departure.at
        shortest = self._note(took, now)
        if took - shortest <= QUEUE:
            growth = GROWTH if took * GROWTH <= QUEUE else QUEUE / took
            proven = 2.0 * departure.flying  # what was never in flight proves nothing
            self.room = max(self.room, min(self.room + growth * departure.size, proven))
        elif departure.at > self._cut_at:  # once per round trip
            self.room = departure.flying / took * shortest
            self._cut_at = now

    def _note(self, took: float, now: float) -> float:
        """Give the shortest time of the last ten to twenty seconds."""
        if now - self._measured_since > MEMORY:
            self._shortest_before, self._shortest = self._shortest, float("inf")
            self._measured_since = now
        self._shortest = min(self._shortest, took)
        return min(self._shortest, self._shortest_before)


class Window:
    """What is in flight on one connection, and whether more may be.

    Args:
        size: The most messages that may be in flight: the smaller of our limit and the broker's.
    """

    def __init__(self, size: int) -> None:
        self.size = max(1, size)
        self.line = Line()
        self._flying = self._backlog_flying = self._bytes = 0

    @property
    def open(self) -> bool:
        """Whether one more message may be sent."""
        return self._flying < self.size

    @property
    def open_for_backlog(self) -> bool:
        """Whether one more historical message may be sent; one may always be on its way."""
        return self.open and (not self._backlog_flying or self._bytes < self.line.room)

    def sent(self, size: int, now: float, *, backlog: bool) -> Departure:
        """Count a message of so many bytes as in flight."""
        self._flying += 1
        self._backlog_flying += backlog
        self._bytes += size
        return Departure(size, self._bytes, now, backlog)

    def acknowledged(self, departure: Departure, now: float) -> None:
        """Count a message as arrived, and learn from the time it took."""
        self._flying -= 1
        self._backlog_flying -= departure.backlog
        self._bytes -= departure.size
        self.line.learn(departure, now)


class Pace:
    """Limits readings per second; None does not limit. A burst of one second is allowed."""

    def __init__(self, rate: float | None) -> None:
        self._rate = rate
        self._credit = rate or 0.0
        self._at = float("-inf")

    def allows(self, now: float) -> bool:
        """Tell whether something may be sent now."""
        if self._rate is None:
            return True
        self._credit = min(self._rate, self._credit + max(0.0, now - self._at) * self._rate)
        self._at = now
        return self._credit > 0

    def spend(self, readings: int) -> None:
        """Count readings as sent."""
        if self._rate is not None:
            self._credit -= readings
