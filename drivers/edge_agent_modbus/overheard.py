"""Understands what another master and its devices say to each other, without a word. Pure.

A line that somebody else polls must not be scanned: two masters spoil each other's messages. But
whoever listens learns which units there are, what they are asked for and what they answer.
RTU only. Source of the formats: MODBUS over Serial Line V1.02, 2.5.1; V1.1b3, 6.
"""

import struct
from collections import Counter
from collections.abc import Iterator

from edge_agent_modbus.checksum import crc16
from edge_agent_modbus.pdu import FUNCTIONS, Answer, Refusal, Request, match

_TABLES = {function: table for table, function in FUNCTIONS.items()}
_CRC = 2
_REQUEST = 8  # unit, function, offset, count, CRC; the answers to writes are as long
_REFUSAL = 5
_WRITES = frozenset({5, 6, 15, 16})
_TRAFFIC = 8  # bytes; glitches make fewer while a line is listened to, and no request is shorter


class Overheard:
    """What was heard so far.

    Attributes:
        answers: Request -> its last answer.
        unanswered: Requests that nobody answered, and how often.
        writes: Messages that write, by unit; the other master's business.
        bytes_heard: All bytes, understood or not.
    """

    def __init__(self) -> None:
        self.answers: dict[Request, Answer] = {}
        self.unanswered: Counter[Request] = Counter()
        self.writes: Counter[int] = Counter()
        self.bytes_heard = 0
        self._buffer = b""
        self._asked: Request | None = None

    @property
    def is_traffic(self) -> bool:
        """Tell whether somebody uses this line; at another speed than ours it is heard as well."""
        return self.bytes_heard >= _TRAFFIC

    @property
    def units(self) -> list[int]:
        """The units that answered."""
        return sorted({request.unit for request in self.answers})

    def feed(self, data: bytes) -> None:
        """Take what was heard, in pieces of any size."""
        self.bytes_heard += len(data)
        self._buffer += data
        self._work_off(is_end=False)

    def end(self) -> None:
        """Take what is left for all there is."""
        self._work_off(is_end=True)

    def _work_off(self, *, is_end: bool) -> None:
        at = 0
        while at < len(self._buffer):
            frame, may_come = self._frame(at)
            if frame:
                self._understand(frame)
            elif may_come and not is_end:
                break
            at += len(frame) or 1
        self._buffer = self._buffer[at:]

    def _frame(self, at: int) -> tuple[bytes, bool]:
        """Give the sound frame that begins here, and whether a longer one may still become one."""
        lengths = tuple(self._lengths())
        for length in lengths:
            frame = self._buffer[at : at + length]
            if len(frame) == length and crc16(frame[:-_CRC]) == frame[-_CRC:]:
                return frame, False
        return b"", len(self._buffer) - at < max(lengths)

    def _lengths(self) -> Iterator[int]:
        """Give how long the next frame may be: an answer to what was asked last, or a request."""
        if self._asked is not None:
            yield self._asked.size + _REFUSAL
            yield _REFUSAL
        yield _REQUEST

    def _understand(self, frame: bytes) -> None:
        asked, unit, pdu = self._asked, frame[0], frame[1:-_CRC]
        answer = match(asked, pdu) if asked is not None and unit == asked.unit else None
        if asked is not None and answer is not None:
            self.answers[asked] = answer
            self._asked = None
        elif len(frame) == _REQUEST:
            self._note_request(unit, pdu)

    def _note_request(self, unit: int, pdu: bytes) -> None:
        if self._asked is not None:
            self.unanswered[self._asked] += 1
        self._asked = _request(unit, pdu)
        if pdu[0] in _WRITES:
            self.writes[unit] += 1

    def lines(self) -> Iterator[str]:
        """Lay it out for people, a line for each request."""
        for request, answer in sorted(self.answers.items(), key=lambda item: str(item[0])):
            yield f"{request} = {answer if isinstance(answer, Refusal) else answer.hex(' ', 2)}"
        for request, times in self.unanswered.items():
            yield f"{request}: not answered, {times} times"
        for unit, times in sorted(self.writes.items()):
            yield f"unit {unit}: {times} messages that write"


def _request(unit: int, pdu: bytes) -> Request | None:
    table = _TABLES.get(pdu[0])
    if table is None:
        return None
    _, offset, count = struct.unpack(">BHH", pdu)
    try:
        return Request(unit, table, offset, count)
    except ValueError:  # what no proper master asks
        return None
