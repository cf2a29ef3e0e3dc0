"""Modbus devices behind one link whose answers tell which request they belong to, and which lie.

Every request is numbered as it arrives. Two registers side by side, from an even offset on, hold
that number; of 32 bits side by side each holds one of its bits. So an answer that is taken for
another request's is seen whatever the reason.
"""

import asyncio
import random
import struct
from collections import Counter
from collections.abc import Callable

from tests.rigs import writes
from tests.rigs.modbus_wire import Frame

SIZE = 1000  # cells of a table; behind them is exception 2
STRICT = 3  # this unit has two registers and gives nothing else
STRICT_CELLS = range(100, 102)

Send = Callable[[bytes], None]


class Liar:
    """Answers rightly, and by chance late, damaged, twice, not at all, or as somebody else.

    Args:
        timeout: What the driver waits, in seconds.
        framing: tcp, rtu or ascii.
        seed: Makes a run repeatable, as far as the machine's own timing is.

    Attributes:
        latest: The number of the last request that arrived.
        told: How often each kind of answer was given.
    """

    def __init__(self, timeout: float, framing: str, seed: int) -> None:
        self._timeout, self._framing = timeout, framing
        self._chance = random.Random(seed)
        self.latest = 0
        self.told: Counter[str] = Counter()
        self._lies = (
            (0.050, self._late),
            (0.010, self._damaged),
            (0.005, self._doubled),
            (0.005, self._lost),
            (0.003, self._foreign),
            (0.003, self._echoed),
            (0.003, self._glitched),
            (0.003, self._longer),
            (0.003, self._shorter),
            (0.002, self._in_pieces),
        )

    def __call__(self, frame: Frame, send: Send) -> None:
        self.latest += 1
        pdu = self.answer(frame.unit, frame.pdu)
        dice = self._chance.random()
        for share, lie in self._lies:
            dice -= share
            if dice < 0:
                self.told[lie.__name__.strip("_")] += 1
                lie(frame, pdu, send)
                return
        self.told["right"] += 1
        send(frame.wrap(frame.unit, pdu))

    def answer(self, unit: int, pdu: bytes) -> bytes:
        function, offset, count = struct.unpack(">BHH", pdu[:5])
        if function not in {1, 2, 3, 4}:
            writes.check(pdu, "a liar")
            return bytes((function | 0x80, 1))
        cells = range(offset, offset + count)
        has = STRICT_CELLS if unit == STRICT else range(SIZE)
        if cells[0] not in has or cells[-1] not in has:
            return bytes((function | 0x80, 2))
        data = self._bits(cells) if function <= 2 else self._words(cells)
        return bytes((function, len(data))) + data

    def _words(self, cells: range) -> bytes:
        pair = struct.pack(">I", self.latest)
        return b"".join(pair[2:] if at % 2 else pair[:2] for at in cells)

    def _bits(self, cells: range) -> bytes:
        data = bytearray((len(cells) + 7) // 8)
        for place, at in enumerate(cells):
            if self.latest >> at % 32 & 1:
                data[place // 8] |= 1 << place % 8
        return bytes(data)

    def _late(self, frame: Frame, pdu: bytes, send: Send) -> None:
        delay = self._timeout * self._chance.uniform(1, 6)
        answer = frame.wrap(frame.unit, pdu) * self._chance.choice((1, 1, 1, 2))
        asyncio.get_running_loop().call_later(delay, send, answer)

    def _damaged(self, frame: Frame, pdu: bytes, send: Send) -> None:
        answer = bytearray(frame.wrap(frame.unit, pdu))
        # TCP has a checksum of its own: there a gateway's header is what goes wrong.
        at = self._chance.randrange(len(answer) if self._framing != "tcp" else 9)
        if self._chance.random() < 0.7:
            answer[at] ^= 1 << self._chance.randrange(7)
        else:
            del answer[at:]
        send(bytes(answer))

    def _doubled(self, frame: Frame, pdu: bytes, send: Send) -> None:
        answer = frame.wrap(frame.unit, pdu)
        send(answer + answer)

    def _lost(self, frame: Frame, pdu: bytes, send: Send) -> None:
        pass

    def _foreign(self, frame: Frame, pdu: bytes, send: Send) -> None:
        other = pdu[:2] + bytes(len(pdu) - 2)
        send(frame.wrap(frame.unit + 9, other) + frame.wrap(frame.unit, pdu))

    def _echoed(self, frame: Frame, pdu: bytes, send: Send) -> None:
        send(frame.raw + frame.wrap(frame.unit, pdu))

    def _glitched(self, frame: Frame, pdu: bytes, send: Send) -> None:
        send(b"\x00" + frame.wrap(frame.unit, pdu) + b"\xff\x00")

    def _longer(self, frame: Frame, pdu: bytes, send: Send) -> None:
        send(frame.wrap(frame.unit, pdu[:1] + bytes((pdu[1] + 2 & 0xFF,)) + pdu[2:] + b"\0\0"))

    def _shorter(self, frame: Frame, pdu: bytes, send: Send) -> None:
        send(frame.wrap(frame.unit, pdu[:1] + bytes((max(pdu[1] - 2, 0),)) + pdu[2:-2]))

    def _in_pieces(self, frame: Frame, pdu: bytes, send: Send) -> None:
        answer = frame.wrap(frame.unit, pdu)
        send(answer[:5])
        asyncio.get_running_loop().call_later(self._timeout / 4, send, answer[5:])
