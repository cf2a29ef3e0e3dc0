"""The buffer's SQLite file as a file: opened, checked, and closed. Blocks on disk."""

import sqlite3
from functools import partial
from pathlib import Path

from edge_agent.damage import damaged

SCHEMA = 1
BUSY_SECONDS = 1.0  # how long another process that has the file is waited for
Place = tuple[tuple[int, int], ...]  # device and inode of the database and its WAL
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
# One transaction: a card is waited for once. The last line in it tells at once whether the file can
# be written.
TABLES = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS note(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS segment(id INTEGER PRIMARY KEY, head BLOB NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS acked(segment INTEGER PRIMARY KEY, numbers BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS loss(seq INTEGER PRIMARY KEY, record BLOB NOT NULL);
DELETE FROM loss WHERE seq < 0;
COMMIT;
"""

# Reads what is left of a damaged file: also of one that is shorter than it says of itself, which
# SQLite refuses otherwise.
READ_ONLY = """
PRAGMA locking_mode=EXCLUSIVE;
PRAGMA query_only=ON;
PRAGMA writable_schema=ON;
PRAGMA cache_size=-512;
"""
# What the next commit will rest on: the pages on the way to where it inserts.
FOUNDATION = (
    "SELECT value FROM note WHERE name='epoch'",
    "SELECT length(head) FROM segment ORDER BY id DESC LIMIT 1",
    "SELECT length(numbers) FROM acked ORDER BY segment DESC LIMIT 1",
    "SELECT length(record) FROM loss ORDER BY seq DESC LIMIT 1",
)


class Database:
    """One SQLite file with our tables. Failures are raised as `damage.ERRORS`.

    Attributes:
        epoch: Once set, only a file of this epoch is opened again.
        is_remnant: Opened only to read what is left of it; nothing is written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.epoch: str | None = None
        self.is_remnant = False
        self._db: sqlite3.Connection | None = None
        self._place: Place = ()

    def open(self) -> None:
        """Open or create the file, and make sure it is ours and readable."""
        self.is_remnant = False
        self._connect(SETTINGS + TABLES)
        self.path.chmod(0o600)

    def open_remnant(self) -> None:
        """Open a damaged file to read what can still be read of it.

        Raises:
            sqlite3.OperationalError: There is no file.
        """
        if not self.path.exists():
            raise sqlite3.OperationalError(f"{self.path} is gone")
        self.is_remnant = True
        self._connect(READ_ONLY)

    def _connect(self, script: str) -> None:
        self.close()
        db = sqlite3.connect(
            self.path, isolation_level=None, check_same_thread=False, timeout=BUSY_SECONDS
        )
        db.text_factory = partial(str, encoding="utf-8", errors="replace")
        try:
            db.executescript(script)
        except BaseException:
            db.close()
            raise
        self._db = db
        self._place = self._find_place()

    def close(self) -> None:
        """Close the file; SQLite folds the WAL back into it."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def fold(self) -> None:
        """Write all of the WAL back into the file, which is then complete without it."""
        busy, *_ = self._sql.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise sqlite3.OperationalError(f"the WAL of {self.path} cannot be folded back")

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
        if self.is_remnant:
            self.open_remnant()
            return
        self.open()
        if self.note("epoch") != self.epoch:
            self.close()
            raise sqlite3.OperationalError(f"{self.path} is another buffer's")

    # --- is it what we left? -------------------------------------------------------------------

    def _find_place(self) -> Place:
        """Identify the files that stand under our names now."""
        return tuple(
            (found.st_dev, found.st_ino)
            for name in (self.path.name, f"{self.path.name}-wal")
            if (path := self.path.with_name(name)).exists() and (found := path.stat())
        )

    @property
    def is_displaced(self) -> bool:
        """Whether the open file is not the one under its name any more: it ends with us."""
        return self._db is not None and self._find_place() != self._place

    def check(self) -> None:
        """Read anew, from the file, what the next commit rests on.

        Whatever overwrites the file behind SQLite's cache is not noticed by a commit, which then
        rests on pages that nobody can read any more.
        """
        if self.is_displaced:
            raise damaged(f"{self.path} was removed or replaced while it was in use")
        self._sql.execute("PRAGMA shrink_memory")
        for query in FOUNDATION:
            self._sql.execute(query).fetchone()

    def note(self, name: str) -> str | int | None:
        """Give what was remembered under this name."""
        row = self._sql.execute("SELECT value FROM note WHERE name=?", (name,)).fetchone()
        return row[0] if row else None
