"""Notices when a server says nothing any more, and decides what is built anew. Pure.

A subscription must be heard of within its keep-alive time, be it that there is nothing to tell.
Servers are known that fall silent while the session looks alive; then a new subscription helps, or
a new session, or only a new connection.

Source: OPC 10000-4, 5.14.1 (keep-alive and lifetime counters).
"""

from enum import IntEnum

KEEP_ALIVES = 2
"""Keep-alive times without a word after which a subscription counts as stalled."""
GRACE = 1.0
"""Seconds more, for the network."""
GOOD_WORDS = 2
"""Words a rebuilt subscription must say before the next silence counts as a new trouble."""


class Remedy(IntEnum):
    """What is built anew, the cheapest first."""

    SUBSCRIPTION = 1
    SESSION = 2
    CONNECTION = 3


class Stall:
    """Watches one subscription's silence. `now` is seconds on a steady clock."""

    def __init__(self) -> None:
        self._heard = self._longest = 0.0
        self._last: Remedy | None = None
        self._words = 0

    def begin(self, keep_alive: float, now: float) -> None:
        """Begin to wait for a subscription that was just made.

        Args:
            keep_alive: Seconds after which the server says at least that it lives.
            now: As everywhere.
        """
        self._heard = now
        self._longest = KEEP_ALIVES * keep_alive + GRACE
        self._words = 0

    def hear(self, now: float) -> None:
        """Take note of a word of the server."""
        self._heard = now
        self._words += 1
        if self._words >= GOOD_WORDS:
            self._last = None

    @property
    def until(self) -> float:
        """Give when the silence will have been too long."""
        return self._heard + self._longest

    def silence(self, now: float) -> float:
        """Give the seconds since the last word."""
        return now - self._heard

    def remedy(self) -> Remedy:
        """Give what to build anew, now that it was too long: more each time, until it helps."""
        self._last = Remedy(min((self._last or 0) + 1, Remedy.CONNECTION))
        return self._last
