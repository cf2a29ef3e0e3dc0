"""Asks a unit for the few registers by which the profiles are told apart. Reads only (codes 1-4).

First the signs that profiles give, then of those that are left the values that tell most. It ends
as soon as nothing more would be learnt, and after so many requests in any case.
"""

import math
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

from edge_agent.command import profiles_of
from edge_agent_modbus.address import ModbusAddress
from edge_agent_modbus.clues import Clue, Notes, Presence
from edge_agent_modbus.identify import Identity
from edge_agent_modbus.pdu import GATEWAY, ILLEGAL_FUNCTION, Miss, Outcome, Refusal, Request, Table
from edge_agent_modbus.recognition import (
    Model,
    Suggestion,
    control,
    is_named,
    may_be_any,
    models,
    presence,
    rank,
    weigh,
)

if TYPE_CHECKING:
    from edge_agent.command import Profile

Ask = Callable[[Request], Awaitable[Outcome]]

MOST_REQUESTS = 45
MOST_SILENT = 5  # requests that are not answered; some units are silent where others refuse
CLEAR = 25.0  # bits from which profiles without a sign are not asked for any more
IN_DEPTH = 8  # points of a suspect that are asked for
APART = 5  # more, of those among the likeliest that not all of them have
_LIKELIEST = 5
_LONGEST_RUN = 16  # registers of one request: small units give no more


class Recogniser:
    """Finds out which profiles one unit may be.

    Args:
        ask: How to ask, once.
        unit: Whom.
        is_serial: It hangs on a serial line.
        identity: What it says of itself.
        most: Requests.
    """

    def __init__(
        self,
        ask: Ask,
        unit: int,
        *,
        is_serial: bool,
        identity: Identity | None = None,
        most: int = MOST_REQUESTS,
    ) -> None:
        self._ask, self._unit, self._left = ask, unit, most
        self._identity = identity or Identity()
        self._silent = 0
        self._notes = Notes()
        self._worth: dict[Table, Presence] = {}
        self._models = known_models(is_serial=is_serial)

    async def run(self) -> list[Suggestion]:
        """Ask, and give the profiles, the likeliest first.

        Raises:
            ConnectionLost: The link broke.
        """
        if not may_be_any(self._models, self._identity):
            return []
        named = [model for model in self._models if is_named(model, self._notes, self._identity)]
        for model in named or self._models:
            await self._read(model.signs)
        if not named:
            for table in Table:
                await self._fetch(control(table))
            await self._look_deeper([model for model in self._models if model.signs])
            if self._best() < CLEAR:
                await self._meet_others([model for model in self._models if not model.signs])
            await self._tell_apart()
        return self._ranked()

    def _ranked(self) -> list[Suggestion]:
        return rank(self._models, self._notes, self._identity)

    async def _tell_apart(self) -> None:
        """Ask the likeliest for what only some of them have."""
        near = {one.profile for one in self._ranked()[:_LIKELIEST]}
        rivals = [model for model in self._models if model.name in near]
        for model in rivals if len(rivals) > 1 else ():
            special = [
                clue
                for clue in model.points
                if not all(clue.address in other.places for other in rivals)
                and not self._notes.knows(clue.address)
            ]
            await self._read(special[:APART])

    def _best(self) -> float:
        self._worth = presence(self._models, self._notes)
        return max((self._weigh(model) for model in self._models), default=-math.inf)

    def _weigh(self, model: Model) -> float:
        return weigh(model, self._notes, self._identity, self._worth)

    async def _meet_others(self, others: Sequence[Model]) -> None:
        """Ask for one value of each, and for more of those that have it."""
        for model in others:
            await self._read(model.points[:1])
        await self._look_deeper([model for model in others if self._may_be(model)])

    def _may_be(self, model: Model) -> bool:
        return all((clue.bits(self._notes) or 0.0) >= 0 for clue in model.points[:1])

    async def _look_deeper(self, suspects: Sequence[Model]) -> None:
        """Ask for the values of those that are left, the likeliest first."""
        self._worth = presence(self._models, self._notes)
        for model in sorted(suspects, key=self._weigh, reverse=True):
            if self._weigh(model) >= 0:
                for run in _runs(model.points[:IN_DEPTH]):
                    await self._fetch(run)
                await self._read(model.points[:IN_DEPTH])

    async def _read(self, clues: Sequence[Clue]) -> None:
        for clue in clues:
            await self._fetch(clue.address)

    async def _fetch(self, address: ModbusAddress) -> None:
        """Ask for a value, unless that is known or enough was asked."""
        if self._notes.knows(address) or self._left <= 0 or self._silent >= MOST_SILENT:
            return
        self._left -= 1
        request = Request(self._unit, address.table, address.offset, address.cells)
        outcome = await self._ask(request)
        if isinstance(outcome, bytes):
            self._notes.keep(request, outcome)
            return
        self._silent += isinstance(outcome, Miss)
        self._notes.refuse(request)
        if isinstance(outcome, Refusal) and outcome.code in {ILLEGAL_FUNCTION, *GATEWAY}:
            self._notes.lacks(address.table)


def _runs(clues: Sequence[Clue]) -> Iterator[ModbusAddress]:
    """Give neighbours together, where there are any: one request instead of many."""
    ordered = sorted((clue.address for clue in clues), key=lambda one: (one.table, one.offset))
    run: list[ModbusAddress] = []
    for address in ordered:
        if run and not _follows(run, address):
            yield from _joined(run)
            run = []
        run.append(address)
    yield from _joined(run)


def _follows(run: Sequence[ModbusAddress], address: ModbusAddress) -> bool:
    end = run[-1].offset + run[-1].cells
    is_short = address.offset + address.cells - run[0].offset <= _LONGEST_RUN
    return address.table == run[0].table and address.offset <= end and is_short


def _joined(run: Sequence[ModbusAddress]) -> Iterator[ModbusAddress]:
    if len(run) < 2:
        return
    first, last = run[0], run[-1]
    registers = last.offset + last.cells - first.offset
    if first.table.of_bits:
        return
    yield ModbusAddress(table=first.table, offset=first.offset, type="bytes", length=2 * registers)


@cache
def known_profiles() -> "dict[str, Profile]":
    """Read all profiles for this driver, once."""
    return profiles_of("modbus")


@cache
def known_models(*, is_serial: bool) -> "list[Model]":
    """Prepare them for comparison, once."""
    return models(known_profiles(), is_serial=is_serial)
