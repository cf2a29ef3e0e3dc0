"""Another master's polling becomes values, and not a byte is sent."""

import asyncio
import contextlib
import json
import time

import pytest
from edge_agent_modbus import ModbusAddress, ModbusDriver, ModbusSettings
from edge_agent_modbus.hearsay import Hearsay
from edge_agent_modbus.overheard import Overheard
from edge_agent_modbus.pdu import Refusal, Request, Table
from pydantic import ValidationError
from pymodbus.client import AsyncModbusSerialClient

from edge_agent.cli import main
from edge_agent.driver import ConnectionLost, NoResponse, Why
from edge_agent.testing import DriverContract, Rig
from tests.rigs.instrument import PtyInstrument
from tests.rigs.modbus_device import Device, with_crc
from tests.rigs.serial_line import SerialLine
from tests.rigs.until import until

HOLDING_5 = "0300050002"
INPUT_100 = "0400640001"
COILS = "0100000018"
REFUSED = "0307d00001"
FRESH = 0.5  # seconds


def request(pdu: str, unit: int = 3) -> bytes:
    return with_crc(bytes((unit,)) + bytes.fromhex(pdu))


def answer(pdu: str, unit: int = 3) -> bytes:
    return with_crc(bytes((unit,)) + Device().answer(bytes.fromhex(pdu)))


def talk(*pdus: str, unit: int = 3) -> bytes:
    return b"".join(request(pdu, unit) + answer(pdu, unit) for pdu in pdus)


class Line(PtyInstrument):
    """A line on which another master polls; whoever listens must stay silent."""

    async def poll(self, *pdus: str, every: float = 0.01) -> None:
        while True:
            for pdu in pdus:
                self.send(request(pdu))
                await asyncio.sleep(every / 2)
                self.send(answer(pdu))
                await asyncio.sleep(every / 2)


@pytest.fixture
async def line():
    line = Line()
    yield line
    await line.cut()
    assert line.requests == [], "something was sent"


@pytest.fixture
async def tap(line):
    driver = ModbusDriver(settings(line))
    await driver.open()
    yield driver
    await driver.close()


def later(seconds, *call):
    asyncio.get_running_loop().call_later(seconds, *call)


def settings(line, **more):
    more = {"transport": "rtu", "baud": 19200, "listen": True, "timeout": FRESH} | more
    return ModbusSettings(port=line.port, **more)


def of(offset, **more):
    return ModbusAddress(**{"unit": 3, "table": "holding", "offset": offset} | more)


async def read(driver, *addresses):
    return list(await driver.read(driver.plan(addresses, {})))


async def test_values_are_cut_out_of_what_another_master_is_answered(tap, line):
    line.send(talk(HOLDING_5, INPUT_100, COILS))
    samples = await read(
        tap,
        of(6),
        of(5, type="uint32"),
        of(100, table="input"),
        of(3, table="coil", type="bool"),
    )
    device = Device()
    register = int.from_bytes(device.answer(bytes.fromhex("0300060001"))[2:], "big")
    both = int.from_bytes(device.answer(bytes.fromhex(HOLDING_5))[2:], "big")
    analogue = int.from_bytes(device.answer(bytes.fromhex(INPUT_100))[2:], "big")
    coil = bool(device.answer(bytes.fromhex("0100030001"))[2] & 1)
    assert [sample.value for sample in samples] == [register, both, analogue, coil]
    assert tap.evidence["overheard"] == 3


async def test_what_waits_in_the_port_while_this_process_is_held_up_is_heard(tap, line):
    line.send(talk(HOLDING_5))
    time.sleep(tap._tap.fresh + 0.05)  # noqa: ASYNC251 - the event loop must not look meanwhile
    assert [sample.flaw for sample in await read(tap, of(5))] == [None]


async def test_a_value_is_handed_out_once_and_then_stale(tap, line):
    line.send(talk(HOLDING_5, INPUT_100))
    assert all(not s.flaw for s in await read(tap, of(5), of(100, table="input")))
    later(0.05, line.send, talk(INPUT_100))
    stale, fresh = await read(tap, of(5), of(100, table="input"))
    assert (stale.value, stale.flaw.why, fresh.flaw) == (None, Why.STALE, None)
    with pytest.raises(NoResponse, match=r"nobody asked for unit 3 holding:5 x1 for 0.5 s"):
        await read(tap, of(5))


