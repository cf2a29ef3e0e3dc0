"""A paced serial line: silence before requests, unplugging, settings at the terminal."""

import asyncio
import fcntl
import os
import sys
import threading
import time
from pathlib import Path

import pytest
import serial
from edge_agent_modbus import ModbusAddress, ModbusDriver, ModbusSettings

from edge_agent.driver import ConnectionLost, NoResponse
from tests.rigs.modbus_device import Device, with_crc
from tests.rigs.serial_line import SerialLine
from tests.rigs.until import until

# As linux/serial.h and asm-generic/ioctls.h have them.
ENABLED, RTS_ON_SEND, RTS_AFTER_SEND, RX_DURING_TX = 1, 2, 4, 16
TIOCGEXCL = 0x80045440
TIOCGRS485, TIOCSRS485 = 0x542E, 0x542F


def rtu(line: SerialLine, **keys) -> ModbusDriver:
    keys = {"transport": "rtu", "baud": 115200, "timeout": 0.2, **keys}
    return ModbusDriver(ModbusSettings(port=str(line.path), **keys))


def rtu_script(device: Device):
    return lambda frame: [(0, with_crc(frame[:1] + device.answer(frame[1:-2])))]


def ascii_script(device: Device):
    def script(request: bytes):
        body = bytes.fromhex(request[1:-2].decode())
        answer = body[:1] + device.answer(body[1:-1])
        lrc = bytes((-sum(answer) & 0xFF,))
        return [(0, b":" + (answer + lrc).hex().upper().encode() + b"\r\n")]

    return script


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def registers(*offsets: int, **keys) -> list[ModbusAddress]:
    return [ModbusAddress(offset=offset, **keys) for offset in offsets]


async def test_every_request_waits_for_the_silence_of_the_specification(line):
    driver = rtu(line)
    await driver.open()
    plan = driver.plan(registers(0, 500), {})
    for _ in range(10):
        await driver.read(plan)
    await driver.close()
    assert len(line.gaps) == 19
    assert min(line.gaps) >= 0.00175
    assert min(line.gaps) < 0.02


@pytest.mark.thorough
async def test_a_line_keeps_at_least_nine_tenths_of_its_legal_throughput(tmp_path, device):
    line = SerialLine(
        tmp_path / "tty", lambda f: [(0, with_crc(f[:1] + device.answer(f[1:-2])))], 19200
    )
    line.plug()
    driver = rtu(line, baud=19200, parity="none", timeout=1)
    await driver.open()
    plan = driver.plan(registers(*range(60)), {})
    await driver.read(plan)
    legal = (8 + 125) * 11 / 19200 + 2 * 3.5 * 11 / 19200
    share = 0.0
    for _ in range(60):  # the best of few is enough, but on a busy machine few are the best
        started = time.perf_counter()
        await driver.read(plan)
        share = max(share, legal / (time.perf_counter() - started))
        if share > 0.9:
            break
    await driver.close()
    line.unplug()
    assert share > 0.9


async def test_an_unplugged_adapter_is_a_lost_link_and_works_when_plugged_in_again(line):
    driver = rtu(line)
    plan = driver.plan(registers(0), {})
    files = open_files()
    for _ in range(5):
        await driver.open()
        assert (await driver.read(plan)).values == [1000]
        line.unplug()
        with pytest.raises(ConnectionLost, match="ttyRS485"):
            await driver.read(plan)
        await driver.close()
        with pytest.raises(ConnectionLost, match="plug the adapter in"):
            await driver.open()
        await driver.close()
        line.plug()
    assert open_files() == files


async def test_unplugging_while_an_answer_is_awaited_is_noticed_at_once(line):
    line.script = lambda request: []
    driver = rtu(line, timeout=30)
    await driver.open()
    reading = asyncio.ensure_future(driver.read(driver.plan(registers(0), {})))
    await until(lambda: line.requests)
    await asyncio.to_thread(line.unplug)
    with pytest.raises(ConnectionLost):
        await asyncio.wait_for(reading, 20)
    await driver.close()


async def test_a_dead_unit_leaves_its_neighbours_their_own_values(line, device):
    right = line.script
    line.script = lambda request: [] if request[0] == 2 else right(request)
    driver = rtu(line, timeout=0.05)
    await driver.open()
    for _ in range(3):
        assert (await driver.read(driver.plan(registers(0, unit=1), {}))).values == [1000]
        with pytest.raises(NoResponse):
            await driver.read(driver.plan(registers(0, unit=2), {}))
    await driver.close()


async def test_an_answer_from_before_the_opening_is_thrown_away(line):
    driver = rtu(line)
    await driver.open()
    os.write(line._far, with_crc(b"\x01\x03\x02\xde\xad"))
    assert (await driver.read(driver.plan(registers(5), {}))).values == [1005]
    await driver.close()
    assert driver.evidence["stray"] or driver.evidence["foreign"]


async def test_a_line_that_never_rests_is_no_response(line):
    driver = rtu(line, timeout=0.05, pause=0.5)  # no scheduler is that late
    await driver.open()
    stop = threading.Event()
    chatter = threading.Thread(target=_chatter, args=(line, stop))
    chatter.start()
    try:
        with pytest.raises(NoResponse, match="never silent"):
            await driver.read(driver.plan(registers(5), {}))
    finally:
        stop.set()
        chatter.join()
    await driver.close()
    assert line.requests == []


def _chatter(line: SerialLine, stop: threading.Event) -> None:
    while not stop.wait(0.0002):
        os.write(line._far, b"\x55")


