"""When what a device refused is asked for again: once after the start, and then once a day. Pure.

A device may have been exchanged, or its program changed, and nothing learnt from one odd answer
must last. A day is counted on the steady clock of the event loop, since only the time that passed
matters. No instant is kept on disk: a start asks anyway.
"""

from collections import deque
from collections.abc import Iterable
from math import inf

from edge_agent_modbus.pdu import Request
from edge_agent_modbus.plan import Suspect

RETEST_SECONDS = 86400.0
RETESTS_PER_READ = 4
"""So many more requests in one read at most, so that neighbours on the line hardly notice."""


class Retests:
    """Remembers when each refused request was last asked. Lives as long as the driver."""

    def __init__(self) -> None:
        self._asked: dict[Request, float] = {}
        self._since = inf

    def queue(self, suspects: Iterable[Suspect]) -> deque[Suspect]:
        """Put suspects into the order in which they are due."""
        return deque(sorted(suspects, key=self._last))

    def note(self, request: Request, now: float) -> None:
        """Take note that this was asked just now, and refused."""
        self._asked[request] = now

    def due(self, queue: deque[Suspect], now: float, at_least: int = 0) -> list[Suspect]:
        """Move those that are due to the end of the queue, and give them.

        Args:
            queue: From `queue`.
            now: Seconds of a steady clock.
            at_least: So many, if there are, although they are not due.
        """
        self._since = min(self._since, now)
        found: list[Suspect] = []
        for _ in range(min(len(queue), RETESTS_PER_READ)):
            if len(found) >= at_least and now - self._last(queue[0]) < RETEST_SECONDS:
                break
            found.append(queue[0])
            queue.rotate(-1)
        return found

    def _last(self, suspect: Suspect) -> float:
        """Give when it was asked last; what was learnt to be too wide waits for the first day."""
        return self._asked.get(suspect.request, self._since if suspect.is_trial else -inf)
