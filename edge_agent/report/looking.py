"""Looks at how devices stand and what they read now: through the running agent, else directly."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from edge_agent import control
from edge_agent.config.model import Config
from edge_agent.trial import DeviceResult, try_connections

LONGEST = 65.0
"""Seconds to look at what the running agent reads, at most: energies are read every minute."""
GRACE = 5.0  # seconds that the slowest point may be late
TICK = 0.5

Told = Callable[[float, float], None]
"""Is told every half second how many seconds are over, and how many there are at most."""

Json = dict[str, Any]
Readings = dict[tuple[str, str], Json]
"""The last reading of each point, by device and point: `v`, `q`, `why`, `ts`."""


class Look(NamedTuple):
    """What was seen.

    Attributes:
        status: What the running agent says of itself; None where none runs.
        devices: How each device stands: `state`, `why`, `code`, `evidence`.
    """

    status: Json | None
    devices: Mapping[str, Json]
    readings: Readings


def nobody(done: float, whole: float) -> None:
    """Tell nobody."""


def patience_for(config: Config, longest: float | None = None) -> float:
    """Give the seconds in which every point should come, but no more than `longest`."""
    devices = (device for connection in config.connections for device in connection.devices)
    slowest = max((point.every for device in devices for point in device.points), default=0.0)
    return min(slowest + GRACE, LONGEST if longest is None else longest)


def look_at(config: Config, patience: float, tell: Told = nobody) -> Look:
    """Look at everything that is configured.

    The running agent is watched until every point has come or patience is over. Where none runs,
    every point is read once.
    """
    answer = control.answering(config.buffer.path)
    if answer is None:
        results = asyncio.run(try_connections(config.connections))
        return Look(None, {one.device: _stood(one) for one in results}, dict(_read(results)))
    socket, status = answer
    readings: Readings = {}
    if status["agent"]["state"] == "polling":
        readings = _watched(config, socket, patience, tell)
        status = _after(config, status)
    devices: list[Json] = status["devices"]
    return Look(status, {one["device"]: one for one in devices}, readings)


def _watched(config: Config, socket: Path, patience: float, tell: Told) -> Readings:
    devices = (device for connection in config.connections for device in connection.devices)
    wanted = {(device.name, point.name) for device in devices for point in device.points}
    readings: Readings = {}
    begun = told = time.monotonic()
    with contextlib.suppress(OSError):  # an agent that ends meanwhile has said what it has said
        for update in control.watched(socket, "", TICK):
            readings |= _of(update) if update else {}
            now = time.monotonic()
            if wanted <= readings.keys() or now - begun >= patience:
                break
            if now - told >= TICK:
                told = now
                tell(now - begun, patience)
    return readings


def _of(update: Json) -> Readings:
    at = update["ts"]
    return {(update["device"], one["p"]): {**one, "ts": at} for one in update["readings"]}


def _after(config: Config, before: Json) -> Json:
    """Give the status behind the readings, so that both tell of the same moment."""
    found = control.answering(config.buffer.path)
    return before if found is None else found[1]


def _stood(one: DeviceResult) -> Json:
    return {"state": str(one.state), "why": one.why, "code": one.code, "evidence": {}}


def _read(results: list[DeviceResult]) -> Iterator[tuple[tuple[str, str], Json]]:
    for result in results:
        for one in result.readings:
            why = one.why.value if one.why else ""
            reading = {"v": one.value, "q": one.quality.name.lower(), "why": why, "ts": result.ts}
            yield (result.device, one.point), reading
