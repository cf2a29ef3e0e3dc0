"""Understands what another master and its devices say to each other, without a word. Pure.

A line that somebody else polls must not be scanned: two masters spoil each other's messages. But
whoever listens learns which units there are, what they are asked for and what they answer.
RTU only. Source of the formats: MODBUS over Serial Line V1.02, 2.5.1; V1.1b3, 6.
"""

import struct
from collections import Counter, deque
from collections.abc import Iterator

from edge_agent.driver import Why
from edge_agent.language import _
from edge_agent_modbus.checksum import crc16
from edge_agent_modbus.pdu import FUNCTIONS, Answer, Miss, Refusal, Request, match

_TABLES = {function: table for table, function in FUNCTIONS.items()}
_CRC = 2
_REQUEST = 8  # unit, function, offset, count, CRC; the answers to writes are as long
_REFUSAL = 5
_WRITES = frozenset({5, 6, 15, 16})
_WRITES_OF_SEVERAL = frozenset({15, 16})  # what is written follows: count of bytes, bytes
_MOST_WRITTEN = 246  # bytes; V1.1b3, 6.11 and 6.12
_NEWS = 1024  # answers that wait to be taken
_WRITE_AND_CRC = 9  # bytes of such a request beside those that are written
_LONGEST_LATE = 3.0  # seconds; masters wait less, and then ask something else
_TRAFFIC = 8  # bytes; glitches make fewer while a line is listened to, and no request is shorter


class Overheard:
    """What was heard so far.

    Attributes:
        answers: Request -> its last answer.
        unanswered: Requests that nobody answered, and how often.
        writes: Messages that write, by unit; the other master's business.
        bytes_heard: All bytes, understood or not.
        ambiguous: Answers that may be late ones to a request before, and therefore are none.
    """

    def __init__(self) -> None:
        self.answers: dict[Request, Answer] = {}
        self.unanswered: Counter[Request] = Counter()
        self.writes: Counter[int] = Counter()
        self.bytes_heard = self.ambiguous = 0
        self._buffer = b""
        self._asked: Request | None = None
        self._now = self._asked_at = 0.0
        self._junk = 0  # bytes since the last request that were no message
        self._owed: dict[tuple[int, tuple[int, int]], tuple[set[Request], float]] = {}
        self._news: deque[tuple[Request, Answer | Miss]] = deque(maxlen=_NEWS)

    @property
    def is_traffic(self) -> bool:
        """Tell whether somebody uses this line; at another speed than ours it is heard as well."""
        return self.bytes_heard >= _TRAFFIC

    @property
    def units(self) -> list[int]:
        """The units that answered."""
        return sorted({request.unit for request in self.answers})

    def feed(self, data: bytes, now: float = 0.0) -> None:
        """Take what was heard, in pieces of any size.

        Args:
            data: The bytes.
            now: When, in seconds of a steady clock; without it late answers cannot be told.
        """
        self._now = now
        self.bytes_heard += len(data)
        self._buffer += data
        self._work_off(is_end=False)

    def take(self) -> list[tuple[Request, Answer | Miss]]:
        """Give what was answered, or not answered, since this was last called, and forget it."""
        news = list(self._news)
        self._news.clear()
        self.answers.clear()
        self.unanswered.clear()
        return news

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
            else:
                self._junk += 1
            at += len(frame) or 1
        self._buffer = self._buffer[at:]

    def _frame(self, at: int) -> tuple[bytes, bool]:
        """Give the sound frame that begins here, and whether a longer one may still become one."""
        lengths = tuple(self._lengths(at))
        for length in lengths:
            frame = self._buffer[at : at + length]
            if len(frame) == length and crc16(frame[:-_CRC]) == frame[-_CRC:]:
                return frame, False
        return b"", len(self._buffer) - at < max(lengths)

    def _lengths(self, at: int) -> Iterator[int]:
        """Give how long the next frame may be: an answer to what was asked last, or a request."""
        if self._asked is not None:
            yield self._asked.size + _REFUSAL
            yield _REFUSAL
        head = self._buffer[at : at + 7]
        if len(head) == 7 and head[1] in _WRITES_OF_SEVERAL and head[6] <= _MOST_WRITTEN:
            yield _WRITE_AND_CRC + head[6]  # what it writes must not be taken for messages
        yield _REQUEST

    def _understand(self, frame: bytes) -> None:
        asked, unit, pdu = self._asked, frame[0], frame[1:-_CRC]
        answer = match(asked, pdu) if asked is not None and unit == asked.unit else None
        if asked is not None and answer is not None:
            self._note_answer(asked, answer)
        elif len(frame) == _REQUEST or pdu[0] in _WRITES_OF_SEVERAL:
            self._note_request(unit, pdu)

    def _note_answer(self, asked: Request, answer: Answer) -> None:
        """Note an answer, if it cannot be that to another request of the same shape."""
        self._asked = None
        if self._is_ambiguous(asked):
            self.ambiguous += 1
            return
        self.answers[asked] = answer
        self._news.append((asked, answer))

    def _is_ambiguous(self, asked: Request) -> bool:
        """Tell whether it may be a late answer, or one to a request that was not understood."""
        if self._junk >= _REFUSAL:
            return True
        owed, until = self._owed.get((asked.unit, asked.shape), (set(), 0.0))
        owed.add(asked)
        if self._now >= until:
            self._owed.pop((asked.unit, asked.shape), None)
            return False
        return len(owed) > 1

    def _note_request(self, unit: int, pdu: bytes) -> None:
        if self._asked is not None:
            self._note_silence(self._asked)
        self._asked, self._asked_at, self._junk = _request(unit, pdu), self._now, 0
        if pdu[0] in _WRITES:
            self.writes[unit] += 1

    def _note_silence(self, asked: Request) -> None:
        """Note that nobody answered; as long again as the master waited the answer may come."""
        self.unanswered[asked] += 1
        until = self._now + min(self._now - self._asked_at, _LONGEST_LATE)
        owed, _until = self._owed.get((asked.unit, asked.shape), (set(), 0.0))
        self._owed[asked.unit, asked.shape] = ({*owed, asked}, until)
        self._news.append(
            (
                asked,
                Miss(Why.TIMEOUT, _("{asked}: the other master got no answer").format(asked=asked)),
            )
        )

    def lines(self) -> Iterator[str]:
        """Lay it out for people, a line for each request."""
        for request, answer in sorted(self.answers.items(), key=lambda item: str(item[0])):
            yield f"{request} = {answer if isinstance(answer, Refusal) else answer.hex(' ', 2)}"
        for request, times in self.unanswered.items():
            yield _("{request}: not answered, {times} times").format(request=request, times=times)
        for unit, times in sorted(self.writes.items()):
            yield _("unit {unit}: {times} messages that write").format(unit=unit, times=times)


def _request(unit: int, pdu: bytes) -> Request | None:
    table = _TABLES.get(pdu[0])
    if table is None:
        return None
    _, offset, count = struct.unpack(">BHH", pdu[:5])
    try:
        return Request(unit, table, offset, count)
    except ValueError:  # what no proper master asks
        return None
