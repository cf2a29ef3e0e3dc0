"""Which answers may still be on their way although nobody waits for them. Pure.

Where frames carry no number, an answer shows only its unit, its function and how long it is. While
an answer to a lost request is thought possible, no request is sent whose answer would look the
same: it asks for some cells more, behind or before, and when the device gives none of them, it is
not sent at all. A refusal does not even show its length, so it does not tell which of the requests
in question it refuses.
"""

from collections.abc import Iterator
from typing import NamedTuple

from edge_agent_modbus.enquiry import Asked
from edge_agent_modbus.pdu import Request

Mark = tuple[int, ...]
"""What a frame shows of the request it answers: its number, or unit, function and data bytes."""

_FIRST = ((0, 1), (2, 0), (0, 4), (3, 0), (0, 2), (1, 0), (0, 3), (4, 0))
_MOST_EXTRA = 12
# Steps to add before and behind. Single steps suit most devices, even ones those that give only
# whole pairs of registers. A refused variant's length is used up, so the next one differs in it.
_EXTRAS = (
    *_FIRST,
    *((0, extra) for extra in range(5, _MOST_EXTRA + 1)),
    *((extra, 0) for extra in range(5, _MOST_EXTRA + 1)),
)
_REFUSED_FOR = 3600.0  # seconds for which a variant that was refused is not tried again
_MOST_REFUSED = 500
_CERTAIN_AFTER = 3  # doubtful refusals of one request


class Lost(NamedTuple):
    """A request that was given up.

    Attributes:
        due: When its answer would have come from a device that takes no time.
        until: Up to when its answer is thought possible.
        begin: The bytes that its answer begins with.
        is_heard: Whether what may be its answer has come.
    """

    request: Asked
    due: float
    until: float
    begin: bytes = b""
    is_heard: bool = False


class Variant(NamedTuple):
    """A request that can be told from the lost ones.

    Attributes:
        skip: Data bytes of its answer before those that are wanted.
        is_wider: Whether it is not the wanted request itself.
    """

    request: Asked
    skip: int = 0
    is_wider: bool = False

    def cut(self, data: bytes, wanted: Asked) -> bytes:
        """Take what was wanted out of the answer."""
        if not self.is_wider:
            return data
        return data[self.skip : self.skip + wanted.size]


class LostRequests:
    """Remembers unanswered requests, so that none with the same look follows too soon."""

    def __init__(self) -> None:
        self._lost: dict[Mark, Lost] = {}
        self._refused: dict[Asked, float] = {}
        self._doubts: dict[Asked, int] = {}

    def note(self, mark: Mark, lost: Lost, now: float) -> None:
        """Remember that a request was given up."""
        for old, other in tuple(self._lost.items()):
            if other.until <= now:
                del self._lost[old]
        self._lost[mark] = lost

    def hear(self, mark: Mark) -> Lost | None:
        """Give the lost request that a frame looks like an answer to.

        It is not forgotten for that: where only the look tells, the frame may be something else,
        and the answer be still to come.
        """
        lost = self._lost.get(mark)
        if lost is not None and not lost.is_heard:
            self._lost[mark] = lost._replace(is_heard=True)
        return lost

    def forget(self, mark: Mark) -> None:
        """Its answer has certainly come."""
        self._lost.pop(mark, None)

    def beginnings(self) -> list[bytes]:
        """Give what the answers that may still come begin with."""
        return [lost.begin for lost in self._lost.values()]

    def variant(self, request: Asked, now: float) -> Variant | None:
        """Give this request, or one for some more whose answer cannot be mistaken.

        Returns:
            None if there is no such request at present.
        """
        if not self._lost or not self._looks_lost(request, now):
            return Variant(request)
        for variant in _variants(request):
            refused = self._refused.get(variant.request, 0.0) > now
            if not refused and not self._looks_lost(variant.request, now):
                return variant
        return None

    def free_at(self, request: Asked) -> float:
        """Give when this request can be told from all lost ones for certain."""
        lost = self._lost.get(_mark(request))
        return lost.until if lost else 0.0

    def is_doubtful(self, request: Asked, now: float) -> bool:
        """Tell whether a refusal may mean a lost request of the same unit and function."""
        return any(
            lost.until > now
            and lost.request.unit == request.unit
            and lost.request.function == request.function
            for lost in self._lost.values()
        )

    def doubt(self, request: Asked) -> bool:
        """Count a doubtful refusal; False once it cannot be a coincidence any more."""
        count = self._doubts.get(request, 0) + 1
        if len(self._doubts) >= _MOST_REFUSED:
            self._doubts.clear()
        self._doubts[request] = count
        return count < _CERTAIN_AFTER

    def believe(self, request: Asked) -> None:
        """Forget doubts about a request: its data have come."""
        self._doubts.pop(request, None)

    def refuse(self, variant: Asked, now: float) -> None:
        """Remember that a variant is refused."""
        if len(self._refused) >= _MOST_REFUSED:
            self._refused.clear()
        self._refused[variant] = now + _REFUSED_FOR

    def _looks_lost(self, request: Asked, now: float) -> bool:
        lost = self._lost.get(_mark(request))
        return lost is not None and lost.until > now


def _mark(request: Asked) -> Mark:
    return (request.unit, *request.shape)


def _variants(request: Asked) -> Iterator[Variant]:
    """Give requests for the same cells and some more, whose answers are longer."""
    if not isinstance(request, Request):
        return  # there is only one way to ask for something that is no cells
    step, width = (8, 1) if request.table.of_bits else (1, 2)
    for before, behind in _EXTRAS:
        wider = request.wider(before * step, behind * step)
        if wider is not None:
            yield Variant(wider, before * width, is_wider=True)
