"""What the wizard does on a serial line between two questions: listens, searches, names. Blocks.

Everything that is seen goes into plain values, which the journal keeps. Reads only; a line on which
somebody else talks is left alone.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from edge_agent.commissioning import Progress, Values, _, port_problem
from edge_agent.driver import ConnectionLost
from edge_agent_modbus.discovery import LIKELY_SETTINGS, QUICK, LineSetting, Manner, cost
from edge_agent_modbus.finding import Finding
from edge_agent_modbus.naming import named
from edge_agent_modbus.overheard import Overheard
from edge_agent_modbus.pdu import Refusal, Table
from edge_agent_modbus.roundcall import Found
from edge_agent_modbus.scan import LineInUse, listen, search, serial_link
from edge_agent_modbus.setup_evidence import Sound, loudest

LISTEN_SECONDS = 3.0
_TICK = 0.5
_FIRST_LOOK = Manner(QUICK.within, QUICK.tables, listening=0.0, everywhere=True)
_SECOND_LOOK = Manner(QUICK.within, (Table.INPUT,), listening=0.0, everywhere=True)
"""For devices that are silent where they have no holding register."""
_SECOND_SETTINGS = 3  # of them, so that nobody waits long for what is rare


def as_values(setting: LineSetting) -> Values:
    """Write a setting as in the configuration file."""
    return {"baud": setting.baud, "parity": setting.parity, "stop_bits": setting.stop_bits}


def as_setting(values: Values) -> LineSetting:
    """Read it back."""
    return LineSetting(values["baud"], values.get("parity", "none"), values.get("stop_bits", 1))


def unable(port: str, why: str) -> Values:
    """Say why a port cannot be opened, with the doctor's code where it knows one."""
    problem = port_problem(port)
    if problem["fails"]:
        return {"problem": problem}
    return {"problem": {"code": "E-LINK-DOWN", "what": why, "action": "", "fails": True}}


def listen_first(port: str, progress: Progress) -> Values:
    """Listen to a line for a few seconds at the usual settings, without a word.

    Returns:
        `traffic`, whether somebody talks; `units` that answered, `asked` what they were asked, and
        the setting at which it was understood; or a `problem`.
    """
    try:
        return asyncio.run(_listen(port, progress))
    except ConnectionLost as error:
        return unable(port, str(error))


async def _listen(port: str, progress: Progress) -> Values:
    heard: Values = {"traffic": False, "units": [], "asked": [], "setting": None}
    for number, setting in enumerate(LIKELY_SETTINGS):
        listening = asyncio.create_task(listen(serial_link(port, setting), LISTEN_SECONDS))
        doing = _("listening at {setting}").format(setting=setting)
        await _ticked(listening, progress, doing, LISTEN_SECONDS * (1 if not number else 2))
        overheard = listening.result()
        if overheard.is_traffic:
            heard = {**heard, "traffic": True}
        if overheard.answers or not overheard.is_traffic:
            return {**heard, **(_understood(overheard, setting) if overheard.answers else {})}
    return heard


async def _ticked(
    task: "asyncio.Task[Any]", progress: Progress, doing: str, seconds: float
) -> None:
    """Tell that something goes on, until it is done."""
    done = 0.0
    while not task.done():
        progress.at(doing, done, seconds)
        await asyncio.wait([task], timeout=_TICK)
        done = min(done + _TICK, seconds)


def _understood(overheard: Overheard, setting: LineSetting) -> Values:
    asked = [
        [request.unit, str(request.table), request.offset, request.count]
        for request, answer in overheard.answers.items()
        if not isinstance(answer, Refusal)
    ]
    return {"units": overheard.units, "asked": sorted(asked), "setting": as_values(setting)}


