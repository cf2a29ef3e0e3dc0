"""Which errors of the disk mean that a file is damaged, and which pass by themselves. Pure."""

import errno
import sqlite3

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
# extended ones: the file is damaged if it is one sector, and nothing is known if it is all of them
UNREADABLE = {
    sqlite3.SQLITE_IOERR_READ,
    sqlite3.SQLITE_IOERR_SHORT_READ,
    sqlite3.SQLITE_IOERR_CORRUPTFS,
}
PASSING = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY}
# UnicodeError: where SQLite's message quotes damaged text
ERRORS = (OSError, sqlite3.Error, UnicodeError)


def code(error: Exception) -> int:
    """Give SQLite's primary result code, 0 where there is none."""
    if isinstance(error, UnicodeError) or is_unreadable(error):
        return sqlite3.SQLITE_CORRUPT
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def is_unreadable(error: Exception) -> bool:
    """Tell whether the disk did not give some of the file: a bad sector, or a disk that is gone."""
    return getattr(error, "sqlite_errorcode", 0) in UNREADABLE


def is_damage(error: Exception) -> bool:
    """Tell whether the file is at fault, so that waiting does not help."""
    return code(error) in DAMAGED


def is_lack_of_room(error: Exception) -> bool:
    """Tell whether there is only too little room."""
    return code(error) == sqlite3.SQLITE_FULL or getattr(error, "errno", 0) == errno.ENOSPC


def damaged(what: str) -> sqlite3.DatabaseError:
    """Make an error that says so of a file that SQLite itself would still use."""
    error = sqlite3.DatabaseError(what)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error
