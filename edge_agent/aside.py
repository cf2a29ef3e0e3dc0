"""Sets files aside that cannot be used, for a person to look at, and puts new ones in their place.

Blocks on disk. A power cut between any two steps is made good by the next start.
"""

import os
import sqlite3
from itertools import pairwise
from pathlib import Path

import structlog

from edge_agent.reserve import sync_folder

KEPT_COPIES = 3  # of each file; older ones are removed
LOCKS = Path("/proc/locks")
WAL = "-wal"


def fresh_name(path: Path) -> Path:
    """Give the name of a new database that is to take the place of this one."""
    return path.with_name(path.name + ".new")


def draft_name(path: Path) -> Path:
    """Give the name under which such a new database is made, until it is whole."""
    return path.with_name(path.name + ".draft")


def copies(path: Path) -> list[Path]:
    """Give the names under which a file is kept, the newest first."""
    return [path.with_name(f"{path.name}.corrupt-{n}") for n in range(1, KEPT_COPIES + 1)]


def set_aside(path: Path) -> Path:
    """Rename a file, a database with its WAL, and keep the last few; give its new name.

    Raises:
        OSError: It may not be renamed.
    """
    names = copies(path)
    for old, new in reversed(list(pairwise([path, *names]))):
        _rename(old, new)
    path.with_name(path.name + "-shm").unlink(missing_ok=True)
    sync_folder(path.parent)
    return names[0]


def _rename(old: Path, new: Path) -> None:
    if not (old.exists() or _wal(old).exists()):
        return
    for source, target in ((old, new), (_wal(old), _wal(new))):
        if source.exists():
            source.replace(target)
        else:
            target.unlink(missing_ok=True)


def _wal(path: Path) -> Path:
    return path.with_name(path.name + WAL)


def remove(path: Path) -> None:
    """Remove a database with its WAL."""
    for one in (path, _wal(path)):
        one.unlink(missing_ok=True)


def take_place(path: Path) -> None:
    """Set a damaged database aside and put the draft of a new one, which is whole, in its place."""
    draft_name(path).replace(fresh_name(path))
    sync_folder(path.parent)
    set_aside(path)
    finish_earlier(path)


def finish_earlier(path: Path) -> None:
    """Finish `take_place`, if it was interrupted; one that was not even begun is forgotten.

    The WAL of the damaged database goes first: SQLite would take it for the new one's.
    """
    fresh = fresh_name(path)
    remove(draft_name(path))
    if path.exists():
        remove(fresh)
        return
    if _wal(path).exists():
        _wal(path).replace(_wal(copies(path)[0]))
        sync_folder(path.parent)
    if fresh.exists():
        fresh.replace(path)
        sync_folder(path.parent)


def make_usable(path: Path) -> None:
    """Give us the rights to a file of ours, and set aside one that is somebody else's.

    Raises:
        sqlite3.OperationalError: Somebody uses it just now.
        OSError: It is not ours to rename either: the folder has another owner.
    """
    for one in (path, _wal(path)):
        if not one.exists() or os.access(one, os.R_OK | os.W_OK):
            continue
        if one.stat().st_uid == os.geteuid():
            one.chmod(0o600)
        elif _is_locked(one):
            error = sqlite3.OperationalError(f"{one} is in use by another user's program")
            error.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise error
        else:
            log = structlog.get_logger().bind(part="buffer")
            kept = set_aside(one)
            log.error("file_of_another_owner", file=str(one), then=f"kept as {kept.name}")


def _is_locked(path: Path) -> bool:
    """Tell whether a process holds a lock on a file that we may not open. Source: proc_locks(5)."""
    found = path.stat()
    place = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    try:
        return any(place in line.split() for line in LOCKS.read_text().splitlines())
    except OSError:
        return False
