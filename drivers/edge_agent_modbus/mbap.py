"""Frames on TCP: a header with a transaction number. Pure.

Source: MODBUS Messaging on TCP/IP Implementation Guide V1.0b, 3.1.3 (MBAP header).
"""

import struct
from collections import Counter
from collections.abc import Iterator

from edge_agent_modbus.framing import Framer
from edge_agent_modbus.pdu import Request, match

_HEADER = struct.Struct(">HHHB")  # transaction, protocol (0), length from the unit on, unit
_HEAD = struct.Struct(">HHH")
_LONGEST = 254  # unit and the longest PDU, 253 bytes: V1.1b3, 4.1
_LAST_NUMBER = 0xFFFF


class TcpFramer(Framer):
    """MBAP frames, told apart by their transaction number.

    Args:
        numbered: False for gateways that do not send the transaction number back; then a late
            answer can be told only by time and length, as on a serial line.
    """

    def __init__(self, evidence: "Counter[str]", *, numbered: bool = True) -> None:
        super().__init__(evidence)
        self.tells_late = numbered
        self._number = 0

    def _frame(self, request: Request) -> bytes:
        self._number = number = self._number % _LAST_NUMBER + 1
        unit = request.unit
        skipped = 0 if self.tells_late else 2
        right = _HEADER.pack(number, 0, request.size + 3, unit) + bytes(request.shape)
        refusal = _HEADER.pack(number, 0, 3, unit) + bytes((request.function | 0x80,))
        self._begin, self._begin_refusal = right[skipped:], refusal[skipped:]
        return _HEADER.pack(number, 0, 6, unit) + request.pdu

    def _is_sound(self, frame: bytes) -> bool:
        return True  # its first nine bytes are known, and TCP has its own checksum

    def _classify(self, junk: bytes) -> Iterator[tuple[str, int]]:
        at = 0
        while len(junk) - at >= _HEAD.size:
            number, protocol, length = _HEAD.unpack_from(junk, at)
            if protocol != 0 or not 2 <= length <= _LONGEST:
                break
            body = junk[at + _HEAD.size : at + _HEAD.size + length]
            yield self._kind(number, body, length), 1
            at += _HEAD.size + length
        if at < len(junk):
            yield "stray", len(junk) - at

    def _kind(self, number: int, body: bytes, length: int) -> str:
        if len(body) < length:
            return "damaged"
        if self.tells_late and number != self._number:
            is_earlier = (self._number - number) % (_LAST_NUMBER + 1) <= _LAST_NUMBER // 2
            return "late" if is_earlier else "foreign"
        if self._last is None or body[0] != self._last.unit:
            return "foreign"
        return "mismatched" if match(self._last, body[1:]) is None else "late"

    def wire_bytes(self, request: Request) -> tuple[int, int]:
        return _HEADER.size + len(request.pdu), _HEADER.size + 2 + request.size
