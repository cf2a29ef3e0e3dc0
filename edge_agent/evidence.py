"""What was noticed about one device beside its values. Pure.

Drivers count kinds such as `late`, `damaged` or `foreign`; the agent adds `reads`, `answered` and
`refused` (values that the device refused to give).
"""

from collections import Counter
from collections.abc import Mapping

READS = 30  # twice as many reads count as lately, at most
_ALWAYS_THERE = 2  # `reads` and `answered` are no trouble


class Evidence:
    """Counts about one device: since the start, lately, and since it last answered.

    Attributes:
        totals: Since the start.
    """

    __slots__ = ("_before", "_now", "_unanswered", "totals")

    def __init__(self) -> None:
        self.totals: Counter[str] = Counter()
        self._now: Counter[str] = Counter()
        self._before: Counter[str] = Counter()
        self._unanswered: Counter[str] = Counter()

    def note(self, found: Mapping[str, int], *, is_answer: bool) -> None:
        """Count one read and what was found along with it."""
        if self._now["reads"] >= READS:
            self._before, self._now = self._now, Counter()
        for counts in (self.totals, self._now):
            counts["reads"] += 1
            counts["answered"] += is_answer
            if found:
                counts.update(found)
        if is_answer:
            self._unanswered.clear()
        else:
            self._unanswered["reads"] += 1
            self._unanswered.update(found)

    @property
    def is_troubled(self) -> bool:
        """Tell whether anything but answers was noticed lately."""
        return (
            len(self._now) > _ALWAYS_THERE
            or len(self._before) > _ALWAYS_THERE
            or self._now["answered"] < self._now["reads"]
            or self._before["answered"] < self._before["reads"]
        )

    @property
    def lately(self) -> "Counter[str]":
        """Give what was counted in the last reads."""
        return self._before + self._now

    @property
    def unanswered(self) -> "Counter[str]":
        """Give what was counted since the last answer; empty if that was the last read."""
        return self._unanswered
