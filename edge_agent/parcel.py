"""The parcel: one file with what waits in a buffer, to be carried to another card. Blocks on disk.

It begins with a line for whoever finds the file. Then come records: the table of contents, one for
each segment, and the table of contents again. So whatever is damaged on the way, what is left can
be taken out, and what is missing is known by its numbers.
"""

import contextlib
import os
import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from edge_agent import records
from edge_agent.errors import EdgeAgentError
from edge_agent.language import _
from edge_agent.reserve import sync_folder
from edge_agent.row import Damaged, Loss, Row, Segment, unpack

VERSION = 1
SUFFIX = ".parcel"
PLACE = struct.Struct(">16sQ")  # what a segment's content begins with: epoch, first number
CONTENTS, SEGMENT, RELEASED = b"C", b"S", b"R"
EPOCH = re.compile("[0-9a-f]{16}")


class NotAParcel(EdgeAgentError):  # noqa: N818 - named after what happened
    """The file is no parcel, or not even its table of contents can be read."""


class Piece(NamedTuple):
    """One segment on its way: the epoch of its numbers, what it is, its packed rows."""

    epoch: str
    segment: Segment
    body: bytes


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """What the table of contents says of one segment.

    Attributes:
        epoch: The epoch of its numbers.
        first: The number of its first message.
        last: The number of its last message.
        messages: How many messages it holds.
        readings: How many readings these hold.
        oldest: When the first of them was read, ms since 1970 UTC.
        newest: When the last of them was read, likewise.
        size: Its bytes, about.
    """

    epoch: str
    first: int
    last: int
    messages: int
    readings: int
    oldest: int
    newest: int
    size: int


class Contents(msgspec.Struct, frozen=True):
    """The table of contents.

    Attributes:
        agent: Identity of the gateway whose readings these are.
        site: Where it stood.
        made: When the parcel was made, ms since 1970 UTC.
        entries: What it holds; a segment listed but not there could not be read from the card.
        losses: Records of loss that wait, each with its epoch.
        version: Of this format.
    """

    agent: str
    site: str
    made: int
    entries: list[Entry]
    losses: list[Loss]
    version: int = VERSION

    @property
    def epochs(self) -> list[str]:
        """Give the epochs in it, in the order in which they come first."""
        found = [one.epoch for one in self.entries] + [one.epoch for one in self.losses]
        return list(dict.fromkeys(found))


_decode = msgspec.msgpack.Decoder(Contents).decode
_decode_segment = msgspec.msgpack.Decoder(tuple[bytes, bytes]).decode


# --- writing -----------------------------------------------------------------------------------


