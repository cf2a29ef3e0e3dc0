"""Takes a parcel from another card into a buffer's folder. Blocks on disk.

Either all of it is taken in or, also if the power goes, nothing. What was taken in before is left
out, so that bringing the same parcel again changes nothing.
"""

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edge_agent import waybill
from edge_agent.clock import Clock
from edge_agent.config.model import BufferLimits
from edge_agent.errors import EdgeAgentError
from edge_agent.language import _
from edge_agent.parcel import SUFFIX, Contents, Entry, NotAParcel, Parcel, Piece, write
from edge_agent.row import Damaged, Key
from edge_agent.standstill import Standstill, standstill
from edge_agent.waybill import Waybill

SPARE = 1 << 20  # bytes that must stay free beside what is taken in


class NoRoom(EdgeAgentError):  # noqa: N818 - named after what happened
    """What a parcel holds does not fit; nothing was changed."""


@dataclass(frozen=True)
class Received:
    """What came of a parcel.

    Attributes:
        taken: What is new here, as a table of contents.
        damaged: What of it could not be read; a record of loss will name it.
        known: Messages that were here before, or that this buffer itself holds.
    """

    taken: Contents
    damaged: list[Entry]
    known: int


def receive(parcel: Parcel, limits: BufferLimits, clock: Clock) -> Received:
    """Take in what is new in a parcel.

    Raises:
        BufferInUse: The agent runs.
        BufferUnavailable: The buffer cannot be used.
        NoRoom: It does not fit.
        OSError: The disk does not take it; nothing was changed.
    """
    with standstill(limits, clock) as still:
        bill = waybill.read(still.folder)
        waybill.remove_unlisted(still.folder, bill.parcels)
        sorting = Sorting(parcel, bill, still.epoch, _gaps(still.folder, bill))
        received = sorting.received()
        if received.taken.entries or received.taken.losses:
            _check_room(still, limits, sum(entry.size for entry in received.taken.entries))
            _store(still.folder, bill, received, sorting)
    return received


def _gaps(folder: Path, bill: Waybill) -> set[Key]:
    """Give epoch and first number of what is listed in parcels here, but missing."""
    found = set()
    for name in bill.parcels:
        with contextlib.suppress(NotAParcel):
            found |= {(entry.epoch, entry.first) for entry in Parcel(folder / name).absent()}
    return found


def _check_room(still: Standstill, limits: BufferLimits, wanted: int) -> None:
    if still.used + wanted > limits.max_bytes:
        raise NoRoom(
            _(
                "the buffer may take {max_bytes} bytes (`buffer.max_bytes`), {used} are "
                "in use, and this needs {wanted}: allow more, or let the agent deliver "
                "first"
            ).format(max_bytes=limits.max_bytes, used=still.used, wanted=wanted)
        )
    if (free := shutil.disk_usage(still.folder).free) < wanted + SPARE:
        raise NoRoom(
            _(
                "{free} bytes are free in {folder}, and this needs {wanted}: free some "
                "space, then call this again"
            ).format(free=free, folder=still.folder, wanted=wanted + SPARE)
        )


def _store(folder: Path, bill: Waybill, received: Received, sorting: "Sorting") -> None:
    if not (folder / waybill.FILE).exists():  # without one, every parcel would count as taken in
        waybill.write(folder, bill.encode())
    name = _free_name(folder, received.taken.made)
    write(folder / name, received.taken, sorting.pieces(received.taken.entries))
    bill.parcels[name] = waybill.numbers(
        {epoch: bill.taken[epoch].pairs() for epoch in received.taken.epochs}
    )
    for epoch, seq in sorting.fresh:
        bill.taken[epoch].add(seq)
    waybill.write(folder, bill.encode())


def _free_name(folder: Path, made: int) -> str:
    names = (f"{made}-{count}{SUFFIX}" for count in range(1, 1 << 20))
    return next(name for name in names if not (folder / name).exists())


class Sorting:
    """Parts what is new in a parcel from what is known.

    Args:
        parcel: The parcel.
        bill: What was taken in before.
        own_epoch: The buffer's: messages of that one are its own.
        gaps: Epoch and first number of what earlier parcels miss, and nothing names yet.

    Attributes:
        fresh: Epoch and number of every message that is new.
    """

    def __init__(self, parcel: Parcel, bill: Waybill, own_epoch: str, gaps: set[Key]) -> None:
        self.fresh: set[Key] = set()
        self._parcel = parcel
        self._bill = bill
        self._own_epoch = own_epoch
        self._gaps = gaps

    def received(self) -> Received:
        """Look through all of it."""
        contents = self._parcel.contents
        entries, damaged, known = [], [], 0
        for entry in contents.entries:
            numbers = self._numbers(entry)
            fresh = {key for key in numbers or () if self._is_new(*key)}
            if numbers is None and self._is_new(entry.epoch, entry.first, gap=True):
                damaged.append(entry)
            if fresh or entry in damaged[-1:]:
                entries.append(entry)
            self.fresh |= fresh
            known += len(numbers or ()) - len(fresh)
        losses = [loss for loss in contents.losses if self._is_new(*loss.key)]
        self.fresh |= {loss.key for loss in losses}
        taken = msgspec.structs.replace(contents, entries=entries, losses=losses)
        return Received(taken, damaged, known)

    def _is_new(self, epoch: str, seq: int, *, gap: bool = False) -> bool:
        """Tell whether a message is neither here nor, if it is one of a gap, named."""
        if epoch == self._own_epoch or seq in self._bill.taken[epoch]:
            return False
        return not gap or ((epoch, seq) not in self._gaps and seq not in self._bill.named[epoch])

    def _numbers(self, entry: Entry) -> list[Key] | None:
        """Give what a segment holds; None if it is damaged."""
        try:
            rows, _ = self._parcel.rows(entry)
        except Damaged:
            return None
        return [(entry.epoch, row.seq) for row in rows]

    def pieces(self, entries: list[Entry]) -> Iterator[Piece]:
        """Give the segments that are new and whole."""
        for entry in entries:
            try:
                yield self._parcel.piece(entry)
            except Damaged:
                continue
