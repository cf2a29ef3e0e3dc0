"""Calls units one after the other: which are there, what they answer, who they say they are."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, replace

from edge_agent_modbus.discovery import ANSWER_WITHIN, LineSetting, Manner
from edge_agent_modbus.identify import Ask, Identity, identify
from edge_agent_modbus.pdu import GATEWAY, Outcome, Refusal, Request, Table
from edge_agent_modbus.transaction import Transactions

PROBED = (Table.HOLDING, Table.INPUT)
_STRAY = 4  # bytes; glitches make fewer: a device answers while another is asked


@dataclass(frozen=True, slots=True)
class Found:
    """A unit that is there.

    Attributes:
        answered: What it said to each question, a refusal included: table -> text.
        seconds: From the beginning of the first question to the end of its answer.
        setting: How the serial line was set; None over TCP.
        is_any_unit: Over TCP: it answers to whatever number it is called by.
    """

    unit: int
    answered: Mapping[Table, str]
    identity: Identity
    seconds: float = 0.0
    setting: LineSetting | None = None
    is_any_unit: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One unit was asked.

    Attributes:
        found: None if it is not there.
        seconds_left: How long the rest takes at most while nobody answers.
    """

    unit: int
    found: Found | None
    seconds_left: float
    setting: LineSetting | None = None


async def probe(ask: Ask, unit: int, tables: Sequence[Table] = PROBED) -> Found | None:
    """Ask for one register of each table; any proper answer shows that the unit is there.

    A refusal is such an answer, unless it is a gateway's that nobody is behind it. Of one that is
    there its identification is not asked yet.

    Raises:
        ConnectionLost: The link broke.
    """
    loop = asyncio.get_running_loop()
    answered: dict[Table, str] = {}
    seconds = 0.0
    for table in tables:
        started = loop.time()
        outcome = await ask(Request(unit, table, 0, 1))
        if is_answer(outcome):
            seconds = seconds or loop.time() - started
            answered[table] = outcome.hex() if isinstance(outcome, bytes) else str(outcome)
    return Found(unit, answered, Identity(), seconds) if answered else None


def is_answer(outcome: Outcome) -> bool:
    """Tell whether this shows that the unit is there."""
    if isinstance(outcome, Refusal):
        return outcome.code not in GATEWAY
    return isinstance(outcome, bytes)


class RoundCall:
    """Asks units one after the other, and those once more that seem to answer late.

    Args:
        transactions: An open link.
        evidence: What is counted there; takes `bursts`, questions behind which so many bytes came
            that somebody must have said something.
        manner: How to ask.
    """

    def __init__(
        self, transactions: Transactions, evidence: "Counter[str]", manner: Manner
    ) -> None:
        self._transactions, self._evidence, self._manner = transactions, evidence, manner

    async def steps(self, units: Sequence[int], per_unit: float) -> AsyncGenerator[Step, None]:
        """Ask these units, in this order.

        Args:
            units: Which.
            per_unit: Seconds that one costs that is not there.

        Raises:
            ConnectionLost: The link broke.
        """
        patience = self._transactions.patience
        usual = {unit: patience.timeout(unit) for unit in units}
        missing = []
        for left, unit in zip(range(len(units) - 1, -1, -1), units, strict=True):
            found = await self._meet(unit)
            if found is None:
                missing.append(unit)
            yield Step(unit, found, left * per_unit)
        if self._is_somebody_late:
            for unit in missing:
                patience.allow(unit, ANSWER_WITHIN)
        late = [unit for unit in missing if patience.timeout(unit) > usual[unit]]
        again = per_unit + ANSWER_WITHIN * len(self._manner.tables)
        for left, unit in zip(range(len(late) - 1, -1, -1), late, strict=True):
            yield Step(unit, await self._meet(unit), left * again)

    @property
    def _is_somebody_late(self) -> bool:
        """Tell whether answers came that ran into the next questions."""
        evidence = self._evidence
        return evidence["damaged"] + evidence["mismatched"] > 0 or evidence["stray"] > _STRAY

    async def _meet(self, unit: int) -> Found | None:
        """Look whether a unit is there, and if so who it is; that it is given more time for."""
        stray = self._evidence["stray"]
        found = await probe(self._transactions.ask, unit, self._manner.tables)
        self._evidence["bursts"] += self._evidence["stray"] - stray > _STRAY
        if found is None:
            return None
        self._transactions.patience.allow(unit, ANSWER_WITHIN)
        rest = tuple(table for table in PROBED if table not in self._manner.tables)
        other = await probe(self._transactions.ask, unit, rest)
        answered = {**found.answered, **(other.answered if other else {})}
        identity = await identify(self._transactions.ask, unit)
        return replace(found, answered=answered, identity=identity)
