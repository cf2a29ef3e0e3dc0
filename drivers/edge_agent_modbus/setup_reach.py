"""What the wizard does in the network between two questions: looks who is there, and how he talks.

Blocks. Only connections are opened and registers read.
"""

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Sequence

from edge_agent.commissioning import Progress, Values, _
from edge_agent.driver import ConnectionLost
from edge_agent_modbus.finding import Finding
from edge_agent_modbus.network import FRAMING_SECONDS, is_open, search_network, spoken
from edge_agent_modbus.setup_search import as_found, name_all

PORTS = (502, 503, 8899, 4196, 26, 23)
"""Where devices and serial converters listen, the likeliest first."""
UNITS = (1, 255, 0, *range(2, 17))
_AT_ONCE = 64  # connections; few enough for small routers and their tables
_CONNECT = 0.5  # seconds, in one's own network
_TICK = 0.5


def own_network() -> str:
    """Give the private /24 that this gateway is in; empty where it is in none.

    Nothing is sent: connecting a datagram socket only asks the routing table.
    """
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as end:
        try:
            end.connect(("10.255.255.255", 9))
            address = ipaddress.IPv4Address(end.getsockname()[0])
        except OSError:
            return ""
    if not address.is_private or address.is_loopback:
        return ""
    return str(ipaddress.IPv4Network(f"{address}/24", strict=False))


def sweep(network: str, progress: Progress) -> Values:
    """Try the usual ports of every address of a network.

    Returns:
        `open`: address and port of each that accepts connections; `stopped` by Ctrl-C.
    """
    found: list[list[str | int]] = []
    try:
        asyncio.run(_sweep(ipaddress.IPv4Network(network), progress, found))
    except KeyboardInterrupt:
        return {"open": found, "stopped": True}
    return {"open": sorted(found, key=_by_address), "stopped": False}


def _by_address(one: list[str | int]) -> tuple[ipaddress.IPv4Address, int]:
    return ipaddress.IPv4Address(str(one[0])), PORTS.index(int(one[1]))


async def _sweep(
    network: ipaddress.IPv4Network, progress: Progress, found: list[list[str | int]]
) -> None:
    free = asyncio.Semaphore(_AT_ONCE)
    places = [(str(host), port) for host in network.hosts() for port in PORTS]
    whole = len(places) / _AT_ONCE * _CONNECT
    done = 0

    async def look(host: str, port: int) -> None:
        nonlocal done
        async with free:
            if await is_open(host, port, _CONNECT):
                found.append([host, port])
                progress.say(f"{host}:{port}")
            done += 1
            progress.at(_("looking around"), whole * done / len(places), whole)

    async with asyncio.TaskGroup() as group:
        for host, port in places:
            group.create_task(look(host, port))


def approach(host: str, ports: Sequence[int], progress: Progress) -> Values:
    """Find out at which port somebody listens, and how he talks.

    Returns:
        `port`, `transport`, and `heard`: empty, or why nobody talks.
    """
    seen: Values = {"port": ports[0], "transport": "", "heard": "closed"}
    try:
        return asyncio.run(_approach(host, ports, progress, seen))
    except KeyboardInterrupt:
        return {**seen, "heard": _("It was stopped.")}


async def _approach(host: str, ports: Sequence[int], progress: Progress, seen: Values) -> Values:
    for port in ports:
        progress.at(f"{host}:{port}", 0.0, FRAMING_SECONDS)
        if not await is_open(host, port):
            continue
        asking = asyncio.create_task(spoken(host, port))
        done = 0.0
        while not asking.done():
            progress.at(_("how does it talk"), done, FRAMING_SECONDS)
            await asyncio.wait([asking], timeout=_TICK)
            done = min(done + _TICK, FRAMING_SECONDS)
        try:
            transport = asking.result()
        except ConnectionLost as error:
            seen = {"port": port, "transport": "", "heard": str(error)}
            continue
        if transport:
            return {"port": port, "transport": transport, "heard": ""}
        seen = {"port": port, "transport": "", "heard": "silent"}
    return seen


def search_units(settings: Values, units: Sequence[int], progress: Progress) -> Values:
    """Ask behind an address which units are there, and which models they are.

    Returns:
        As `setup_search.search_line`.
    """
    seen: Values = {"found": [], "heard": "", "stopped": False, "foreign": False}
    findings: list[Finding] = []
    try:
        asyncio.run(_search(settings, units, progress, findings))
    except KeyboardInterrupt:
        seen["stopped"] = True
        with contextlib.suppress(KeyboardInterrupt, ConnectionLost):
            asyncio.run(name_all(findings, progress))
    except ConnectionLost as error:
        seen["heard"] = str(error)
    seen["found"] = [as_found(finding) for finding in findings]
    if not findings and not seen["heard"]:
        seen["heard"] = "silent"
    return seen


async def _search(
    settings: Values, units: Sequence[int], progress: Progress, findings: list[Finding]
) -> None:
    host, port, transport = settings["host"], settings["port"], settings["transport"]
    asked = [unit for unit in units if unit or transport == "tcp"]  # 0 calls all on a serial line
    whole = 0.001
    steps = search_network(host, port, asked, transport=transport)
    async with contextlib.aclosing(steps):
        async for step in steps:
            whole = max(whole, step.seconds_left)
            progress.at(_("asking number {unit}").format(unit=step.unit),
                        whole - step.seconds_left, whole)  # fmt: skip
            if step.found:
                findings.append(Finding(f"{host}:{port}", settings, step.found))
    await name_all(findings, progress)