def search_line(
    port: str,
    settings: Sequence[LineSetting],
    units: Sequence[int],
    progress: Progress,
    *,
    thorough: bool,
) -> Values:
    """Search a line for devices, and ask those that are there which model they are.

    Args:
        port: The serial port.
        settings: In this order.
        units: Which to ask at each.
        progress: Told at least twice a second.
        thorough: Where nobody answers, ask for input registers as well.

    Returns:
        `found`, one entry for each unit; what was `heard` beside at each setting; `stopped` by
        Ctrl-C; `foreign`, somebody else talks; or a `problem`.
    """
    seen: Values = {"stopped": False, "foreign": False}
    hunt = _Hunt(port, progress)
    try:
        asyncio.run(hunt.run(settings, units, thorough=thorough))
    except KeyboardInterrupt:
        seen["stopped"] = True
        hunt.name_rest()
    except LineInUse:
        seen["foreign"] = True
    except ConnectionLost as error:
        seen |= unable(port, str(error))
    found = [as_found(finding) for finding in hunt.findings]
    return {**seen, "heard": {at: dict(each) for at, each in hunt.heard.items()}, "found": found}


class _Hunt:
    """A search on one line; what it has found so far stays when it is stopped."""

    def __init__(self, port: str, progress: Progress) -> None:
        self._port, self._progress, self._is_naming = port, progress, False
        self.findings: list[Finding] = []
        self.heard: dict[str, Counter[str]] = {}

    async def run(
        self, settings: Sequence[LineSetting], units: Sequence[int], *, thorough: bool
    ) -> None:
        await self._pass(settings, units, _FIRST_LOOK)
        if thorough and not self.findings and loudest(self.heard) is Sound.SILENCE:
            await self._pass(settings[:_SECOND_SETTINGS], units, _SECOND_LOOK)
        self._is_naming = True
        await name_all(self.findings, self._progress)

    def name_rest(self) -> None:
        """Ask what was found before the search was stopped; a second Ctrl-C stops this, too."""
        if not self._is_naming:
            with contextlib.suppress(KeyboardInterrupt, ConnectionLost):
                asyncio.run(name_all(self.findings, self._progress))

    async def _pass(
        self, settings: Sequence[LineSetting], units: Sequence[int], manner: Manner
    ) -> None:
        """Try one setting after the other; what is heard is kept apart, for each tells its own."""
        started = time.monotonic()
        numbers = f"{min(units)}-{max(units)}" if len(units) > 1 else str(units[0])
        for done, setting in enumerate(settings, 1):
            met = {finding.found.unit for finding in self.findings}
            missing = [unit for unit in units if unit not in met]
            rest = cost(settings[done:], len(missing), manner)
            heard = self.heard.setdefault(str(setting), Counter())
            steps = search(self._port, [setting], missing, manner, heard)
            async with contextlib.aclosing(steps):
                async for step in steps:
                    gone, left = time.monotonic() - started, step.seconds_left + rest
                    self._progress.at(f"{setting}  id {numbers}", gone, gone + left)
                    if step.found:
                        self._note(step.found, setting)

    def _note(self, found: Found, setting: LineSetting) -> None:
        connection = {"transport": "rtu", "port": self._port, **as_values(setting)}
        self.findings.append(Finding(self._port, connection, found))
        said = _("Found: number {unit} at {setting}")
        self._progress.say(said.format(unit=found.unit, setting=setting))


async def name_all(findings: list[Finding], progress: Progress) -> None:
    """Ask every unit which model it may be; each is put in place as soon as it is known."""

    def told(_title: str, part: float, left: float) -> None:
        progress.at(_("which models are they"), part * left, left)

    by_unit = {id(finding.found): at for at, finding in enumerate(findings)}
    async for finding in named(list(findings), told):
        findings[by_unit[id(finding.found)]] = finding


def as_found(finding: Finding) -> Values:
    """Write a finding as plain values."""
    found = finding.found
    best = finding.suggestions[0] if finding.suggestions else None
    return {
        "unit": found.unit,
        "setting": as_values(found.setting) if found.setting else {},
        "ms": round(1000 * found.seconds, 1),
        "says": str(found.identity) if found.identity else "",
        "refuses": all(said.startswith("exception") for said in found.answered.values()),
        "any_unit": found.is_any_unit,
        "profiles": [each.profile for each in finding.suggestions],
        "certain": bool(best and best.is_certain),
        "value": list(best.value) if best and best.value else [],
    }
