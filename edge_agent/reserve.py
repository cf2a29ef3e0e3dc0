"""Which numbers may have been used: a small two-copy file beside the buffer's database.

A healthy gateway writes nothing to its card per reading, so numbers are reserved ahead: after a
kill, counting goes on behind the reserved range, and a loss record names what of it may be
missing. The two copies are written in turn, so that one is always whole; each carries a checksum.
The file also remembers the epoch when the database itself is destroyed.
"""

import os
import zlib
from dataclasses import dataclass
from pathlib import Path

import msgspec

COPIES = ("numbers.a", "numbers.b")
SIZE = 512  # one sector: written whole or not at all by any disk of today


class Reservation(msgspec.Struct, frozen=True):
    """What is known for certain about the numbers of an epoch.

    Attributes:
        epoch: The epoch they belong to.
        accounted: Every number up to here is acknowledged or on disk.
        reserved: No number above this one has been used.
        ts: When this was written, ms since 1970 UTC.
        clean: Written by a clean stop: nothing after `accounted` was ever used.
        generation: Counts up with every write; the highest whole copy counts.
    """

    epoch: str
    accounted: int
    reserved: int
    ts: int
    clean: bool = False
    generation: int = 0


@dataclass
class ReserveFile:
    """The two copies in the buffer's folder. All methods block on the disk."""

    folder: Path
    _generation: int = 0

    def read(self) -> Reservation | None:
        """Give the newest copy that is whole; None if there is none."""
        copies = [copy for name in COPIES if (copy := _read(self.folder / name))]
        newest = max(copies, key=lambda copy: copy.generation, default=None)
        self._generation = newest.generation if newest else 0
        return newest

    def write(self, reservation: Reservation) -> None:
        """Write the older copy anew and wait until it is on the disk.

        Raises:
            OSError: The disk does not take it.
        """
        generation = self._generation + 1
        content = msgspec.json.encode(msgspec.structs.replace(reservation, generation=generation))
        line = b"%08x %b" % (zlib.crc32(content), content)
        _write(self.folder / COPIES[generation % 2], line.ljust(SIZE - 1) + b"\n")
        self._generation = generation


def _read(path: Path) -> Reservation | None:
    try:
        checksum, _, content = path.read_bytes().rstrip().partition(b" ")
        if int(checksum, 16) != zlib.crc32(content):
            return None
        return msgspec.json.decode(content, type=Reservation)
    except (FileNotFoundError, ValueError, msgspec.DecodeError):
        return None


def _write(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.pwrite(handle, content, 0)
        os.fsync(handle)
    finally:
        os.close(handle)
