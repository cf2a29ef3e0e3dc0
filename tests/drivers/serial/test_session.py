"""A conversation is held step by step, the speed is changed when it must be, and set back."""

import asyncio
import re
from pathlib import Path

import pytest
from edge_agent_serial import SerialAddress, SerialDriver, SerialSettings
from edge_agent_serial.port import PortLink
from pydantic import ValidationError

from edge_agent.driver import ConnectionLost, NoResponse
from edge_agent.testing import DriverContract, Rig
from tests.rigs.instrument import PtyInstrument
from tests.rigs.until import until

METER = str(Path(__file__).parent / "recipes" / "meter.yaml")
READOUT = b"1.8.0(001234.5*kWh)\r\n!\r\n"
IDENT = b"/LGZ5ZMF100AC.M26\r\n"
ENERGY = SerialAddress(field="1.8.0", type="number")
UNIT = SerialAddress(field="1.8.0.unit")


def block(data: bytes) -> bytes:
    check = 0
    for byte in data + b"\x03":
        check ^= byte
    return b"\x02" + data + b"\x03" + bytes((check,))


class Meter(PtyInstrument):
    """A meter by IEC 62056-21, mode C.

    Attributes:
        speed: Its baud identification.
        heard: What was heard, each with its instant.
    """

    def __init__(self):
        super().__init__()
        self.ident, self.readout, self.mute = IDENT, block(READOUT), False
        self.pause = 0.25
        self.heard = []

    def hear(self, data):
        super().hear(data)
        self.heard.append((asyncio.get_running_loop().time(), data))
        if self.mute:
            return
        if data == b"/?!\r\n":
            self.send(self.ident)
        elif re.fullmatch(rb"\x060[0-9A-I]0\r\n", data):
            asyncio.get_running_loop().call_later(self.pause, self.send, self.readout)


@pytest.fixture
async def meter():
    meter = Meter()
    yield meter
    await meter.cut()


@pytest.fixture
def speeds(monkeypatch):
    """Note what speeds the port is set to, each with its instant."""
    speeds = []
    really = PortLink.set_baud

    def set_baud(link, baud):
        speeds.append((asyncio.get_running_loop().time(), baud))
        really(link, baud)

    monkeypatch.setattr(PortLink, "set_baud", set_baud)
    return speeds


@pytest.fixture
def sent(monkeypatch):
    """Note the instant of everything that is sent."""
    sent = {}
    really = PortLink.send

    def send(link, data):
        sent[data] = asyncio.get_running_loop().time()
        really(link, data)

    monkeypatch.setattr(PortLink, "send", send)
    return sent


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """The same recipe for a meter in a hurry, so that the tests are."""
    text = Path(METER).read_text()
    for slow, fast in (("after: 200ms", "after: 5ms"), ("timeout: 1s", "timeout: 400ms")):
        text = text.replace(slow, fast)
    path = tmp_path_factory.mktemp("recipes") / "quick.yaml"
    path.write_text(text.replace("name: meter", "name: quick"))
    return str(path)


def driver_for(meter, recipe, **more):
    more = {"transport": "serial", "recipe": recipe, "data_bits": 8, "parity": "none"} | more
    return SerialDriver(SerialSettings(port=meter.port, **more))


@pytest.fixture
async def driver(meter, quick, monkeypatch):
    monkeypatch.setattr("edge_agent_serial.conversing.QUIET", 0.01)
    meter.pause = 0.01
    driver = driver_for(meter, quick, baud=9600)
    await driver.open()
    yield driver
    await driver.close()


async def read(driver, *addresses):
    plan = driver.plan(addresses, {})
    return list(await asyncio.wait_for(driver.read(plan), plan.patience))


class TestSession(DriverContract):
    @pytest.fixture
    async def rig(self, meter, quick, monkeypatch):
        monkeypatch.setattr("edge_agent_serial.conversing.QUIET", 0.01)
        meter.pause = 0.01
        driver = driver_for(meter, quick, baud=9600)

        def silence():
            meter.mute = True

        yield Rig(driver, [ENERGY, UNIT], meter.cut, None, silence)
        await driver.close()


async def test_a_readout_takes_one_conversation_and_two_speeds(meter, speeds, sent):
    driver = driver_for(meter, METER)
    await driver.open()
    energy, unit = await read(driver, ENERGY, UNIT)
    await driver.close()
    assert (energy.value, unit.value) == (1234.5, "kWh")
    assert [data for _, data in meter.heard] == [*sent] == [b"/?!\r\n", b"\x06050\r\n"]
    asked, acknowledged = sent.values()
    assert [baud for _, baud in speeds] == [9600, 300]
    left = 6 * 10 / 300  # the acknowledgement leaves the line, and 200 ms later the speed changes
    assert speeds[0][0] - acknowledged >= left + 0.2 - 0.01
    assert acknowledged - asked < 1.5  # as IEC 62056-21 has it


async def test_the_speed_is_set_back_after_a_readout_that_fails(driver, meter, speeds):
    meter.ident = IDENT.replace(b"Z5", b"Z0")
    meter.readout = block(READOUT)[:-1] + b"!"
    with pytest.raises(NoResponse):
        await read(driver, ENERGY)
    assert [baud for _, baud in speeds] == [300, 9600]
    meter.readout = block(READOUT)
    assert (await read(driver, ENERGY))[0].value == 1234.5


async def test_a_meter_that_keeps_its_speed_is_read_at_that(driver, meter, speeds):
    assert (await read(driver, ENERGY))[0].value == 1234.5
    assert [baud for _, baud in speeds] == [9600]  # which it has already


async def test_a_speed_that_is_not_known_ends_the_session(driver, meter):
    meter.ident = IDENT.replace(b"Z5", b"Z9")
    with pytest.raises(NoResponse, match="wants the speed '9'"):
        await read(driver, ENERGY)
    await until(lambda: len(meter.heard) == 2)


async def test_a_wrong_answer_is_shown(driver, meter):
    meter.ident = b"what?\r\n"
    with pytest.raises(NoResponse, match=r"for an answer to '/\?!.*only b'what"):
        await read(driver, ENERGY)


async def test_meters_are_not_read_more_often_than_they_allow(driver, meter):
    began = asyncio.get_running_loop().time()  # its clock; the meter hears it a little later
    await read(driver, ENERGY)
    await read(driver, ENERGY)
    assert meter.heard[2][0] - began >= 0.1
    assert driver.plan([ENERGY], {}).cost == pytest.approx(0.1)


async def test_a_pulled_adapter_ends_the_conversation(driver, meter):
    meter.mute = True
    reading = asyncio.ensure_future(read(driver, ENERGY))
    await meter.asked.wait()
    await meter.cut()
    with pytest.raises(ConnectionLost, match="is lost"):
        await reading


def test_a_network_has_no_speed_to_change():
    with pytest.raises(ValidationError, match="only transport: serial"):
        SerialSettings(transport="tcp", host="10.0.0.7", port=4001, recipe=METER)
