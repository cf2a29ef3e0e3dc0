"""Looks for devices on a line: listens first, then asks unit after unit, and says how far it is.

Only for a line that nobody else polls; one that somebody does poll is listened to instead.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

from edge_agent.driver import ConnectionLost
from edge_agent.language import _
from edge_agent_modbus.discovery import LineSetting, Manner, cost
from edge_agent_modbus.link import Link
from edge_agent_modbus.overheard import Overheard
from edge_agent_modbus.roundcall import Found, RoundCall, Step
from edge_agent_modbus.rtu import RtuFramer
from edge_agent_modbus.transaction import Transactions

_MOST_FOREIGN = 4  # late refusals of slow devices look foreign too, but are not so many


class LineInUse(Exception):  # noqa: N818 - named after what is the case
    """Somebody else polls this line, so it is not scanned.

    Attributes:
        overheard: What was understood of it.
    """

    def __init__(self, overheard: Overheard) -> None:
        units = ", ".join(map(str, overheard.units))
        heard = _(" and reads unit {units}").format(units=units) if units else ""
        super().__init__(
            _(
                "somebody else uses this line{heard}: two masters spoil each other's "
                "messages, so disconnect the other one before scanning, or take over "
                "what was overheard"
            ).format(heard=heard)
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


async def listen(link: Link, seconds: float) -> Overheard:
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


async def search(
    port: str,
    settings: Sequence[LineSetting],
    units: Sequence[int],
    manner: Manner,
    heard: "Counter[str] | None" = None,
) -> AsyncGenerator[Step, None]:
    """Look for devices on a serial line, one setting after the other.

    A unit that was found is not asked at the other settings.

    Ending the iteration stops it at any time; close it then (`contextlib.aclosing`).

    Args:
        port: The serial port.
        settings: How the line may be set; the first one is listened at.
        units: Which to ask at each.
        manner: How to ask, and whether to go on behind the first setting that is answered.
        heard: Takes what is heard beside answers, as `framing` counts it, and `reads`.

    Raises:
        ConnectionLost: The port cannot be opened, or broke.
        LineInUse: Somebody else was heard, before or while asking.
    """
    overheard = await listen(serial_link(port, settings[0]), manner.listening)
    if overheard.is_traffic:
        raise LineInUse(overheard)
    found: set[int] = set()
    for done, setting in enumerate(settings, start=1):
        missing = [unit for unit in units if unit not in found]
        rest = cost(settings[done:], len(missing), manner)
        evidence: Counter[str] = Counter()
        steps = _search_at(port, setting, missing, manner, evidence)
        async with contextlib.aclosing(steps):
            async for step in steps:
                found |= {step.unit} if step.found else set()
                yield replace(step, seconds_left=step.seconds_left + rest)
        if heard is not None:
            heard.update(evidence, reads=len(missing))
        if found and not manner.everywhere:
            return


async def _search_at(
    port: str,
    setting: LineSetting,
    units: Sequence[int],
    manner: Manner,
    evidence: "Counter[str]",
) -> AsyncGenerator[Step, None]:
    """Look for devices with one setting."""
    link = serial_link(port, setting)
    timing = setting.timing(manner.within)
    transactions = Transactions(link, RtuFramer(evidence), timing, evidence)
    try:
        await transactions.open()
        steps = RoundCall(transactions, evidence, manner).steps(units, setting.per_unit(manner))
        async with contextlib.aclosing(steps):
            async for step in steps:
                yield replace(step, found=_placed(step.found, setting), setting=setting)
                if evidence["foreign"] >= _MOST_FOREIGN:
                    await transactions.close()
                    raise LineInUse(await listen(link, manner.listening))
    finally:
        await transactions.close()


def _placed(found: Found | None, setting: LineSetting) -> Found | None:
    return None if found is None else replace(found, setting=setting)


def serial_link(port: str, setting: LineSetting) -> Link:
    """Make the link to a port that is set so; not yet open."""
    # As in `driver`: pyserial is imported only where there is a serial port.
    from edge_agent_modbus.serial_line import SerialLink  # noqa: PLC0415

    return SerialLink(setting.settings(port))
