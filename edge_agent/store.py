"""The buffer's disk: one SQLite file that holds rows in segments, and the records of loss.

What one flush writes is one *segment*: row headers and bodies together, compressed, in one blob,
because a row of SQLite per message wears a card several times faster. Everything of a flush is
one transaction with `synchronous=FULL`: it is on the card, or it never happened. SQLite keeps no
checksums, so what is read back carries its own. All methods block and are called from one thread.
"""

import contextlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from edge_agent.row import Damaged, Loss, Row, Segment, pack, seal, unpack

SCHEMA = 1
# page_size 1024 and secure_delete off halve the bytes written per reading (measured with FULL and
# one commit a second); the WAL is folded back at about 2 MB, so that it stays small on any card.
# The lock keeps a second agent out, which would use the same numbers for other readings.
SETTINGS = """
PRAGMA locking_mode=EXCLUSIVE;
PRAGMA page_size=1024;
PRAGMA journal_mode=WAL;
PRAGMA synchronous=FULL;
PRAGMA secure_delete=OFF;
PRAGMA wal_autocheckpoint=2000;
PRAGMA journal_size_limit=4194304;
PRAGMA cache_size=-512;
"""
# The last line tells at once whether the file can be written.
TABLES = """
CREATE TABLE IF NOT EXISTS note(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS segment(id INTEGER PRIMARY KEY, head BLOB NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS acked(segment INTEGER PRIMARY KEY, numbers BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS loss(seq INTEGER PRIMARY KEY, record BLOB NOT NULL);
DELETE FROM loss WHERE seq < 0;
"""

# primary result codes of SQLite: https://www.sqlite.org/rescode.html
DAMAGED = {
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    # our statements are constant: where they do not fit, the tables are not what we made
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_TOOBIG,
}
PASSING = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY}
# UnicodeError: where SQLite's message quotes damaged text
ERRORS = (OSError, sqlite3.Error, UnicodeError)


def code(error: Exception) -> int:
    """Give SQLite's primary result code, 0 where there is none."""
    if isinstance(error, UnicodeError):
        return sqlite3.SQLITE_CORRUPT
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


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


class Store:
    """The SQLite file. Failures are raised as `ERRORS`.

    Attributes:
        epoch: Once set, only a file of this epoch is opened again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.epoch: str | None = None
        self._db: sqlite3.Connection | None = None

    def open(self) -> None:
        """Open or create the file, and make sure it is ours and readable."""
        self.close()
        db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=1.0)
        db.text_factory = partial(str, encoding="utf-8", errors="replace")
        try:
            db.executescript(SETTINGS + TABLES)
            self.path.chmod(0o600)
        except BaseException:
            db.close()
            raise
        self._db = db

    def close(self) -> None:
        """Close the file; SQLite folds the WAL back into it."""
        if self._db is not None:
            self._db.close()
            self._db = None

    @property
    def _sql(self) -> sqlite3.Connection:
        if self._db is None:
            self._open_again()
        assert self._db is not None  # noqa: S101 - for mypy: it was just opened
        return self._db

    def _open_again(self) -> None:
        """Open the file after it failed; not another one in its place, or none."""
        if not self.path.exists():
            raise sqlite3.OperationalError(f"{self.path} is gone")
        self.open()
        if self.note("epoch") != self.epoch:
            self.close()
            raise sqlite3.OperationalError(f"{self.path} is another buffer's")

    def note(self, name: str) -> str | int | None:
        """Give what was remembered under this name."""
        row = self._sql.execute("SELECT value FROM note WHERE name=?", (name,)).fetchone()
        return row[0] if row else None

    def readable(self, query: str) -> list[tuple[Any, ...] | None]:
        """Give what a query finds, ordered by its first column, as far as pages can be read.

        Those before the first damaged page are given, then None, then those behind the last one.
        """
        front, is_whole = self._until_damage(query)
        if is_whole:
            return front
        back, _ = self._until_damage(query + " DESC")
        return [*front, None, *reversed(back)]

    def _until_damage(self, query: str) -> tuple[list[tuple[Any, ...] | None], bool]:
        found: list[tuple[Any, ...] | None] = []
        try:
            found.extend(self._sql.execute(query))
        except ERRORS as error:
            if code(error) not in DAMAGED:
                raise
            # The cursor steps ahead: the last row before the damage was read, but not handed out.
            with contextlib.suppress(*ERRORS):
                one_more = self._sql.execute(f"{query} LIMIT {len(found) + 1}").fetchall()
                return list(one_more), False
            return found, False
        return found, True

    def rows(self, segment: Segment) -> list[Row]:
        """Read the rows of a segment that are not acknowledged.

        Raises:
            Damaged: They cannot be read.
        """
        return [row for row in self.unpacked(segment.id) if row.seq not in segment.acked]

    def unpacked(self, key: int) -> list[Row]:
        """Read all rows of the segment with this id.

        Raises:
            Damaged: They cannot be read.
        """
        try:
            found = self._sql.execute("SELECT body FROM segment WHERE id=?", (key,)).fetchone()
        except ERRORS as error:
            if code(error) not in DAMAGED:
                raise
            raise Damaged(str(error)) from error
        return unpack(found and found[0], key)

    def apply(self, change: Change) -> Segment | None:
        """Do everything of one flush in one transaction; give the segment it wrote, if any."""
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
