"""Frames on serial lines: unit, PDU, CRC. Pure.

Frames are told by their known beginning, length and CRC, not by gaps in time: neither USB adapters
nor sockets keep those. Source: MODBUS over Serial Line V1.02, 2.5.1.
"""

from collections.abc import Iterator

from edge_agent_modbus.checksum import crc16
from edge_agent_modbus.enquiry import Asked, Enquiry
from edge_agent_modbus.framing import Framer

_CRC = 2
_REQUEST = 8  # unit, function, offset, count, CRC
_SHORTEST = 5  # an exception answer: unit, function, code, CRC


class RtuFramer(Framer):
    """RTU frames, on a serial line or carried by TCP."""

    def _frame(self, request: Asked) -> bytes:
        unit = request.unit
        self._tail = _CRC
        self._begin = bytes((unit, *request.shape))
        self._begin_refusal = bytes((unit, request.function | 0x80))
        body = bytes((unit,)) + request.pdu
        return body + crc16(body)

    def _is_sound(self, frame: bytes) -> bool:
        # A few requests for one to three bytes look like their own answer. Where an adapter gives
        # our bytes back, that echo must not become a value.
        return crc16(frame[:-_CRC]) == frame[-_CRC:] and not self._sent.startswith(frame)

    def _classify(self, junk: bytes) -> Iterator[tuple[str, int]]:
        at = 0
        while at < len(junk):
            kind, length = self._what_begins(junk, at)
            yield kind, 1
            at += length

    def _what_begins(self, junk: bytes, at: int) -> tuple[str, int]:
        """Name the frame that begins here and its length; a byte that begins none is stray."""
        if self._sent and junk.startswith(self._sent, at):
            return "echo", len(self._sent)
        for length in _lengths(junk, at):
            frame = junk[at : at + length]
            if len(frame) == length and crc16(frame[:-_CRC]) == frame[-_CRC:]:
                return self._kind(frame), length
        if self._last and junk.startswith(bytes((self._last.unit, self._last.function)), at):
            return "damaged", len(junk) - at
        return "stray", 1

    def _kind(self, frame: bytes) -> str:
        if len(frame) == frame[2] + _SHORTEST and self.is_lost(tuple(frame[:3])):
            return "late"
        if self._last is None or frame[0] != self._last.unit:
            return "foreign"
        shape = bytes(self._last.shape)
        if frame[1 : 1 + len(shape)] != shape:
            return "mismatched"
        return "late" if frame == self._given else "doubled"

    def _frames_for(self, enquiry: Enquiry) -> Iterator[tuple[int, int, bytes]]:
        for function in (enquiry.function, enquiry.function | 0x80):
            for at in self._places(bytes((enquiry.unit, function))):
                length = enquiry.length(bytes(self._buffer[at + 1 :]))
                end = at + 1 + (length or 0) + _CRC
                frame = bytes(self._buffer[at:end])
                if length and len(frame) == end - at and self._is_sound(frame):
                    yield at, end, frame[1:-_CRC]

    def wire_bytes(self, request: Asked) -> tuple[int, int]:
        return 1 + len(request.pdu) + _CRC, 1 + 2 + request.size + _CRC


def _lengths(junk: bytes, at: int) -> Iterator[int]:
    """Guess how long a frame that begins here would be: an answer, a refusal, a request."""
    head = junk[at : at + 3]
    if len(head) == 3:
        if head[1] & 0x80:
            yield _SHORTEST
        elif 1 <= head[1] <= 4:
            yield head[2] + _SHORTEST
            yield _REQUEST
        else:
            yield _REQUEST  # another master that writes
