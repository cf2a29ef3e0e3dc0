"""The buffer's disk: one SQLite file that holds rows in segments, and the records of loss.

What one flush writes is one *segment*: row headers and bodies together, compressed, in one blob,
because a row of SQLite per message wears a card several times faster. Everything of a flush is
one transaction with `synchronous=FULL`: it is on the card, or it never happened. All methods block
and are called from one thread.
"""

import sqlite3
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from edge_agent.row import Loss, Row

SCHEMA = 1
# page_size 1024 and secure_delete off halve the bytes written per reading (measured with FULL and
# one commit a second); the WAL is folded back at about 2 MB, so that it stays small on any card.
SETTINGS = """
PRAGMA page_size=1024;
PRAGMA journal_mode=WAL;
PRAGMA synchronous=FULL;
PRAGMA secure_delete=OFF;
PRAGMA wal_autocheckpoint=2000;
PRAGMA journal_size_limit=4194304;
PRAGMA cache_size=-512;
"""
TABLES = """
CREATE TABLE IF NOT EXISTS note(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS segment(id INTEGER PRIMARY KEY, last INTEGER NOT NULL,
    rows INTEGER NOT NULL, readings INTEGER NOT NULL, oldest INTEGER NOT NULL,
    newest INTEGER NOT NULL, mono REAL NOT NULL, boot TEXT NOT NULL, synced INTEGER NOT NULL,
    body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS acked(segment INTEGER PRIMARY KEY, numbers BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS loss(seq INTEGER PRIMARY KEY, record BLOB NOT NULL);
"""

_Stored = tuple[int, int, str, int, float, bool, int, bytes]
_decode_rows = msgspec.msgpack.Decoder(list[_Stored]).decode
_decode_numbers = msgspec.msgpack.Decoder(set[int]).decode
_decode_loss = msgspec.msgpack.Decoder(Loss).decode
_encode = msgspec.msgpack.encode


@dataclass(slots=True, eq=False)
class Segment:
    """What is known in memory about one segment on disk.

    Attributes:
        id: The number of its first row.
        last: The number of its last row.
        pending: How many of its rows are not acknowledged.
        readings: How many readings it held when written.
        oldest: When its first row was read, ms since 1970 UTC.
        newest: When its last row was read, likewise.
        mono: The same on the steady clock of `boot`, seconds.
        boot: Identity of the boot in which it was written.
        synced: Whether the wall clock was right for all its rows.
        size: Bytes of its blob.
        acked: Numbers of its rows that are acknowledged.
    """

    id: int
    last: int
    pending: int
    readings: int
    oldest: int
    newest: int
    mono: float
    boot: str
    synced: bool
    size: int
    acked: set[int] = field(default_factory=set)


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
    """The SQLite file. Errors are sqlite3.Error or OSError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db: sqlite3.Connection | None = None

    def open(self) -> None:
        """Open or create the file, and make sure it is ours and readable."""
        self.close()
        db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
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
            raise sqlite3.OperationalError(f"{self.path} is not open")
        return self._db

    def note(self, name: str) -> str | int | None:
        """Give what was remembered under this name."""
        row = self._sql.execute("SELECT value FROM note WHERE name=?", (name,)).fetchone()
        return row[0] if row else None

    def segments(self) -> list[Segment]:
        """Give all segments, oldest first, without their rows."""
        acked = {
            key: _decode_numbers(numbers)
            for key, numbers in self._sql.execute("SELECT segment, numbers FROM acked")
        }
        found = self._sql.execute(
            "SELECT id, last, rows, readings, oldest, newest, mono, boot, synced, length(body)"
            " FROM segment ORDER BY id"
        )
        return [_segment(columns, acked.get(columns[0], set())) for columns in found]

    def losses(self) -> list[Loss]:
        """Give all loss records that are not acknowledged, oldest first."""
        found = self._sql.execute("SELECT record FROM loss ORDER BY seq")
        return [_decode_loss(record) for (record,) in found]

    def rows(self, segment: Segment) -> list[Row]:
        """Read the rows of a segment that are not acknowledged.

        Raises:
            ValueError: The segment is damaged.
        """
        found = self._sql.execute("SELECT body FROM segment WHERE id=?", (segment.id,)).fetchone()
        if found is None:
            raise ValueError(f"segment {segment.id} is gone from {self.path}")
        try:
            stored = _decode_rows(zlib.decompress(found[0]))
        except (zlib.error, msgspec.DecodeError) as error:
            raise ValueError(f"segment {segment.id} of {self.path} is damaged: {error}") from error
        return [
            Row(*columns, home=segment.id, historical=True)
            for columns in stored
            if columns[0] not in segment.acked
        ]

    def apply(self, change: Change) -> Segment | None:
        """Do everything of one flush in one transaction; give the segment it wrote, if any."""
        sql = self._sql
        sql.execute("BEGIN IMMEDIATE")
        try:
            segment = self._insert(change.rows, change.boot) if change.rows else None
            self._settle(change)
            sql.execute("COMMIT")
        except BaseException:
            if sql.in_transaction:
                sql.execute("ROLLBACK")
            raise
        return segment

    def apply_notes(self, notes: dict[str, str | int]) -> None:
        """Remember some notes, where they differ from what is remembered."""
        if any(self.note(name) != value for name, value in notes.items()):
            self.apply(Change(notes=notes))

    def used(self) -> int:
        """Give the bytes in use, without pages that are free for reuse."""
        pages, free, size = (
            self._sql.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def _insert(self, rows: Sequence[Row], boot: str) -> Segment:
        body = zlib.compress(_encode([_columns(row) for row in rows]), 1)
        first, last = rows[0], rows[-1]
        readings = sum(row.readings for row in rows)
        synced = all(row.synced for row in rows)
        columns = (first.seq, last.seq, len(rows), readings, first.ts, last.ts, last.mono, boot)
        self._sql.execute(
            "INSERT INTO segment VALUES(?,?,?,?,?,?,?,?,?,?)", (*columns, synced, body)
        )
        return _segment((*columns, synced, len(body)), set())

    def _settle(self, change: Change) -> None:
        many = self._sql.executemany
        removed = [(key,) for key in change.removed]
        many("DELETE FROM segment WHERE id=?", removed)
        many("DELETE FROM acked WHERE segment=?", removed)
        many(
            "INSERT OR REPLACE INTO acked VALUES(?,?)",
            [(segment.id, _encode(segment.acked)) for segment in change.acked],
        )
        many("INSERT OR REPLACE INTO loss VALUES(?,?)", _keyed(change.losses))
        many("DELETE FROM loss WHERE seq=?", [(seq,) for seq in change.settled])
        many("INSERT OR REPLACE INTO note VALUES(?,?)", list(change.notes.items()))


def _keyed(losses: Iterable[Loss]) -> list[tuple[int, bytes]]:
    return [(loss.seq, _encode(loss)) for loss in losses]


def _columns(row: Row) -> _Stored:
    return (
        row.seq, row.prev, row.device, row.ts, row.mono, row.synced, row.readings, row.body
    )  # fmt: skip


def _segment(columns: tuple[Any, ...], acked: set[int]) -> Segment:
    key, last, rows, readings, oldest, newest, mono, boot, synced, size = columns
    return Segment(
        key,
        last,
        rows - len(acked),
        readings,
        oldest,
        newest,
        mono,
        boot,
        bool(synced),
        size,
        acked,
    )
