"""The waybill: which parcels lie in a buffer's folder, and how far they are delivered.

It also remembers which numbers were ever taken in, so that bringing the same ones again changes
nothing. Blocks on disk.
"""

import os
import zlib
from collections import defaultdict
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from edge_agent.parcel import SUFFIX
from edge_agent.ranges import Ranges
from edge_agent.reserve import sync_folder

FILE = "carried.json"
Numbers = defaultdict[str, Ranges]  # epoch -> numbers
_Pairs = dict[str, list[tuple[int, int]]]


def numbers(pairs: Mapping[str, list[tuple[int, int]]] | None = None) -> Numbers:
    """Make sets of numbers of pairs of first and last ones."""
    return defaultdict(Ranges, {epoch: Ranges(each) for epoch, each in (pairs or {}).items()})


class _Stored(msgspec.Struct, frozen=True):
    parcels: dict[str, _Pairs]
    taken: _Pairs
    named: _Pairs


@dataclass
class Waybill:
    """What is known of the parcels of a folder.

    Attributes:
        parcels: File name -> the numbers that need no delivery any more.
        taken: The numbers that were ever taken in.
        named: The numbers that records of loss name, because they were damaged on the way.
    """

    parcels: dict[str, Numbers] = field(default_factory=dict)
    taken: Numbers = field(default_factory=numbers)
    named: Numbers = field(default_factory=numbers)

    def encode(self) -> bytes:
        """Give it as it is written down."""
        stored = _Stored(
            {name: _pairs(known) for name, known in self.parcels.items()},
            _pairs(self.taken),
            _pairs(self.named),
        )
        content = msgspec.json.encode(stored)
        return b"%08x %b\n" % (zlib.crc32(content), content)


def _pairs(known: Numbers) -> _Pairs:
    return {epoch: ranges.pairs() for epoch, ranges in known.items()}


def write(folder: Path, encoded: bytes) -> None:
    """Put a waybill on disk: all of it, or what was there stays.

    Raises:
        OSError: The disk does not take it.
    """
    fresh = folder / f"{FILE}.new"
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(encoded)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(folder / FILE)
    sync_folder(folder)


def read(folder: Path) -> Waybill:
    """Read it. Where it is damaged or gone, all parcels count as not delivered at all.

    What was delivered already is then sent again, and nothing is lost.

    Raises:
        OSError: The disk cannot be read.
    """
    try:
        checksum, _, content = (folder / FILE).read_bytes().rstrip().partition(b" ")
        if int(checksum, 16) != zlib.crc32(content):
            raise ValueError("damaged")
        stored = msgspec.json.decode(content, type=_Stored)
    except (FileNotFoundError, ValueError, msgspec.DecodeError):
        names = sorted(path.name for path in folder.glob(f"*{SUFFIX}"))
        return Waybill({name: numbers() for name in names})
    parcels = {name: numbers(known) for name, known in stored.parcels.items()}
    return Waybill(parcels, numbers(stored.taken), numbers(stored.named))


def remove_unlisted(folder: Path, listed: Container[str]) -> None:
    """Remove parcels that were not taken in completely, or are delivered."""
    for path in [*folder.glob(f"*{SUFFIX}"), *folder.glob(f"*{SUFFIX}.part")]:
        if path.name not in listed:
            path.unlink()
