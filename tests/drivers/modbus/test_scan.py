"""Devices are found on a paced line and over TCP by reading; used lines are left alone."""

import asyncio
import contextlib
import os
import termios
import threading
import time

import pytest
from edge_agent_modbus.discovery import LineSetting, Manner, network_units
from edge_agent_modbus.network import search_network
from edge_agent_modbus.pdu import Table
from edge_agent_modbus.scan import LineInUse, listen, search
from edge_agent_modbus.serial_line import SerialLink

from edge_agent.driver import ConnectionLost
from tests.rigs import writes
from tests.rigs.modbus_device import Device, crc, with_crc
from tests.rigs.modbus_wire import TcpEnd
from tests.rigs.nameplate import NamedDevice
from tests.rigs.serial_line import SerialLine

FAST, SLOW = LineSetting(115200), LineSetting(38400)
MANNER = Manner(0.05)
BAUDS = {115200: termios.B115200, 38400: termios.B38400}


class Plant:
    """Devices on a serial line at one speed.

    Attributes:
        late: Seconds that single units need to answer.
        functions: Codes of everything that was asked.
    """

    def __init__(self, path, devices: dict[int, Device], baud: int = 115200) -> None:
        self.devices, self.baud = devices, baud
        self.late: dict[int, float] = {}
        self.functions: set[int] = set()
        self.line = SerialLine(path, self._script, baud)

    def _script(self, request: bytes):
        if termios.tcgetattr(self.line._far)[4] != BAUDS[self.baud]:
            return []  # at another speed it is noise
        if crc(request[:-2]) != request[-2:]:
            return []  # two that ran into each other while a device was thinking
        self.functions.add(request[1])
        device = self.devices.get(request[0])
        if device is None:
            return []
        answer = with_crc(request[:1] + device.answer(request[1:-2]))
        return [(self.late.get(request[0], 0.0), answer)]

    async def search(self, settings=(FAST,), units=range(1, 4), **keys):
        manner = Manner(**{"within": 0.05, "listening": 0.02, **keys})
        return [step async for step in search(str(self.line.path), settings, units, manner)]


@pytest.fixture
def plant(tmp_path):
    plant = Plant(tmp_path / "tty", {2: NamedDevice(), 3: Device(size=0)})
    plant.line.plug()
    yield plant
    plant.line.unplug()
    assert all(device.writes == [] for device in plant.devices.values())
    assert plant.functions <= writes.READS


@pytest.mark.shows("P10.1")
async def test_units_are_found_by_any_proper_answer(plant):
    steps = await plant.search()
    assert [step.unit for step in steps] == [1, 2, 3]
    absent, named, refusing = (step.found for step in steps)
    assert absent is None
    assert named.answered == {Table.HOLDING: "03e8", Table.INPUT: "07d0"}
    assert named.identity.objects["vendor"] == "Acme Works"
    assert named.setting == FAST
    assert set(refusing.answered.values()) == {"exception 2: illegal data address"}
    assert not refusing.identity
    assert plant.functions == {3, 4, 17, 43}


@pytest.mark.shows("P10.1")
async def test_settings_are_tried_in_order_up_to_the_one_that_is_answered(plant):
    plant.baud = 38400
    steps = await plant.search([FAST, SLOW, LineSetting(9600)])
    assert [(step.setting, step.unit) for step in steps] == [
        (setting, unit) for setting in (FAST, SLOW) for unit in (1, 2, 3)
    ]
    assert [step.found is not None for step in steps] == [False] * 4 + [True] * 2


@pytest.mark.thorough
async def test_the_time_left_is_said_and_kept(plant):
    plant.devices.clear()
    started = time.monotonic()
    steps = await plant.search([FAST, SLOW], within=0.05)
    left = [step.seconds_left for step in steps]
    assert left == sorted(left, reverse=True)
    assert left[0] == pytest.approx(2 * FAST.per_unit(MANNER) + 3 * SLOW.per_unit(MANNER))
    assert left[-1] == 0
    assert time.monotonic() - started < 0.1 + 1.5 * (left[0] + FAST.per_unit(MANNER))