async def test_a_value_of_two_registers_that_came_in_two_answers_is_none(tap, line):
    later(0.05, line.send, talk("0300050001", "0300060001"))
    long, short = await read(tap, of(5, type="uint32"), of(5))
    assert (long.flaw.why, short.flaw) == (Why.STALE, None)


async def test_refusals_are_bad_and_spoil_no_other(tap, line):
    line.send(talk(HOLDING_5, REFUSED))
    good, refused = await read(tap, of(5), of(2000))
    assert good.flaw is None
    assert (refused.value, refused.flaw.why) == (None, Why.REFUSED)
    assert "exception 2" in refused.flaw.detail


async def test_a_device_that_gives_the_other_master_no_answer_is_silent_here_too(tap, line):
    line.send(request(HOLDING_5) + talk(INPUT_100, unit=9))
    with pytest.raises(NoResponse, match="unit 3 holding:5 x2: the other master got no answer"):
        await read(tap, of(5))


async def test_the_other_master_s_writes_are_no_values(tap, line):
    several = request("1000050002" + "04" + "00010002")  # 16: two registers from 5
    line.send(several + request("1000050002") + request("0600050007") * 2)
    await until(lambda: tap.evidence["foreign_writes"] >= 3)
    with pytest.raises(NoResponse):
        await read(tap, of(5))


async def test_a_message_inside_what_is_written_is_none(tap, line):
    hidden = request(HOLDING_5)[:-2] + request(HOLDING_5)[-2:]
    written = bytes.fromhex("1000050004") + bytes((8,)) + hidden
    line.send(request(written.hex()) + answer(HOLDING_5))
    with pytest.raises(NoResponse):
        await read(tap, of(5))


async def test_what_cannot_be_understood_is_named(tap, line):
    line.send(b"ST,GS,+  12.34kg\r\n" * 3)
    with pytest.raises(NoResponse, match="no Modbus RTU is understood in it: check baud"):
        await read(tap, of(5))


async def test_a_pulled_adapter_is_a_lost_link(tap, line):
    reading = asyncio.ensure_future(read(tap, of(5)))
    await asyncio.sleep(0)
    await line.cut()
    with pytest.raises(ConnectionLost, match="is gone"):
        await reading


def understood(*pieces) -> Overheard:
    """Hear pieces, each with its instant."""
    overheard = Overheard()
    for at, data in pieces:
        overheard.feed(data, at)
    return overheard


def test_a_late_answer_is_never_the_answer_to_the_next_request():
    other = "0300070002"  # of the same shape
    heard = understood(
        (0.0, request(HOLDING_5)),
        (1.0, request(other)),  # the master has waited for a second
        (1.1, answer(HOLDING_5)),  # late, and no more to be told from the one wanted
        (1.2, request(other)),
        (1.3, answer(other)),
    )
    assert [r for r, a in heard.take() if isinstance(a, bytes)] == []
    assert heard.ambiguous == 2
    heard.feed(request(other) + answer(other), 2.5)
    assert [r.offset for r, a in heard.take()] == [7]


def test_one_that_is_asked_again_and_nothing_else_is_not_ambiguous():
    heard = understood(
        (0.0, request(HOLDING_5)), (1.0, request(HOLDING_5)), (1.1, answer(HOLDING_5))
    )
    assert [a for _, a in heard.take()][-1] == Device().answer(bytes.fromhex(HOLDING_5))[2:]


def test_an_answer_behind_a_damaged_request_is_nobody_s():
    other = "0300070002"
    damaged = bytearray(answer(HOLDING_5) + request(other))
    damaged[4] ^= 1
    damaged[-3] ^= 1
    heard = understood((0.0, request(HOLDING_5)), (0.1, bytes(damaged)), (0.2, answer(other)))
    assert heard.take() == []
    assert heard.ambiguous == 1


def test_bits_are_cut_where_they_stand():
    hearsay = Hearsay()
    hearsay.note(Request(1, Table.COIL, 8, 16), bytes((0b10110001, 0b1)), now=1.0)
    found = hearsay.newest(Request(1, Table.COIL, 12, 5))
    assert found.answer == bytes((0b11011,))
    hearsay.note(Request(1, Table.COIL, 0, 24), Refusal(2), now=2.0)
    assert hearsay.newest(Request(1, Table.COIL, 12, 5)).answer == Refusal(2)
    assert hearsay.newest(Request(1, Table.COIL, 20, 5)) is None
    assert hearsay.newest(Request(1, Table.DISCRETE, 12, 5)) is None


