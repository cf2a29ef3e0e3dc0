"""Frames on TCP: a header with a transaction number. Pure.

Source: MODBUS Messaging on TCP/IP Implementation Guide V1.0b, 3.1.3 (MBAP header).
"""

import struct
from collections import Counter
from collections.abc import Iterator

from edge_agent_modbus.enquiry import Asked, Enquiry, answer_to
from edge_agent_modbus.framing import Framer
from edge_agent_modbus.lost import Mark

_HEADER = struct.Struct(">HHHB")  # transaction, protocol (0), length from the unit on, unit
_HEAD = struct.Struct(">HHH")
_TELLING = 5  # bytes of a header that hardly occur by chance
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

    @property
    def mark(self) -> Mark:
        return (self._number,) if self.tells_late else super().mark

    def _frame(self, request: Asked) -> bytes:
        self._number = number = self._number % _LAST_NUMBER + 1
        unit = request.unit
        skipped = 0 if self.tells_late else 2
        right = _HEADER.pack(number, 0, request.size + 3, unit) + bytes(request.shape)
        refusal = _HEADER.pack(number, 0, 3, unit) + bytes((request.function | 0x80,))
        self._begin, self._begin_refusal = right[skipped:], refusal[skipped:]
        return _HEADER.pack(number, 0, 1 + len(request.pdu), unit) + request.pdu

    def _is_sound(self, frame: bytes) -> bool:
        return True  # its first nine bytes are known, and TCP has its own checksum

    def _is_torn(self, wire: bytes | bytearray, at: int, length: int) -> bool:
        # A gateway that cuts an answer off and goes on with a late one: there is no checksum.
        return any(_begins(wire, at + 1, at + length, other) for other in self.lost_beginnings())

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
        if self.is_lost((number,) if self.tells_late else tuple(body[:3])):
            return "late"
        if self.tells_late and number != self._number:
            is_earlier = (self._number - number) % (_LAST_NUMBER + 1) <= _LAST_NUMBER // 2
            return "late" if is_earlier else "foreign"
        if self._last is None or body[0] != self._last.unit:
            return "foreign"
        return "mismatched" if answer_to(self._last, body[1:]) is None else "late"

    def _frames_for(self, enquiry: Enquiry) -> Iterator[tuple[int, int, bytes]]:
        skipped = 0 if self.tells_late else 2
        for place in super()._places(_HEAD.pack(self._number, 0, 0)[skipped:4]):
            at = place - skipped
            if at < 0 or len(self._buffer) < at + _HEADER.size:
                continue
            *_, told, unit = _HEADER.unpack_from(self._buffer, at)
            length = enquiry.length(bytes(self._buffer[at + _HEADER.size :]))
            end = at + _HEADER.size + (length or 0)
            is_whole = length is not None and end <= len(self._buffer)
            if is_whole and self._is_header(told, end - at - _HEAD.size, unit):
                yield at, end, bytes(self._buffer[at + _HEADER.size : end])

    def _is_header(self, told: int, length: int, unit: int) -> bool:
        """Tell whether a header's length and unit are those of the answer that is behind it."""
        return told == length and self._last is not None and unit == self._last.unit

    def wire_bytes(self, request: Asked) -> tuple[int, int]:
        return _HEADER.size + len(request.pdu), _HEADER.size + 2 + request.size


def _begins(wire: bytes | bytearray, first: int, last: int, header: bytes) -> bool:
    """Tell whether a header begins between two places, as far as it has arrived."""
    at = wire.find(header[:_TELLING], first, last + _TELLING - 1)
    while at >= 0:
        if header.startswith(wire[at : at + len(header)]):
            return True
        at = wire.find(header[:_TELLING], at + 1, last + _TELLING - 1)
    return False
