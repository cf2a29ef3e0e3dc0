"""How many messages may wait for their acknowledgement at once. Pure.

Everything in flight shares one connection, so each historical message that waits there delays the
live ones behind it. The backlog therefore gets only a part of the window, which grows by one with
every prompt acknowledgement and halves when acknowledgements become slow: the way TCP shares a
line.
"""

SLOW = 1.0  # seconds: with answers slower than this the backlog steps back; live must stay below 2
FIRST_SHARE = 8


class Window:
    """The window of one connection.

    Args:
        size: The most that may be in flight: the smaller of our limit and the broker's.
    """

    def __init__(self, size: int) -> None:
        self.size = max(1, size)
        self.flying = 0
        self._backlog_flying = 0
        self._share = min(FIRST_SHARE, self.size)
        self._halved_at = float("-inf")

    @property
    def open(self) -> bool:
        """Whether one more message may be sent."""
        return self.flying < self.size

    @property
    def open_for_backlog(self) -> bool:
        """Whether one more historical message may be sent."""
        return self.open and self._backlog_flying < self._share

    def sent(self, *, backlog: bool) -> None:
        """Count a message as in flight."""
        self.flying += 1
        self._backlog_flying += backlog

    def acknowledged(self, sent_at: float, now: float, *, backlog: bool) -> None:
        """Count a message as arrived, and learn from the time it took."""
        self.flying -= 1
        self._backlog_flying -= backlog
        if now - sent_at < SLOW:
            self._share = min(self.size, self._share + 1)
        elif sent_at > self._halved_at:  # once per round trip
            self._share = max(1, self._share // 2)
            self._halved_at = now


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
