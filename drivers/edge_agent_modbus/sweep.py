"""One read of a plan, block by block: what is refused is taken apart, what is silent ends it."""

import asyncio
from collections.abc import Awaitable, Callable

from edge_agent.driver import Flaw, Learnt, NoResponse, Quality, Samples, Value, Why
from edge_agent_modbus.exponents import scale
from edge_agent_modbus.learnt import Hole, Knowledge
from edge_agent_modbus.pdu import (
    BUSY,
    GATEWAY,
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    ILLEGAL_VALUE,
    Barred,
    Miss,
    Outcome,
    Refusal,
    Request,
)
from edge_agent_modbus.plan import Block, ModbusPlan, Suspect, halve, unseparated
from edge_agent_modbus.retest import Retests

EXTRA_REQUESTS = 40
"""Requests that one read may spend beyond its plan, to find out what exactly is refused."""

BUSY_WAITS = (0.1, 0.2, 0.3)
"""Seconds to wait for a busy device before it is asked again, within one read."""

_SPLITTABLE = frozenset({ILLEGAL_ADDRESS, ILLEGAL_VALUE})
_REFUSED = frozenset({ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE})
_DAMAGED_BLOCKS = 2  # so many in a row, and the rest is not asked: each costs a timeout

Ask = Callable[[Request], Awaitable[Outcome]]


