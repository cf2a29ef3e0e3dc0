"""The backlog lane: which segments on disk still wait, and in what order they come back. Pure."""

from collections import deque
from collections.abc import Callable, Collection, Container, Iterable, Sequence

from edge_agent.clock import Clock
from edge_agent.row import Row, Segment

READY_ENOUGH = 200  # rows read back and waiting to be sent; below that the next segment is fetched


class Backlog:
    """The segments on disk, oldest first, and the rows read back from them.

    A segment is read back whole, and only when none of its rows can still be sent live. Rows that
    are in flight are left out; `rewind` brings them back when their connection is lost.

    Attributes:
        segments: Those that wait, by their identity.
        readings: How many readings these hold, to within the segments that are partly sent.
        unreadable: The disk has given nothing of what is unread for some time: do not wait for it.
    """

    def __init__(self, segments: Iterable[Segment]) -> None:
        self.unreadable = False
        self.segments = {segment.id: segment for segment in segments}
        self.readings = sum(segment.readings for segment in self.segments.values())
        self._unread = deque(self.segments.values())
        self._ready: deque[Row] = deque()
        self._changed: dict[int, Segment] = {}
        self._removed: list[int] = []

    def add(self, segment: Segment) -> None:
        """Take in a segment that was just written."""
        if not segment.pending:
            self._removed.append(segment.id)
            return
        self.segments[segment.id] = segment
        self.readings += segment.readings
        self._unread.append(segment)
        if segment.acked:  # meanwhile: the disk does not know it yet
            self._changed[segment.id] = segment

    @property
    def rows(self) -> int:
        """How many rows on disk are not acknowledged."""
        return sum(segment.pending for segment in self.segments.values())

    def take(self) -> Row | None:
        """Give the next row that was read back, in the order of its numbers."""
        while self._ready:
            row = self._ready.popleft()
            if not row.done:
                return row
        return None

    @property
    def hungry(self) -> bool:
        """Whether little is left of what was read back, and more is on disk."""
        return len(self._ready) < READY_ENOUGH and bool(self._unread)

    @property
    def exhausted(self) -> bool:
        """Whether everything on disk is handed out, as far as the disk gives it."""
        self._skip_removed()
        return not self._ready and (self.unreadable or not self._unread)

    def wanted(self, before: int | None, ripe: Callable[[Segment], bool]) -> Segment | None:
        """Tell which segment to read back now, if any.

        Args:
            before: The number of the first row that waits in the live lane; None if none does.
            ripe: Whether a segment is old enough to be sent as historical.
        """
        self._skip_removed()
        if not self.hungry:
            return None
        segment = self._unread[0]
        return segment if (before is None or segment.last < before) and ripe(segment) else None

    def _skip_removed(self) -> None:
        while self._unread and self._unread[0].id not in self.segments:
            self._unread.popleft()

    def loaded(self, segment: Segment, rows: Sequence[Row], held: Container[int]) -> None:
        """Take the rows of the segment that `wanted` named, except those in flight."""
        if self._unread and self._unread[0] is segment:
            self._unread.popleft()
            self._ready.extend(
                row for row in rows if row.seq not in held and row.seq not in segment.acked
            )

    def rewind(self, seq: int) -> None:
        """Go back so that everything from this number on is read back again."""
        first = min(seq, self._ready[0].seq) if self._ready else seq
        self._ready.clear()
        self._unread = deque(s for s in self.segments.values() if s.last >= first)

    def settle(self, row: Row) -> None:
        """Note that a row on disk needs no sending any more."""
        segment = self.segments.get(row.home or 0)
        if segment is None or row.seq in segment.acked:
            return
        segment.acked.add(row.seq)
        segment.pending -= 1
        if segment.pending > 0:
            self._changed[segment.id] = segment
        else:
            self.remove(segment)

    def remove(self, segment: Segment) -> None:
        """Forget a segment, and let the next flush delete it."""
        if self.segments.pop(segment.id, None):
            self.readings -= segment.readings
        self._changed.pop(segment.id, None)
        self._removed.append(segment.id)
        self._ready = deque(row for row in self._ready if row.home != segment.id)

    def changes(self) -> tuple[list[int], list[Segment]]:
        """Hand over what the next flush must delete and what it must note as acknowledged."""
        removed, changed = self._removed, list(self._changed.values())
        self._removed, self._changed = [], {}
        return removed, changed

    def restore(self, removed: Sequence[int], changed: Sequence[Segment]) -> None:
        """Take back changes that the disk did not accept."""
        self._removed = [*removed, *self._removed]
        self._changed = {s.id: s for s in changed if s.id in self.segments} | self._changed

    def oldest(self, held: Collection[int], before: int | None) -> Segment | None:
        """Give the oldest segment of which nothing is in flight or can still be sent live.

        Args:
            held: Numbers in flight.
            before: The number of the first row that waits in the live lane; None if none does.
        """
        for segment in self.segments.values():
            if before is not None and segment.last >= before:
                break
            if not any(segment.id <= number <= segment.last for number in held):
                return segment
        return None

    def age(self, segment: Segment, clock: Clock) -> float | None:
        """Give the seconds since it was read, or at least so many; None where nothing tells.

        Only a clock that was right tells how old something is, or what came before it.
        """
        known = (one for one in self.segments.values() if one.id >= segment.id and one.synced)
        later = next(known, None)
        if later is None:
            return None
        if later.boot == clock.boot:  # then no step of the wall clock can deceive us
            return clock.mono() - later.mono
        return (clock.now() - later.newest) / 1000
