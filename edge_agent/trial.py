"""Reads every point of a connection's devices once, and says how each device answered.

This is what `test` and `setup` show. Nothing is kept and nothing is sent.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from edge_agent import plugins
from edge_agent.conditioning import Conditioner
from edge_agent.config.model import Connection, Device
from edge_agent.driver import Settings
from edge_agent.errors import ConnectionLost, DriverError, DriverUnavailable, NoResponse
from edge_agent.model import Quality, Samples, Value, Why
from edge_agent.plugins import AnyDriver

OPEN_PATIENCE = 30.0
"""Seconds after which opening a link is given up; drivers have shorter timeouts of their own."""

Make = Callable[[str, Settings], AnyDriver]
"""Makes the driver of this name for a connection with these settings."""


class State(StrEnum):
    """How a device answered, in the words of the published contract."""

    UP = "up"
    SILENT = "silent"
    DOWN = "down"


class TrialReading(NamedTuple):
    """One point as it was read; `detail` is for people, `time` is the device's own."""

    point: str
    value: Value
    quality: Quality = Quality.GOOD
    why: Why | None = None
    detail: str = ""
    unit: str = ""
    time: int | None = None


@dataclass(frozen=True, slots=True)
class DeviceResult:
    """What one read of one device brought.

    Attributes:
        ms: Milliseconds the read took, without opening the link.
        why: A sentence, where the device was not read.
        readings: One per point, in the order of the configuration.
        ts: When the answer came, ms since 1970 UTC.
    """

    device: str
    state: State
    ms: float
    why: str
    readings: tuple[TrialReading, ...]
    ts: int = field(default_factory=lambda: time.time_ns() // 1_000_000)

    @property
    def good(self) -> int:
        """Count the readings that have a value."""
        return sum(reading.quality is not Quality.BAD for reading in self.readings)


def make_driver(name: str, settings: Settings) -> AnyDriver:
    """Make an installed driver.

    Raises:
        DriverUnavailable: It cannot be loaded.
    """
    return plugins.load(name)(settings)


async def try_connections(
    connections: Sequence[Connection], make: Make = make_driver
) -> list[DeviceResult]:
    """Read every device once, connections side by side; results in the order given."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(try_connection(each, make)) for each in connections]
    return [result for task in tasks for result in task.result()]


async def try_connection(connection: Connection, make: Make = make_driver) -> list[DeviceResult]:
    """Read every device of one connection once, one after the other.

    Failures are results, not exceptions: of the equipment, of a driver that is not installed, and
    of a driver with a fault in it, which costs only its own connection.
    """
    try:
        return await _try_connection(connection, make(connection.driver, connection.settings))
    except DriverUnavailable as error:
        why = str(error)
    except Exception as error:  # noqa: BLE001 - a bug in a driver costs only its connection
        why = (
            f"the driver {connection.driver!r} has a fault, please report it: "
            f"{type(error).__name__}: {error}"
        )
    return [_unread(device, State.DOWN, why) for device in connection.devices]


async def _try_connection(connection: Connection, driver: AnyDriver) -> list[DeviceResult]:
    try:
        problem = await _open(driver)
        if problem:
            return [_unread(device, State.DOWN, problem) for device in connection.devices]
        return [await _try_device(driver, device) for device in connection.devices]
    finally:
        await driver.close()


async def _open(driver: AnyDriver) -> str:
    """Open the link; an empty answer means that it is open."""
    try:
        async with asyncio.timeout(OPEN_PATIENCE):
            await driver.open()
    except DriverError as error:
        return str(error)
    except TimeoutError:
        return f"the link did not open within {OPEN_PATIENCE:g} s: check cable, address and power"
    return ""


async def _try_device(driver: AnyDriver, device: Device) -> DeviceResult:
    plan: Any = driver.plan([point.address for point in device.points], {})
    started = time.monotonic()
    try:
        async with asyncio.timeout(plan.patience):
            samples = await driver.read(plan)
    except ConnectionLost as error:
        return _unread(device, State.DOWN, str(error), _ms_since(started))
    except NoResponse as error:
        return _unread(device, State.SILENT, str(error), _ms_since(started))
    except TimeoutError:
        why = f"no answer within {plan.patience:g} s: check power, wiring and address"
        return _unread(device, State.SILENT, why, _ms_since(started))
    return DeviceResult(device.name, State.UP, _ms_since(started), "", _readings(device, samples))


def _readings(device: Device, samples: Samples) -> tuple[TrialReading, ...]:
    columns = Conditioner(device.points).condition(samples, time.monotonic())
    readings = []
    for index, point in enumerate(device.points):
        quality, why, detail = columns.flaws.get(index) or (Quality.GOOD, None, "")
        value = columns.values[index]
        at = columns.times.get(index)
        readings.append(TrialReading(point.name, value, quality, why, detail, point.unit, at))
    return tuple(readings)


def _unread(device: Device, state: State, why: str, ms: float = 0.0) -> DeviceResult:
    reason = Why.TIMEOUT if state is State.SILENT else Why.LINK_DOWN
    readings = (
        TrialReading(point.name, None, Quality.BAD, reason, why, point.unit)
        for point in device.points
    )
    return DeviceResult(device.name, state, ms, why, tuple(readings))


def _ms_since(started: float) -> float:
    return round((time.monotonic() - started) * 1000, 1)
