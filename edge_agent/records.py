"""Records in a file, each with a mark, a kind, its length and a checksum. Blocks on disk.

Whatever byte of the file is damaged, or cannot be read, all other records are found.
"""

import ctypes
import os
import struct
import zlib
from collections.abc import Iterator

MARK = b"\x93EAP"  # not UTF-8, so that no text holds it
HEAD = struct.Struct(">4scII")  # mark, kind, length of the content, CRC-32 of kind and content
LARGEST = 1 << 26  # bytes; a flush holds at most 16 MiB of readings, so more is no length of ours
PUNCH_HOLE = 0x03  # linux/falloc.h: FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE
SECTOR = 4096  # what cannot be read is stepped over in such steps


def made(kind: bytes, content: bytes) -> bytes:
    """Make a record of a kind, which is one byte."""
    return HEAD.pack(MARK, kind, len(content), zlib.crc32(kind + content)) + content


def found(handle: int) -> Iterator[tuple[bytes, int]]:
    """Give kind and place of every record; what lies between them is stepped over."""
    at, end = 0, os.fstat(handle).st_size
    while at < end:
        head = _head(handle, at)
        following = at + HEAD.size + head[1] if head else end + 1
        # A length that is damaged would lead astray: behind a record stands another, or nothing.
        if head and (following == end or _head(handle, following)):
            yield head[0], at
            at = following
        elif head and content(handle, at) is not None:
            yield head[0], at
            at = _next_mark(handle, following, end)
        else:
            at = _next_mark(handle, at + 1, end)


def content(handle: int, at: int) -> bytes | None:
    """Give what the record at this place holds, if it is whole."""
    if (head := _head(handle, at)) is None:
        return None
    kind, length, checksum = head
    held = _read(handle, length, at + HEAD.size)
    return held if zlib.crc32(kind + held) == checksum else None


def beginning(handle: int, at: int, count: int) -> bytes:
    """Give the first bytes of what the record at this place holds, whole or not."""
    return _read(handle, count, at + HEAD.size)


def hollow(handle: int, at: int, kind: bytes, keep: int) -> None:
    """Give a record another kind, and the room of its content back, but for its first bytes.

    Where the file system cannot give back a part of a file, the content stays.

    Raises:
        OSError: The file cannot be written to.
    """
    if (head := _head(handle, at)) is None:
        return
    os.pwrite(handle, kind, at + len(MARK))
    begin, count = at + HEAD.size + keep, head[1] - keep
    fallocate = getattr(ctypes.CDLL(None), "fallocate", None)
    if fallocate is not None and count > 0:
        fallocate(handle, PUNCH_HOLE, ctypes.c_int64(begin), ctypes.c_int64(count))


def _head(handle: int, at: int) -> tuple[bytes, int, int] | None:
    """Give kind, length and checksum of the record at this place, if there is one."""
    head = _read(handle, HEAD.size, at)
    if len(head) < HEAD.size:
        return None
    mark, kind, length, checksum = HEAD.unpack(head)
    return (kind, length, checksum) if mark == MARK and length <= LARGEST else None


def _next_mark(handle: int, start: int, end: int) -> int:
    for at in range(start, end, SECTOR):
        place = _read(handle, SECTOR + len(MARK) - 1, at).find(MARK)
        if place >= 0:
            return at + place
    return end


def _read(handle: int, count: int, at: int) -> bytes:
    """Read as much as can be read."""
    try:
        return os.pread(handle, count, at)
    except OSError:  # a bad place of the medium
        return b""
