"""Packs what waits in a buffer into a parcel, to be carried to another card. Blocks on disk.

Nothing is removed from the buffer: whoever receives a message twice knows it by its number.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from edge_agent import waybill
from edge_agent.clock import Clock
from edge_agent.config.model import AgentIdentity, BufferLimits
from edge_agent.language import _
from edge_agent.parcel import Contents, Entry, Parcel, Piece, write
from edge_agent.ranges import Ranges
from edge_agent.row import Damaged, Key, Loss, Row, Segment, pack
from edge_agent.salvage import losses_of, segments_of
from edge_agent.standstill import Standstill, standstill


@dataclass(frozen=True)
class Held:
    """One segment that waits.

    Attributes:
        entry: What is known of it.
        read: Gives the rows that wait and the boot in which they were read, or raises `Damaged`.
    """

    entry: Entry
    read: Callable[[], tuple[list[Row], str]]


@dataclass(frozen=True)
class Packed:
    """What was packed.

    Attributes:
        contents: The table of contents of the parcel.
        unreadable: What is listed there, but could not be read from the card.
    """

    contents: Contents
    unreadable: list[Entry]


def export(
    limits: BufferLimits, identity: AgentIdentity, target: Path, clock: Clock
) -> Packed | None:
    """Write what waits in a buffer into a parcel; None, and no parcel, if nothing waits.

    Args:
        limits: Of the buffer; its folder may be one that cannot be written to.
        identity: Whose it is.
        target: The parcel's file.
        clock: This machine's. Rows of this boot get their right time, if it is known by now.

    Raises:
        BufferInUse: The agent runs.
        BufferUnavailable: The buffer cannot be read.
        OSError: The target does not take the parcel, or does not give back what was written.
    """
    with standstill(limits, clock, may_copy=True) as still:
        found = [*_carried(still.folder), *_own(still)]
        exact = [(one, entry) for one in found if (entry := _exact(one, clock))]
        losses = [*_losses_carried(still.folder), *_own_losses(still)]
        if not exact and not losses:
            return None
        entries = [entry for _, entry in exact]
        contents = Contents(identity.id, identity.site, clock.now(), entries, losses)
        written: set[Key] = set()
        write(target, contents, _pieces([one for one, _ in exact], clock, written))
    _check(target, len(written))
    return Packed(contents, [one for one in entries if (one.epoch, one.first) not in written])


def _check(target: Path, written: int) -> None:
    """Read everything back.

    Raises:
        OSError: It is not what was written.
    """
    if sum(1 for _each in Parcel(target).whole()) != written:
        target.unlink()
        raise OSError(
            _("{target} does not give back what was written: use another medium").format(
                target=target
            )
        )


# --- the buffer's own ----------------------------------------------------------------------------


def _own(still: Standstill) -> Iterator[Held]:
    segments, _ = segments_of(still.store)  # what is damaged was named when it was recovered
    for one in segments:
        counts = one.pending, one.readings, one.oldest, one.newest, one.size
        entry = Entry(still.epoch, one.id, one.last, *counts)
        yield Held(entry, partial(_stored, still, one))


def _stored(still: Standstill, segment: Segment) -> tuple[list[Row], str]:
    return still.store.rows(segment), segment.boot


def _own_losses(still: Standstill) -> Iterator[Loss]:
    for loss in losses_of(still.store):
        loss.epoch = still.epoch
        yield loss


# --- what was carried here before ----------------------------------------------------------------


def _parcels(folder: Path) -> Iterator[tuple[Parcel, waybill.Numbers]]:
    for name, delivered in waybill.read(folder).parcels.items():
        yield Parcel(folder / name), delivered


def _carried(folder: Path) -> Iterator[Held]:
    for parcel, delivered in _parcels(folder):
        for entry in parcel.contents.entries:
            if parcel.has(entry):  # else it was named
                yield Held(entry, partial(_undelivered, parcel, entry, delivered[entry.epoch]))


def _undelivered(parcel: Parcel, entry: Entry, delivered: Ranges) -> tuple[list[Row], str]:
    rows, boot = parcel.rows(entry)
    return [row for row in rows if row.seq not in delivered], boot


def _losses_carried(folder: Path) -> Iterator[Loss]:
    for parcel, delivered in _parcels(folder):
        for loss in parcel.contents.losses:
            if loss.seq not in delivered[loss.epoch]:
                yield loss


# --- rows ----------------------------------------------------------------------------------------


def _read(held: Held, clock: Clock) -> tuple[list[Row], str]:
    """Read the rows that wait, with their right times as far as this machine knows them."""
    rows, boot = held.read()
    if boot == clock.boot and clock.synced():
        for row in rows:
            row.settle(clock.now(), clock.mono())
    return rows, boot


def _exact(held: Held, clock: Clock) -> Entry | None:
    """Tell exactly what waits of a segment, some of which may be acknowledged; None if nothing."""
    listed = held.entry
    try:
        rows, _ = _read(held, clock)
    except Damaged:
        return listed
    if not rows:
        return None
    first, last, readings = rows[0], rows[-1], sum(row.readings for row in rows)
    counts = len(rows), readings, first.ts, last.ts, listed.size
    return Entry(listed.epoch, first.seq, last.seq, *counts)


def _pieces(held: Sequence[Held], clock: Clock, written: set[Key]) -> Iterator[Piece]:
    """Pack one segment after the other; note which could be read."""
    for one in held:
        with contextlib.suppress(Damaged):
            rows, boot = _read(one, clock)
            body = pack(rows)
            written.add((one.entry.epoch, rows[0].seq))
            yield Piece(one.entry.epoch, Segment.of(rows, boot, len(body)), body)
