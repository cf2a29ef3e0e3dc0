"""FTDI adapters that hold back what they hear are named, with what ends it."""

import pytest
from edge_agent_modbus import ModbusDriver, ModbusSettings, adapter
from edge_agent_modbus.faults import Fault

from tests.drivers.modbus.conftest import rtu_script
from tests.rigs.modbus_device import Device
from tests.rigs.serial_line import SerialLine


@pytest.fixture
def devices(tmp_path):
    """What the kernel lists, with one FTDI adapter as it is plugged in."""
    folder = tmp_path / "devices"
    (folder / "ttyUSB0").mkdir(parents=True)
    (folder / "ttyUSB0" / "latency_timer").write_text("16\n")
    (tmp_path / "ttyUSB0").touch()
    return folder


@pytest.mark.shows("P5.4")
def test_a_slow_adapter_is_named_with_what_ends_it(devices, tmp_path):
    name = tmp_path / "usb-FTDI-if00-port0"  # as in /dev/serial/by-id
    name.symlink_to(tmp_path / "ttyUSB0")
    (sentence,) = adapter.advice(str(name), devices)
    assert "up to 16 ms" in sentence
    assert f"echo 1 | sudo tee {devices}/ttyUSB0/latency_timer" in sentence
    assert 'DRIVER=="ftdi_sio", ATTR{latency_timer}="1"' in sentence


@pytest.mark.parametrize("content", ["1", "0", "", "much"])
def test_a_fast_adapter_or_one_that_cannot_be_read_is_no_news(devices, tmp_path, content):
    (devices / "ttyUSB0" / "latency_timer").write_text(content)
    assert adapter.advice(str(tmp_path / "ttyUSB0"), devices) == []


def test_ports_without_such_a_timer_are_no_news(devices):
    assert adapter.advice("/dev/ttyS0", devices) == []
    assert adapter.latency("/dev/ttyS0") is None


@pytest.mark.shows("P5.4")
async def test_the_driver_reports_it_beside_its_other_advice(devices, tmp_path, monkeypatch):
    line = SerialLine(tmp_path / "tty", rtu_script(Device()))
    line.plug()
    name = line.path.resolve().name
    (devices / name).mkdir()
    (devices / name / "latency_timer").write_text("16\n")
    monkeypatch.setattr(adapter, "DEVICES", devices)
    driver = ModbusDriver(ModbusSettings(transport="rtu", port=str(line.path), baud=115200))
    assert driver.advice() == []
    await driver.open()
    await driver.close()
    line.unplug()
    assert ["latency_timer" in sentence for sentence in driver.advice()] == [True]
    late = driver.diagnose({"reads": 5, "late": 5})
    assert late.code == Fault.LATE.value.code
    assert late.action.startswith(Fault.LATE.value.action)
    assert "udev" in late.action
    silent = driver.diagnose({"reads": 5})
    assert "udev" not in silent.action
