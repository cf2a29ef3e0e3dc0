"""A USB adapter is pulled out and put in again, under the name that stays and under another one."""

import asyncio
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from edge_agent_modbus import ModbusAddress, ModbusDriver, ModbusSettings

from edge_agent.driver import Why
from tests.rigs.agent_process import AgentProcess, agent, configure
from tests.rigs.arrivals import heard
from tests.rigs.counter_plc import CounterPlc, Heartbeat
from tests.rigs.fault_report import judged
from tests.rigs.fault_sizes import sized
from tests.rigs.modbus_device import with_crc
from tests.rigs.mosquitto import mosquitto
from tests.rigs.moving_plant import quieten
from tests.rigs.polling import polling
from tests.rigs.serial_line import SerialLine
from tests.rigs.site import ENDLESS
from tests.rigs.until import until

BACK_WITHIN = 5.0  # seconds from plugging in to the first good reading
FIGURE = ModbusAddress(offset=0, type="uint32")
EVERY, TIMEOUT = 0.05, 0.1
SHIPPED = {"edge_agent.poller.FIRST_DELAY": 1.0, "edge_agent.poller.LAST_DELAY": 30.0}


@pytest.fixture
def counter() -> CounterPlc:
    """What answers at the other end of the line: each answer has a number of its own."""
    return CounterPlc()


@pytest.fixture
def line(tmp_path: Path, counter):
    """A line behind a link as udev makes it; each plugging in gives another terminal."""
    by_id = tmp_path / "by-id"
    by_id.mkdir()
    line = SerialLine(
        by_id / "usb-FTDI_FT232R_A10K2X3Y-if00-port0",
        lambda frame: [(0, with_crc(frame[:1] + counter.answer(frame[0], frame[1:-2])))],
    )
    line.plug()
    yield line
    line.unplug()


def driver_for(line: SerialLine) -> ModbusDriver:
    return ModbusDriver(
        ModbusSettings(transport="rtu", port=str(line.path), baud=115200, timeout=0.1)
    )


def connection(line: SerialLine) -> dict[str, Any]:
    point = {"address": {"table": "holding", "offset": 0, "type": "uint32"}}
    device = {"name": "meter", "every": f"{EVERY}s", "points": {"counter": point}}
    settings = {"transport": "rtu", "port": str(line.path), "baud": 115200, "timeout": TIMEOUT}
    return {"name": "line", "driver": "modbus", "settings": settings, "devices": [device]}


def open_files(gateway: AgentProcess) -> list[str]:
    """Give what an agent has open."""
    found = []
    for path in Path(f"/proc/{gateway.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found.append(str(path.readlink()))
    return found


def open_terminals(gateway: AgentProcess) -> int:
    """Count the terminals that an agent has open, those that are gone as well."""
    return sum(name.startswith("/dev/pts/") for name in open_files(gateway))


@sized(quick=5, full=100, thorough=True)
async def test_each_time_it_is_plugged_in_the_readings_are_back_and_no_file_stays_open(  # noqa: PLR0915 - one story
    tmp_path, line, counter, size
):
    with judged(25, f"adapter unplugged {size.amount} times", full=size.full) as outcome:
        noticed, back = [], []
        async with mosquitto(tmp_path, *ENDLESS) as port, Heartbeat() as own:
            config = configure(port, connection(line))
            with heard(port) as arrivals:
                async with agent(tmp_path, config, SHIPPED) as gateway:
                    await until(lambda: len(arrivals.values["meter"]) > 5)
                    files = len(open_files(gateway))
                    for cycle in range(size.amount):
                        bad, unplugged = arrivals.bad["meter"], time.monotonic()
                        await asyncio.to_thread(line.unplug)
                        await until(lambda bad=bad: arrivals.bad["meter"] > bad)
                        noticed.append(time.monotonic() - unplugged)
                        if cycle % 2:
                            await asyncio.sleep(EVERY)
                        line.plug()
                        good, plugged = len(arrivals.values["meter"]), time.monotonic()
                        await until(lambda good=good: len(arrivals.values["meter"]) > good)
                        back.append(time.monotonic() - plugged)
                        assert open_terminals(gateway) == 1
                    made = await quieten(gateway, config)
                    await until(lambda: arrivals.delivered >= made)
                    await until(lambda: len(open_files(gateway)) <= files)
        outcome.recovery_s = max(back)
        outcome.notes["noticed after s"] = round(max(noticed), 2)
        outcome.judge(arrivals, made=made)
        outcome.assert_nothing_lost_silently()
        values = arrivals.values["meter"]
        assert values == sorted(set(values)), "a value twice, or in a poll that is not its own"
        assert max(values) <= counter.count(), "a value that was never served"
        assert max(noticed) <= EVERY + TIMEOUT + 0.3 + own.noise, "a poll, and what it takes"
        assert max(back) <= BACK_WITHIN + own.noise


async def test_the_name_that_stays_finds_the_adapter_under_its_new_number(line):
    driver = driver_for(line)
    plan = driver.plan([FIGURE], {})
    await driver.open()
    first = line.path.readlink()
    held = os.open(first, os.O_RDWR | os.O_NOCTTY)  # so that the number is not given again
    await driver.read(plan)
    await asyncio.to_thread(line.unplug)
    await driver.close()
    line.plug()
    assert line.path.readlink() != first
    await driver.open()
    assert (await driver.read(plan)).values == [2]
    await driver.close()
    os.close(held)


async def test_a_port_that_is_gone_for_long_is_looked_for_without_end(line, monkeypatch):
    monkeypatch.setattr("edge_agent_modbus.serial_line.RETRY_SECONDS", 0.05)
    monkeypatch.setattr("edge_agent.poller.FIRST_DELAY", 60.0)  # the agent's own would be too late
    await asyncio.to_thread(line.unplug)
    async with polling(driver_for(line), every=0.05, meter=[FIGURE]) as notes:
        await until(lambda: len(notes.kept) >= 5)
        assert all(s.flaws[0].why is Why.LINK_DOWN for s in notes.of("meter"))
        assert "plug the adapter in" in notes.of("meter")[0].flaws[0].detail
        line.plug()
        await until(lambda: not notes.kept[-1][1].flaws)
