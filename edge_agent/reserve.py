"""Which numbers may have been used: a small two-copy file beside the buffer's database.

A healthy gateway writes nothing to its card per reading, so numbers are reserved ahead: after a
kill, counting goes on behind the reserved range, and a loss record names what of it may be
missing. Both copies are written, one after the other, so that one is always whole, and so that a
copy that rots leaves no older one to be believed; each carries a checksum. The file also remembers
the epoch when the database itself is destroyed.
"""

import errno
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
        stored: What the database noted as `accounted` by then; one that notes less has lost it.
        refused: Since when the disk took no rows, ms since 1970 UTC; None when it took them.
        clean: Written by a clean stop: nothing after `accounted` was ever used.
        generation: Counts up with every write; the highest whole copy counts.
    """

    epoch: str
    accounted: int
    reserved: int
    ts: int
    clean: bool = False
    generation: int = 0
    stored: int = 0
    refused: int | None = None


@dataclass
class ReserveFile:
    """The two copies in the buffer's folder. All methods block on the disk."""

    folder: Path
    _generation: int = 0

    def read(self) -> Reservation | None:
        """Give the newest copy that is whole; None if there is none.

        Raises:
            OSError: Neither can be read: it is the disk that is at fault.
        """
        copies, troubles = [], []
        for name in COPIES:
            try:
                copies.append(_read(self.folder / name))
            except OSError as trouble:
                troubles.append(trouble)
        if len(troubles) == len(COPIES):
            raise troubles[0]
        newest = max(filter(None, copies), key=lambda copy: copy.generation, default=None)
        self._generation = newest.generation if newest else 0
        return newest

    def write(self, reservation: Reservation) -> None:
        """Write both copies anew and wait until they are on the disk.

        Raises:
            OSError: The disk does not take them.
        """
        generation = self._generation + 1
        content = msgspec.json.encode(msgspec.structs.replace(reservation, generation=generation))
        line = b"%08x %b" % (zlib.crc32(content), content)
        for name in COPIES:
            _write(self.folder / name, line.ljust(SIZE - 1) + b"\n")
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
    is_new = not path.exists()
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if os.pwrite(handle, content, 0) < len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        os.fsync(handle)
    finally:
        os.close(handle)
    if is_new:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make sure that the names of new and renamed files are on the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