async def test_a_port_is_opened_for_one_process_only(line):
    driver = rtu(line)
    await driver.open()
    with pytest.raises(ConnectionLost, match=r"in use by another program: stop it \(`fuser -v"):
        await rtu(line).open()
    await driver.close()
    again = rtu(line)
    await again.open()
    await again.close()


async def test_the_kernel_keeps_other_programs_away_while_a_port_is_open(line):
    # A program with all rights is let in nevertheless, so the kernel is asked what it would do.
    driver = rtu(line)
    await driver.open()
    other = os.open(line.path, os.O_RDWR | os.O_NOCTTY)
    is_exclusive = fcntl.ioctl(other, TIOCGEXCL, b"\0" * 4)
    os.close(other)
    await driver.close()
    assert is_exclusive == (1).to_bytes(4, sys.byteorder)


async def test_a_port_that_another_program_locked_is_not_shared(line):
    other = os.open(line.path, os.O_RDWR | os.O_NOCTTY)
    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)  # as minicom and others do
    with pytest.raises(ConnectionLost, match="fuser -v"):
        await rtu(line).open()
    os.close(other)


async def test_a_port_without_an_rs485_mode_says_so_and_stays_closed(line):
    driver = rtu(line, rs485={"rts_when_sending": "high"})
    files = open_files()
    with pytest.raises(ConnectionLost, match="has no RS-485 mode: leave `rs485` out"):
        await driver.open()
    assert open_files() == files
    plain = rtu(line)
    await plain.open()
    await plain.close()


@pytest.mark.parametrize(
    ("keys", "flags", "delays"),
    [
        ({}, ENABLED | RTS_ON_SEND, (0, 0)),
        ({"rts_when_sending": "low"}, ENABLED | RTS_AFTER_SEND, (0, 0)),
        ({"delay_before": "2ms", "delay_after": 0.003}, ENABLED | RTS_ON_SEND, (2, 3)),
        ({"hear_own": True}, ENABLED | RTS_ON_SEND | RX_DURING_TX, (0, 0)),
    ],
)
async def test_the_rs485_mode_reaches_the_kernel(line, monkeypatch, keys, flags, delays):
    # No pseudo-terminal has the mode, so what the kernel would get is seen at the call.
    asked = []
    real = fcntl.ioctl

    def ioctl(file, request, *more):
        if request == TIOCGRS485:
            return 0
        if request == TIOCSRS485:
            asked.append(tuple(more[0][:3]))
            return 0
        return real(file, request, *more)

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    driver = rtu(line, rs485=keys)
    await driver.open()
    samples = await driver.read(driver.plan(registers(5), {}))
    await driver.close()
    assert samples.values == [1005]
    assert asked == [(flags, *delays)]


@pytest.mark.parametrize("transport", ["rtu", "ascii"])
async def test_an_adapter_that_hears_itself_is_noticed_and_its_echo_dropped(tmp_path, transport):
    device = Device()
    right = ascii_script(device) if transport == "ascii" else rtu_script(device)
    line = SerialLine(tmp_path / "tty", lambda request: [(0, request), *right(request)])
    line.plug()
    driver = rtu(line, transport=transport, data_bits=8)
    await driver.open()
    wanted = [*registers(5, 6), *registers(0, 1, 2, table="coil"), *registers(7, table="input")]
    plan = driver.plan(wanted, {})
    for _ in range(5):
        assert (await driver.read(plan)).values == [1005, 1006, True, False, False, 2007]
    await driver.close()
    line.unplug()
    assert driver.evidence["echo"] >= 5


async def test_an_echo_without_an_answer_is_silence_and_no_value(line):
    line.script = lambda request: [(0, request)]
    driver = rtu(line, timeout=0.05)
    await driver.open()
    with pytest.raises(NoResponse, match="echo"):
        await driver.read(driver.plan(registers(5), {}))
    await driver.close()


async def test_a_port_may_be_released_between_polls(line):
    driver = rtu(line, connection="per_cycle")
    plan = driver.plan(registers(5), {})
    await driver.open()
    for _ in range(3):
        assert (await driver.read(plan)).values == [1005]
        other = rtu(line)
        await other.open()
        await other.close()
    await driver.close()


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        ({"parity": "even"}, (8, "E", 1)),
        ({"parity": "odd", "stop_bits": 2}, (8, "O", 2)),
        ({"parity": "none"}, (8, "N", 1)),
        ({"transport": "ascii", "parity": "even"}, (7, "E", 1)),
    ],
)
async def test_line_settings_reach_the_terminal(line, monkeypatch, keys, wanted):
    # A pseudo-terminal refuses parity and seven bits, so they are seen where pyserial takes them.
    seen = []
    real = serial.Serial

    def open_plain(path, **given):
        seen.append((given["bytesize"], given["parity"], given["stopbits"]))
        return real(path, **{**given, "bytesize": 8, "parity": "N", "stopbits": 1})

    monkeypatch.setattr(serial, "Serial", open_plain)
    settings = {"transport": "rtu", "port": str(line.path), "baud": 9600, **keys}
    driver = ModbusDriver(ModbusSettings(**settings))
    await driver.open()
    await driver.close()
    assert seen == [wanted]


async def test_ascii_frames_pass_a_serial_line(tmp_path):
    device = Device()
    line = SerialLine(tmp_path / "tty", ascii_script(device))
    line.plug()
    settings = {"transport": "ascii", "port": str(line.path), "baud": 115200, "data_bits": 8}
    driver = ModbusDriver(ModbusSettings(**settings))
    await driver.open()
    samples = await driver.read(driver.plan(registers(0, 1, 40), {}))
    await driver.close()
    line.unplug()
    assert samples.values == [1000, 1001, 1040]
    assert device.writes == []
