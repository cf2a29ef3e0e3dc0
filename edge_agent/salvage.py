"""Reads a database as far as it can be read, and moves that into a new one if need be.

Blocks on disk.
"""

import contextlib
import errno
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from edge_agent import aside
from edge_agent.damage import ERRORS, is_unreadable
from edge_agent.database import SCHEMA
from edge_agent.language import _
from edge_agent.row import (
    Damaged,
    Loss,
    Row,
    Segment,
    decode_loss,
    decode_numbers,
    pack,
    unpack,
    unseal,
)
from edge_agent.store import Change, Store

TOGETHER = 100  # segments in one transaction
HEAD = 100  # bytes of a segment beside its rows, at most
WAL_BYTES = 4 << 20  # of a WAL before it is folded back, about
SMALLEST = 32 << 10  # bytes of an empty database with its WAL

HEADS = "SELECT id, head, length(body) FROM segment WHERE id>=? ORDER BY id"
ACKED = "SELECT segment, numbers FROM acked WHERE segment>=? ORDER BY segment"
LOSSES = "SELECT seq, record FROM loss WHERE seq>=? ORDER BY seq"

Packed = tuple[Segment, bytes]
Gap = tuple[int, int | None]  # first and last number of what may be missing; None: the end


def segments_of(store: Store) -> tuple[list[Segment], list[Gap]]:
    """Give all segments, oldest first, without their rows, and the gaps where some are damaged."""
    acked = _acked(store)
    found: list[Segment] = []
    gaps: list[Gap] = []
    is_gap = False
    for columns in store.readable(HEADS):
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
    for columns in filter(None, store.readable(ACKED)):
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
    for columns in filter(None, store.readable(LOSSES)):
        with contextlib.suppress(Damaged):
            found.append(unseal(columns[1], decode_loss))
    return found


class Salvage:
    """A new database beside a damaged one; the damaged one stays in use until `finish`.

    Args:
        store: The damaged database.
        segments: What it holds, as far as known.
    """

    def __init__(self, store: Store, segments: Sequence[Segment]) -> None:
        self._store = store
        self._segments = segments
        self._fresh = Store(aside.draft_name(store.path))
        self._saved: set[int] = set()
        self._unread: Exception | None = None

    def copy(self) -> list[Segment]:
        """Copy every segment that can be read; give the others.

        Raises:
            OSError: There is too little room. The damaged database goes on being read; less room
                is needed as soon as some of it is acknowledged.
        """
        path = self._store.path
        if not self._store.is_displaced:  # else the open file is all there is
            self._store.close()
            aside.finish_earlier(path)  # an earlier try may have failed at its very end
            with contextlib.suppress(*ERRORS):
                self._store.open_remnant()
        with self._undone_if_it_fails():
            aside.remove(self._fresh.path)
            make_room(path, _needed(self._segments))
            self._fresh.open()
            self._copy()
        return [segment for segment in self._segments if segment.id not in self._saved]

    def _copy(self) -> None:
        for start in range(0, len(self._segments), TOGETHER):
            segments = self._segments[start : start + TOGETHER]
            found = ((segment, self._body(segment.id)) for segment in segments)
            group = [(segment, body) for segment, body in found if body is not None]
            self._fresh.adopt(group)
            self._saved.update(segment.id for segment, _ in group)
        if self._unread and not self._saved:
            raise self._unread  # not one: the disk may give them later

    def restore(self, segment: Segment, rows: Sequence[Row]) -> None:
        """Write a segment that could not be read from its rows, as far as they still wait."""
        with self._undone_if_it_fails():
            body = pack(rows)
            segment.size = len(body)
            self._fresh.adopt([(segment, body)])
        self._saved.add(segment.id)

    def _body(self, key: int) -> bytes | None:
        """Read the packed rows of a segment; None if they are damaged."""
        try:
            body = self._store.body(key)
            unpack(body, key)
        except (*ERRORS, Damaged) as error:
            self._unread = error if is_unreadable(error) else self._unread
            return None
        return body

    def finish(self, losses: Sequence[Loss], epoch: str, accounted: int = 0) -> None:
        """Write the records of loss, and put the new database in the place of the damaged one."""
        notes: dict[str, str | int] = {"epoch": epoch, "schema": SCHEMA, "accounted": accounted}
        notes |= {"segments": len(self._saved), "losses": len(losses)}
        with self._undone_if_it_fails():
            self._fresh.apply(Change(losses=losses, notes=notes))
            self._fresh.fold()
        self._fresh.close()
        self._store.close()
        aside.take_place(self._store.path)
        self._store.open()

    @contextlib.contextmanager
    def _undone_if_it_fails(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._fresh.close()
            aside.remove(self._fresh.path)
            raise


def _needed(segments: Sequence[Segment]) -> int:
    """Estimate the bytes that a new database takes, with its WAL."""
    size = sum(segment.size + HEAD for segment in segments)
    return size + size // 4 + min(size, WAL_BYTES) + SMALLEST


def make_room(path: Path, needed: int) -> None:
    """Make sure that there is room beside a database; what was kept for people gives way.

    Raises:
        OSError: There is not; the message says how much is missing.
    """
    kept = [copy for copy in aside.copies(path) if copy.exists()]
    free = _free(path.parent)
    if free < needed <= free + sum(copy.stat().st_size for copy in kept):
        while kept and _free(path.parent) < needed:
            aside.remove(kept.pop())  # the oldest first
        return
    if free < needed:
        what = _("to salvage {name}, {needed} bytes more must be free: free some space").format(
            name=path.name, needed=needed - free
        )
        raise OSError(errno.ENOSPC, what, str(path.parent))


def _free(folder: Path) -> int:
    """Give the bytes that are free for us. `shutil` would tell them too, with 0.4 MB of its own."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