class Sweep:
    """One read in progress."""

    __slots__ = ("_alive", "_answers", "_ask", "_damaged", "_extra", "_flaws", "_kept",
                 "_knowledge", "_now", "_plan", "_retests", "_stop", "_values")  # fmt: skip

    def __init__(self, ask: Ask, plan: ModbusPlan, retests: Retests, now: float) -> None:
        self._ask, self._plan, self._retests, self._now = ask, plan, retests, now
        self._values: list[Value] = [None] * plan.width
        self._kept = 0
        self._answers: dict[int, int] = {}  # position -> number of its answer, for exponents
        self._flaws: dict[int, Flaw] = {}
        self._knowledge: Knowledge | None = None
        self._extra = EXTRA_REQUESTS
        self._alive = False
        self._damaged = 0
        self._stop: Flaw | None = None

    async def run(self) -> Samples:
        """Ask for everything.

        Raises:
            NoResponse: Nothing was answered.
            ConnectionLost: The link broke.
        """
        await self._visit_blocks()
        if self._plan.queue:
            await self._visit_suspects()
        if self._stop is not None and not self._alive:
            raise NoResponse(self._stop.detail)
        if self._plan.scaled:
            self._scale()
        return Samples(self._values, self._flaws, learnt=self._taught())

    async def _visit_blocks(self) -> None:
        for block in self._plan.blocks:
            if self._stop is not None:
                self._flag(block, self._stop)
                continue
            outcome = await self._ask(block.request)
            if outcome.__class__ is bytes:
                self._keep(block, outcome)
            else:
                await self._resolve(block, outcome)

    def _scale(self) -> None:
        """Bring values and exponents together, and drop the exponents."""
        scale(self._plan.scaled, self._values, self._flaws, self._answers)
        wanted = len(self._plan.addresses)
        del self._values[wanted:]
        self._flaws = {at: flaw for at, flaw in self._flaws.items() if at < wanted}

    def _keep(self, block: Block, data: bytes) -> None:
        self._alive = True
        self._damaged = 0
        values, flaws = block.decode(data)
        if block.place is not None:
            self._values[block.place] = values
        else:
            for position, value in zip(block.positions, values, strict=True):
                self._values[position] = value
        for at, flaw in flaws.items():
            self._flaws[block.positions[at]] = flaw
        if self._plan.scaled:
            self._kept += 1
            self._answers.update(dict.fromkeys(block.positions, self._kept))

    def _flag(self, block: Block, flaw: Flaw) -> None:
        self._flaws.update(dict.fromkeys(block.positions, flaw))

    async def _resolve(self, block: Block, outcome: Outcome) -> None:
        """Deal with what is not simply the data; afterwards each address has a value or a flaw."""
        outcome = await self._wait_while_busy(block, outcome)
        if isinstance(outcome, bytes):
            self._keep(block, outcome)
        elif isinstance(outcome, Barred):
            await self._ask_parts(block, outcome)
        elif isinstance(outcome, Miss):
            self._note_miss(block, outcome)
        elif outcome.code in GATEWAY:
            self._end(block, Flaw(Quality.BAD, Why.TIMEOUT, f"{block.request}: {outcome}"))
        else:
            self._alive = True
            await self._note_refusal(block, outcome)

    async def _wait_while_busy(self, block: Block, outcome: Outcome) -> Outcome:
        for seconds in BUSY_WAITS:
            if not (isinstance(outcome, Refusal) and outcome.code in BUSY):
                break
            await asyncio.sleep(seconds)
            outcome = await self._ask(block.request)
        return outcome

    def _note_miss(self, block: Block, miss: Miss) -> None:
        """A silent device is not asked again in this read, a damaged answer forgiven once."""
        flaw = Flaw(Quality.BAD, miss.why, miss.detail)
        if miss.why is Why.DAMAGED:
            self._alive = True
            self._damaged += 1
            if self._damaged < _DAMAGED_BLOCKS:
                self._flag(block, flaw)
                return
        self._end(block, flaw)

    async def _ask_parts(self, block: Block, barred: Barred) -> None:
        """Ask for a block in halves: their answers cannot be taken for one to the whole."""
        halves = halve(block)
        if halves is None or self._extra < len(halves):
            self._note_miss(block, barred)
            return
        for half in halves:
            refusal = await self._ask_half(half)
            if isinstance(refusal, Refusal):
                self._flag(half, unseparated(half, refusal))

    def _end(self, block: Block, flaw: Flaw) -> None:
        self._stop = flaw
        self._flag(block, flaw)

    async def _note_refusal(self, block: Block, refusal: Refusal) -> None:
        if refusal.code in _SPLITTABLE:
            await self._take_apart(block, refusal)
        elif refusal.code in _REFUSED:
            self._flag(block, Flaw(Quality.BAD, Why.REFUSED, f"{block.request}: {refusal}"))
        else:
            flaw = Flaw(Quality.BAD, Why.DEVICE_BAD, f"{block.request}: {refusal}")
            self._end(block, flaw) if refusal.code in BUSY else self._flag(block, flaw)

    async def _take_apart(self, block: Block, refusal: Refusal) -> None:
        """Halve a refused block until what is refused stands alone, and learn what it was."""
        refused = [(block, refusal)]
        while refused:
            block, refusal = refused.pop()
            halves = halve(block)
            if halves is None:
                self._learn_refused(block, refusal)
            elif self._extra < 2 or self._stop is not None:
                self._flag(block, self._stop or unseparated(block, refusal))
            else:
                outcomes = [await self._ask_half(half) for half in halves]
                refused += [
                    (half, outcome)
                    for half, outcome in zip(halves, outcomes, strict=True)
                    if isinstance(outcome, Refusal)
                ]
                if all(isinstance(outcome, bytes) for outcome in outcomes):
                    self._learn_parted(halves, refusal.code)

    async def _ask_half(self, half: Block) -> Outcome | None:
        """Ask for a part; what is left for the caller is data that was kept, or a refusal."""
        if self._stop is not None:
            self._flag(half, self._stop)
            return None
        self._extra -= 1
        outcome = await self._ask(half.request)
        if isinstance(outcome, Refusal) and outcome.code in _SPLITTABLE:
            return outcome
        await self._resolve(half, outcome)
        return outcome if isinstance(outcome, bytes) else None

    def _learn_refused(self, block: Block, refusal: Refusal) -> None:
        self._flag(block, Suspect(block, refusal.code).flaw)
        request = block.request
        hole = Hole(request.offset, request.count, refusal.code)
        self._know().learn_hole(request.unit, request.table, hole)
        self._retests.note(request, self._now)

    def _learn_parted(self, halves: tuple[Block, Block], code: int) -> None:
        first, second = (half.request for half in halves)
        single = all(len(half.positions) == 1 for half in halves)
        self._know().learn_parted(first, second, code, single=single)

    async def _visit_suspects(self) -> None:
        """Ask those that are due; one at least where there is nothing else.

        A device that is asked nothing cannot be known to live.
        """
        queue, at_least = self._plan.queue, 0 if self._plan.blocks else 1
        for suspect in queue:
            if not suspect.is_trial:
                self._flag(suspect.block, self._stop or suspect.flaw)
        for suspect in self._retests.due(queue, self._now, at_least):
            if self._stop is None and self._extra:
                await self._visit(suspect)

    async def _visit(self, suspect: Suspect) -> None:
        self._extra -= 1
        outcome = await self._ask(suspect.request)
        self._retests.note(suspect.request, self._now)
        if isinstance(outcome, bytes):
            self._know().forget(suspect.request)
        if isinstance(outcome, Refusal) and outcome.code in _SPLITTABLE:
            self._alive = True
            if not suspect.is_trial:
                self._flag(suspect.block, Suspect(suspect.block, outcome.code).flaw)
        elif not suspect.is_trial:
            self._clear(suspect.block)
            await self._resolve(suspect.block, outcome)

    def _clear(self, block: Block) -> None:
        for position in block.positions:
            self._flaws.pop(position, None)

    def _know(self) -> Knowledge:
        if self._knowledge is None:
            self._knowledge = Knowledge(self._plan.learnt)
        return self._knowledge

    def _taught(self) -> Learnt | None:
        knowledge = self._knowledge
        return knowledge.as_learnt() if knowledge is not None and knowledge.changed else None
