"""Many Modbus devices on one paced serial line, of which some can be unplugged; and its poller."""

import asyncio
import contextlib
import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from edge_agent_modbus import ModbusAddress, ModbusDriver, ModbusSettings

from edge_agent.clock import Clock
from edge_agent.config.model import Connection, Device, Point
from edge_agent.poller import Poller
from tests.rigs.modbus_device import Device as Plant
from tests.rigs.modbus_device import crc, with_crc
from tests.rigs.serial_line import Pieces, SerialLine

Wiring = Callable[[bytes, bytes | None], Pieces]
"""What is heard for a request and its right answer, which is None where nobody has one."""


def straight(request: bytes, answer: bytes | None) -> Pieces:
    """Wires as they should be."""
    return [] if answer is None else [(0, answer)]


class SharedLine:
    """A line with some units.

    Attributes:
        unplugged: Units that do not answer now.
        heard: Instant and unit of every request.
        wiring: What becomes of answers on their way.
    """

    def __init__(self, path: Path, units: range, baud: int = 115200) -> None:
        self.units = units
        self.unplugged: set[int] = set()
        self.heard: list[tuple[float, int]] = []
        self.plants = {unit: Plant() for unit in units}
        self.wiring: Wiring = straight
        self.think = 0.0
        self.line = SerialLine(path, self._script, baud)

    def _script(self, request: bytes) -> Pieces:
        if len(request) != 8 or crc(request[:-2]) != request[-2:]:
            return []  # two that ran into each other while this machine was busy: no device answers
        unit = request[0]
        self.heard.append((time.monotonic(), unit))
        answer = None
        if unit in self.plants and unit not in self.unplugged:
            answer = with_crc(request[:1] + self.plants[unit].answer(request[1:-2]))
        pieces = self.wiring(request, answer)
        return [(delay + self.think, data) for delay, data in pieces]

    def requests(self, *units: int, since: float = 0.0) -> list[float]:
        """Give when these units were asked."""
        return [at for at, unit in self.heard if unit in units and at >= since]

    def blocked_by(self, *units: int, since: float, at_most: float) -> float:
        """Give the seconds for which requests to these units kept the line from all others.

        Args:
            units: Which.
            since: Instant of the steady clock.
            at_most: Seconds after each request that can be due to it; later the line was idle.
        """
        heard = [(at, unit) for at, unit in self.heard if at >= since]
        return sum(
            min(after - at, at_most)
            for (at, unit), (after, _) in itertools.pairwise(heard)
            if unit in units
        )


class Kept:
    """A keeper that counts.

    Attributes:
        good, bad: Polls by device.
        states: Device, state and code of every change, in order.
    """

    def __init__(self) -> None:
        self.good: Counter[str] = Counter()
        self.bad: Counter[str] = Counter()
        self.states: list[tuple[str, str, str]] = []
        self.whys: dict[str, str] = {}
        self.times: dict[str, float] = {}

    def keep(self, group, samples, waited=0.0):
        (self.bad if len(samples.flaws) == len(samples) else self.good)[group.device] += 1

    def note(self, device, standing):
        self.states.append((device, str(standing.state), standing.code))
        self.whys[device] = standing.why

    def learn(self, device, learnt):
        pass

    def time(self, device, seconds):
        self.times[device] = seconds

    def code(self, device: str) -> str:
        return next((code for name, _, code in reversed(self.states) if name == device), "?")

    def state(self, device: str) -> str:
        return next((state for name, state, _ in reversed(self.states) if name == device), "?")


def connection(units: range, settings: ModbusSettings, *, every: float, points: int) -> Connection:
    """Configure a device for each unit: `unit-1`, `unit-2` and so on."""
    return Connection(
        "hall-3",
        "modbus",
        settings,
        tuple(
            Device(
                f"unit-{unit}",
                tuple(
                    Point(f"p{offset}", ModbusAddress(unit=unit, offset=offset), every=every)
                    for offset in range(points)
                ),
            )
            for unit in units
        ),
    )


@contextlib.asynccontextmanager
async def polling(configured: Connection) -> AsyncIterator[tuple[Poller, Kept]]:
    """Poll as the agent does."""
    kept = Kept()
    poller = Poller(configured, ModbusDriver(configured.settings), {}, kept, Clock())
    task = asyncio.create_task(poller.run())
    try:
        yield poller, kept
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
