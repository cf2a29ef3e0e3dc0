"""The two lanes of the buffer and their order, without any I/O.

* Rows younger than `LIVE_SECONDS` are handed out from the live lane, in order, before anything
  else. Older ones come from the backlog, in order, as historical; last of all come those that are
  too old for the live lane but not on disk, because it refused them. So order holds within each.
* A row is in memory or in a segment on disk until it is acknowledged or a loss record names it.

Time comes in as `now`: seconds on the steady clock of this boot.
"""

from collections import deque

from edge_agent.backlog import Backlog
from edge_agent.ledger import Ledger, loss_of, runs
from edge_agent.numbers import Numbers
from edge_agent.row import Loss, Row, Segment
from edge_agent.store import Change

LIVE_SECONDS = 10.0  # the published contract: a message sent later than this is marked `hist`
# Share of `flush` after which a row is written. Each commit costs a card some ten pages however
# little is in it, so the later the better; the rest is the time that a slow card needs for it.
WAITED = 0.75
MEMORY_BYTES = 16 << 20  # bodies kept in memory at most; what is over waits on disk

Item = Row | Loss


class Lanes:
    """Which rows wait where, what is in flight, and what the disk must be told."""

    def __init__(self, numbers: Numbers, backlog: Backlog, ledger: Ledger) -> None:
        self.numbers = numbers
        self.backlog = backlog
        self.ledger = ledger
        self.held: dict[int, Item] = {}
        self._live: deque[Row] = deque()
        self._late: deque[Row] = deque()
        self._unsaved: deque[Row] = deque()
        self._memory = 0

    # --- readings in, messages out -------------------------------------------------------------

    def append(self, row: Row) -> None:
        """Take in a row that was just numbered."""
        self._live.append(row)
        self._unsaved.append(row)
        self._memory += len(row.body)

    def next(self, now: float, *, backlog: bool) -> Item | None:
        """Hand out what to send next: live rows, then records of loss, then the backlog."""
        self._part_from_old(now)
        item: Item | None = self._live.popleft() if self._live else self.ledger.next()
        if item is None and backlog:
            item = self.backlog.take() or self._next_late()
        if item is not None:
            self.held[item.seq] = item
        return item

    def _part_from_old(self, now: float) -> None:
        """Move rows too old for the live lane: to the disk, where they are already, or aside."""
        while self._live and now - self._live[0].mono > LIVE_SECONDS:
            row = self._live.popleft()
            if row.home is None:
                self._late.append(row)
            else:
                self._memory -= len(row.body)

    def _next_late(self) -> Row | None:
        if not self._late or not self.backlog.exhausted:
            return None
        row = self._late.popleft()
        row.historical = True
        return row

    def ack(self, item: Item) -> None:
        """Let an item go: the broker has it."""
        self.held.pop(item.seq, None)
        if isinstance(item, Loss):
            self.ledger.ack(item)
        elif not item.done:
            self._finish(item)

    def refuse(self, item: Item) -> None:
        """Give up a row that the broker will never take; a loss record names it.

        A record of loss is never given up: it stays held until its connection ends, and is
        offered again on the next one.
        """
        if isinstance(item, Row) and not item.done:
            self.ledger.add(loss_of([item], self.numbers.epoch, "refused"))
            self.ack(item)

    def give_back(self, now: float) -> None:
        """Take back everything that is in flight: its connection is lost."""
        items = sorted(self.held.values(), key=lambda item: item.seq, reverse=True)
        self.held.clear()
        on_disk = None
        for item in items:
            if isinstance(item, Loss):
                self.ledger.give_back(item)
            elif not item.historical and now - item.mono <= LIVE_SECONDS:
                self._live.appendleft(item)
            elif item.home is None:
                self._late.append(item)
            else:
                self._memory -= 0 if item.read_back else len(item.body)
                on_disk = item.seq
        self._late = deque(sorted(self._late, key=lambda row: row.seq))
        if on_disk is not None:
            self.backlog.rewind(on_disk)

    @property
    def first_live(self) -> int | None:
        """Give the number of the first row that waits in the live lane."""
        return self._live[0].seq if self._live else None

    def lag(self, now: float) -> float:
        """Give the seconds that the oldest row of the live lane has been waiting."""
        return now - self._live[0].mono if self._live else 0.0

    def _finish(self, row: Row) -> None:
        row.done = True
        self._memory -= 0 if row.read_back else len(row.body)
        if row.home is not None:
            self.backlog.settle(row)

    # --- what the disk must be told ------------------------------------------------------------

    def due(self, now: float, flush: float) -> list[Row]:
        """Give the rows to write now: all, once the oldest waited long enough.

        What is left of `flush` is for the commit itself.
        """
        return [] if self.until_due(now, flush) > 0 else self.unsaved()

    def until_due(self, now: float, flush: float) -> float:
        """Give the seconds until something must be written; at most `flush`."""
        unsaved = self._unsaved
        while unsaved and unsaved[0].done:
            unsaved.popleft()
        return min(flush, unsaved[0].mono + flush * WAITED - now) if unsaved else flush

    def unsaved(self) -> list[Row]:
        """Give all rows that are in memory only."""
        return [row for row in self._unsaved if not row.done]

    def change(self, rows: list[Row], boot: str) -> Change:
        """Gather what one transaction must do; `restore` it if that fails.

        It notes as well how much is on disk then, so that what vanishes is missed.
        """
        removed, acked = self.backlog.changes()
        losses, settled = self.ledger.changes()
        notes: dict[str, str | int] = {"accounted": self.accounted(rows)} if rows else {}
        if rows or removed:
            notes["segments"] = len(self.backlog.segments) + bool(rows)
        if losses or settled:
            notes["losses"] = len(self.ledger.records)
        return Change(rows, boot, removed, acked, losses, settled, notes)

    def restore(self, change: Change) -> None:
        """Take back a change that the disk did not accept."""
        self.backlog.restore(change.removed, change.acked)
        self.ledger.restore(change.losses, change.settled)

    def saved(self, segment: Segment, rows: list[Row]) -> None:
        """Note that rows are on disk now; some may have been acknowledged meanwhile."""
        for row in rows:
            row.home = segment.id
            if row.done:
                segment.acked.add(row.seq)
                segment.pending -= 1
        self.backlog.add(segment)
        self._memory -= sum(len(row.body) for row in self._late if row.home is not None)
        self._late = deque(row for row in self._late if row.home is None)
        while self._unsaved and self._unsaved[0].seq <= segment.last:
            self._unsaved.popleft()

    def accounted(self, saving: list[Row] | None = None) -> int:
        """Give the number up to which everything is acknowledged or on disk.

        Args:
            saving: Rows to be counted as on disk already.
        """
        saved = saving[-1].seq if saving else 0
        waiting = (row.seq for row in self._unsaved if not row.done and row.seq > saved)
        first = next(waiting, self.numbers.last + 1)
        unsaved_loss = self.ledger.first_unsaved()
        return (first if unsaved_loss is None else min(first, unsaved_loss)) - 1

    # --- limits --------------------------------------------------------------------------------

    def demote(self, now: float, *, disk_works: bool) -> None:
        """Keep memory bounded: let rows wait on disk, where they are already.

        Where the disk refuses them, the oldest are given up by name.
        """
        self._part_from_old(now)
        while self._memory > MEMORY_BYTES and (waiting := self._late or self._live):
            row = waiting[0]
            if row.home is not None:
                self._memory -= len(waiting.popleft().body)
            elif disk_works:
                break
            else:
                self.ledger.add(loss_of([waiting.popleft()], self.numbers.epoch, "capacity"))
                self._finish(row)

    @property
    def droppable(self) -> Segment | None:
        """Give the oldest segment that can be given up."""
        return self.backlog.oldest(self.held, self.first_live)

    def give_up(self, segment: Segment, rows: list[Row] | None, why: str) -> None:
        """Drop a segment and name its rows that are not acknowledged.

        Args:
            segment: What to drop; none of its rows is in flight.
            rows: Its rows; None where they cannot be read, then its whole range is named.
            why: The reason, for the loss records.
        """
        epoch = self.numbers.epoch
        for run in runs(row for row in rows or () if row.seq not in segment.acked):
            self.ledger.add(loss_of(run, epoch, why))
        if rows is None:
            first, last, oldest, newest = segment.id, segment.last, segment.oldest, segment.newest
            readings = None if segment.acked else segment.readings
            self.ledger.add(Loss(0, 0, epoch, first, last, readings, oldest, newest, why))
        self.backlog.remove(segment)

    def remembered(self, segment: Segment) -> list[Row] | None:
        """Give the rows of a segment that are not acknowledged, if memory still holds them all."""
        flying = (item for item in self.held.values() if isinstance(item, Row))
        rows = [row for row in (*flying, *self._live) if row.home == segment.id and not row.done]
        rows.sort(key=lambda row: row.seq)
        is_whole = len(rows) == segment.pending > 0 and rows[0].seq == segment.id
        return rows if is_whole else None

    @property
    def waiting(self) -> int:
        """How many readings wait for their acknowledgement, in memory and on disk."""
        return sum(row.readings for row in self.unsaved()) + self.backlog.readings
