"""Asks units that were found which profiles they may be, line by line."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from edge_agent.driver import ConnectionLost
from edge_agent.language import _
from edge_agent_modbus.finding import Finding
from edge_agent_modbus.onceread import OneDevice
from edge_agent_modbus.pdu import Outcome, Request
from edge_agent_modbus.recognising import MOST_REQUESTS, Recogniser
from edge_agent_modbus.target import validated

Told = Callable[[str, float, float], None]
"""Called with a title, the part that is done, and the seconds that are left at most."""


async def named(findings: Sequence[Finding], told: Told) -> AsyncIterator[Finding]:
    """Give each unit with the profiles that it may be; as it was where the link broke meanwhile."""
    for connection, units in _by_connection(findings):
        left = list(units)
        try:
            async with OneDevice(validated(dict(connection)), units[0].target) as device:
                while left:
                    finding = await _named(device, left[0], len(left), told)
                    left.pop(0)
                    yield finding
        except ConnectionLost:
            for finding in left:  # what was found stays found
                yield finding


async def _named(device: OneDevice, finding: Finding, left: int, told: Told) -> Finding:
    found = finding.found
    asked = 0

    async def ask(request: Request) -> Outcome:
        nonlocal asked
        per_unit = MOST_REQUESTS * found.seconds
        part = asked / MOST_REQUESTS
        told(
            _("{target}: who is unit {unit}").format(target=finding.target, unit=found.unit),
            part,
            (left - part) * per_unit,
        )
        asked += 1
        return await device.once(request)

    is_serial = finding.connection["transport"] in {"rtu", "ascii"}
    recogniser = Recogniser(ask, found.unit, is_serial=is_serial, identity=found.identity)
    return replace(finding, suggestions=tuple(await recogniser.run()))


def _by_connection(
    findings: Sequence[Finding],
) -> list[tuple[Mapping[str, Any], list[Finding]]]:
    groups: dict[tuple[tuple[str, Any], ...], list[Finding]] = {}
    for finding in findings:
        groups.setdefault(tuple(finding.connection.items()), []).append(finding)
    return [(dict(key), units) for key, units in groups.items()]