def write(path: Path, contents: Contents, pieces: Iterable[Piece]) -> None:
    """Write a parcel; under its name there is either all of it, safely on the medium, or nothing.

    Raises:
        OSError: The medium does not take it.
    """
    draft = path.with_name(path.name + ".part")
    draft.unlink(missing_ok=True)
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file:
            _write(file, contents, pieces)
        draft.replace(path)
        sync_folder(path.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise


def _write(file: BinaryIO, contents: Contents, pieces: Iterable[Piece]) -> None:
    table = msgspec.msgpack.encode(contents)
    file.write(f"Readings of gateway {contents.agent}, for `edge-agent buffer import`\n".encode())
    file.write(records.made(CONTENTS, table))
    for epoch, segment, body in pieces:
        place = PLACE.pack(epoch.encode(), segment.id)
        file.write(records.made(SEGMENT, place + msgspec.msgpack.encode((segment.head(), body))))
    file.write(records.made(CONTENTS, table))
    file.flush()
    os.fsync(file.fileno())
    # What is read back must come from the medium, not from memory.
    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


# --- reading -----------------------------------------------------------------------------------


class Parcel:
    """A parcel that is read.

    Raises:
        NotAParcel: There is no table of contents.
        OSError: The file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb", buffering=0) as file:
            self._at = list(records.found(file.fileno()))
            self.contents = self._contents(file.fileno())
            self._places = self._find(file.fileno(), SEGMENT)
            self._released = set(self._find(file.fileno(), RELEASED))

    def _find(self, handle: int, wanted: bytes) -> dict[tuple[str, int] | None, int]:
        """Give where the records of a kind stand, by epoch and first number."""
        return {_place(handle, at): at for kind, at in self._at if kind == wanted}

    def _contents(self, handle: int) -> Contents:
        for kind, at in self._at:
            content = records.content(handle, at) if kind == CONTENTS else None
            if content is not None:
                with contextlib.suppress(msgspec.DecodeError):
                    return self._known(_decode(content))
        raise NotAParcel(
            _(
                "{path} is no file of `edge-agent buffer export`, or too damaged to tell "
                "what it holds; copy it anew, or export once more from the old card"
            ).format(path=self.path)
        )

    def _known(self, contents: Contents) -> Contents:
        if contents.version > VERSION:
            raise NotAParcel(
                _("{path} was written by a newer edge-agent: update this one").format(
                    path=self.path
                )
            )
        if not all(EPOCH.fullmatch(epoch) for epoch in contents.epochs):
            raise NotAParcel(
                _("{path} names an epoch that edge-agent never gave").format(path=self.path)
            )
        return contents

    def piece(self, entry: Entry) -> Piece:
        """Give a segment that is listed.

        Raises:
            Damaged: It is not there, or not what was written.
            OSError: The file cannot be opened.
        """
        at = self._places.get((entry.epoch, entry.first))
        if at is None:
            raise Damaged(_("it is not in the file"))
        try:
            with self.path.open("rb", buffering=0) as file:
                content = records.content(file.fileno(), at)
        except FileNotFoundError as error:
            raise Damaged(_("the file is gone")) from error
        if content is None:
            raise Damaged(_("the checksum does not fit"))
        try:
            head, body = _decode_segment(content[PLACE.size :])
            unpack(body, entry.first)
        except (msgspec.DecodeError, zlib.error) as error:
            raise Damaged(str(error)) from error
        return Piece(entry.epoch, Segment.opened(entry.first, head, len(body), set()), body)

    def rows(self, entry: Entry) -> tuple[list[Row], str]:
        """Give the rows of a segment that is listed, and the boot in which they were read.

        Raises:
            Damaged: It is not there, or not what was written.
            OSError: The file cannot be opened.
        """
        piece = self.piece(entry)
        return unpack(piece.body, entry.first), piece.segment.boot

    def has(self, entry: Entry) -> bool:
        """Tell whether a segment that is listed is there, whole or not."""
        return (entry.epoch, entry.first) in self._places

    def absent(self) -> list[Entry]:
        """Give what is listed, but not there."""
        entries = self.contents.entries
        return [one for one in entries if not self.has(one) and not self.is_released(one)]

    def is_released(self, entry: Entry) -> bool:
        """Tell whether a segment that is listed was needed no more, and its room given back."""
        return (entry.epoch, entry.first) in self._released

    def release(self, entries: Iterable[Entry]) -> None:
        """Give the room of segments that are not needed any more back to the file system.

        Not every file system can; there it comes back when the file is removed.
        """
        with contextlib.suppress(OSError), self.path.open("r+b", buffering=0) as file:
            for entry in entries:
                if (at := self._places.pop((entry.epoch, entry.first), None)) is not None:
                    records.hollow(file.fileno(), at, RELEASED, PLACE.size)

    def whole(self) -> Iterator[Piece]:
        """Give every listed segment that can be read."""
        for entry in self.contents.entries:
            with contextlib.suppress(Damaged):
                yield self.piece(entry)


def _place(handle: int, at: int) -> tuple[str, int] | None:
    """Give epoch and first number of the segment at this place."""
    content = records.beginning(handle, at, PLACE.size)
    if len(content) < PLACE.size:
        return None
    epoch, first = PLACE.unpack(content)
    return epoch.decode(errors="replace"), first
