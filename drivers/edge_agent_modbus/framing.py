"""Finding the answer to one request in whatever bytes arrive. Pure.

A framer remembers the request in flight and knows every byte that must stand before the data of
its answer. It finds that answer at any place, in pieces of any size; all else is never a value, it
is counted as evidence and thrown away. A framer takes any bytes without an exception and keeps a
bounded number of them.

Evidence:
    late: the answer to a request that was given up, or the right answer once more.
    doubled: a second proper answer to one request, with other data: two devices of one number.
    foreign: a proper frame of another unit, or another master's request.
    mismatched: a proper frame of our unit with another function or byte count.
    damaged: the beginning of a frame of our unit that is incomplete or fails its checksum.
    echo: our own request coming back.
    stray: bytes that belong to no frame.
"""

from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

from edge_agent_modbus.enquiry import Asked, Enquiry
from edge_agent_modbus.lost import Mark
from edge_agent_modbus.pdu import Answer, Refusal, Request

MOST_KEPT = 600  # bytes; two of the longest frames and some junk


class Framer(ABC):
    """The frame format of one link, and the request that is in flight there.

    Attributes:
        tells_late: Whether a late answer can be told from the right one by its frame alone.
        by_unit: The evidence again, by the unit that was asked last when it came.
        is_lost: Asked once for each frame that came unexpected: whether it looks like the answer to
            a request that was given up.
        lost_beginnings: Gives what the answers to such requests begin with.
    """

    tells_late = False
    is_lost: Callable[[Mark], bool]
    lost_beginnings: Callable[[], list[bytes]]

    def __init__(self, evidence: "Counter[str]") -> None:
        self._evidence = evidence
        self.by_unit: defaultdict[int, Counter[str]] = defaultdict(Counter)
        self.is_lost = _nothing_is_lost
        self.lost_beginnings = list
        self._buffer = bytearray()
        self._last: Asked | None = None
        self._is_wanted = False
        self._sent = b""
        self._given = b""  # the frame that answered
        self._begin = b""  # what stands before the data of the right answer
        self._begin_refusal = b""  # what stands before the exception code
        self._tail = 0  # bytes behind the data

    @abstractmethod
    def _frame(self, request: Asked) -> bytes:
        """Make the frame of a request, and set what its answers begin with."""

    @abstractmethod
    def _is_sound(self, frame: bytes) -> bool:
        """Tell whether a complete frame that begins rightly is an answer."""

    @abstractmethod
    def _classify(self, junk: bytes) -> Iterator[tuple[str, int]]:
        """Name what arrived and was no answer: kinds of evidence and how many of each."""

    @abstractmethod
    def wire_bytes(self, request: Asked) -> tuple[int, int]:
        """Count the bytes of the request's frame and of its right, or longest, answer's."""

    @abstractmethod
    def _frames_for(self, enquiry: Enquiry) -> Iterator[tuple[int, int, bytes]]:
        """Give place, end and PDU of every sound frame in the buffer that may answer this."""

    @property
    def mark(self) -> Mark:
        """Give what an answer shows of the request that was encoded last."""
        return (self._last.unit, *self._last.shape) if self._last else ()

    @property
    def begin(self) -> bytes:
        """Give what the right answer to that request begins with."""
        return self._begin

    def encode(self, request: Asked) -> bytes:
        """Make the frame of a request; from now on its answer is looked for, and no other."""
        self.reject()
        self._last, self._is_wanted = request, True
        self._sent = self._frame(request)
        return self._sent

    def feed(self, data: bytes) -> Answer | None:
        """Take what arrived; give the answer to the request in flight once it is complete.

        It is given once: the same answer again is evidence.
        """
        if self._is_wanted and not self._buffer and self._is_answer(data):
            self._is_wanted = False
            self._given = data
            return data[len(self._begin) : len(data) - self._tail]
        self._buffer += data
        answer = self._search() if self._is_wanted else None
        self._forget_oldest()
        return answer

    def reject(self) -> "Counter[str]":
        """Count what is left over as evidence and forget it; give what it was."""
        found: Counter[str] = Counter()
        if self._buffer:
            for kind, count in self._classify(bytes(self._buffer)):
                found[kind] += count
            self.count(found)
            self._buffer.clear()
        return found

    def count(self, found: "Counter[str]") -> None:
        """Count evidence, for the line and for the unit that was asked last."""
        self._evidence.update(found)
        if self._last is not None:
            self.by_unit[self._last.unit].update(found)

    def _is_answer(self, data: bytes) -> bool:
        """Tell whether a piece is exactly the right answer: the usual case, and cheap."""
        return (
            isinstance(self._last, Request)
            and len(data) == len(self._begin) + self._last.size + self._tail
            and data.startswith(self._begin)
            and self._is_sound(data)
            and not self._is_torn(data, 0, len(data))
        )

    def _is_torn(self, wire: bytes | bytearray, at: int, length: int) -> bool:
        """Tell whether a sound frame may be the beginning of one and the beginning of another."""
        return False

    def _search(self) -> Answer | None:
        """Look for a right answer or a refusal at every place."""
        if isinstance(self._last, Enquiry):
            return self._search_for(self._last)
        size = self._last.size if self._last else 0
        data = self._find(self._begin, size)
        if data is not None:
            return data
        code = self._find(self._begin_refusal, 1)
        return None if code is None else Refusal(code[0])

    def _search_for(self, enquiry: Enquiry) -> Answer | None:
        """Look for the answer to a request whose answer tells its own length."""
        for at, end, pdu in self._frames_for(enquiry):
            answer = enquiry.match(pdu)
            if answer is not None:
                self._given = bytes(self._buffer[at:end])
                del self._buffer[at:end]
                self._is_wanted = False
                return answer
        return None

    def _find(self, begin: bytes, size: int) -> bytes | None:
        """Cut a sound frame with this beginning out of the buffer; give its data."""
        length = len(begin) + size + self._tail
        for at in self._places(begin):
            if at > len(self._buffer) - length:
                break
            frame = bytes(self._buffer[at : at + length])
            if self._is_sound(frame) and not self._is_torn(self._buffer, at, length):
                del self._buffer[at : at + length]
                self._is_wanted = False
                self._given = frame
                return frame[len(begin) : len(begin) + size]
        return None

    def _places(self, begin: bytes) -> Iterator[int]:
        """Give where a frame with this beginning may begin in the buffer, in ascending order."""
        at = self._buffer.find(begin)
        while at >= 0:
            yield at
            at = self._buffer.find(begin, at + 1)

    def _forget_oldest(self) -> None:
        excess = len(self._buffer) - MOST_KEPT
        if excess > 0:
            self._evidence["stray"] += excess
            del self._buffer[:excess]


def _nothing_is_lost(_: Mark) -> bool:
    return False
