"""Reads every point of a connection's devices once, and says how each device answered.

This is what `test` and `setup` show. Nothing is kept and nothing is sent.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from edge_agent import plugins
from edge_agent.conditioning import Conditioner
from edge_agent.config.model import Connection, Device
from edge_agent.driver import Plan, Settings
from edge_agent.errors import ConnectionLost, DriverError, DriverUnavailable, NoResponse
from edge_agent.language import _
from edge_agent.model import Quality, Samples, Value, Why
from edge_agent.plugins import AnyDriver
from edge_agent.standing import DEVICE_SILENT, LINK_DOWN

OPEN_PATIENCE = 30.0
"""Seconds after which opening a link is given up; drivers have shorter timeouts of their own."""

Make = Callable[[str, Settings], AnyDriver]
"""Makes the driver of this name for a connection with these settings."""

Prompt = Callable[[str, str], None]
"""Tells somebody at which device to do what now, since the read waits for that."""


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
        why: A sentence, where the device was not read, or something is wrong with what it answers.
        readings: One per point, in the order of the configuration.
        code: `E-...`, what the documentation explains that under.
        ts: When the answer came, ms since 1970 UTC.
        answer_time: Seconds from a request to its answer, without the time both are on the wire, as
            far as one read tells that; None where it brought nothing, or its driver does not know
            what a read costs.
    """

    device: str
    state: State
    ms: float
    why: str
    readings: tuple[TrialReading, ...]
    code: str = ""
    ts: int = field(default_factory=lambda: time.time_ns() // 1_000_000)
    answer_time: float | None = None

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


def no_prompt(device: str, action: str) -> None:
    """Tell nobody."""


async def try_connections(
    connections: Sequence[Connection], make: Make = make_driver, prompt: Prompt = no_prompt
) -> list[DeviceResult]:
    """Read every device once, connections side by side; results in the order given."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(try_connection(each, make, prompt)) for each in connections]
    return [result for task in tasks for result in task.result()]


async def try_connection(
    connection: Connection, make: Make = make_driver, prompt: Prompt = no_prompt
) -> list[DeviceResult]:
    """Read every device of one connection once, one after the other.

    Failures are results, not exceptions: of the equipment, of a driver that is not installed, and
    of a driver with a fault in it, which costs only its own connection.
    """
    try:
        driver = make(connection.driver, connection.settings)
        return await _try_connection(connection, driver, prompt)
    except DriverUnavailable as error:
        why = str(error)
    except Exception as error:  # noqa: BLE001 - a bug in a driver costs only its connection
        why = _("the driver {driver!r} has a fault, please report it: {kind}: {error}").format(
            driver=connection.driver, kind=type(error).__name__, error=error
        )
    return [_unread(device, State.DOWN, why) for device in connection.devices]


async def _try_connection(
    connection: Connection, driver: AnyDriver, prompt: Prompt
) -> list[DeviceResult]:
    try:
        why, code = await _open(driver)
        if why:
            return [_unread(device, State.DOWN, why, code=code) for device in connection.devices]
        return [await _try_device(driver, device, prompt) for device in connection.devices]
    finally:
        await driver.close()


async def _open(driver: AnyDriver) -> tuple[str, str]:
    """Open the link; give why it is not open, if so, and the code of that."""
    try:
        async with asyncio.timeout(OPEN_PATIENCE):
            await driver.open()
    except DriverError as error:
        return str(error), getattr(error, "code", "") or LINK_DOWN
    except TimeoutError:
        why = _(
            "the link did not open within {open_patience:g} s: check cable, address and power"
        ).format(open_patience=OPEN_PATIENCE)
        return why, LINK_DOWN
    return "", ""


async def _try_device(driver: AnyDriver, device: Device, prompt: Prompt) -> DeviceResult:
    plan: Any = driver.plan([point.address for point in device.points], {})
    if plan.action:
        prompt(device.name, plan.action)
    started, before = time.monotonic(), _noticed(driver, plan)
    try:
        async with asyncio.timeout(plan.patience):
            samples = await driver.read(plan)
    except ConnectionLost as error:
        code = error.code or LINK_DOWN
        return _unread(device, State.DOWN, str(error), _ms_since(started), code)
    except NoResponse as error:
        return _unread(device, State.SILENT, str(error), _ms_since(started), DEVICE_SILENT)
    except TimeoutError:
        why = _("no answer within {patience:g} s: check power, wiring and address").format(
            patience=plan.patience
        )
        return _unread(device, State.SILENT, why, _ms_since(started), DEVICE_SILENT)
    ms = _ms_since(started)
    why, code = _remark(driver, _noticed(driver, plan) - before, samples)
    readings = _readings(device, samples)
    return DeviceResult(
        device.name, State.UP, ms, why, readings, code, answer_time=_answer_time(plan, ms)
    )


def _answer_time(plan: Plan[Any], ms: float) -> float | None:
    if not plan.cost:
        return None
    return max(0.0, ms / 1000 - plan.cost) / max(1, plan.requests)


def _noticed(driver: AnyDriver, plan: Any) -> "Counter[str]":
    """Give what the driver has noticed of a device so far; of its line, where it cannot tell."""
    found = driver.noticed(plan)
    return Counter(driver.evidence if found is None else found)


def _remark(driver: AnyDriver, noticed: "Counter[str]", samples: Samples) -> tuple[str, str]:
    """Say what is wrong with a device although it answers, and the code of that."""
    refused = sum(flaw.why is Why.REFUSED for flaw in samples.flaws.values())
    found = driver.diagnose({"reads": 1, "answered": 1, "refused": refused, **noticed})
    return ("", "") if found is None else (f"{_(found.sentence)}; {_(found.action)}", found.code)


def _readings(device: Device, samples: Samples) -> tuple[TrialReading, ...]:
    columns = Conditioner(device.points).condition(samples, time.monotonic())
    readings = []
    for index, point in enumerate(device.points):
        quality, why, detail = columns.flaws.get(index) or (Quality.GOOD, None, "")
        value = columns.values[index]
        at = columns.times.get(index)
        readings.append(TrialReading(point.name, value, quality, why, detail, point.unit, at))
    return tuple(readings)


def _unread(
    device: Device, state: State, why: str, ms: float = 0.0, code: str = ""
) -> DeviceResult:
    reason = Why.TIMEOUT if state is State.SILENT else Why.LINK_DOWN
    readings = (
        TrialReading(point.name, None, Quality.BAD, reason, why, point.unit)
        for point in device.points
    )
    return DeviceResult(device.name, state, ms, why, tuple(readings), code)


def _ms_since(started: float) -> float:
    return round((time.monotonic() - started) * 1000, 1)
