"""How late polls start: a histogram that never grows."""

from bisect import bisect_left

LIMITS_MS = (0.5, 1, 2, 3, 4, 5, 7.5, 10, 15, 20, 35, 50, 100, 200, 500, 1000, float("inf"))


class Lateness:
    """Counts of polls by the delay between when they were due and when they started."""

    def __init__(self) -> None:
        self.counts = [0] * len(LIMITS_MS)

    def add(self, seconds: float) -> None:
        """Count one poll."""
        self.counts[bisect_left(LIMITS_MS, seconds * 1000)] += 1

    def percentile(self, share: float) -> float | None:
        """Give the milliseconds below which this share of polls was late; None without polls."""
        wanted, seen = share * sum(self.counts), 0
        for limit, count in zip(LIMITS_MS, self.counts, strict=True):
            seen += count
            if count and seen >= wanted:
                return limit
        return None
