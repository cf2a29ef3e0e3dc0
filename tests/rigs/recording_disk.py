"""A file that notes every write and every flush it gets: a disk image to cut the power of.

Run as a program, it speaks the kernel's FUSE protocol itself, needs root and no library, and shows
one file. A loop device on that file carries an ordinary ext4. `tests.rigs.powercut` replays what
was noted up to any instant, leaves out what was not flushed, and so makes any power cut.

    python -m tests.rigs.recording_disk IMAGE MOUNTPOINT RECORD

Source of numbers and structures: linux/fuse.h, protocol 7.31; mount(2), fuse(4).
"""

import ctypes
import errno
import os
import stat
import struct
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

NAME = b"disk.img"
ROOT_NODE, FILE_NODE = 1, 2
MAX_WRITE = 128 << 10
FOR_EVER = 3600  # seconds that the kernel may remember names and attributes

IN = struct.Struct("<IIQQIIIHH")  # length, opcode, unique, node, uid, gid, pid, extensions, padding
OUT = struct.Struct("<IiQ")  # length, error, unique
ENTRY = struct.Struct("<QQQQII")
ATTRIBUTES_FOR = struct.Struct("<QII")
ATTRIBUTES = struct.Struct("<QQQQQQIIIIIIIIII")
OPENED = struct.Struct("<QII")
READ = struct.Struct("<QQI")
WRITE = struct.Struct("<QQIIQII")
WRITTEN = struct.Struct("<II")
INIT = struct.Struct("<IIIIHHIIHHI7I")
SIZES = struct.Struct("<QQQQQIIII6I")
DIRECT_IO = 1  # what is written arrives here at once, not after a while in the page cache
BIG_WRITES, MAX_PAGES = 1 << 5, 1 << 22

EVENT = struct.Struct("<cQQI")  # write or flush, monotonic ns, offset, length; then the data


def events(record: bytes) -> Iterator[tuple[bytes, int, int, bytes]]:
    """Give what was noted: kind (`W` or `F`), steady clock in ns, offset, data."""
    place = 0
    while place + EVENT.size <= len(record):
        kind, at, offset, length = EVENT.unpack_from(record, place)
        place += EVENT.size
        yield kind, at, offset, record[place : place + length]
        place += length


class Refused(Exception):  # noqa: N818 - named after what happened
    """The kernel gets this error number."""


class RecordingDisk:
    """Answers the kernel until the file system is unmounted."""

    def __init__(self, image: Path, mountpoint: Path, record: Path) -> None:
        self._image = os.open(image, os.O_RDWR)
        self._size = os.fstat(self._image).st_size
        self._record = record.open("wb", buffering=1 << 20)
        self._kernel = os.open("/dev/fuse", os.O_RDWR)
        _mount(self._kernel, mountpoint)
        self._answers: dict[int, Callable[[int, memoryview], bytes]] = {
            1: self._lookup,
            3: self._getattr,
            14: self._open,
            15: self._read,
            16: self._write,
            17: self._statfs,
            18: self._nothing,  # release
            20: self._fsync,
            25: self._nothing,  # flush: a close, which promises nothing
            26: self._init,
            38: self._nothing,  # destroy
        }

    def serve(self) -> None:
        """Answer until the kernel hangs up."""
        with suppress(OSError):  # ENODEV: unmounted
            while request := os.read(self._kernel, MAX_WRITE + 4096):
                self._answer(memoryview(request))
        self._record.close()

    def _answer(self, request: memoryview) -> None:
        _, opcode, unique, node, *_ = IN.unpack_from(request)
        if opcode in {2, 36, 42}:  # forget, interrupt, batch_forget: nobody waits for an answer
            return
        answer, error = b"", 0
        try:
            answer = self._answers[opcode](node, request[IN.size :])
        except KeyError:
            error = errno.ENOSYS
        except Refused as refused:
            error = refused.args[0]
        os.writev(self._kernel, [OUT.pack(OUT.size + len(answer), -error, unique), answer])

    def _init(self, _node: int, _body: memoryview) -> bytes:
        flags = BIG_WRITES | MAX_PAGES
        return INIT.pack(7, 31, 0, flags, 16, 12, MAX_WRITE, 1, MAX_WRITE >> 12, 0, 0, *[0] * 7)

    def _lookup(self, _node: int, body: memoryview) -> bytes:
        if bytes(body).rstrip(b"\0") != NAME:
            raise Refused(errno.ENOENT)
        return ENTRY.pack(FILE_NODE, 0, FOR_EVER, FOR_EVER, 0, 0) + self._attributes(FILE_NODE)

    def _getattr(self, node: int, _body: memoryview) -> bytes:
        return ATTRIBUTES_FOR.pack(FOR_EVER, 0, 0) + self._attributes(node)

    def _attributes(self, node: int) -> bytes:
        is_file = node == FILE_NODE
        mode = stat.S_IFREG | 0o600 if is_file else stat.S_IFDIR | 0o700
        size = self._size if is_file else 0
        return ATTRIBUTES.pack(node, size, size >> 9, *[0] * 6, mode, 1, 0, 0, 0, 4096, 0)

    def _open(self, _node: int, _body: memoryview) -> bytes:
        return OPENED.pack(1, DIRECT_IO, 0)

    def _read(self, _node: int, body: memoryview) -> bytes:
        _, offset, size = READ.unpack_from(body)
        return os.pread(self._image, size, offset)

    def _write(self, _node: int, body: memoryview) -> bytes:
        _, offset, size, *_ = WRITE.unpack_from(body)
        data = body[WRITE.size : WRITE.size + size]
        self._record.write(EVENT.pack(b"W", time.monotonic_ns(), offset, size))
        self._record.write(data)
        os.pwrite(self._image, data, offset)
        return WRITTEN.pack(size, 0)

    def _fsync(self, _node: int, _body: memoryview) -> bytes:
        self._record.write(EVENT.pack(b"F", time.monotonic_ns(), 0, 0))
        return b""

    def _statfs(self, _node: int, _body: memoryview) -> bytes:
        return SIZES.pack(1 << 20, 1 << 19, 1 << 19, 2, 1, 4096, 255, 4096, 0, *[0] * 6)

    def _nothing(self, _node: int, _body: memoryview) -> bytes:
        return b""


def _mount(kernel: int, mountpoint: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"fd={kernel},rootmode=40000,user_id=0,group_id=0"
    arguments = b"recording", bytes(mountpoint), b"fuse.recording", 0, options.encode()
    if libc.mount(*arguments):
        problem = ctypes.get_errno()
        raise OSError(problem, f"mounting FUSE: {os.strerror(problem)}", str(mountpoint))


if __name__ == "__main__":
    RecordingDisk(*map(Path, sys.argv[1:4])).serve()
