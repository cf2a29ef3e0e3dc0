"""A USB adapter is pulled out and put in again, under the name that stays and under another one."""

import asyncio
import os
import time
from pathlib import Path

import pytest
from edge_agent_modbus import ModbusAddress, ModbusDriver, ModbusSettings

from edge_agent.driver import Why
from tests.rigs.modbus_device import Device, with_crc
from tests.rigs.polling import polling
from tests.rigs.serial_line import SerialLine
from tests.rigs.until import until

BACK_WITHIN = 5.0  # seconds from plugging in to the first good reading


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def line(tmp_path: Path):
    """A line behind a link as udev makes it; each plugging in gives another terminal."""
    device = Device()
    by_id = tmp_path / "by-id"
    by_id.mkdir()
    line = SerialLine(
        by_id / "usb-FTDI_FT232R_A10K2X3Y-if00-port0",
        lambda frame: [(0, with_crc(frame[:1] + device.answer(frame[1:-2])))],
    )
    line.plug()
    yield line
    line.unplug()
    assert device.writes == []


def driver_for(line: SerialLine) -> ModbusDriver:
    return ModbusDriver(
        ModbusSettings(transport="rtu", port=str(line.path), baud=115200, timeout=0.1)
    )


@pytest.mark.parametrize(
    "cycles",
    [
        pytest.param(5, marks=pytest.mark.thorough),
        pytest.param(100, marks=[pytest.mark.faults, pytest.mark.timeout(600)]),
    ],
)
async def test_each_time_it_is_plugged_in_the_readings_are_back_and_no_file_stays_open(
    line, cycles
):
    taken, files = [], set()
    async with polling(driver_for(line), every=0.05, meter=[ModbusAddress(offset=7)]) as notes:
        await until(lambda: any(not s.flaws for s in notes.of("meter")))
        for cycle in range(cycles):
            before = len(notes.kept)
            await asyncio.to_thread(line.unplug)
            await until(lambda: _last_why(notes) is Why.LINK_DOWN, 3)
            if cycle % 2:
                await asyncio.sleep(0.05)
            line.plug()
            plugged = time.monotonic()
            await until(lambda: not notes.kept[-1][1].flaws, BACK_WITHIN)
            taken.append(time.monotonic() - plugged)
            files.add(open_files())
            assert all(s.values in ([1007], [None]) for _, s in notes.kept[before:])
    assert max(taken) <= BACK_WITHIN
    assert len(files) == 1, f"file descriptors grow: {sorted(files)}"
    print(f"{cycles} cycles, slowest {max(taken):.2f} s")  # the figure of the fault run


def _last_why(notes) -> Why | None:
    flaws = notes.kept[-1][1].flaws
    return flaws[0].why if flaws else None


async def test_the_name_that_stays_finds_the_adapter_under_its_new_number(line):
    driver = driver_for(line)
    plan = driver.plan([ModbusAddress(offset=7)], {})
    await driver.open()
    first = line.path.readlink()
    held = os.open(first, os.O_RDWR | os.O_NOCTTY)  # so that the number is not given again
    await driver.read(plan)
    await asyncio.to_thread(line.unplug)
    await driver.close()
    line.plug()
    assert line.path.readlink() != first
    await driver.open()
    assert (await driver.read(plan)).values == [1007]
    await driver.close()
    os.close(held)


async def test_a_port_that_is_gone_for_long_is_looked_for_without_end(line, monkeypatch):
    monkeypatch.setattr("edge_agent_modbus.serial_line.RETRY_SECONDS", 0.05)
    monkeypatch.setattr("edge_agent.poller.FIRST_DELAY", 60.0)  # the agent's own would be too late
    await asyncio.to_thread(line.unplug)
    async with polling(driver_for(line), every=0.05, meter=[ModbusAddress(offset=7)]) as notes:
        await until(lambda: len(notes.kept) >= 5)
        assert all(s.flaws[0].why is Why.LINK_DOWN for s in notes.of("meter"))
        assert "plug the adapter in" in notes.of("meter")[0].flaws[0].detail
        line.plug()
        await until(lambda: not notes.kept[-1][1].flaws, 2)
