"""Keeps a log readable: what changes again and again gets one line in five minutes. Pure."""

from collections import Counter

SECONDS = 300.0


class Mentions:
    """When each thing was last mentioned, and how often it was passed over since."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}
        self._passed: Counter[str] = Counter()

    def admit(self, thing: str, now: float) -> int | None:
        """Ask whether a change may be mentioned now.

        Args:
            thing: What changed.
            now: Seconds on a steady clock.

        Returns:
            How many changes were passed over since the last mention; None if this one is, too.
        """
        if now < self._last.get(thing, -SECONDS) + SECONDS:
            self._passed[thing] += 1
            return None
        self._last[thing] = now
        return self._passed.pop(thing, 0)

    def knows(self, thing: str) -> bool:
        """Tell whether a thing was ever mentioned."""
        return thing in self._last

    def overdue(self, now: float) -> list[str]:
        """Name what was passed over and may be mentioned by now."""
        if not self._passed:
            return []
        return [thing for thing in self._passed if now >= self._last[thing] + SECONDS]
