"""Opens the buffer after whatever happened to it, and names what may be missing. Blocks on disk.

The two-copy file of reserved numbers and the database each tell how far things got; together they
decide whether counting goes on, and which range a loss record must name.
"""

import contextlib
import os
import re
import secrets
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from edge_agent.errors import BufferUnavailable
from edge_agent.reserve import Reservation, ReserveFile
from edge_agent.row import Loss, Segment
from edge_agent.salvage import finish_earlier, losses_of, segments_of, set_aside
from edge_agent.store import DAMAGED, ERRORS, SCHEMA, Store, code

LEAP = 1 << 40  # numbers skipped where it is unknown how many were used; 64 bits have room
EPOCH = re.compile("[0-9a-f]{16}")


@dataclass
class Recovered:
    """What the buffer starts from.

    Attributes:
        epoch: Identity of the sequence of numbers.
        last: The last number that may have been used.
        previous: Topic -> its last number, where a clean stop noted it.
        segments: What waits on disk.
        losses: Loss records that wait on disk.
        missing: What must now be named as lost, without numbers of their own yet.
        is_damaged: Some of the database cannot be read; that is named in `missing`.
    """

    epoch: str
    last: int = 0
    previous: dict[str, int] = field(default_factory=dict)
    segments: list[Segment] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    missing: list[Loss] = field(default_factory=list)
    is_damaged: bool = False


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
    try:
        store.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        finish_earlier(store.path)
        found = _open(store, reserve, now, flush)
    except ERRORS as error:
        store.close()
        raise unavailable(store.path.parent, error) from error
    store.epoch = found.epoch
    return found


def unavailable(folder: Path, error: Exception) -> BufferUnavailable:
    """Say in one sentence that the disk refuses the buffer, and what to do."""
    advice = "free some space or mend its rights"
    if code(error) == sqlite3.SQLITE_BUSY:
        advice = "another edge-agent runs on it: stop that one, or give this one its own folder"
    return BufferUnavailable(
        f"the buffer folder {folder} cannot be used: {error}; {advice}, the agent goes on by itself"
    )


def _open(store: Store, reserve: ReserveFile, now: int, flush: float) -> Recovered:
    """Open the database; one that is damaged as a whole is set aside and replaced."""
    try:
        store.open()
        return _find(store, reserve, now, flush)
    except ERRORS as error:
        if not _is_damage(error, store.path):
            raise
    store.close()
    set_aside(store.path)
    store.open()
    return _find(store, reserve, now, flush)


def _is_damage(error: Exception, path: Path) -> bool:
    """Tell whether the file is at fault; a bit of its head says that it is read-only."""
    says_read_only = code(error) == sqlite3.SQLITE_READONLY
    return code(error) in DAMAGED or (says_read_only and os.access(path, os.W_OK))


def _find(store: Store, reserve: ReserveFile, now: int, flush: float) -> Recovered:
    reservation = reserve.read()
    if store.note("schema") not in {None, SCHEMA}:
        raise _unknown_schema(store)
    epoch = store.note("epoch")
    if epoch is None:
        return _begin(reserve, reservation, now)
    found = _read(store, str(epoch), reservation)
    if reservation is not None and reservation.epoch == found.epoch:
        _go_on(found, reservation, store, now, flush)
    elif not (reservation and _is_named(reservation, found)):
        _leap(found, reservation, store, now)
    for loss in found.missing:
        loss.last = loss.last or found.last
    return found


def _unknown_schema(store: Store) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(f"{store.path} was written by another version of edge-agent")
    error.sqlite_errorcode = sqlite3.SQLITE_NOTADB
    return error


def _begin(reserve: ReserveFile, reservation: Reservation | None, now: int) -> Recovered:
    """Begin an epoch: there is no database, or there is none any more.

    A reservation of nothing is written before the epoch is noted in the database. So a database
    without any reservation has always lost it, and numbers may have been used.
    """
    if reservation is None:
        reservation = Reservation(secrets.token_hex(8), 0, 0, now)
        reserve.write(reservation)
    if not reservation.reserved:
        return Recovered(reservation.epoch)
    return Recovered(secrets.token_hex(8), missing=[_destroyed(reservation)])


def _read(store: Store, epoch: str, reservation: Reservation | None) -> Recovered:
    if not EPOCH.fullmatch(epoch):
        epoch = reservation.epoch if reservation else secrets.token_hex(8)
    (segments, gaps), losses = segments_of(store), losses_of(store)
    known = [segment.last for segment in segments] + [loss.seq for loss in losses]
    found = Recovered(epoch, max([_noted(store, "accounted"), *known]), {}, segments, losses)
    for loss in losses:
        loss.sent = True  # it may have been: its content is fixed
    found.missing += [_corrupt(epoch, first, last) for first, last in gaps]
    vanished = not gaps and len(segments) < _noted(store, "segments")
    if vanished or len(losses) < _noted(store, "losses"):  # what they held is unknown
        found.missing.append(_corrupt(epoch, None, None))
    found.is_damaged = bool(found.missing)
    return found


def _noted(store: Store, name: str) -> int:
    noted = store.note(name)
    return noted if isinstance(noted, int) else 0


def _is_named(reservation: Reservation, found: Recovered) -> bool:
    """Tell whether the lost epoch is named already: killed before the first new reservation."""
    return any(loss.lost_epoch == reservation.epoch for loss in found.losses)


def _go_on(
    found: Recovered, reservation: Reservation, store: Store, now: int, flush: float
) -> None:
    """Count on; after a kill, name the numbers between what is accounted for and reserved."""
    accounted = max(reservation.accounted, _noted(store, "accounted"))
    found.last = max(found.last, reservation.reserved)
    if reservation.clean and accounted == reservation.accounted:
        with contextlib.suppress(msgspec.DecodeError):
            previous = str(store.note("previous") or "{}")
            found.previous = msgspec.json.decode(previous, type=dict[str, int])
    elif accounted < found.last:
        found.missing.append(
            Loss(
                0, 0, found.epoch, accounted + 1, found.last, None, reservation.ts, now,
                "power_cut", exposed_ms=round(flush * 1000),
            )
        )  # fmt: skip


def _leap(found: Recovered, reservation: Reservation | None, store: Store, now: int) -> None:
    """Both copies of the reservation are lost: leave a gap that is certainly wide enough."""
    if reservation is not None and reservation.reserved:
        found.missing.append(_destroyed(reservation))
    found.last += LEAP
    found.missing.append(_corrupt(found.epoch, _noted(store, "accounted") + 1, found.last, now))


def _destroyed(reservation: Reservation) -> Loss:
    """Name an epoch whose database is gone: what of it was still waiting is unknown."""
    return _corrupt(reservation.epoch, None, reservation.reserved)


def _corrupt(epoch: str, first: int | None, last: int | None, newest: int | None = None) -> Loss:
    return Loss(0, 0, epoch, first, last, None, None, newest, "corrupt")
