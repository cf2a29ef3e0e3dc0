"""What equipment reports by itself, and the queue between where it arrives and who fetches it."""

import asyncio
import time
from collections import deque
from collections.abc import Collection, Sequence
from typing import NamedTuple

from edge_agent.model import Samples


class Changes(NamedTuple):
    """What the equipment reported at once about the points of one group.

    Attributes:
        group: Which of the groups given to `watch`.
        indices: Which of its addresses. One that changed several times comes several times, in
            the order in which that happened.
        samples: One per index, each with its own time where the equipment gives one.
        waited: Seconds since it arrived.
        unwatched: The addresses that the agent has to poll from now on, because the equipment
            cannot report them; None where nothing of that kind changed.
    """

    group: int
    indices: Sequence[int]
    samples: Samples
    waited: float = 0.0
    unwatched: Collection[int] | None = None


class ChangeQueue:
    """Keeps what arrived until the agent fetches it.

    Whoever receives (a callback, a task of the driver) puts in; `WatchingDriver.changes` returns
    `await queue.take()`. Everything happens in one event loop, so nothing is locked.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[float, Changes]] = deque()
        self._error: Exception | None = None
        self._news = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, changes: Changes) -> None:
        """Add what has just arrived."""
        self._waiting.append((time.monotonic(), changes))
        self._news.set()

    def end(self, error: Exception) -> None:
        """Let the fetching fail with this error, once everything that came before is fetched.

        It is a `DriverError`, or whatever a bug of the driver raised.
        """
        self._error = self._error or error
        self._news.set()

    async def take(self) -> list[Changes]:
        """Wait until something is there, and take all of it; a cancelled call takes nothing.

        Raises:
            Exception: What `end` was told.
        """
        await self._news.wait()
        if not self._waiting and self._error is not None:
            raise self._error
        now = time.monotonic()
        taken = [one._replace(waited=now - arrived) for arrived, one in self._waiting]
        self._waiting.clear()
        if self._error is None:
            self._news.clear()
        return taken
