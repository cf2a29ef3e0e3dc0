"""Counts what arrives: every (epoch, seq) once, gaps, records of loss, and how old it was. Pure."""

from collections.abc import Iterable
from typing import Any

import msgspec

Span = tuple[int, int]  # first and last number, both included


class Reading(msgspec.Struct):
    """The part of a reading that is looked at: whether it is good."""

    q: str = "good"


class Data(msgspec.Struct):
    """The part of a data message that is looked at."""

    epoch: str
    seq: int
    prev: int
    ts: int
    readings: list[Reading]
    hist: bool = False


class Loss(msgspec.Struct):
    """A record of readings that will never arrive, as the contract describes it."""

    epoch: str
    seq: int
    prev: int
    lost_epoch: str
    first: int | None
    last: int | None
    readings: int | None
    exposed_ms: int | None
    why: str


class Tally:
    """What a subscriber has seen."""

    def __init__(self) -> None:
        self.messages = self.readings = self.bad = self.duplicates = self.historical = 0
        self.first_at: float | None = None
        self.last_at: float | None = None
        self.ages_ms: list[float] = []
        self.losses: list[Loss] = []
        self._seen: dict[str, set[int]] = {}
        self._before: dict[str, set[int]] = {}

    def data(self, message: Data, now: float) -> None:
        """Count a data message.

        Args:
            message: What arrived.
            now: Seconds since 1970.
        """
        if not self._is_new(message):
            return
        if self.first_at is None:
            self.first_at = now
        self.last_at = now
        self.messages += 1
        self.readings += len(message.readings)
        self.bad += sum(reading.q == "bad" for reading in message.readings)
        self.historical += message.hist
        if not message.hist:
            self.ages_ms.append(now * 1000 - message.ts)

    def loss(self, record: Loss) -> None:
        """Count a record of loss."""
        if self._is_new(record):
            self.losses.append(record)

    def _is_new(self, message: Data | Loss) -> bool:
        seen = self._seen.setdefault(message.epoch, set())
        if message.seq in seen:
            self.duplicates += 1
            return False
        seen.add(message.seq)
        if message.prev:
            self._before.setdefault(message.epoch, set()).add(message.prev)
        return True

    def missing(self) -> dict[str, list[Span]]:
        """Give the numbers that neither arrived nor stand in a record of loss, by epoch."""
        gaps = {
            epoch: spans(self._unaccounted(epoch, range(1, max(seen) + 1)))
            for epoch, seen in self._seen.items()
        }
        return {epoch: gap for epoch, gap in gaps.items() if gap}

    def broken_chain(self) -> int:
        """Count the messages whose `prev` neither arrived nor stands in a record of loss."""
        return sum(
            len(list(self._unaccounted(epoch, before))) for epoch, before in self._before.items()
        )

    def _unaccounted(self, epoch: str, numbers: Iterable[int]) -> Iterable[int]:
        named = [(r.first, r.last) for r in self.losses if r.lost_epoch == epoch]
        seen = self._seen[epoch]
        for number in numbers:
            if number not in seen and not any(
                first is not None and last is not None and first <= number <= last
                for first, last in named
            ):
                yield number

    def report(self) -> dict[str, Any]:
        """Give everything as JSON-able data; the ages are given once."""
        ages, self.ages_ms = self.ages_ms, []
        return {
            "messages": self.messages,
            "readings": self.readings,
            "bad": self.bad,
            "duplicates": self.duplicates,
            "historical": self.historical,
            "missing": self.missing(),
            "broken_chain": self.broken_chain(),
            "losses": [msgspec.to_builtins(record) for record in self.losses],
            "first_at": self.first_at,
            "last_at": self.last_at,
            "ages_ms": ages,
        }


def spans(numbers: Iterable[int]) -> list[Span]:
    """Join ascending numbers to spans."""
    joined: list[Span] = []
    for number in numbers:
        if joined and joined[-1][1] == number - 1:
            joined[-1] = (joined[-1][0], number)
        else:
            joined.append((number, number))
    return joined
