"""Looks for devices on a line: listens first, then asks unit after unit, and says how far it is.

Only for a line that nobody else polls; one that somebody does poll is listened to instead.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace

from edge_agent.driver import ConnectionLost
from edge_agent_modbus.discovery import (
    ANSWER_WITHIN,
    NETWORK_ANSWER_WITHIN,
    REQUESTS_PER_UNIT,
    LineSetting,
    cost,
    network_timing,
)
from edge_agent_modbus.identify import Ask, Identity, identify
from edge_agent_modbus.link import Link, TcpLink
from edge_agent_modbus.mbap import TcpFramer
from edge_agent_modbus.overheard import Overheard
from edge_agent_modbus.pdu import GATEWAY, Outcome, Refusal, Request, Table
from edge_agent_modbus.rtu import RtuFramer
from edge_agent_modbus.transaction import Transactions

LISTEN_SECONDS = 3.0
_PROBED = (Table.HOLDING, Table.INPUT)
_MOST_FOREIGN = 4  # late refusals of slow devices look foreign too, but are not so many


@dataclass(frozen=True, slots=True)
class Found:
    """A unit that is there.

    Attributes:
        answered: What it said to each question, a refusal included: table -> text.
        setting: How the serial line was set; None over TCP.
    """

    unit: int
    answered: dict[Table, str]
    identity: Identity
    setting: LineSetting | None = None


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


class LineInUse(Exception):  # noqa: N818 - named after what is the case
    """Somebody else polls this line, so it is not scanned.

    Attributes:
        overheard: What was understood of it.
    """

    def __init__(self, overheard: Overheard) -> None:
        units = ", ".join(map(str, overheard.units))
        heard = f" and reads unit {units}" if units else ""
        super().__init__(
            f"somebody else uses this line{heard}: two masters spoil each other's messages, so "
            "disconnect the other one before scanning, or take over what was overheard"
        )
        self.overheard = overheard


class _Ear:
    """Takes what a link hears."""

    def __init__(self) -> None:
        self.overheard = Overheard()
        self.gone: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def heard(self, data: bytes) -> None:
        self.overheard.feed(data)

    def lost(self, reason: str) -> None:
        if not self.gone.done():
            self.gone.set_result(reason)


async def listen(link: Link, seconds: float = LISTEN_SECONDS) -> Overheard:
    """Listen to a line without a word, and close it again.

    Raises:
        ConnectionLost: It cannot be opened, or broke.
    """
    link.receiver = ear = _Ear()
    try:
        await link.open()
        await asyncio.wait([ear.gone], timeout=seconds)
    finally:
        await link.close()
    if ear.gone.done():
        raise ConnectionLost(ear.gone.result())
    ear.overheard.end()
    return ear.overheard


async def probe(ask: Ask, unit: int) -> Found | None:
    """Ask for one holding and one input register; any proper answer shows that the unit is there.

    A refusal is such an answer, unless it is a gateway's that nobody is behind it.

    Raises:
        ConnectionLost: The link broke.
    """
    answered = {}
    for table in _PROBED:
        outcome = await ask(Request(unit, table, 0, 1))
        if _is_answer(outcome):
            answered[table] = outcome.hex() if isinstance(outcome, bytes) else str(outcome)
    return Found(unit, answered, await identify(ask, unit)) if answered else None


def _is_answer(outcome: Outcome) -> bool:
    if isinstance(outcome, Refusal):
        return outcome.code not in GATEWAY
    return isinstance(outcome, bytes)


async def scan(
    transactions: Transactions, units: Sequence[int], per_unit: float
) -> AsyncGenerator[Step, None]:
    """Ask units one after the other, and those once more that answered late.

    Args:
        transactions: An open link.
        units: Which, in which order.
        per_unit: Seconds that one costs that is not there.

    Raises:
        ConnectionLost: The link broke.
    """
    missing = []
    usual = {unit: transactions.patience.timeout(unit) for unit in units}
    for left, unit in zip(range(len(units) - 1, -1, -1), units, strict=True):
        found = await probe(transactions.ask, unit)
        if found is None:
            missing.append(unit)
        yield Step(unit, found, left * per_unit)
    for unit in missing:
        if transactions.patience.timeout(unit) > usual[unit]:
            yield Step(unit, await probe(transactions.ask, unit), 0.0)


async def search(
    port: str,
    settings: Sequence[LineSetting],
    units: Sequence[int],
    *,
    within: float = ANSWER_WITHIN,
    listening: float = LISTEN_SECONDS,
) -> AsyncGenerator[Step, None]:
    """Look for devices on a serial line; it ends behind the first setting at which one answers.

    Ending the iteration stops it at any time; close it then (`contextlib.aclosing`).

    Args:
        port: The serial port.
        settings: How the line may be set; the first one is listened at.
        units: Which to ask at each.
        within: Seconds that a device has to think.
        listening: Seconds to listen before anything is asked.

    Raises:
        ConnectionLost: The port cannot be opened, or broke.
        LineInUse: Somebody else was heard, before or while asking.
    """
    overheard = await listen(serial_link(port, settings[0]), listening)
    if overheard.is_traffic:
        raise LineInUse(overheard)
    for done, setting in enumerate(settings, start=1):
        rest = cost(settings[done:], len(units), within)
        is_found = False
        async with contextlib.aclosing(
            _search_at(port, setting, units, within, listening)
        ) as steps:
            async for step in steps:
                is_found = is_found or step.found is not None
                yield replace(step, seconds_left=step.seconds_left + rest)
        if is_found:
            return


async def search_network(
    host: str, port: int, units: Sequence[int], *, within: float = NETWORK_ANSWER_WITHIN
) -> AsyncGenerator[Step, None]:
    """Look for units behind one address of Modbus TCP; to be ended as `search` is.

    Raises:
        ConnectionLost: Nobody is there, or the connection broke.
    """
    evidence: Counter[str] = Counter()
    link = TcpLink(host, port)
    transactions = Transactions(link, TcpFramer(evidence), network_timing(within), evidence)
    try:
        await transactions.open()
        steps = scan(transactions, units, REQUESTS_PER_UNIT * within)
        async with contextlib.aclosing(steps):
            async for step in steps:
                yield step
    finally:
        await transactions.close()


async def _search_at(
    port: str, setting: LineSetting, units: Sequence[int], within: float, listening: float
) -> AsyncGenerator[Step, None]:
    """Look for devices with one setting."""
    evidence: Counter[str] = Counter()
    link = serial_link(port, setting)
    transactions = Transactions(link, RtuFramer(evidence), setting.timing(within), evidence)
    try:
        await transactions.open()
        steps = scan(transactions, units, setting.per_unit(within))
        async with contextlib.aclosing(steps):
            async for step in steps:
                yield replace(step, found=_placed(step.found, setting), setting=setting)
                if evidence["foreign"] >= _MOST_FOREIGN:
                    await transactions.close()
                    raise LineInUse(await listen(link, listening))
    finally:
        await transactions.close()


def _placed(found: Found | None, setting: LineSetting) -> Found | None:
    return None if found is None else replace(found, setting=setting)


def serial_link(port: str, setting: LineSetting) -> Link:
    """Make the link to a port that is set so; not yet open."""
    # As in `driver`: pyserial is imported only where there is a serial port.
    from edge_agent_modbus.serial_line import SerialLink  # noqa: PLC0415

    return SerialLink(setting.settings(port))
