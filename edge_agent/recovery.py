"""Opens the buffer after whatever happened to it, and reads what is left. Blocks on disk."""

import contextlib
import errno
import os
import sqlite3
from pathlib import Path

import msgspec

from edge_agent import aside, epochs, fstab
from edge_agent.damage import ERRORS, code, damaged, is_damage
from edge_agent.database import SCHEMA
from edge_agent.errors import BufferUnavailable
from edge_agent.language import _
from edge_agent.missing import (
    Notes,
    Recovered,
    corrupt,
    destroyed,
    name_forgotten,
    name_missing,
)
from edge_agent.reserve import COPIES, Reservation, ReserveFile
from edge_agent.salvage import losses_of, segments_of
from edge_agent.store import Store

PROBES = 16  # places where a file is read to tell a bad sector from a disk that is gone


def recover(store: Store, reserve: ReserveFile, now: int, flush: float) -> Recovered:
    """Open the database and find out where to go on. The epoch is not yet noted in it.

    Args:
        store: The database, not yet open.
        reserve: The file of reserved numbers.
        now: Wall clock, ms since 1970 UTC.
        flush: Seconds that a reading may live in memory only.

    Raises:
        BufferUnavailable: The disk cannot be used at present.
    """
    folder = store.path.parent
    if entry := fstab.absent(folder):
        raise _not_mounted(folder, entry)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in (store.path, *(folder / name for name in COPIES)):
            aside.make_usable(path)
        aside.finish_earlier(store.path)
        found = _open(store, reserve, now, flush)
        name_forgotten(found, epochs.names(folder))
    except ERRORS as error:
        store.close()
        raise unavailable(folder, error) from error
    store.epoch = found.epoch
    return found


def _not_mounted(folder: Path, entry: fstab.Entry) -> BufferUnavailable:
    """Say which disk is awaited: nothing is written to the one below its folder."""
    return BufferUnavailable(
        _(
            "the buffer folder {folder} should be on {source}, which is not mounted at {point}: "
            "plug that disk in and run `mount {point}`, or put buffer.path elsewhere; nothing is "
            "written to the disk of the system, the agent goes on by itself"
        ).format(folder=folder, source=entry.source, point=entry.point)
    )


def unavailable(folder: Path, error: Exception) -> BufferUnavailable:
    """Say in one sentence that the disk refuses the buffer, and what to do."""
    advice = _("free some space or mend its rights")
    if isinstance(error, PermissionError):
        advice = _("mend its rights (`chown -R {geteuid} {folder}`)").format(
            geteuid=os.geteuid(), folder=folder
        )
    if code(error) == sqlite3.SQLITE_BUSY:
        advice = _("another edge-agent runs on it: stop that one, or give this one its own folder")
    return BufferUnavailable(
        _(
            "the buffer folder {folder} cannot be used: {error}; {advice}, the agent "
            "goes on by itself"
        ).format(folder=folder, error=error, advice=advice)
    )


def _open(store: Store, reserve: ReserveFile, now: int, flush: float) -> Recovered:
    """Open the database, or what is left of it; if nothing is, it is set aside and replaced."""
    try:
        store.open()
        return _find(store, reserve, now, flush)
    except ERRORS as error:
        if not (is_damage(error) or _is_falsely_read_only(error, store.path)):
            raise
    with contextlib.suppress(*ERRORS):
        store.open_remnant()
        found = _find(store, reserve, now, flush)
        if found.segments or found.losses:
            found.is_damaged = True
            return found
    store.close()
    if not _gives_anything(store.path):
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(store.path))
    aside.set_aside(store.path)
    store.open()
    return _find(store, reserve, now, flush)


