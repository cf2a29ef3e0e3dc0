"""Frames in readable characters: colon, hexadecimal digits, LRC, end of line. Pure.

Source: MODBUS over Serial Line V1.02, 2.5.2. Lower-case digits are accepted, and the eighth bit is
ignored, since a 7E1 device is often read as 8N1.
"""

import re
from collections.abc import Iterator

from edge_agent_modbus.checksum import lrc
from edge_agent_modbus.enquiry import Asked, Enquiry, answer_to
from edge_agent_modbus.framing import Framer
from edge_agent_modbus.pdu import Answer

_NORMAL = bytes(byte & 0x7F for byte in range(256))
_FRAME = re.compile(rb":((?:[0-9A-Fa-f]{2})+)\r?\n")  # nothing else, not even a blank
_EDGES = 5  # colon, two digits of LRC, carriage return, line feed


class AsciiFramer(Framer):
    """ASCII frames, on a serial line or carried by TCP."""

    def _frame(self, request: Asked) -> bytes:
        body = bytes((request.unit,)) + request.pdu
        return b":" + (body + bytes((lrc(body),))).hex().upper().encode() + b"\r\n"

    def feed(self, data: bytes) -> Answer | None:
        self._buffer += data.translate(_NORMAL)
        answer = self._search() if self._is_wanted else None
        self._forget_oldest()
        return answer

    def _search(self) -> Answer | None:
        for line in _lines(self._buffer):
            answer = self._read(line)
            if answer is not None:
                at = self._buffer.find(line)
                del self._buffer[at : at + len(line)]
                self._is_wanted = False
                return answer
        return None

    def _read(self, line: bytes) -> Answer | None:
        body = _body(line)
        is_echo = line.upper() == self._sent.upper()
        if body is None or self._last is None or body[0] != self._last.unit or is_echo:
            return None
        return answer_to(self._last, body[1:])

    def _is_sound(self, frame: bytes) -> bool:
        return _body(frame) is not None

    def _classify(self, junk: bytes) -> Iterator[tuple[str, int]]:
        rest = len(junk)
        for line in _lines(junk):
            rest -= len(line)
            yield self._kind(line), 1
        if rest:
            yield "stray", rest

    def _kind(self, line: bytes) -> str:
        body = _body(line)
        if body is None:
            return "damaged"
        if line.upper() == self._sent.upper():
            return "echo"
        if self.is_lost(tuple(body[:3])):
            return "late"
        if self._last is None or body[0] != self._last.unit:
            return "foreign"
        return "mismatched" if answer_to(self._last, body[1:]) is None else "late"

    def _frames_for(self, enquiry: Enquiry) -> Iterator[tuple[int, int, bytes]]:
        return iter(())  # every line tells where it ends, so no enquiry needs a search of its own

    def wire_bytes(self, request: Asked) -> tuple[int, int]:
        return _EDGES + 2 * (1 + len(request.pdu)), _EDGES + 2 * (1 + 2 + request.size)


def _lines(data: bytes | bytearray) -> Iterator[bytes]:
    """Give every piece from a colon to the end of its line."""
    for piece in bytes(data).split(b"\n")[:-1]:
        at = piece.rfind(b":")
        if at >= 0:
            yield piece[at:] + b"\n"


def _body(line: bytes) -> bytes | None:
    """Give unit and PDU of a line; None if it is no sound frame."""
    text = _FRAME.fullmatch(line)
    if text is None:
        return None
    raw = bytes.fromhex(text[1].decode("ascii"))
    is_sound = len(raw) >= 3 and lrc(raw[:-1]) == raw[-1]
    return raw[:-1] if is_sound else None
