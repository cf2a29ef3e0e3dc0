"""Keeps the last valid line, and lets a reader wait for the next."""

import asyncio
from collections import Counter
from typing import NamedTuple

from edge_agent.driver import ConnectionLost, NoResponse
from edge_agent_serial.frames import Frame, Grammar
from edge_agent_serial.lines import LineSplitter


class Arrival(NamedTuple):
    """A valid line: how many came before it, and when it came (seconds of the loop's clock)."""

    number: int
    time: float
    frame: Frame


class Inbox:
    """Everything that arrived from one instrument since the link was opened.

    Attributes:
        latest: The last valid line.
        received: Bytes that arrived.
    """

    def __init__(self, grammar: Grammar, splitter: LineSplitter, evidence: Counter[str]) -> None:
        self.latest: Arrival | None = None
        self.received = 0
        self._grammar = grammar
        self._splitter = splitter
        self._evidence = evidence
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._lost = ""
        self._strange = ""

    @property
    def count(self) -> int:
        """Tell how many valid lines have arrived."""
        return self.latest.number if self.latest else 0

    def receive(self, data: bytes) -> None:
        """Take bytes as they come."""
        self.received += len(data)
        for line in self._splitter.feed(data):
            frame = self._grammar.parse(line)
            if frame is None:
                self._evidence["unmatched"] += 1
                self._strange = repr(line)[1:]
            else:
                self.latest = Arrival(self.count + 1, self._loop.time(), frame)
                self._news.set()
        self._evidence["overlong"] += self._splitter.overlong
        self._splitter.overlong = 0

    def lose(self, reason: str) -> None:
        """Note that the link is gone."""
        self._lost = reason
        self._news.set()

    def is_mid_line(self) -> bool:
        """Tell whether a line has begun and not ended."""
        return self._splitter.unfinished

    def forget(self) -> None:
        """Drop a line that has begun, and what strange lines said before."""
        self._splitter.clear()
        self._strange = ""

    async def next_after(self, number: int, patience: float) -> Arrival:
        """Wait for a valid line later than this one.

        Raises:
            NoResponse: None came within `patience` seconds.
            ConnectionLost: The link is gone.
        """
        try:
            async with asyncio.timeout(patience):
                while self.latest is None or self.latest.number <= number:
                    self._news.clear()
                    if self._lost:
                        raise ConnectionLost(self._lost)
                    await self._news.wait()
        except TimeoutError:
            raise NoResponse(self._silence(patience)) from None
        return self.latest

    def _silence(self, patience: float) -> str:
        if self._strange:
            return (
                f"no line matched the pattern for {patience:g} s; the last one was {self._strange}"
            )
        return f"no line came for {patience:g} s: check baud, cable and that the instrument sends"
