"""Names what may be missing after whatever happened to the buffer. Pure.

The two-copy file of reserved numbers and the database each tell how far things got; together they
decide whether counting goes on, and which range a loss record must name.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from edge_agent.reserve import Reservation
from edge_agent.row import Loss, Segment

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
        is_damaged: Some of the database cannot be read; that is named in `missing`.
        stored: How far the database once said that everything is accounted for.
    """

    epoch: str
    last: int = 0
    previous: dict[str, int] = field(default_factory=dict)
    segments: list[Segment] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    missing: list[Loss] = field(default_factory=list)
    is_damaged: bool = False
    stored: int = 0


@dataclass(frozen=True)
class Notes:
    """What the database noted beside its rows.

    Attributes:
        accounted: How far everything was accounted for; None where that cannot be read any more.
        previous: Topic -> its last number, at the last clean stop.
    """

    accounted: int | None
    previous: dict[str, int]


def name_missing(
    found: Recovered, reservation: Reservation | None, notes: Notes, now: int, flush: float
) -> None:
    """Decide where counting goes on, and name what may be missing up to there.

    Args:
        found: What was read; its `last`, `previous`, `stored` and `missing` are completed.
        reservation: The numbers reserved, if that is known.
        notes: What the database says.
        now: Wall clock, ms since 1970 UTC.
        flush: Seconds that a reading may live in memory only.
    """
    if reservation is not None and reservation.epoch == found.epoch:
        _go_on(found, reservation, notes, now, flush)
    elif not (reservation and _is_named(reservation, found)):
        _leap(found, reservation, notes.accounted or 0, now)
    for loss in found.missing:
        loss.last = loss.last or found.last


def _is_named(reservation: Reservation, found: Recovered) -> bool:
    """Tell whether the lost epoch is named already: killed before the first new reservation."""
    return any(loss.lost_epoch == reservation.epoch for loss in found.losses)


def _go_on(
    found: Recovered, reservation: Reservation, notes: Notes, now: int, flush: float
) -> None:
    """Count on; after a kill, name the numbers between what is accounted for and reserved."""
    stored = reservation.stored if notes.accounted is None else notes.accounted
    found.stored = max(stored, reservation.stored)
    if stored < reservation.stored:  # the last commits are gone: with its WAL, or it is an old copy
        found.missing.append(corrupt(found.epoch, stored + 1, reservation.stored))
    accounted = max(reservation.accounted, stored)
    found.last = max(found.last, reservation.reserved)
    if reservation.clean and accounted == reservation.accounted:
        found.previous = notes.previous
    elif accounted < found.last:
        found.missing.append(
            Loss(
                0, 0, found.epoch, accounted + 1, found.last, None, reservation.ts, now,
                "power_cut", exposed_ms=_exposed_ms(reservation, now, flush),
            )
        )  # fmt: skip


def _exposed_ms(reservation: Reservation, now: int, flush: float) -> int:
    """Tell how long before the end readings may have been in memory only.

    Nobody knows when the end was, so a disk that took no rows then counts until now.
    """
    refused = 0 if reservation.refused is None else now - reservation.refused
    return max(round(flush * 1000), refused)


def _leap(found: Recovered, reservation: Reservation | None, accounted: int, now: int) -> None:
    """Both copies of the reservation are lost: leave a gap that is certainly wide enough."""
    if reservation is not None and reservation.reserved:
        found.missing.append(destroyed(reservation))
    found.last += LEAP
    found.missing.append(corrupt(found.epoch, accounted + 1, found.last, now))


def name_forgotten(found: Recovered, known: Iterable[str]) -> None:
    """Name those of the known epochs of which nothing but the name is left."""
    named = {found.epoch, *(loss.lost_epoch for loss in (*found.losses, *found.missing))}
    found.missing += [corrupt(one, None, None) for one in known if one not in named]


def destroyed(reservation: Reservation) -> Loss:
    """Name an epoch whose database is gone: what of it was still waiting is unknown."""
    return corrupt(reservation.epoch, None, reservation.reserved)


def corrupt(epoch: str, first: int | None, last: int | None, newest: int | None = None) -> Loss:
    """Name what the disk lost."""
    return Loss(0, 0, epoch, first, last, None, None, newest, "corrupt")
