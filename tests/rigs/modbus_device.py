"""A Modbus device without a wire: registers, refusals, and a list of everything that wrote.

Independent of the driver under test: it shares no code with it.
"""

import struct
from dataclasses import dataclass, field

from tests.rigs import writes


def crc(data: bytes) -> bytes:
    """CRC of an RTU frame, bit by bit as the specification draws it."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return struct.pack("<H", value)


def with_crc(body: bytes) -> bytes:
    return body + crc(body)


@dataclass
class Device:
    """Every register holds 1000 + its offset (inputs 2000 + offset); every third bit is set.

    Attributes:
        size: Cells per table; behind them is exception 2.
        holes: Offsets that are refused with exception 2.
        most: More registers in one request are refused with exception 3.
        reads: (function, offset, count) of every read, in order.
        writes: PDUs that do not read: there must be none.
    """

    size: int = 1000
    holes: frozenset[int] = frozenset()
    most: int = 125
    values: dict[int, int] = field(default_factory=dict)
    reads: list[tuple[int, int, int]] = field(default_factory=list)
    writes: list[bytes] = field(default_factory=list)
    code_for_length: int = 3

    def answer(self, pdu: bytes) -> bytes:
        function = pdu[0]
        if function not in {1, 2, 3, 4} or len(pdu) != 5:
            if not writes.check(pdu, "a simulated device") or function <= 4:
                self.writes.append(pdu)
            return bytes((function | 0x80, 1))
        offset, count = struct.unpack(">HH", pdu[1:])
        self.reads.append((function, offset, count))
        if function in {3, 4} and count > self.most:
            return bytes((function | 0x80, self.code_for_length))
        if offset + count > self.size or self.holes & set(range(offset, offset + count)):
            return bytes((function | 0x80, 2))
        return self._bits(pdu) if function in {1, 2} else self._registers(pdu)

    def register(self, function: int, offset: int) -> int:
        return self.values.get(offset, (1000 if function == 3 else 2000) + offset)

    def _registers(self, pdu: bytes) -> bytes:
        function, offset, count = struct.unpack(">BHH", pdu)
        words = [self.register(function, at) for at in range(offset, offset + count)]
        return struct.pack(f">BB{count}H", function, 2 * count, *words)

    def _bits(self, pdu: bytes) -> bytes:
        function, offset, count = struct.unpack(">BHH", pdu)
        data = bytearray((count + 7) // 8)
        for at in range(count):
            if (offset + at) % 3 == 0:
                data[at // 8] |= 1 << at % 8
        return bytes((function, len(data))) + bytes(data)
