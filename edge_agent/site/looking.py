"""Looks at every device of a configuration, to compare it with that of a template."""

import asyncio
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from edge_agent.config import parse
from edge_agent.config.library import Library
from edge_agent.config.model import Config, Connection, Device
from edge_agent.config.profile import Profile
from edge_agent.errors import DriverError, DriverUnavailable, ProfileUnavailable
from edge_agent.model import Quality, Value
from edge_agent.report.looking import Readings, look_at
from edge_agent.site import fingerprint
from edge_agent.site.difference import Difference
from edge_agent.site.making import Prepared
from edge_agent.site.template import DevicePrint
from edge_agent.site.writing import as_yaml
from edge_agent.trial import OPEN_PATIENCE, DeviceResult, make_driver, try_connections

WATCH_SECONDS = 10.0  # for what the running agent reads; most points are polled more often
IDENTIFY_SECONDS = 10.0  # for one device; many are silent to what they do not know

Identities = Mapping[str, Mapping[str, str]]


class Looked(NamedTuple):
    """What was seen.

    Attributes:
        results: One for each device, its own points only.
        compared: The devices of which it is known what the template's was like, and that were read.
        differences: From the template, and from what the profiles say.
    """

    results: list[DeviceResult]
    compared: list[str]
    differences: list[Difference]


def look(prepared: Prepared) -> Looked:
    """Read every device once, and compare each with that of the template. Blocks."""
    document, config, there = prepared.document, prepared.config, prepared.template.fingerprints
    profiles = _profiles(document, prepared.folder)
    text = as_yaml(fingerprint.with_signs(document, profiles))
    signed = parse(text, prepared.folder).config or config
    asked = {name for name, one in there.items() if one.identity}
    results, said = asyncio.run(_read(signed, config, asked))
    values = {one.device: _values(one) for one in results}
    found: list[Difference] = []
    for link in document.get("connections") or ():
        for device in link.get("devices") or ():
            found += fingerprint.judge_signs(device, profiles, values[device["name"]])
    own = {name: fingerprint.without_signs(one) for name, one in values.items()}
    here = _prints(config, own, said)
    found += _compared(there, here)
    return Looked([_own(one) for one in results], [one for one in here if one in there], found)


def compared(prepared: Prepared) -> list[Difference]:
    """Compare every device of a configuration in force with that of the template. Blocks.

    What the running agent did not read while it was watched is not compared.
    """
    there = prepared.template.fingerprints
    if not there:
        return []
    readings = look_at(prepared.config, WATCH_SECONDS).readings
    read = {
        name: one.model_copy(
            update={"points": {p: v for p, v in one.points.items() if (name, p) in readings}}
        )
        for name, one in there.items()
    }
    return list(_compared(read, _prints(prepared.config, _good(readings), {})))


def take(config: Config) -> dict[str, DevicePrint]:
    """Say what the devices of a gateway are like; those that give no values are left out. Blocks.

    A running agent is asked what it reads, since a serial port has room for one. Where none runs,
    every device is read, and asked who it is.
    """
    seen = look_at(config, WATCH_SECONDS)
    values = _good(seen.readings)
    said = asyncio.run(_identities(config, set(values))) if seen.status is None else {}
    return _prints(config, values, said)


def _good(readings: Readings) -> dict[str, dict[str, Value]]:
    values: dict[str, dict[str, Value]] = {}
    for (device, point), reading in readings.items():
        if reading["q"] == "good":
            values.setdefault(device, {})[point] = reading["v"]
    return values


def _prints(
    config: Config, values: Mapping[str, fingerprint.Values], said: Identities
) -> dict[str, DevicePrint]:
    return {
        name: fingerprint.take(values[name], units, said.get(name, {}))
        for name, units in fingerprint.units(config).items()
        if values.get(name)
    }


def _compared(
    there: Mapping[str, DevicePrint], here: Mapping[str, DevicePrint]
) -> Iterator[Difference]:
    for name, one in there.items():
        if name in here:  # that a device gives nothing at all is told anyhow
            yield from fingerprint.compare(name, one, here[name])


async def _read(
    signed: Config, config: Config, asked: "set[str]"
) -> tuple[list[DeviceResult], Identities]:
    results = await try_connections(list(signed.connections))
    return results, await _identities(config, asked & {one.device for one in results if one.good})


async def _identities(config: Config, asked: "set[str]") -> Identities:
    said: dict[str, Mapping[str, str]] = {}
    for connection in config.connections:
        wanted = [device for device in connection.devices if device.name in asked]
        if wanted:
            with contextlib.suppress(DriverError, DriverUnavailable, TimeoutError):
                await _identify(connection, wanted, said)
    return said


async def _identify(
    connection: Connection, wanted: Sequence[Device], said: dict[str, Mapping[str, str]]
) -> None:
    """Ask devices of a connection who they are; what one has said stays, whatever comes then."""
    driver = make_driver(connection.driver, connection.settings)
    try:
        async with asyncio.timeout(OPEN_PATIENCE):
            await driver.open()
        for device in wanted:
            plan: Any = driver.plan([point.address for point in device.points], {})
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(IDENTIFY_SECONDS):
                    said[device.name] = await driver.identify(plan)
    finally:
        await driver.close()


def _values(result: DeviceResult) -> dict[str, Value]:
    return {one.point: one.value for one in result.readings if one.quality is Quality.GOOD}


def _own(result: DeviceResult) -> DeviceResult:
    """Leave out the signs, which nobody configured."""
    own = fingerprint.without_signs({one.point: None for one in result.readings})
    readings = tuple(one for one in result.readings if one.point in own)
    return DeviceResult(
        result.device, result.state, result.ms, result.why, readings, result.code, result.ts
    )


def _profiles(document: Mapping[str, Any], folder: Path) -> dict[str, Profile]:
    library, found = Library(folder), {}
    for link in document.get("connections") or ():
        for device in link.get("devices") or ():
            with contextlib.suppress(ProfileUnavailable):
                if name := device.get("profile"):
                    found[name] = library.load(link["driver"], name)
    return found