@pytest.mark.thorough
@pytest.mark.shows("P10.1")
async def test_a_device_that_needs_longer_is_asked_again_with_more_patience(plant):
    plant.late[2] = 0.09
    plant.devices = {2: Device()}
    steps = await plant.search(units=[2, 4, 5])
    assert [(step.unit, step.found is not None) for step in steps][-1] == (2, True)


async def test_a_search_can_be_stopped_and_leaves_the_port(plant):
    async with contextlib.aclosing(
        search(str(plant.line.path), [FAST], range(1, 248), Manner(0.02, listening=0.01))
    ) as steps:
        async for step in steps:
            if step.found:
                break
    link = SerialLink(FAST.settings(str(plant.line.path)))
    assert (await listen(link, 0.01)).bytes_heard == 0


def converse(line: SerialLine, stop: threading.Event) -> None:
    """Be another master and its device, as they are heard on a line."""
    ask = with_crc(bytes.fromhex("070400640002"))
    answer = with_crc(bytes.fromhex("07040400de00ad"))
    while not stop.wait(0.01):
        os.write(line._far, ask)
        time.sleep(0.002)
        os.write(line._far, answer)


@contextlib.contextmanager
def another_master(line: SerialLine):
    stop = threading.Event()
    thread = threading.Thread(target=converse, args=(line, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.mark.shows("P10.2")
async def test_a_line_that_somebody_else_uses_is_listened_to_and_not_scanned(plant):
    with another_master(plant.line), pytest.raises(LineInUse, match="disconnect the other") as used:
        await plant.search(listening=0.2)
    overheard = used.value.overheard
    assert overheard.units == [7]
    assert "unit 7 input:100 x2 = 00de 00ad" in list(overheard.lines())
    assert plant.line.requests == []


async def last_of(steps) -> None:
    async for step in steps:
        assert step.unit < 20, "nobody was noticed"


@pytest.mark.shows("P10.2")
async def test_another_master_that_wakes_up_during_a_scan_ends_it(plant):
    plant.devices.clear()
    steps = search(str(plant.line.path), [FAST], range(1, 248), Manner(0.05, listening=0.1))
    async with contextlib.aclosing(steps):
        assert (await anext(steps)).found is None
        with another_master(plant.line), pytest.raises(LineInUse, match="reads unit 7") as used:
            await last_of(steps)
    assert used.value.overheard.units == [7]


async def test_a_port_that_is_not_there_says_so(tmp_path):
    with pytest.raises(ConnectionLost, match="there is no serial port"):
        async for _ in search(str(tmp_path / "none"), [FAST], [1], Manner(listening=0.01)):
            pass


async def test_an_adapter_that_is_unplugged_while_listening_is_a_lost_link(plant):
    listening = asyncio.ensure_future(listen(SerialLink(FAST.settings(str(plant.line.path))), 60))
    await asyncio.sleep(0.02)
    await asyncio.to_thread(plant.line.unplug)
    with pytest.raises(ConnectionLost, match="is gone"):
        await asyncio.wait_for(listening, 30)


@pytest.mark.shows("P10.1")
async def test_over_tcp_a_gateway_s_refusal_is_nobody():
    devices = {255: NamedDevice(), 3: Device(size=0)}

    def hear(frame, send):
        device = devices.get(frame.unit)
        nobody = bytes((frame.pdu[0] | 0x80, 0x0B))
        send(frame.wrap(frame.unit, device.answer(frame.pdu) if device else nobody))

    end = TcpEnd("tcp", hear)
    await end.start()
    units = network_units(everyone=True)
    steps = [step async for step in search_network(**end.settings, units=units)]
    await end.stop()
    assert {step.unit for step in steps} == {255, 0, *range(1, 248)}
    assert steps[0].seconds_left == 248
    found = [step.found for step in steps if step.found]
    assert [each.unit for each in found] == [255, 3]
    assert str(found[0].identity).startswith("vendor Acme Works")
