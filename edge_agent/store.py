"""The buffer's disk: one SQLite file that holds rows in segments, and the records of loss.

What one flush writes is one *segment*: row headers and bodies together, compressed, in one blob,
because a row of SQLite per message wears a card several times faster. Everything of a flush is
one transaction with `synchronous=FULL`: it is on the card, or it never happened. SQLite keeps no
checksums, so what is read back carries its own. All methods block and are called from one thread.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field

from edge_agent import scan
from edge_agent.damage import ERRORS, PASSING, code, damaged, is_damage, is_unreadable
from edge_agent.database import Database
from edge_agent.language import _
from edge_agent.row import Damaged, Loss, Row, Segment, pack, seal, unpack


@dataclass
class Change:
    """What one flush changes on disk.

    Attributes:
        rows: Rows to write, ascending; they become one segment.
        boot: Identity of this boot.
        removed: Segments that are wholly acknowledged or given up.
        acked: Segments whose set of acknowledged rows changed.
        losses: Loss records that are new or have grown.
        settled: Numbers of loss records that are acknowledged.
        notes: Name -> value of what is remembered beside.
    """

    rows: Sequence[Row] = ()
    boot: str = ""
    removed: Sequence[int] = ()
    acked: Sequence[Segment] = ()
    losses: Sequence[Loss] = ()
    settled: Sequence[int] = ()
    notes: dict[str, str | int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(
            self.rows or self.removed or self.acked or self.losses or self.settled or self.notes
        )


class Store(Database):
    """What the file holds."""

    def readable(self, query: str) -> list[scan.Columns | None]:
        """Give what a query of `scan` finds, None where something cannot be read."""
        return scan.readable(self._sql, query)

    def rows(self, segment: Segment) -> list[Row]:
        """Read the rows of a segment that are not acknowledged.

        Raises:
            Damaged: They are not what was written. A disk that does not give them is no proof.
        """
        try:
            rows = unpack(self.body(segment.id), segment.id)
        except ERRORS as error:
            if is_unreadable(error) or not is_damage(error):
                raise
            raise Damaged(str(error)) from error
        return [row for row in rows if row.seq not in segment.acked]

    def unpacked(self, key: int) -> list[Row]:
        """Read all rows of the segment with this id.

        Raises:
            Damaged: They cannot be read.
        """
        try:
            return unpack(self.body(key), key)
        except ERRORS as error:
            if not is_damage(error):
                raise
            raise Damaged(str(error)) from error

    def body(self, key: int) -> bytes | None:
        """Give the packed rows of a segment as they are; None if there are none."""
        found = self._sql.execute("SELECT body FROM segment WHERE id=?", (key,)).fetchone()
        body: bytes | None = found and found[0]
        return body

    def apply(self, change: Change) -> Segment | None:
        """Do everything of one flush in one transaction; give the segment it wrote, if any."""
        if self.is_remnant:
            raise damaged(
                _("{path} is damaged and not yet salvaged: free some space for that").format(
                    path=self.path
                )
            )
        if self.is_displaced:
            raise damaged(
                _("{path} was removed or replaced while it was in use").format(path=self.path)
            )
        sql = self._sql
        try:
            sql.execute("BEGIN IMMEDIATE")
            segment = self._insert(change.rows, change.boot) if change.rows else None
            self._settle(change)
            sql.execute("COMMIT")
        except BaseException as error:
            self._take_back(error)
            raise
        return segment

    def adopt(self, packed: Sequence[tuple[Segment, bytes]]) -> None:
        """Take in segments from another file, with what of them is acknowledged."""
        heads = [(segment.id, segment.head(), body) for segment, body in packed]
        self._sql.execute("BEGIN IMMEDIATE")
        self._sql.executemany("INSERT INTO segment VALUES(?,?,?)", heads)
        self._settle(Change(acked=[segment for segment, _ in packed if segment.acked]))
        self._sql.execute("COMMIT")

    def _take_back(self, error: BaseException) -> None:
        """Undo what a failed transaction did; what may not pass by itself takes a new start."""
        if isinstance(error, sqlite3.Error) and code(error) not in PASSING:
            self.close()  # undoes as well; the next use opens it again
        elif self._db is not None and self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def used(self) -> int:
        """Give the bytes in use, without pages that are free for reuse."""
        pages, free, size = (
            self._sql.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def _insert(self, rows: Sequence[Row], boot: str) -> Segment:
        body = pack(rows)
        segment = Segment.of(rows, boot, len(body))
        # A commit that failed may have reached the disk all the same: then it is there already.
        self._sql.execute(
            "INSERT OR REPLACE INTO segment VALUES(?,?,?)", (segment.id, segment.head(), body)
        )
        return segment

    def _settle(self, change: Change) -> None:
        many = self._sql.executemany
        removed = [(key,) for key in change.removed]
        many("DELETE FROM segment WHERE id=?", removed)
        many("DELETE FROM acked WHERE segment=?", removed)
        many(
            "INSERT OR REPLACE INTO acked VALUES(?,?)",
            [(segment.id, seal(segment.acked)) for segment in change.acked],
        )
        many(
            "INSERT OR REPLACE INTO loss VALUES(?,?)",
            [(loss.seq, seal(loss)) for loss in change.losses],
        )
        many("DELETE FROM loss WHERE seq=?", [(seq,) for seq in change.settled])
        many("INSERT OR REPLACE INTO note VALUES(?,?)", list(change.notes.items()))