def test_requests_of_a_master_that_asks_for_everything_cost_no_memory():
    hearsay = Hearsay()
    for offset in range(5000):
        hearsay.note(Request(1, Table.HOLDING, offset, 1), b"\0\0", now=1.0)
    assert hearsay.newest(Request(1, Table.HOLDING, 4499, 1)) is None
    assert hearsay.newest(Request(1, Table.HOLDING, 4500, 1)) is not None


@pytest.mark.parametrize(
    ("more", "advice"),
    [
        ({"transport": "tcp", "host": "10.0.0.1"}, "transport: rtu"),
        ({"transport": "ascii"}, "transport: rtu"),
        ({"connection": "per_cycle"}, "must not hang up"),
    ],
)
def test_what_cannot_be_listened_to_is_refused(more, advice):
    given = {"transport": "rtu", "port": "/dev/ttyUSB0", "baud": 9600, "listen": True} | more
    if given["transport"] == "tcp":
        given |= {"port": 502}
        del given["baud"]
    with pytest.raises(ValidationError, match=advice):
        ModbusSettings.model_validate(given)


class TestTap(DriverContract):
    @pytest.fixture
    async def rig(self, line):
        polling = asyncio.ensure_future(line.poll(HOLDING_5, REFUSED))
        driver = ModbusDriver(settings(line))

        async def silence():
            polling.cancel()
            await asyncio.gather(polling, return_exceptions=True)
            await asyncio.sleep(0.05)
            with contextlib.suppress(NoResponse):  # what was said already is handed out
                await read(driver, of(5), of(6))

        async def cut():
            polling.cancel()
            await line.cut()

        yield Rig(driver, [of(5), of(6)], cut, of(2000), silence)
        await driver.close()
        await cut()


@pytest.fixture
async def busy(line):
    polling = asyncio.ensure_future(line.poll(HOLDING_5, REFUSED))
    yield line
    polling.cancel()
    await asyncio.gather(polling, return_exceptions=True)


async def scan(*words):
    return await asyncio.to_thread(main, ["scan", *words])


async def test_scan_shows_what_it_hears(busy, capfd):
    words = ("--listen", busy.port, "--baud", "19200", "--seconds", "0.2")
    assert await scan(*words, "--json") == 0
    found = json.loads(capfd.readouterr().out)
    first = found["heard"][0]
    assert (first["unit"], first["table"], first["offset"], first["count"]) == (3, "holding", 5, 2)
    assert first["answer"] == Device().answer(bytes.fromhex(HOLDING_5))[2:].hex(" ", 2)
    assert "exception 2" in found["heard"][1]["answer"]
    assert await scan(*words) == 0
    assert "unit 3  holding:5" in capfd.readouterr().out


async def test_scan_of_a_silent_line_says_what_to_check(line, capfd):
    assert await scan("--listen", line.port, "--seconds", "0.05") == 4
    assert "the line is silent" in capfd.readouterr().out


async def test_scan_of_a_port_that_is_not_there_is_no_traceback(capfd):
    assert await scan("--listen", "/dev/ttyNONE") == 4
    assert "there is no serial port /dev/ttyNONE" in capfd.readouterr().err


@pytest.fixture
async def foreign(line, tmp_path):
    """Another master of another house; every byte on its line is heard on ours as well."""
    device = Device()

    def script(request):
        answered = with_crc(request[:1] + device.answer(request[1:-2]))
        line.send(request + answered)
        return [(0, answered)]

    theirs = SerialLine(tmp_path / "ttyTHEIRS", script)
    theirs.plug()
    client = AsyncModbusSerialClient(str(theirs.path), baudrate=115200, timeout=1, retries=0)
    assert await client.connect()
    yield client
    client.close()
    theirs.unplug()


async def test_what_pymodbus_is_answered_is_what_the_tap_reads(tap, foreign):
    holding = await foreign.read_holding_registers(5, count=4, device_id=3)
    analogue = await foreign.read_input_registers(100, count=3, device_id=3)
    coils = await foreign.read_coils(3, count=11, device_id=3)
    refused = await foreign.read_holding_registers(2000, count=1, device_id=3)
    assert refused.isError()
    tap._tap.fresh = 60.0  # however long all that took
    wanted = [of(at) for at in range(5, 9)] + [of(at, table="input") for at in range(100, 103)]
    wanted += [of(at, table="coil", type="bool") for at in range(3, 14)]
    samples = await read(tap, *wanted, of(2000))
    expected = [*holding.registers, *analogue.registers, *coils.bits[:11]]
    assert [sample.value for sample in samples[:-1]] == expected
    assert samples[-1].flaw.why is Why.REFUSED
