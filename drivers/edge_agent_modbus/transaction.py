"""One request at a time over a link, and only its own answer back. The rules that keep values true.

1. Before a request the line has been silent long enough, and what it said unasked is thrown away;
   after a frame that nobody expected it has to be quiet for longer.
2. Only the framer decides what answers the request in flight.
3. A request that was not answered, for a timeout or because its caller went away, is *lost*: where
   frames carry no number the line then stays unused for a while, and what arrives is counted.
4. An answer later than even that must not pass for another one: as long as it is thought possible,
   no request is sent to this unit that would get an answer of the same look (`LostRequests`).
5. Two timeouts in a row on a gateway that passes frames on: it is connected to anew, so that
   nothing waits in it any longer.

Source of the cases: public reports on other clients, listed in the README under "Quirks".
"""

from collections import Counter

from edge_agent.driver import Why
from edge_agent.language import _
from edge_agent_modbus.enquiry import Asked
from edge_agent_modbus.exchange import Exchange
from edge_agent_modbus.framing import Framer
from edge_agent_modbus.link import Link
from edge_agent_modbus.lost import Lost, LostRequests, Mark, Variant
from edge_agent_modbus.patience import Patience
from edge_agent_modbus.pdu import (
    ILLEGAL_ADDRESS,
    ILLEGAL_VALUE,
    Answer,
    Barred,
    Miss,
    Outcome,
    Refusal,
    Request,
)
from edge_agent_modbus.timing import Timing

_MEMORY = 10  # how many times timeout and quarantine an answer is thought to be possible
_MOST_VARIANTS = 4  # tried for one request
_TIMEOUTS_TO_RENEW = 2
_KNOWN_TO_BE_SILENT = 3  # unanswered requests in a row; from then on the agent only probes
_UNUSABLE = frozenset({"damaged", "mismatched"})
_BLAMES_THE_REQUEST = frozenset({ILLEGAL_ADDRESS, ILLEGAL_VALUE})


