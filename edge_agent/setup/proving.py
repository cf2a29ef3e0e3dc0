"""Reads everything that was set up: once for the summary, again and again for the dry run.

Nothing is kept and nothing is sent. What comes back is plain JSON.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from edge_agent.config.loading import parse
from edge_agent.config.model import Config
from edge_agent.errors import ConfigInvalid
from edge_agent.model import Quality
from edge_agent.setup.draft import Values
from edge_agent.setup.profile_trial import load_of
from edge_agent.setup.question import Progress
from edge_agent.setup.telling import first_values, named_points
from edge_agent.setup.traffic import bytes_per_month, messages_per_second
from edge_agent.trial import DeviceResult, try_connections

TICK = 1.0  # seconds between signs of life
PER_DEVICE = 2.0  # seconds that one device is expected to take, for the bar
PAUSE = 1.0  # seconds from the beginning of one round to the next, at least


def read_config(text: str, folder: Path) -> Config:
    """Check a configuration that is not written yet.

    Raises:
        ConfigInvalid: It has mistakes.
    """
    found = parse(text, folder)
    if found.config is None:
        raise ConfigInvalid(found.errors)
    return found.config


def survey(text: str, folder: Path, doing: str, progress: Progress) -> Values:
    """Read every device once, and work out what the configuration will send.

    Returns:
        `problem`: what is wrong with the configuration, else empty; `devices`, each with `device`,
        `state`, `why`, `ms`, `good`, `total`, `failed` (point, why) and `first`, a value as people
        know it; `rate` in messages a second, `month` in bytes, `load`: connection -> share or None.
    """
    try:
        config = read_config(text, folder)
    except ConfigInvalid as invalid:
        return {"problem": str(invalid), "devices": [], "rate": 0, "month": 0, "load": {}}
    results = asyncio.run(_read(config, doing, progress))
    values = {
        (result.device, reading.point): reading.value
        for result in results
        for reading in result.readings
    }
    first = first_values(named_points(config, folder), values)
    measured = {one.device: one.answer_time for one in results}
    return {
        "problem": "",
        "devices": [_device(one) | {"first": first.get(one.device, "")} for one in results],
        "rate": messages_per_second(config),
        "month": bytes_per_month(config, values),
        "load": {one.name: load_of(one, measured, folder) for one in config.connections},
    }


async def _read(config: Config, doing: str, progress: Progress) -> list[DeviceResult]:
    devices = sum(len(connection.devices) for connection in config.connections)
    async with _ticking(doing, devices * PER_DEVICE, progress):
        return await try_connections(config.connections)


@contextlib.asynccontextmanager
async def _ticking(doing: str, total: float, progress: Progress) -> AsyncIterator[None]:
    """Show every second that something goes on."""

    async def tick() -> None:
        began = time.monotonic()
        while True:
            progress.at(doing, time.monotonic() - began, total)
            await asyncio.sleep(TICK)

    task = asyncio.create_task(tick())
    try:
        yield
    finally:
        task.cancel()


def _device(result: DeviceResult) -> Values:
    failed = [
        {"p": one.point, "why": one.detail or (one.why.value if one.why else "")}
        for one in result.readings
        if one.quality is Quality.BAD
    ]
    return {
        "device": result.device,
        "state": result.state.value,
        "why": result.why,
        "code": result.code,
        "ms": result.ms,
        "good": result.good,
        "total": len(result.readings),
        "failed": failed,
    }


def rehearse(text: str, folder: Path, seconds: float, doing: str, progress: Progress) -> Values:
    """Read everything again and again for so many seconds; Ctrl-C ends it earlier.

    Returns:
        `seconds`, `rounds`, and `devices`, each with `device`, `rounds` in which it answered, `ok`
        and `failed` values, and `slowest` in milliseconds.
    """
    config = read_config(text, folder)
    rehearsal = _Rehearsal()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(rehearsal.run(config, seconds, doing, progress))
    return rehearsal.result()


class _Rehearsal:
    def __init__(self) -> None:
        self._began = time.monotonic()
        self._rounds = 0
        self._answered: Counter[str] = Counter()
        self._ok: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._slowest: dict[str, float] = {}

    async def run(self, config: Config, seconds: float, doing: str, progress: Progress) -> None:
        end = self._began + seconds
        async with _ticking(doing, seconds, progress):
            while True:
                next_round = time.monotonic() + PAUSE
                for result in await try_connections(config.connections):
                    self._count(result)
                self._rounds += 1
                if next_round >= end:
                    return
                await asyncio.sleep(next_round - time.monotonic())

    def _count(self, result: DeviceResult) -> None:
        name = result.device
        self._answered[name] += result.state.value == "up"
        self._ok[name] += result.good
        self._failed[name] += len(result.readings) - result.good
        self._slowest[name] = max(result.ms, self._slowest.get(name, 0.0))

    def result(self) -> dict[str, Any]:
        devices = [
            {
                "device": name,
                "rounds": self._answered[name],
                "ok": self._ok[name],
                "failed": self._failed[name],
                "slowest": slowest,
            }
            for name, slowest in self._slowest.items()
        ]
        seconds = round(time.monotonic() - self._began)
        return {"seconds": seconds, "rounds": self._rounds, "devices": devices}
