"""Opens the buffer after whatever happened to it, and names what may be missing. Blocks on disk.

The two-copy file of reserved numbers and the database each tell how far things got; together they
decide whether counting goes on, and which range a loss record must name.
"""

import contextlib
import secrets
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from edge_agent.errors import BufferUnavailable
from edge_agent.reserve import Reservation, ReserveFile
from edge_agent.row import Loss
from edge_agent.store import SCHEMA, Segment, Store

DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
KEPT_COPIES = 3  # damaged databases set aside for a person to look at
LEAP = 1 << 40  # numbers skipped where it is unknown how many were used; 64 bits have room


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
        clean: The last stop was a clean one, or there never was one.
    """

    epoch: str
    last: int = 0
    previous: dict[str, int] = field(default_factory=dict)
    segments: list[Segment] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    missing: list[Loss] = field(default_factory=list)
    clean: bool = True


def recover(store: Store, reserve: ReserveFile, now: int, flush: float) -> Recovered:
    """Open the database and find out where to go on.

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
        reservation = reserve.read()
        _open(store)
        found = _find(store, reservation)
        if reservation and reservation.epoch == found.epoch:
            _name_unfinished(found, reservation, store, now, flush)
        elif reservation:
            found.missing.append(_destroyed(reservation))
        store.apply_notes({"epoch": found.epoch, "schema": SCHEMA})
    except (sqlite3.Error, OSError) as error:
        store.close()
        raise BufferUnavailable(
            f"the buffer folder {store.path.parent} cannot be used: {error}; free some space or "
            "mend its rights, the agent goes on by itself"
        ) from error
    return found


def _open(store: Store) -> None:
    """Open the database; one that is damaged is set aside and replaced."""
    try:
        store.open()
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in DAMAGED:
            raise
        _set_aside(store.path)
        store.open()


def _set_aside(path: Path) -> None:
    for number in range(KEPT_COPIES - 1, 0, -1):
        older = path.with_name(f"{path.name}.corrupt-{number}")
        if older.exists():
            older.replace(path.with_name(f"{path.name}.corrupt-{number + 1}"))
    path.replace(path.with_name(f"{path.name}.corrupt-1"))
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _find(store: Store, reservation: Reservation | None) -> Recovered:
    epoch = store.note("epoch")
    if epoch is None:
        return Recovered(secrets.token_hex(8))
    found = Recovered(str(epoch), segments=store.segments(), losses=store.losses())
    known = [segment.last for segment in found.segments] + [loss.seq for loss in found.losses]
    found.last = max([int(store.note("accounted") or 0), *known])
    for loss in found.losses:
        loss.sent = True  # it may have been: its content is fixed
    if reservation is None or reservation.epoch != found.epoch:
        found.last += LEAP
        found.clean = False
    return found


def _name_unfinished(
    found: Recovered, reservation: Reservation, store: Store, now: int, flush: float
) -> None:
    """After a kill, name the numbers between what is accounted for and what was reserved."""
    accounted = max(reservation.accounted, int(store.note("accounted") or 0))
    if reservation.clean and accounted <= reservation.accounted:
        found.last = max(found.last, reservation.reserved)
        with contextlib.suppress(msgspec.DecodeError):
            previous = str(store.note("previous") or "{}")
            found.previous = msgspec.json.decode(previous, type=dict[str, int])
        return
    found.clean = False
    found.last = max(found.last, reservation.reserved)
    if accounted >= found.last:
        return
    found.missing.append(
        Loss(
            0, 0, found.epoch, accounted + 1, found.last, None, reservation.ts, now,
            "power_cut", exposed_ms=round(flush * 1000),
        )
    )  # fmt: skip


def _destroyed(reservation: Reservation) -> Loss:
    """Name an epoch whose database is gone: what of it was still waiting is unknown."""
    return Loss(0, 0, reservation.epoch, None, reservation.reserved, None, None, None, "corrupt")
