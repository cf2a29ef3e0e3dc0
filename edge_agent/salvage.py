"""Reads a database as far as it can be read, and moves that into a new one if need be.

Blocks on disk.
"""

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from edge_agent.reserve import sync_folder
from edge_agent.row import (
    Damaged,
    Loss,
    Segment,
    decode_loss,
    decode_numbers,
    unpack,
    unseal,
)
from edge_agent.store import ERRORS, SCHEMA, Change, Store

KEPT_COPIES = 3  # damaged databases set aside for a person to look at
TOGETHER = 100  # segments in one transaction

Packed = tuple[Segment, bytes]
Gap = tuple[int, int | None]  # first and last number of what may be missing; None: the end


def segments_of(store: Store) -> tuple[list[Segment], list[Gap]]:
    """Give all segments, oldest first, without their rows, and the gaps where some are damaged."""
    acked = _acked(store)
    found: list[Segment] = []
    gaps: list[Gap] = []
    is_gap = False
    for columns in store.readable("SELECT id, head, length(body) FROM segment ORDER BY id"):
        before = found[-1].last + 1 if found else 1
        segment = _segment(store, columns, acked)
        if segment is not None and segment.id >= before:
            gaps += [(before, segment.id - 1)] if is_gap else []
            found.append(segment)
        is_gap = segment is None or segment.id < before
    return found, [*gaps, (found[-1].last + 1 if found else 1, None)] if is_gap else gaps


def _acked(store: Store) -> dict[int, set[int]]:
    """Give segment -> acknowledged numbers; without them rows are sent twice, and none is lost."""
    found = {}
    for columns in filter(None, store.readable("SELECT segment, numbers FROM acked ORDER BY 1")):
        with contextlib.suppress(Damaged):
            found[columns[0]] = unseal(columns[1], decode_numbers)
    return found


def _segment(
    store: Store, columns: tuple[Any, ...] | None, acked: dict[int, set[int]]
) -> Segment | None:
    """Make a segment; a head that is damaged is made anew from the rows, if they are whole."""
    if columns is None or not all(isinstance(columns[i], int) for i in (0, 2)):
        return None
    key, head, size = columns
    try:
        return Segment.opened(key, head, size, acked.get(key, set()))
    except Damaged:
        with contextlib.suppress(Damaged):
            head = Segment.of(store.unpacked(key), "", size).head()
            return Segment.opened(key, head, size, acked.get(key, set()))
    return None


def losses_of(store: Store) -> list[Loss]:
    """Give all loss records that can be read, oldest first."""
    found = []
    stored = store.readable("SELECT seq, record FROM loss ORDER BY seq")
    for columns in filter(None, stored):
        with contextlib.suppress(Damaged):
            found.append(unseal(columns[1], decode_loss))
    return found


def set_aside(path: Path) -> Path:
    """Rename a database with its WAL and keep the last few; give its new name."""
    names = [path.with_name(f"{path.name}.corrupt-{n}") for n in range(1, KEPT_COPIES + 1)]
    for old, new in reversed(list(pairwise([path, *names]))):
        _rename(old, new)
    path.with_name(path.name + "-shm").unlink(missing_ok=True)
    sync_folder(path.parent)
    return names[0]


def _rename(old: Path, new: Path) -> None:
    for suffix in ("", "-wal"):
        source, target = old.with_name(old.name + suffix), new.with_name(new.name + suffix)
        if source.exists():
            source.replace(target)
        else:
            target.unlink(missing_ok=True)


def finish_earlier(path: Path) -> None:
    """Put the new database in its place, if a kill came in between."""
    fresh = _fresh(path)
    if fresh.exists() and not path.exists():
        fresh.replace(path)


class Salvage:
    """A new database beside a damaged one; the damaged one stays in use until `finish`.

    Args:
        store: The damaged database.
        segments: What it holds, as far as known.
    """

    def __init__(self, store: Store, segments: Sequence[Segment]) -> None:
        self._store = store
        self._segments = segments
        self._fresh = Store(_fresh(store.path))
        self._saved: set[int] = set()

    def copy(self) -> list[Segment]:
        """Copy every segment that can be read; give the others."""
        self._store.close()
        for suffix in ("", "-wal"):
            self._fresh.path.with_name(self._fresh.path.name + suffix).unlink(missing_ok=True)
        with self._closing_if_it_fails():
            self._fresh.open()
            self._copy()
        return [segment for segment in self._segments if segment.id not in self._saved]

    def _copy(self) -> None:
        with contextlib.closing(sqlite3.connect(self._store.path, isolation_level=None)) as old:
            for group in _groups(old, self._segments):
                self._fresh.adopt(group)
                self._saved.update(segment.id for segment, _ in group)

    def finish(self, losses: Sequence[Loss], epoch: str) -> None:
        """Write the records of loss, and put the new database in the place of the damaged one."""
        notes: dict[str, str | int] = {"epoch": epoch, "schema": SCHEMA}
        notes |= {"segments": len(self._saved), "losses": len(losses)}
        with self._closing_if_it_fails():
            self._fresh.apply(Change(losses=losses, notes=notes))
        self._fresh.close()
        set_aside(self._store.path)
        finish_earlier(self._store.path)
        sync_folder(self._store.path.parent)
        self._store.open()

    @contextlib.contextmanager
    def _closing_if_it_fails(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._fresh.close()
            raise


def _fresh(path: Path) -> Path:
    return path.with_name(path.name + ".new")


def _groups(old: sqlite3.Connection, segments: Sequence[Segment]) -> Iterator[list[Packed]]:
    for start in range(0, len(segments), TOGETHER):
        found = ((one, _body(old, one.id)) for one in segments[start : start + TOGETHER])
        yield [(one, body) for one, body in found if body is not None]


def _body(old: sqlite3.Connection, key: int) -> bytes | None:
    """Read the packed rows of a segment; None if they are damaged."""
    try:
        found = old.execute("SELECT body FROM segment WHERE id=?", (key,)).fetchone()
        unpack(found and found[0], key)
    except (*ERRORS, Damaged):
        return None
    return bytes(found[0])
