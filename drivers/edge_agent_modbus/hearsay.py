"""What another master was last told, ready for those who want some of it. Pure."""

from typing import NamedTuple

from edge_agent_modbus.pdu import Answer, Miss, Request, Table

_MOST = (
    500  # requests that are remembered of each table of a unit; a master that polls has far fewer
)


class Heard(NamedTuple):
    """What was answered, how many answers came before it, and when (seconds of a steady clock)."""

    answer: Answer | Miss
    number: int
    at: float


class Hearsay:
    """The last answer to each request that somebody else made.

    Attributes:
        count: Answers so far.
    """

    def __init__(self) -> None:
        self.count = 0
        self._heard: dict[tuple[int, Table], dict[Request, Heard]] = {}

    def note(self, request: Request, answer: Answer | Miss, now: float) -> None:
        """Remember an answer, or that there was none."""
        self.count += 1
        heard = self._heard.setdefault((request.unit, request.table), {})
        heard.pop(request, None)  # so that the oldest stands first
        heard[request] = Heard(answer, self.count, now)
        if len(heard) > _MOST:
            del heard[next(iter(heard))]

    def newest(self, wanted: Request) -> Heard | None:
        """Give the last answer that holds all that is wanted, cut to it.

        Args:
            wanted: Cells of one unit and table; they must have come in one answer.
        """
        heard = self._heard.get((wanted.unit, wanted.table), {})
        for request, answered in reversed(heard.items()):
            if _covers(request, wanted):
                return answered._replace(answer=_cut(request, answered.answer, wanted))
        return None


def _covers(request: Request, wanted: Request) -> bool:
    return request.offset <= wanted.offset and (
        wanted.offset + wanted.count <= request.offset + request.count
    )


def _cut(request: Request, answer: Answer | Miss, wanted: Request) -> Answer | Miss:
    """Take the wanted cells out of an answer; refusals hold for all of it."""
    if not isinstance(answer, bytes):
        return answer
    first = wanted.offset - request.offset
    if not wanted.table.of_bits:
        return answer[2 * first : 2 * (first + wanted.count)]
    bits = int.from_bytes(answer, "little") >> first & ((1 << wanted.count) - 1)
    return bits.to_bytes(wanted.size, "little")