class Transactions:
    """Asks over one link, one request in flight. Lives as long as the driver, over many opens.

    Attributes:
        patience: How long each unit is waited for.
    """

    def __init__(
        self, link: Link, framer: Framer, timing: Timing, evidence: "Counter[str]"
    ) -> None:
        framer.is_lost = self._is_lost
        self._exchange = Exchange(link, framer, timing, self._note_late)
        self._framer, self._timing, self._evidence = framer, timing, evidence
        self._lost = LostRequests()
        framer.lost_beginnings = self._lost.beginnings
        self._silent = 0  # timeouts in a row
        self._silences: Counter[int] = Counter()  # unit -> requests without an answer in a row
        self._renews = not framer.tells_late and not timing.character
        self.patience = Patience(timing)

    async def open(self) -> None:
        """Open the link.

        Raises:
            ConnectionLost: It cannot be opened.
        """
        await self._exchange.open()

    async def close(self) -> None:
        """Close the link; safe at any time."""
        await self._exchange.close()

    @property
    def is_open(self) -> bool:
        """Tell whether the link is there."""
        return self._exchange.is_open

    @property
    def why_lost(self) -> str:
        """Say why the link broke."""
        return self._exchange.why_lost

    async def ask(self, request: Asked) -> Outcome:
        """Send a request and wait for what comes back.

        Raises:
            ConnectionLost: The link broke.
        """
        if self._framer.tells_late:
            return await self._ask_once(request)
        if self._renews and self._silent == _TIMEOUTS_TO_RENEW:
            await self._renew()
        for _each in range(_MOST_VARIANTS):
            outcome = await self._ask_distinct(request)
            if outcome is not None:
                return outcome
        return self._barred(request)

    async def _ask_distinct(self, wanted: Asked) -> Outcome | None:
        """Ask so that the answer cannot be mistaken; None if that way of asking is refused."""
        variant = self._lost.variant(wanted, self._exchange.now)
        if variant is None:
            return self._barred(wanted)
        outcome = await self._ask_once(variant.request)
        if isinstance(outcome, Refusal):
            return self._judge(variant, outcome)
        if isinstance(outcome, bytes):
            self._lost.believe(wanted)
            return variant.cut(outcome, wanted)
        return outcome

    async def _renew(self) -> None:
        """Connect anew, once until something is answered again.

        Raises:
            ConnectionLost: It cannot be connected to.
        """
        self._silent += 1
        self._evidence["renewed"] += 1
        await self._exchange.close()
        await self._exchange.open()

    def _judge(self, variant: Variant, refusal: Refusal) -> Outcome | None:
        """Decide what a refusal tells; None to try another variant.

        While other answers of this unit are possible it may be one of those, and then the answer
        to this request is possible still.
        """
        now, request = self._exchange.now, variant.request
        is_doubtful = self._lost.is_doubtful(request, now)
        if is_doubtful:
            self._note_lost(request)
        if refusal.code not in _BLAMES_THE_REQUEST:
            return refusal
        if variant.is_wider:
            self._lost.refuse(request, now)
            return None
        return _unsure(request, refusal) if is_doubtful and self._lost.doubt(request) else refusal

    def _barred(self, request: Asked) -> Barred:
        seconds = max(self._lost.free_at(request) - self._exchange.now, 0.0)
        return Barred(
            Why.DAMAGED,
            _(
                "{request}: not asked, since the answer to an earlier request could be "
                "taken for its own and the device gives no cells around these; asked "
                "again in {seconds:.1f} s"
            ).format(request=request, seconds=seconds),
        )

    async def _ask_once(self, request: Asked) -> Outcome:
        if not await self._exchange.settle(request.unit):
            return Miss(
                Why.TIMEOUT,
                _(
                    "the line is never silent, so nothing can be asked: check for another "
                    "master, baud and parity"
                ),
            )
        timeout = self.patience.timeout(request.unit)
        try:
            answer = await self._exchange.send(request, timeout)
        except BaseException:
            self._give_up(request, timeout)
            raise
        if answer is None:
            self._give_up(request, timeout)
            self._silent += 1
            return self._missed(request, timeout)
        self._silent = 0
        self._silences.pop(request.unit, None)
        if isinstance(request, Request):  # how long the answer to another one is due is not known
            self.patience.answered(
                request.unit, self._exchange.heard_at - self._exchange.answer_due
            )
        return answer

    def _give_up(self, request: Asked, timeout: float) -> None:
        """Remember that an answer may come when nobody waits for it any more."""
        self._note_lost(request)
        # Nothing more is expected of a unit that is known to be silent: waiting for it would cost
        # its neighbours as much again, and should it answer after all, rule 4 holds.
        if self._silences[request.unit] < _KNOWN_TO_BE_SILENT:
            self._exchange.keep_quiet(self._timing.quarantine(timeout))
        self._silences[request.unit] += 1

    def _note_lost(self, request: Asked) -> None:
        timeout = max(self._timing.timeout, self.patience.timeout(request.unit))
        now = self._exchange.now
        until = now + _MEMORY * (timeout + self._timing.quarantine(timeout))
        lost = Lost(request, self._exchange.answer_due, until, self._framer.begin)
        self._lost.note(self._framer.mark, lost, now)

    def _missed(self, request: Asked, timeout: float) -> Miss:
        """Say what came instead of an answer."""
        found = self._framer.reject()
        heard = ", ".join(f"{kind} {count}" for kind, count in found.items()) or "nothing"
        if found.keys() & _UNUSABLE:
            return Miss(
                Why.DAMAGED,
                _("{request}: what came is no proper answer (heard: {heard})").format(
                    request=request, heard=heard
                ),
            )
        return Miss(
            Why.TIMEOUT,
            _("{request}: no answer within {timeout:g} s (heard: {heard})").format(
                request=request, timeout=timeout, heard=heard
            ),
        )

    def _note_late(self, answer: Answer) -> bool:
        """Count what answers the last request, for which nobody waits; True if it surely does.

        A refusal shows neither number nor length: it may be the answer to an older request.
        """
        self._framer.count(Counter(late=1))
        is_certain = self._framer.tells_late or not isinstance(answer, Refusal)
        if is_certain:
            self._is_lost(self._framer.mark)
            self._lost.forget(self._framer.mark)
        return is_certain

    def _is_lost(self, mark: Mark) -> bool:
        """Tell whether a frame looks like the answer to a lost request; learn how late it is."""
        lost = self._lost.hear(mark)
        if lost is not None and not lost.is_heard:
            self.patience.came_late(lost.request.unit, self._exchange.heard_at - lost.due)
        if self._framer.tells_late:
            self._lost.forget(mark)
        return lost is not None


def _unsure(request: Asked, refusal: Refusal) -> Miss:
    return Miss(
        Why.DAMAGED,
        _(
            "{request}: {refusal}; but this may be the answer to an earlier request, "
            "so it is asked again"
        ).format(request=request, refusal=refusal),
    )
