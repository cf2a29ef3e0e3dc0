"""What waits of one epoch in a parcel from another card, until it is acknowledged.

Its rows and records keep the epoch and the numbers of the card they come from. What of them must be
given up is named in the buffer's own records of loss.
"""

import asyncio
import math
from collections.abc import Iterator

import structlog

from edge_agent.backlog import Backlog
from edge_agent.ledger import Ledger, loss_of, runs
from edge_agent.numbers import Numbers
from edge_agent.parcel import Entry, Parcel
from edge_agent.ranges import Ranges
from edge_agent.row import Damaged, Loss, Row, Segment

Item = Row | Loss


class Carried:
    """One epoch of one parcel.

    Args:
        parcel: The file.
        epoch: Whose rows these are.
        delivered: The numbers that need no delivery any more; kept up to date here.
        blame: The buffer's own records, for what must be given up.

    Attributes:
        has_news: `delivered` has changed since this was last set to False.
        used: Bytes of what waits.
    """

    def __init__(self, parcel: Parcel, epoch: str, delivered: Ranges, blame: Ledger) -> None:
        self.epoch = epoch
        self.has_news = False
        self._parcel = parcel
        self._delivered = delivered
        self._blame = blame
        self._held: dict[int, Item] = {}
        self._entries = {one.first: one for one in parcel.contents.entries if one.epoch == epoch}
        losses = [one for one in parcel.contents.losses if one.epoch == epoch]
        self._records = {one.seq for one in losses}
        self._ledger = Ledger(
            Numbers(epoch, 0, {}), [one for one in losses if one.seq not in delivered]
        )
        waiting = [one for one in self._entries.values() if not self._is_delivered(one)]
        self._backlog = Backlog(map(_segment, waiting))
        self._finished: list[Entry] = []
        self.used = sum(entry.size for entry in waiting)
        self._log = structlog.get_logger().bind(part="buffer", parcel=parcel.path.name)

    # --- messages out --------------------------------------------------------------------------

    def next(self) -> Item | None:
        """Hand out what to send next: records of loss, then rows."""
        item: Item | None = self._ledger.next() or self._backlog.take()
        if item is not None:
            item.epoch = self.epoch
            self._held[item.seq] = item
        return item

    def holds(self, item: Item) -> bool:
        """Tell whether an item was handed out here."""
        return self._held.get(item.seq) is item

    def ack(self, item: Item) -> None:
        """Let an item go: the broker has it."""
        del self._held[item.seq]
        self._delivered.add(item.seq)
        self.has_news = True
        if isinstance(item, Loss):
            self._ledger.ack(item)
            return
        item.done = True
        segment = self._backlog.segments.get(item.home or 0)
        self._backlog.settle(item)
        if segment is not None and not segment.pending:
            self._finish(segment)

    def _name(self, loss: Loss) -> None:
        """Let the buffer's records name a loss, unless one that waits does so already.

        One does where the power went between both: the record on disk, but not yet the waybill.
        """
        if not any(known.covers(loss) for known in self._blame.records):
            self._blame.add(loss)

    def _numbers(self, thing: Segment | Entry, first: int) -> Iterator[int]:
        """Give the numbers that rows of a segment may have: none that a record of loss has."""
        return (seq for seq in range(first, thing.last + 1) if seq not in self._records)

    def _is_delivered(self, entry: Entry) -> bool:
        numbers = self._numbers(entry, entry.first)
        return self._parcel.is_released(entry) or all(seq in self._delivered for seq in numbers)

    def _finish(self, segment: Segment) -> None:
        """Note that all of a segment is acknowledged or named."""
        self._backlog.remove(segment)
        self.used -= segment.size
        self._finished.append(self._entries[segment.id])
        for seq in self._numbers(segment, segment.id):
            self._delivered.add(seq)
        self.has_news = True

    def refuse(self, item: Item) -> None:
        """Give up a row that the broker will never take; a record of loss stays held."""
        if isinstance(item, Row):
            self._name(loss_of([item], self.epoch, "refused"))
            self.ack(item)

    def give_back(self) -> None:
        """Take back everything that was handed out: its connection is lost."""
        items = sorted(self._held.values(), key=lambda item: item.seq, reverse=True)
        self._held.clear()
        for item in items:
            if isinstance(item, Loss):
                self._ledger.give_back(item)
        rows = [item.seq for item in items if isinstance(item, Row)]
        if rows:
            self._backlog.rewind(min(rows))

    @property
    def exhausted(self) -> bool:
        """Whether everything is handed out."""
        return self._backlog.exhausted

    @property
    def hungry(self) -> bool:
        """Whether little is left of what was read back, and more is in the file."""
        return self._backlog.hungry

    @property
    def done(self) -> bool:
        """Whether everything is acknowledged or named."""
        return not (self._held or self._backlog.segments or len(self._ledger))

    @property
    def oldest(self) -> int:
        """When the first of its rows was read, ms since 1970 UTC."""
        return min((segment.oldest for segment in self._backlog.segments.values()), default=0)

    @property
    def readings(self) -> int:
        """How many readings wait."""
        return self._backlog.readings

    @property
    def losses(self) -> int:
        """How many records of loss wait."""
        return len(self._ledger)

    # --- the file ------------------------------------------------------------------------------

    async def refill(self, boot: str) -> bool:
        """Read more back, if what was ready is nearly sent; tell whether it did.

        Args:
            boot: The present one; the steady clock of another one tells nothing.
        """
        refilled = False
        while segment := self._backlog.wanted(None, lambda _: True):
            try:
                entry = self._entries[segment.id]
                rows, read_in = await asyncio.to_thread(self._parcel.rows, entry)
            except Damaged as error:
                self._log.error("damaged_segment", first=segment.id, error=str(error))
                self.name_damaged(segment)
                continue
            for row in rows:
                row.mono = row.mono if read_in == boot else math.nan
            segment.acked = {row.seq for row in rows if row.seq in self._delivered}
            segment.pending = len(rows) - len(segment.acked)
            self._backlog.loaded(segment, rows, self._held)
            if not segment.pending:
                self._finish(segment)
            refilled = True
        return refilled

    def name_damaged(self, segment: Segment) -> None:
        """Give up a segment that cannot be read, and name all of it."""
        partly = any(seq in self._delivered for seq in self._numbers(segment, segment.id))
        readings = None if partly else segment.readings
        span = segment.id, segment.last, readings, segment.oldest, segment.newest
        self._name(Loss(0, 0, self.epoch, *span, "corrupt"))
        self._finish(segment)

    def name_absent(self, named: Ranges) -> None:
        """Give up the segments that did not arrive, and name them unless they were named before.

        Args:
            named: The numbers named before; what is named now is added.
        """
        for segment in list(self._backlog.segments.values()):
            if not self._parcel.has(self._entries[segment.id]):
                if segment.id in named:
                    self._finish(segment)
                else:
                    self.name_damaged(segment)
                named.add(segment.id, segment.last)

    def release(self) -> None:
        """Give back the room of what is delivered, once that is noted on disk. Blocks on disk."""
        finished, self._finished = self._finished, []
        self._parcel.release(finished)

    async def drop_oldest(self) -> int:
        """Give up the oldest segment for want of room; give its bytes, 0 if there is none."""
        segment = self._backlog.oldest(self._held, None)
        if segment is None:
            return 0
        try:
            rows, _ = await asyncio.to_thread(self._parcel.rows, self._entries[segment.id])
        except Damaged:
            self.name_damaged(segment)
            return segment.size
        if segment is not self._backlog.oldest(self._held, None):
            return 0  # meanwhile some of it is in flight
        for run in runs(row for row in rows if row.seq not in self._delivered):
            self._name(loss_of(run, self.epoch, "capacity"))
        self._finish(segment)
        return segment.size


def _segment(entry: Entry) -> Segment:
    """Make a segment of what the table of contents says; which rows are delivered is seen later."""
    numbers = entry.first, entry.last, entry.messages, entry.readings
    return Segment(*numbers, entry.oldest, entry.newest, 0.0, "", True, entry.size)