def _gives_anything(path: Path) -> bool:
    """Tell whether the disk gives some of the file; one that gives nothing may come back."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(handle).st_size
        for place in range(0, size, size // PROBES + 1):
            with contextlib.suppress(OSError):
                os.pread(handle, 1, place)
                return True
    finally:
        os.close(handle)
    return not size


def _is_falsely_read_only(error: Exception, path: Path) -> bool:
    """Tell whether only a bit in its head says so: the file itself may be written."""
    return code(error) == sqlite3.SQLITE_READONLY and os.access(path, os.W_OK)


def _find(store: Store, reserve: ReserveFile, now: int, flush: float) -> Recovered:
    reservation = reserve.read()
    if _note(store, "schema") not in {None, SCHEMA}:
        raise _unknown_schema(store)
    epoch = _epoch(store, reservation)
    if epoch is None:
        return _begin(reserve, reservation, now)
    found = _read(store, epoch, reservation)
    name_missing(found, reservation, _notes(store), now, flush)
    return found


def _epoch(store: Store, reservation: Reservation | None) -> str | None:
    """Give the epoch of what is stored; None if there is none yet.

    Where only the rows of a remnant can be read, it is the only one that the folder knows.
    """
    noted = _note(store, "epoch")
    if noted is not None:
        return str(noted)
    if not store.is_remnant:
        return None
    if reservation is None or epochs.names(store.path.parent) != [reservation.epoch]:
        raise damaged(_("the epoch of {path} cannot be read").format(path=store.path))
    return reservation.epoch


def _note(store: Store, name: str) -> str | int | None:
    """Give what was remembered; nothing where a remnant has lost it."""
    try:
        return store.note(name)
    except ERRORS as error:
        if store.is_remnant and is_damage(error):
            return None
        raise


def _unknown_schema(store: Store) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(
        _("{path} was written by another version of edge-agent").format(path=store.path)
    )
    error.sqlite_errorcode = sqlite3.SQLITE_NOTADB
    return error


def _begin(reserve: ReserveFile, reservation: Reservation | None, now: int) -> Recovered:
    """Begin an epoch: there is no database, or there is none any more.

    A reservation of nothing is written before the epoch is noted in the database. So a database
    without any reservation has always lost it, and numbers may have been used.
    """
    if reservation is None:
        reservation = Reservation(_new_epoch(), 0, 0, now)
        reserve.write(reservation)
    if not reservation.reserved:
        return Recovered(reservation.epoch)
    return Recovered(_new_epoch(), missing=[destroyed(reservation)])


def _new_epoch() -> str:
    return os.urandom(8).hex()  # as `secrets` does it, which brings hashlib and takes 0.7 MB


def _read(store: Store, epoch: str, reservation: Reservation | None) -> Recovered:
    if not epochs.EPOCH.fullmatch(epoch):
        epoch = reservation.epoch if reservation else _new_epoch()
    (segments, gaps), losses = segments_of(store), losses_of(store)
    known = [segment.last for segment in segments] + [loss.seq for loss in losses]
    found = Recovered(epoch, max([_noted(store, "accounted"), *known]), {}, segments, losses)
    for loss in losses:
        loss.sent = True  # it may have been: its content is fixed
    found.missing += [
        corrupt(epoch, first, last) for first, last in gaps if last is None or first <= last
    ]
    vanished = not gaps and len(segments) < _noted(store, "segments")
    if vanished or len(losses) < _noted(store, "losses"):  # what they held is unknown
        found.missing.append(corrupt(epoch, None, None))
    found.is_damaged = bool(gaps or found.missing)
    return found


def _noted(store: Store, name: str) -> int:
    noted = _note(store, name)
    return noted if isinstance(noted, int) else 0


def _notes(store: Store) -> Notes:
    is_known = not store.is_remnant or _note(store, "accounted") is not None
    previous: dict[str, int] = {}
    with contextlib.suppress(msgspec.DecodeError):
        previous = msgspec.json.decode(str(_note(store, "previous") or "{}"), type=dict[str, int])
    return Notes(_noted(store, "accounted") if is_known else None, previous)
