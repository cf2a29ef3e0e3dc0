"""When each poll group of a connection is due: drift-free, and never queueing up.

Every group has its own grid `origin + k * every`. A poll that takes too long does not move the
grid: the instants that passed meanwhile are skipped and counted, except the latest one, which is
polled late. So a line that can almost keep up loses single polls instead of every second one.
"""

import heapq
import math
from collections.abc import Sequence


class Schedule:
    """The grids of one connection's poll groups.

    Args:
        every: Seconds between polls, one entry per group.
        start: Time of the first poll of every group (seconds on any steady clock).
        origin: Time on which all later polls are aligned, `origin + k * every`; connections get
            different origins so that they do not all wake at once.
    """

    def __init__(self, every: Sequence[float], start: float, origin: float) -> None:
        self._every = tuple(every)
        self._origin = origin
        self._queue = [(start, index) for index in range(len(every))]
        heapq.heapify(self._queue)

    def peek(self) -> tuple[float, int]:
        """Give the time and the index of the group that is due first."""
        return self._queue[0]

    def advance(self, now: float) -> int:
        """Move the group that is due first to its next instant; tell how many were skipped.

        Args:
            now: When its poll ended.
        """
        due, index = self._queue[0]
        every = self._every[index]
        following = self._origin + (math.floor((due - self._origin) / every + 1e-6) + 1) * every
        missed = max(0, math.floor((now - following) / every))
        heapq.heapreplace(self._queue, (following + missed * every, index))
        return missed
