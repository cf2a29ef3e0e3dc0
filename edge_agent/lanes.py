"""The two lanes of the buffer and their order, without any I/O.

* Rows younger than `LIVE_SECONDS` are handed out from the live lane, in order, before anything
  else. Older ones come from the backlog, in order, as historical. So order holds within each.
* A row is in memory or in a segment on disk until it is acknowledged or a loss record names it.

Time comes in as `now`: seconds on the steady clock of this boot.
"""

from collections import deque
from itertools import takewhile

from edge_agent.backlog import Backlog
from edge_agent.ledger import Ledger, loss_of, runs
from edge_agent.numbers import Numbers
from edge_agent.row import Loss, Row
from edge_agent.store import Change, Segment

LIVE_SECONDS = 10.0  # the published contract: a message sent later than this is marked `hist`
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
        self._unsaved: deque[Row] = deque()
        self._memory = 0

    # --- readings in, messages out -------------------------------------------------------------

    def append(self, row: Row) -> None:
        """Take in a row that was just numbered."""
        self._live.append(row)
        self._unsaved.append(row)
        self._memory += len(row.body)

    def next(self, *, backlog: bool) -> Item | None:
        """Hand out what to send next: live rows, then records of loss, then the backlog."""
        item: Item | None = self._live.popleft() if self._live else self.ledger.next()
        if item is None and backlog:
            item = self.backlog.take()
        if item is not None:
            self.held[item.seq] = item
        return item

    def ack(self, item: Item) -> None:
        """Let an item go: the broker has it."""
        self.held.pop(item.seq, None)
        if isinstance(item, Loss):
            self.ledger.ack(item)
        else:
            self._finish(item)

    def refuse(self, item: Item) -> None:
        """Give up an item that the broker will never take; a loss record names a row."""
        if isinstance(item, Row):
            self.ledger.add(loss_of([item], self.numbers.epoch, "refused"))
        self.ack(item)

    def give_back(self, now: float) -> None:
        """Take back everything that is in flight: its connection is lost."""
        items = sorted(self.held.values(), key=lambda item: item.seq, reverse=True)
        self.held.clear()
        for item in items:
            if isinstance(item, Loss):
                self.ledger.give_back(item)
            elif item.historical or (item.home is not None and self.is_historical(item, now)):
                self._leave_memory(item)
                self.backlog.rewind(item.seq)
            else:
                self._live.appendleft(item)

    @staticmethod
    def is_historical(row: Row, now: float) -> bool:
        """Tell whether the row, sent now, counts as historical."""
        return row.historical or now - row.mono > LIVE_SECONDS

    @property
    def first_live(self) -> int | None:
        """Give the number of the first row that waits in the live lane."""
        return self._live[0].seq if self._live else None

    def lag(self, now: float) -> float:
        """Give the seconds that the oldest row of the live lane has been waiting."""
        return now - self._live[0].mono if self._live else 0.0

    def _finish(self, row: Row) -> None:
        row.done = True
        self._leave_memory(row)
        if row.home is not None:
            self.backlog.settle(row)

    def _leave_memory(self, row: Row) -> None:
        if not row.historical:
            row.historical = True
            self._memory -= len(row.body)

    # --- what the disk must be told ------------------------------------------------------------

    def due(self, now: float, flush: float) -> list[Row]:
        """Give the rows to write now: all but the youngest, once the oldest waited half of flush.

        The other half is for the next look and the commit itself. Rows just made will probably be
        acknowledged before the next flush, so they are left out.
        """
        unsaved = self._unsaved
        while unsaved and unsaved[0].done:
            unsaved.popleft()
        if not unsaved or now - unsaved[0].mono < flush * 0.5:
            return []
        old = takewhile(lambda row: now - row.mono >= flush * 0.1, unsaved)
        return [row for row in old if not row.done]

    def unsaved(self) -> list[Row]:
        """Give all rows that are in memory only."""
        return [row for row in self._unsaved if not row.done]

    def change(self, rows: list[Row], boot: str) -> Change:
        """Gather what one transaction must do; `restore` it if that fails."""
        removed, acked = self.backlog.changes()
        losses, settled = self.ledger.changes()
        notes: dict[str, str | int] = {"accounted": self.accounted(rows)} if rows else {}
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
        unsaved_loss = None if saving else self.ledger.first_unsaved()
        return (first if unsaved_loss is None else min(first, unsaved_loss)) - 1

    # --- limits --------------------------------------------------------------------------------

    def demote(self, now: float, *, disk_works: bool) -> None:
        """Let rows too old for the live lane wait on disk, where they are already.

        Where the disk refuses them, memory stays bounded: the oldest are given up by name.
        """
        live = self._live
        while live and (now - live[0].mono > LIVE_SECONDS or self._memory > MEMORY_BYTES):
            row = live[0]
            if row.home is not None:
                self._leave_memory(live.popleft())
            elif self._memory > MEMORY_BYTES and not disk_works:
                self.ledger.add(loss_of([live.popleft()], self.numbers.epoch, "capacity"))
                self._finish(row)
            else:
                break

    def give_up(self, segment: Segment, rows: list[Row], why: str) -> None:
        """Drop a segment and name its rows that are not acknowledged.

        Args:
            segment: What to drop; none of its rows is in flight.
            rows: Its unacknowledged rows; empty where they cannot be read, then all are named.
            why: The reason, for the loss records.
        """
        epoch = self.numbers.epoch
        for run in runs(rows):
            self.ledger.add(loss_of(run, epoch, why))
        if not rows:
            first, last, readings = segment.id, segment.last, segment.readings
            oldest, newest = segment.oldest, segment.newest
            self.ledger.add(Loss(0, 0, epoch, first, last, readings, oldest, newest, why))
        self.backlog.remove(segment)

    @property
    def waiting(self) -> int:
        """How many readings wait for their acknowledgement, in memory and on disk."""
        return sum(row.readings for row in self.unsaved()) + self.backlog.readings
