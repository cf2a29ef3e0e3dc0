"""Looks at every target for devices: lines one after the other, addresses of a network together."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from edge_agent.driver import ConnectionLost
from edge_agent.language import _
from edge_agent_modbus.diagnosis import diagnose
from edge_agent_modbus.discovery import (
    NETWORK_ANSWER_WITHIN,
    QUICK_WITHIN,
    LineSetting,
    Manner,
    cost,
)
from edge_agent_modbus.faults import Fault
from edge_agent_modbus.finding import Finding
from edge_agent_modbus.naming import named
from edge_agent_modbus.network import FRAMING_SECONDS, is_open, search_network, spoken
from edge_agent_modbus.overheard import Overheard
from edge_agent_modbus.roundcall import Step
from edge_agent_modbus.scan import LineInUse, search
from edge_agent_modbus.target import Endpoint, Line, Subnet, Target

_TICK = 0.5  # seconds
_AT_ONCE = 64  # addresses of a network; few enough for small routers and their tables


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why nothing was found at a target.

    Attributes:
        code: That of the fault, as `faults` has them; another where it is none of a line.
        overheard: What somebody else says on that line.
    """

    target: str
    code: str
    message: str
    overheard: Overheard | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What to look for.

    Attributes:
        settings: How a serial line may be set, where the target does not say it.
        units: Which to ask.
        manner: How to ask on a serial line.
        network_units: Which to ask in the network; None for the likely ones.
    """

    settings: Sequence[LineSetting]
    units: Sequence[int]
    manner: Manner
    network_units: Sequence[int] | None = None


@dataclass(slots=True)
class Report:
    """What was found so far, and whom to tell.

    Attributes:
        found: Called with each finding, once it is known which profiles it may be.
        told: Called with a title, the part that is done, and the seconds that are left.
        waiting: Findings of which nobody was told yet.
    """

    found: Callable[[Finding], None] = lambda _: None
    told: Callable[[str, float, float], None] = lambda *_: None
    findings: list[Finding] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    waiting: list[Finding] = field(default_factory=list)

    def note(self, finding: Finding) -> None:
        """Take a finding."""
        self.findings.append(finding)
        self.waiting.append(finding)

    def name(self, finding: Finding) -> None:
        """Take a finding of before, now with the profiles that it may be, and tell it."""
        same = [known for known in self.waiting if known.found is finding.found]
        for known in same:
            self.waiting.remove(known)
            self.findings[self.findings.index(known)] = finding
        self.found(finding)

    def end(self) -> None:
        """Tell what could not be named any more."""
        while self.waiting:
            self.found(self.waiting.pop(0))


async def hunt(targets: Sequence[Target], wish: Wish, report: Report) -> None:
    """Look at every target; what is found is in the report as soon as it is known."""
    for target in targets:
        if isinstance(target, Line):
            await _line(target, wish, report)
        elif isinstance(target, Endpoint):
            await _endpoint(target, wish, report)
        else:
            await _subnet(target, wish, report)


async def _line(line: Line, wish: Wish, report: Report) -> None:
    settings = [line.setting] if line.setting else wish.settings
    whole = cost(settings, len(wish.units), wish.manner)

    def connection(step: Step) -> dict[str, Any]:
        setting = step.setting or settings[0]
        given = {"transport": "rtu", "port": line.port, "baud": setting.baud}
        more = {"parity": setting.parity, "stop_bits": setting.stop_bits}
        return given | more

    heard: Counter[str] = Counter()
    steps = search(line.port, settings, wish.units, wish.manner, heard)
    listening = _("{line}: listening").format(line=line), wish.manner.listening + whole
    await _follow(str(line), _ticked(steps, report, *listening), connection, heard, report)


async def _endpoint(endpoint: Endpoint, wish: Wish, report: Report) -> None:
    try:
        async with _ticking(
            report, _("{endpoint}: which framing").format(endpoint=endpoint), FRAMING_SECONDS
        ):
            transport = endpoint.transport or await spoken(endpoint.host, endpoint.port)
    except ConnectionLost as error:
        report.troubles.append(Trouble(str(endpoint), "E-LINK-DOWN", str(error)))
        return
    if transport is None:
        report.troubles.append(_silent(str(endpoint), {}))
        return
    given = {"transport": transport, "host": endpoint.host, "port": endpoint.port}
    manner = Manner(NETWORK_ANSWER_WITHIN) if wish.manner.within > QUICK_WITHIN else None
    steps = search_network(
        endpoint.host, endpoint.port, wish.network_units, transport=transport, manner=manner
    )
    await _follow(str(endpoint), steps, lambda _: given, Counter(), report)


@contextlib.asynccontextmanager
async def _ticking(report: Report, title: str, seconds: float) -> AsyncIterator[None]:
    """Go on telling that something is being done, of which no part can be told."""

    async def tick() -> None:
        left = seconds
        while True:
            report.told(title, 1 - max(left, 0.0) / seconds, max(left, 0.0))
            await asyncio.sleep(_TICK)
            left -= _TICK

    ticker = asyncio.create_task(tick())
    try:
        yield
    finally:
        ticker.cancel()


async def _ticked(
    steps: AsyncGenerator[Step, None], report: Report, title: str, seconds: float
) -> AsyncGenerator[Step, None]:
    """Tell that something is being done until the first step."""
    async with contextlib.aclosing(steps):
        async with _ticking(report, title, seconds):
            first = await anext(steps, None)
        if first is not None:
            yield first
        async for step in steps:
            yield step


async def _follow(
    target: str,
    steps: AsyncGenerator[Step, None],
    connection: Callable[[Step], dict[str, Any]],
    heard: "Counter[str]",
    report: Report,
) -> None:
    """Take what a search finds, or why it found nothing."""
    try:
        found = await _take(target, steps, connection, report)
    except LineInUse as used:
        code = Fault.FOREIGN.value.code
        report.troubles.append(Trouble(target, code, str(used), used.overheard))
    except ConnectionLost as error:
        report.troubles.append(Trouble(target, "E-LINK-DOWN", str(error)))
    else:
        if not found:
            report.troubles.append(_silent(target, heard))
        async for finding in named(found, report.told):
            report.name(finding)


async def _take(
    target: str,
    steps: AsyncGenerator[Step, None],
    connection: Callable[[Step], dict[str, Any]],
    report: Report,
) -> list[Finding]:
    """Take what a search finds, and give it."""
    found = []
    async with contextlib.aclosing(_told(target, steps, report)) as told:
        async for step in told:
            if step.found:
                found.append(Finding(target, connection(step), step.found))
                report.note(found[-1])
    return found


async def _told(
    target: str, steps: AsyncGenerator[Step, None], report: Report
) -> AsyncGenerator[Step, None]:
    """Tell how far a search is, and close it at the end."""
    whole = 0.001
    async with contextlib.aclosing(steps):
        async for step in steps:
            whole = max(whole, step.seconds_left)
            where = (
                _("{target} at {setting}").format(target=target, setting=step.setting)
                if step.setting
                else target
            )
            report.told(where, 1 - step.seconds_left / whole, step.seconds_left)
            yield step


def _silent(target: str, heard: Mapping[str, int]) -> Trouble:
    """Say what is most likely wrong where nobody has answered."""
    found = diagnose(heard, of_frames=target.startswith("/"))
    code, sentence, action = found or Fault.SILENT.value
    return Trouble(target, code, f"{sentence}: {action}")


async def _subnet(subnet: Subnet, wish: Wish, report: Report) -> None:
    """Look at every address that accepts connections; of the others nothing is said."""
    endpoints = subnet.endpoints
    free = asyncio.Semaphore(_AT_ONCE)
    done = 0

    async def look(endpoint: Endpoint) -> None:
        nonlocal done
        async with free:
            if await is_open(endpoint.host, endpoint.port):
                await _endpoint(endpoint, wish, quiet)
        done += 1
        left = len(endpoints) - done
        report.told(str(subnet), done / len(endpoints), left / _AT_ONCE)

    names = {str(endpoint) for endpoint in endpoints}
    quiet = replace(report, told=lambda *_: None)  # beside each other they would talk across
    async with asyncio.TaskGroup() as group:
        for endpoint in endpoints:
            group.create_task(look(endpoint))
    if not any(finding.target in names for finding in report.findings):
        message = _("no address of {subnet} answers on port {port}").format(
            subnet=subnet, port=endpoints[0].port
        )
        report.troubles.append(Trouble(str(subnet), "E-NET-SILENT", message))
