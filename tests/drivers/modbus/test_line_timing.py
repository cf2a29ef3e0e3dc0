"""Silence before every request on a paced line, and how near it comes to what it can carry."""

import os
import time

import pytest
from edge_agent_modbus import ModbusAddress, ModbusDriver, ModbusSettings
from edge_agent_modbus.timing import silence_between_frames

from edge_agent.driver import NoResponse
from tests.rigs.modbus_device import Device, with_crc
from tests.rigs.serial_line import SerialLine


def registers(count: int, first: int = 0, **keys) -> list[ModbusAddress]:
    return [ModbusAddress(offset=at, **keys) for at in range(first, first + count)]


class Watched:
    """A driver on a paced line, with the silence before each of its requests as it knows it.

    Times are taken where bytes leave the driver and where it has read some: a silence on the wire
    is longer than that by what the bytes needed to be noticed.
    """

    def __init__(self, path, script, baud: int, **keys) -> None:
        self.line = SerialLine(path, script, baud)
        self.line.plug()
        keys = {"stop_bits": 2, **keys}  # with no parity: eleven bits a character
        self.driver = ModbusDriver(
            ModbusSettings(transport="rtu", port=str(path), baud=baud, **keys)
        )
        self.silences: list[float] = []
        exchange = self.driver._transactions._exchange
        heard, send = exchange.heard, exchange._link.send
        last = [0.0]

        def note_heard(data: bytes) -> None:
            last[0] = time.monotonic()
            heard(data)

        def note_sent(frame: bytes) -> None:
            if last[0]:
                self.silences.append(time.monotonic() - last[0])
            send(frame)
            last[0] = time.monotonic() + len(frame) * 11 / baud

        exchange.heard, exchange._link.send = note_heard, note_sent

    def stop(self) -> None:
        self.line.unplug()


def right(device: Device):
    return lambda frame: [(0, with_crc(frame[:1] + device.answer(frame[1:-2])))]


@pytest.mark.parametrize(
    ("baud", "reads"),
    [
        pytest.param(9600, 4, marks=pytest.mark.thorough),
        (19200, 8),
        pytest.param(115200, 40, marks=pytest.mark.thorough),
    ],
)
async def test_no_request_breaks_the_silence(tmp_path, device, baud, reads):
    watched = Watched(tmp_path / "tty", right(device), baud)
    driver = watched.driver
    await driver.open()
    plan = driver.plan(registers(60), {})
    silence = silence_between_frames(baud)
    # How near it comes to the legal maximum is a benchmark's business; here only that it is near,
    # be it once in many reads on a busy machine.
    near = (8 + 125) * 11 / baud + 2 * silence
    taken: list[float] = []
    while len(taken) < reads or (min(taken[1:]) > near / 0.9 and len(taken) < 10 * reads):
        started = time.perf_counter()
        await driver.read(plan)
        taken.append(time.perf_counter() - started)
    await driver.close()
    watched.stop()
    assert [gap for gap in watched.silences if gap < silence] == []
    assert [gap for gap in watched.line.gaps if gap < silence] == []
    assert len(watched.line.gaps) == len(taken) - 1
    assert near / min(taken[1:]) > 0.9


@pytest.mark.thorough
async def test_the_silence_is_kept_through_noise_lateness_and_dead_units(tmp_path, device):
    """The line is busy as long as anything is heard, whoever says it."""
    good, turn = right(device), iter(range(1000))

    def script(frame: bytes):
        answer = good(frame)[0][1]
        return [
            [(0, b"\x00" + answer + b"\xff\x00\x00")],
            [],
            [(0.08, answer)],
            [(0, answer[:5]), (0.004, answer[5:])],
            [(0, answer)],
            [(0, with_crc(b"\x09\x03\x02\x00\x01") + answer), (0.001, b"\x00")],
        ][next(turn) % 6]

    watched = Watched(tmp_path / "tty", script, 19200, timeout=0.05)
    driver = watched.driver
    await driver.open()
    values = []
    for number in range(24):
        try:
            values += (await driver.read(driver.plan(registers(2, unit=1 + number % 3), {}))).values
        except NoResponse:
            continue
    await driver.close()
    watched.stop()
    assert [gap for gap in watched.silences if gap < silence_between_frames(19200)] == []
    assert len(watched.silences) >= 20
    assert set(values) <= {1000, 1001, None}
    assert values.count(1000) > 8


async def test_a_pause_lengthens_the_silence_before_every_request(tmp_path, device):
    watched = Watched(tmp_path / "tty", right(device), 115200, pause=0.03)
    await watched.driver.open()
    for _ in range(5):
        await watched.driver.read(watched.driver.plan(registers(2), {}))
    await watched.driver.close()
    watched.stop()
    assert min(watched.silences) >= 0.03
    assert min(watched.silences) < 0.05


async def test_one_unit_can_need_a_longer_silence_than_the_others(tmp_path, device):
    watched = Watched(tmp_path / "tty", right(device), 115200, unit_pauses={7: "30ms"})
    await watched.driver.open()
    for unit in (1, *(7, 1) * 8):
        await watched.driver.read(watched.driver.plan(registers(2, unit=unit), {}))
    await watched.driver.close()
    watched.stop()
    assert min(watched.silences[0::2]) >= 0.03
    assert min(watched.silences[1::2]) < 0.025


async def test_after_opening_the_line_is_left_alone_for_a_while(tcp):
    settings = {"host": "127.0.0.1", "port": tcp.port, "pause_after_open": 0.5}
    driver = ModbusDriver(ModbusSettings(**settings))
    await driver.open()
    started = time.monotonic()
    await driver.read(driver.plan(registers(1), {}))
    first = time.monotonic() - started
    await driver.read(driver.plan(registers(1), {}))
    await driver.close()
    assert first >= 0.45
    assert time.monotonic() - started - first < 0.45


async def test_what_waits_in_a_socket_is_thrown_away_before_the_next_request(gateway, device):
    """The event loop needs two turns to hand over what has arrived already."""
    driver = ModbusDriver(
        ModbusSettings(host="127.0.0.1", port=gateway.port, transport="rtu-over-tcp", timeout=0.2)
    )
    await driver.open()
    plan = driver.plan(registers(1), {})
    await driver.read(plan)
    for writer in gateway._writers:
        sock = writer.transport.get_extra_info("socket")
        os.write(sock.fileno(), with_crc(b"\x01\x03\x02\xde\xad"))
    time.sleep(0.02)  # noqa: ASYNC251 - the event loop must not look at the socket meanwhile
    assert (await driver.read(plan)).values == [1000]
    await driver.close()
