r"""Characters with a wrong parity or stop bit are counted, and no byte is changed by that."""

import os
import termios

import pytest
from edge_agent_modbus import ModbusAddress, ModbusDriver, ModbusSettings
from edge_agent_modbus.misread import Unmarking
from hypothesis import given
from hypothesis import strategies as st

from tests.drivers.modbus.conftest import rtu_script
from tests.rigs.modbus_device import Device
from tests.rigs.serial_line import SerialLine
from tests.rigs.until import until

characters = st.lists(st.tuples(st.integers(0, 255), st.booleans()))


def marked(said: list[tuple[int, bool]]) -> bytes:
    """As the kernel gives characters of which some were misread."""
    return b"".join(
        b"\xff\0" + bytes((byte,)) if spoilt else b"\xff\xff" if byte == 255 else bytes((byte,))
        for byte, spoilt in said
    )


@pytest.mark.shows("P9.2")
@given(characters, st.integers(1, 9))
def test_every_character_comes_out_once_and_every_mark_is_counted(said, size):
    unmarking, wire, plain = Unmarking(), marked(said), b""
    for at in range(0, len(wire), size):
        plain += unmarking.feed(wire[at : at + size])
    assert plain == bytes(byte for byte, _ in said)
    assert unmarking.found == sum(spoilt for _, spoilt in said)


@given(st.lists(st.binary(max_size=50)))
def test_arbitrary_bytes_bring_no_error_and_no_memory(pieces):
    unmarking = Unmarking()
    for piece in pieces:
        unmarking.feed(piece)
        assert len(unmarking._begun) <= 2


def test_a_break_is_a_zero():
    unmarking = Unmarking()
    assert unmarking.feed(b"\xff\0\0") == b"\0"
    assert unmarking.found == 1


@pytest.fixture
def line(tmp_path):
    device = Device(values={5: 0xFFFF, 6: 0xFF00, 7: 0x00FF})
    line = SerialLine(tmp_path / "tty", rtu_script(device))
    line.plug()
    yield line
    line.unplug()


def driver_of(line: SerialLine) -> ModbusDriver:
    return ModbusDriver(ModbusSettings(transport="rtu", port=str(line.path), baud=115200))


@pytest.mark.shows("P9.2")
async def test_the_kernel_is_asked_to_mark_them_and_values_stay_what_they_are(line):
    driver = driver_of(line)
    await driver.open()
    modes = termios.tcgetattr(driver._transactions._exchange._link._file)[0]
    addresses = [ModbusAddress(offset=offset) for offset in range(5, 8)]
    samples = await driver.read(driver.plan(addresses, {}))
    await driver.close()
    assert modes & termios.INPCK
    assert modes & termios.PARMRK
    assert not modes & (termios.IGNPAR | termios.ISTRIP | termios.BRKINT)
    assert samples.values == [0xFFFF, 0xFF00, 0x00FF]
    assert not driver.evidence["parity"] + driver.evidence["framing"]


@pytest.mark.shows("P9.2")
@pytest.mark.parametrize(("parity", "kind"), [("none", "framing"), ("even", "parity")])
async def test_misread_characters_are_evidence_of_the_line_and_the_unit(
    line, monkeypatch, parity, kind
):
    # A pseudo-terminal has no parity, so the marks are put where the kernel's bytes are read.
    driver = driver_of(line)
    await driver.open()
    link = driver._transactions._exchange._link
    link._misread = "parity" if parity != "none" else link._misread
    real, spoilt = os.read, [True]

    def read(file: int, most: int) -> bytes:
        data = real(file, most)
        if file == link._file and spoilt and data:
            spoilt.clear()
            return b"\xff\0" + data
        return data

    monkeypatch.setattr(os, "read", read)
    plan = driver.plan([ModbusAddress(offset=0, unit=4)], {})
    samples = await driver.read(plan)
    await until(lambda: driver.evidence[kind])
    await driver.close()
    assert samples.values == [1000]
    assert driver.noticed(plan)[kind] == driver.evidence[kind] == 1
