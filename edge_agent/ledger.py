"""The loss ledger: records of readings that will never arrive, kept until acknowledged. Pure."""

from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from edge_agent.numbers import Numbers
from edge_agent.row import LOSS_TOPIC, Loss, Row


class Ledger:
    """All loss records that the broker has not acknowledged.

    A record gets its number from the same sequence as the readings. While it was never handed to
    a broker, a loss that follows it without a gap makes it longer instead of a new record, so that
    an outage of weeks leaves a handful of records.
    """

    def __init__(self, numbers: Numbers, losses: Iterable[Loss]) -> None:
        self._numbers = numbers
        self._open = {loss.seq: loss for loss in losses}
        self._waiting = deque(self._open.values())
        self._changed: dict[int, Loss] = {}
        self._settled: list[int] = []
        self._unnumbered: list[Loss] = []

    def __len__(self) -> int:
        return len(self._open) + len(self._unnumbered)

    @property
    def records(self) -> list[Loss]:
        """All numbered records."""
        return list(self._open.values())

    def add(self, loss: Loss) -> None:
        """Record a loss; its `seq` and `prev` are given here, or as soon as a number is free."""
        tail = self._waiting[-1] if self._waiting else None
        if tail and not tail.sent and loss.continues(tail):
            tail.absorb(loss)
            self._changed[tail.seq] = tail
        elif self._numbers.spent:
            self._unnumbered.append(loss)
        else:
            self._number(loss)

    def _number(self, loss: Loss) -> None:
        seq, prev = self._numbers.take(LOSS_TOPIC)
        loss = replace(loss, seq=seq, prev=prev)
        self._open[seq] = self._changed[seq] = loss
        self._waiting.append(loss)

    def count_unnumbered(self, ts: int, readings: int) -> None:
        """Count readings that got no number; one record names how many they were.

        Args:
            ts: When they were read, ms since 1970 UTC.
            readings: How many.
        """
        fresh = Loss(0, 0, self._numbers.epoch, None, None, readings, ts, ts, "capacity")
        if self._unnumbered and self._unnumbered[-1].first is None:
            self._unnumbered[-1].absorb(fresh)
        else:
            self._unnumbered.append(fresh)

    def number(self) -> None:
        """Number the records that found no number free, now that more are reserved."""
        losses, self._unnumbered = self._unnumbered, []
        for loss in losses:
            self.add(loss)

    def next(self) -> Loss | None:
        """Hand out the record to send next; from now on its content is fixed."""
        if not self._waiting:
            return None
        loss = self._waiting.popleft()
        loss.sent = True
        return loss

    def give_back(self, loss: Loss) -> None:
        """Take back a record whose connection is lost."""
        self._waiting.appendleft(loss)

    def ack(self, loss: Loss) -> None:
        """Let a record go: the broker has it."""
        self._open.pop(loss.seq, None)
        self._changed.pop(loss.seq, None)
        self._settled.append(loss.seq)

    def first_unsaved(self) -> int | None:
        """Give the lowest number that a record names, or has, that is not on disk as it is now.

        What such a record names is neither on disk nor acknowledged any more: until the record
        itself is on disk, it alone knows.
        """
        unsaved = [*self._changed.values(), *self._unnumbered]
        epoch = self._numbers.epoch
        named = (loss.first for loss in unsaved if loss.first and loss.lost_epoch == epoch)
        return min([*named, *self._changed], default=None)

    def changes(self) -> tuple[list[Loss], list[int]]:
        """Hand over what the next flush must write and what it must delete."""
        changed, settled = list(self._changed.values()), self._settled
        self._changed, self._settled = {}, []
        return changed, settled

    def restore(self, changed: Iterable[Loss], settled: Iterable[int]) -> None:
        """Take back changes that the disk did not accept."""
        still_open = {loss.seq: loss for loss in changed if loss.seq in self._open}
        self._changed = still_open | self._changed
        self._settled = [*settled, *self._settled]


def loss_of(rows: list[Row], epoch: str, why: str) -> Loss:
    """Name a run of rows with consecutive numbers."""
    readings = sum(row.readings for row in rows)
    first, last = rows[0], rows[-1]
    return Loss(0, 0, epoch, first.seq, last.seq, readings, first.ts, last.ts, why)


def runs(rows: Iterable[Row]) -> list[list[Row]]:
    """Part rows, ascending, into runs of consecutive numbers."""
    found: list[list[Row]] = []
    for row in rows:
        if found and row.seq == found[-1][-1].seq + 1:
            found[-1].append(row)
        else:
            found.append([row])
    return found
