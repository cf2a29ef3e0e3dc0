"""Sums by which a frame shows that it arrived whole. Pure.

Sources: DL/T 645 (sum8), IEC 62056-21 (xor8), the Mettler Toledo continuous output (neg-sum7),
Host Link and MELSEC computer link (…-hex), Modbus over serial line V1.02 (crc16-modbus, lrc),
IEC 62056-46 (crc16-x25), Yudian AIBUS (sum16-words).
"""

from collections.abc import Callable, Mapping
from functools import reduce
from operator import xor
from typing import Literal, NamedTuple

from pydantic import Field

from edge_agent_serial.part import Name, Part

Kind = Literal[
    "none",
    "xor8",
    "sum8",
    "neg-sum7",
    "lrc",
    "xor8-hex",
    "sum8-hex",
    "lrc-hex",
    "crc16-modbus",
    "crc16-x25",
    "sum16",
    "sum16-words",
]


class Algorithm(NamedTuple):
    """How a checksum is computed, and how many bytes it takes in the frame."""

    size: int
    compute: Callable[[bytes], int]
    write: Callable[[int], bytes]


def _crc16(data: bytes, crc: int, polynomial: int) -> int:
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (polynomial if crc & 1 else 0)
    return crc


def _words(data: bytes) -> int:
    return sum(data[0::2]) + 256 * sum(data[1::2])


def _byte(value: int) -> bytes:
    return bytes([value & 0xFF])


def _hex(value: int) -> bytes:
    return b"%02X" % (value & 0xFF)


def _low_first(value: int) -> bytes:
    return (value & 0xFFFF).to_bytes(2, "little")


def _xor(data: bytes) -> int:
    return reduce(xor, data, 0)


ALGORITHMS: Mapping[str, Algorithm] = {
    "xor8": Algorithm(1, _xor, _byte),
    "sum8": Algorithm(1, sum, _byte),
    "neg-sum7": Algorithm(1, lambda data: -sum(byte & 0x7F for byte in data) & 0x7F, _byte),
    "lrc": Algorithm(1, lambda data: -sum(data), _byte),
    "xor8-hex": Algorithm(2, _xor, _hex),
    "sum8-hex": Algorithm(2, sum, _hex),
    "lrc-hex": Algorithm(2, lambda data: -sum(data), _hex),
    "crc16-modbus": Algorithm(2, lambda data: _crc16(data, 0xFFFF, 0xA001), _low_first),
    "crc16-x25": Algorithm(2, lambda data: _crc16(data, 0xFFFF, 0x8408) ^ 0xFFFF, _low_first),
    "sum16": Algorithm(2, sum, _low_first),
    "sum16-words": Algorithm(2, _words, _low_first),
}


def checksum(kind: str, data: bytes, plus: int = 0) -> bytes:
    """Compute a checksum as it stands in a frame.

    Args:
        kind: One of `ALGORITHMS`.
        data: What it is computed over.
        plus: Added to the sum before it is cut to its size (AIBUS adds the device's address).
    """
    algorithm = ALGORITHMS[kind]
    return algorithm.write(algorithm.compute(data) + plus)


class Checksum(Part):
    """Which checksum a frame carries, over what, and where.

    Positions count bytes of the whole frame from its first byte, or negative from its end, as in
    Python. Unless given, it stands in the last bytes and is computed over everything before it.
    """

    kind: Kind
    """The algorithm; `…-hex` are two hex digits, 16-bit ones have the low byte first."""
    from_: int = Field(default=0, alias="from")
    """First byte it is computed over."""
    to: int | None = None
    """First byte it is no longer computed over; unless given, where the checksum stands."""
    at: int | None = None
    """Where it stands; unless given, at the end."""
    plus: Name | None = None
    """A parameter that is added to the sum, such as the address of the device asked."""
    optional: bool = False
    """The instrument can be set up to leave it away; where it is there, it must be right."""

    def holds(self, frame: bytes, parameters: Mapping[str, object]) -> bool:
        """Tell whether the frame carries the checksum it should."""
        if self.kind == "none":
            return True
        size = ALGORITHMS[self.kind].size
        at = -size if self.at is None else self.at
        at = at + len(frame) if at < 0 else at
        carried = frame[max(at, 0) : at + size]
        plus = parameters.get(self.plus) if self.plus else 0
        if at < 0 or len(carried) != size or not isinstance(plus, int):
            return False
        over = frame[self.from_ : at if self.to is None else self.to]
        carried = carried.upper() if self.kind.endswith("-hex") else carried
        return carried == checksum(self.kind, over, plus)
