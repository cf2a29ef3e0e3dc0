"""Looks for devices behind an address of the network: which framing is spoken, and which units.

A converter that passes serial frames on (RTU over TCP) often listens on the port of Modbus TCP. A
header that is no RTU frame has no right checksum, so devices behind such a converter ignore it; an
RTU request to a Modbus TCP device is a header with a length of 1, which is no request. Each is
therefore tried on a connection of its own.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import replace

from edge_agent.driver import ConnectionLost
from edge_agent_modbus.ascii import AsciiFramer
from edge_agent_modbus.discovery import (
    LIKELY_UNITS,
    NETWORK_ANSWER_WITHIN,
    Manner,
    network_timing,
    network_units,
)
from edge_agent_modbus.framing import Framer
from edge_agent_modbus.link import TcpLink
from edge_agent_modbus.mbap import TcpFramer
from edge_agent_modbus.pdu import Refusal, Request, Table
from edge_agent_modbus.roundcall import Found, RoundCall, Step
from edge_agent_modbus.rtu import RtuFramer
from edge_agent_modbus.transaction import Transactions

FRAMING_WITHIN = 0.5
FRAMING_SECONDS = FRAMING_WITHIN * (2 * len(LIKELY_UNITS) + 2)
"""What `spoken` takes at most."""
CONNECT_WITHIN = 1.0
MANNERS = {
    "tcp": Manner(NETWORK_ANSWER_WITHIN, (Table.HOLDING,)),
    "rtu-over-tcp": Manner(FRAMING_WITHIN, (Table.HOLDING,)),
    "ascii-over-tcp": Manner(FRAMING_WITHIN, (Table.HOLDING,)),
}
_FIRST_ASKED = (1, 255, 0)
_FRAMERS: dict[str, type[Framer]] = {
    "tcp": TcpFramer,
    "rtu-over-tcp": RtuFramer,
    "ascii-over-tcp": AsciiFramer,
}
_SAME = 4  # units of which nobody has so many alike: the device does not look at the number


async def is_open(host: str, port: int, within: float = CONNECT_WITHIN) -> bool:
    """Tell whether somebody accepts connections there."""
    try:
        async with asyncio.timeout(within):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.transport.abort()
    return True


async def spoken(host: str, port: int, within: float | None = None) -> str | None:
    """Find out how frames are carried.

    Args:
        host: Name or address.
        port: TCP port.
        within: Seconds for each answer; `FRAMING_WITHIN` if left out.

    Returns:
        `tcp` or `rtu-over-tcp`; None if nobody answers to either.

    Raises:
        ConnectionLost: Nobody accepts connections, or they are closed at once.
    """
    tried: Sequence[tuple[str, Sequence[int]]] = (
        ("tcp", _FIRST_ASKED),
        ("rtu-over-tcp", LIKELY_UNITS),
        ("tcp", [unit for unit in LIKELY_UNITS if unit not in _FIRST_ASKED]),
    )
    within = FRAMING_WITHIN if within is None else within
    broken: ConnectionLost | None = None
    for transport, units in tried:
        try:
            if await _is_spoken(host, port, transport, units, within):
                return transport
        except ConnectionLost as error:  # many close on what they do not understand
            broken = error
    if broken is not None:
        raise broken
    return None


async def _is_spoken(
    host: str, port: int, transport: str, units: Sequence[int], within: float
) -> bool:
    """Ask until anything answers in this framing; that a gateway has nobody there tells as much."""
    async with _connected(host, port, transport, within) as (transactions, _):
        for unit in units:
            outcome = await transactions.ask(Request(unit, Table.HOLDING, 0, 1))
            if isinstance(outcome, bytes | Refusal):
                return True
    return False


@contextlib.asynccontextmanager
async def _connected(
    host: str, port: int, transport: str, within: float
) -> "AsyncIterator[tuple[Transactions, Counter[str]]]":
    evidence: Counter[str] = Counter()
    framer = _FRAMERS[transport](evidence)
    link = TcpLink(host, port)
    transactions = Transactions(link, framer, network_timing(within), evidence)
    try:
        await transactions.open()
        yield transactions, evidence
    finally:
        await transactions.close()


async def search_network(
    host: str,
    port: int,
    units: Sequence[int] | None = None,
    *,
    transport: str = "tcp",
    manner: Manner | None = None,
) -> AsyncGenerator[Step, None]:
    """Look for units behind one address; to be ended as `scan.search` is.

    A device that answers to every number alike is found once, as such.

    Raises:
        ConnectionLost: Nobody is there, or the connection broke.
    """
    if units is None:
        units = network_units() if transport == "tcp" else LIKELY_UNITS
    manner = manner or MANNERS[transport]
    each = len(manner.tables) * manner.within
    first, rest = units[:_SAME], units[_SAME:]
    async with _connected(host, port, transport, manner.within) as (transactions, evidence):
        asking = RoundCall(transactions, evidence, manner)
        met: list[Found] = []
        async with contextlib.aclosing(asking.steps(first, each)) as steps:
            async for step in steps:
                met += [step.found] if step.found else []
                left = step.seconds_left + len(rest) * each
                yield replace(step, found=None, seconds_left=left)
        if _are_alike(met):
            yield Step(first[0], replace(met[0], is_any_unit=True), 0.0)
            return
        for found in met:
            yield Step(found.unit, found, len(rest) * each)
        async with contextlib.aclosing(asking.steps(rest, each)) as steps:
            async for step in steps:
                yield step


def _are_alike(found: Sequence[Found]) -> bool:
    """Tell whether so many units are one, by who they say they are or by what they hold."""
    if len(found) < _SAME:
        return False
    one = found[0]
    if one.identity:
        return all(each.identity == one.identity for each in found)
    return all(each.answered == one.answered for each in found)
