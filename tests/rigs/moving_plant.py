"""Devices whose registers all move at every poll, so that nothing can be compressed away."""

import atexit
import copy
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from tests.rigs.agent_process import AgentProcess
from tests.rigs.modbus_plant import Plant, build
from tests.rigs.until import until

REGISTERS = 100


@cache
def _program() -> Path:
    """Compile the plant once for all tests."""
    folder = Path(tempfile.mkdtemp(prefix="moving-plant-"))
    atexit.register(shutil.rmtree, folder)
    return build(folder)


@contextmanager
def moving_plant(devices: int) -> Iterator[Plant]:
    """Run a plant of so many devices with 100 registers each."""
    plant = Plant(_program(), REGISTERS, devices=devices, moving=True)
    try:
        yield plant
    finally:
        plant.stop()


def connections(plant: Plant, every: str) -> list[dict[str, Any]]:
    """Configure a connection for each device, of which every register is a point."""
    points = {
        f"r{at}": {"address": {"table": "holding", "offset": at, "type": "uint16"}}
        for at in range(REGISTERS)
    }
    return [
        {
            "name": f"c{number}",
            "driver": "modbus",
            "settings": {"transport": "tcp", "host": "127.0.0.1", "port": port},
            "devices": [{"name": f"d{number}", "every": every, "points": points}],
        }
        for number, port in enumerate(plant.ports)
    ]


async def reload(gateway: AgentProcess, config: dict[str, Any], event: str = "reloaded") -> Any:
    """Give an agent another configuration; give what it says about it."""
    before = len(gateway.events(event))
    gateway.write(config)
    gateway.send(signal.SIGHUP)
    await until(lambda: len(gateway.events(event)) > before, 90)
    return gateway.events(event)[-1]


def _waits(gateway: AgentProcess) -> int:
    buffer = gateway.status()["buffer"]
    return buffer["readings"] + buffer["losses"]


def _states(gateway: AgentProcess) -> set[str]:
    return {device["state"] for device in gateway.status()["devices"]}


async def quieten(gateway: AgentProcess, config: dict[str, Any], seconds: float = 120) -> int:
    """Let it poll no more and wait until all is acknowledged; give the readings it made."""
    slow = copy.deepcopy(config)
    for line in slow["connections"]:
        line["settings"]["timeout"] = 10  # there is only one poll, and the machine may be busy
        for device in line["devices"]:
            device["every"] = "10h"
    await reload(gateway, slow)
    # Each poller that is made anew polls once at once: nothing is quiet before.
    await until(lambda: "starting" not in _states(gateway), seconds, pause=0.05)
    await until(lambda: not _waits(gateway), seconds, pause=0.05)
    return gateway.readings
