"""The served factory, read by somebody else's clients."""

import asyncio
import os
import select
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from asyncua import Client
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.pdu import ModbusPDU

from edge_agent.demo import line, oven, plant, plc, ports, registers, stream
from edge_agent.demo.factory import Factory
from edge_agent.demo.machines import Oven, Scale
from tests.rigs.until import until

pytestmark = pytest.mark.thorough


@pytest.fixture
def factory() -> Factory:
    made = Factory()
    made.step(3.0)
    return made


@pytest.fixture
async def press(factory: Factory) -> AsyncIterator[AsyncModbusTcpClient]:
    async with plc.serve(lambda: registers.press(factory), 0) as port:
        client = AsyncModbusTcpClient(ports.HOST, port=port, timeout=2, retries=0)
        await client.connect()
        yield client
        client.close()


@pytest.fixture
async def meters(factory: Factory) -> AsyncIterator[AsyncModbusSerialClient]:
    units = {
        1: lambda: registers.press_meter(factory),
        2: lambda: registers.oven_meter(factory),
    }
    async with line.serve(units) as path:
        client = AsyncModbusSerialClient(path, baudrate=19200, timeout=0.3, retries=0)
        await client.connect()
        yield client
        client.close()


def url(port: int) -> str:
    return f"opc.tcp://{ports.HOST}:{port}/"


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def swapped(answer: ModbusPDU, layout: str) -> tuple[float, ...]:
    """Unpack registers whose low word comes first (CDAB)."""
    words = answer.registers
    pairs = [words[i ^ 1] for i in range(len(words))]
    return struct.unpack(f">{layout}", struct.pack(f">{len(pairs)}H", *pairs))


async def test_the_press_shows_its_registers(press: AsyncModbusTcpClient, factory: Factory) -> None:
    words = (await press.read_holding_registers(0, count=14, device_id=1)).registers
    assert words[0] == 2
    assert words[1] << 16 | words[2] == factory.press.strokes
    assert words[3] == round(factory.press.speed * 10)
    assert words[4] == round(factory.press.oil_temperature * 10)
    assert words[5] == round(factory.press.force)
    assert struct.pack(">8H", *words[6:]).rstrip(b"\0") == b"A-2417/3"


async def test_the_press_shows_its_bits(press: AsyncModbusTcpClient) -> None:
    assert (await press.read_coils(0, count=2, device_id=1)).bits[:2] == [True, True]
    inputs = (await press.read_discrete_inputs(0, count=3, device_id=1)).bits[:3]
    assert inputs == [True, True, False]
    assert (await press.read_discrete_inputs(1, count=1, device_id=1)).bits[0] is True


async def test_the_press_moves_while_it_is_read(
    press: AsyncModbusTcpClient, factory: Factory
) -> None:
    before = (await press.read_holding_registers(2, count=1, device_id=1)).registers[0]
    factory.step(10.0)
    after = (await press.read_holding_registers(2, count=1, device_id=1)).registers[0]
    assert after - before == 8 or after - before == 7


@pytest.mark.writes_on_purpose
async def test_the_press_answers_for_any_unit_but_lets_nobody_write(
    press: AsyncModbusTcpClient,
) -> None:
    assert not (await press.read_holding_registers(0, count=1, device_id=247)).isError()
    assert (await press.write_register(0, 0, device_id=1)).exception_code == 1
    assert (await press.write_coil(0, False, device_id=1)).exception_code == 1
    assert (await press.read_holding_registers(0, count=1, device_id=1)).registers == [2]


async def test_the_press_refuses_addresses_it_does_not_have(press: AsyncModbusTcpClient) -> None:
    refused = await press.read_holding_registers(10, count=5, device_id=1)
    assert refused.isError()
    assert refused.exception_code == 2


async def test_two_meters_of_different_makers_share_a_line(
    meters: AsyncModbusSerialClient, factory: Factory
) -> None:
    values = swapped(await meters.read_input_registers(0, count=20, device_id=1), "9fI")
    meter = factory.press_meter
    assert values[0] == pytest.approx(meter.voltages[0], abs=0.01)
    assert values[3] == pytest.approx(meter.currents[0], abs=0.01)
    assert values[6] == pytest.approx(meter.power, abs=0.001)
    assert values[9] == round(meter.energy * 1000)
    words = (await meters.read_holding_registers(0, count=13, device_id=2)).registers
    power, _, energy = struct.unpack(">iHQ", struct.pack(">7H", *words[6:]))
    assert words[0] == round(factory.oven_meter.voltages[0] * 10)
    assert power == round(factory.oven_meter.power * 1000)
    assert energy == round(factory.oven_meter.energy * 1000)


async def test_the_meters_refuse_what_they_do_not_have(meters: AsyncModbusSerialClient) -> None:
    assert (await meters.read_input_registers(19, count=2, device_id=1)).exception_code == 2
    assert (await meters.write_register(0, 1, device_id=2)).exception_code == 1


async def test_a_unit_that_is_not_there_is_silent_and_others_still_answer(
    factory: Factory,
) -> None:
    async with line.serve({1: lambda: registers.press_meter(factory)}) as path:
        end = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        os.write(end, bytes.fromhex("03 04 0000 0001 3028".replace(" ", "")))  # unit 3
        await asyncio.sleep(0.1)
        with pytest.raises(BlockingIOError):
            os.read(end, 256)
        os.write(end, b"\x01\x04\x00")  # half a request
        await asyncio.sleep(0.1)
        os.write(end, bytes.fromhex("01 04 0000 0001 31ca".replace(" ", "")))
        await asyncio.sleep(0.1)
        answer = os.read(end, 256)
        os.close(end)
    assert answer[:3] == b"\x01\x04\x02"
    assert len(answer) == 7


async def test_a_line_leaves_no_file_descriptor_behind(factory: Factory) -> None:
    before = open_files()
    async with line.serve({1: lambda: registers.press_meter(factory)}):
        assert open_files() == before + 2
    assert open_files() == before


async def test_the_scale_sends_weights_with_a_right_checksum() -> None:
    before = open_files()
    async with stream.serve(Scale(clock=6.0, load=5.74)) as path:
        end = os.open(path, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
        await until(lambda: bool(select.select([end], [], [], 0)[0]))
        sent = os.read(end, 18)
        os.close(end)
    assert sent[:17] == b"\x02\x25\x30\x20005740000000\r"
    assert sum(byte & 0x7F for byte in sent) & 0x7F == 0
    assert open_files() == before


def test_the_scale_says_when_its_weight_moves() -> None:
    assert stream.frame(Scale(clock=1.3, load=5.74))[2] & 0x08


async def test_the_oven_is_an_opc_ua_machine_with_its_own_namespace() -> None:
    machine = Oven()
    async with oven.serve(machine, 0) as server, Client(url(server.port)) as client:
        index = await client.get_namespace_index(oven.NAMESPACE)
        node = client.get_node(f"ns={index};s=Oven.Temperature")
        assert await node.read_value() == 174.0
        machine.step(30.0)
        await server.refresh()
        value = await node.read_data_value()
        assert value.Value is not None
        assert value.Value.Value == round(machine.chamber, 2) != 174.0
        assert value.SourceTimestamp is not None
        unit = await (await node.get_child("0:EngineeringUnits")).read_value()
        assert unit.DisplayName.Text == "°C"
        heating = client.get_node(f"ns={index};s=Oven.Heating")
        assert await heating.read_value() is True
        objects = [
            await child.read_browse_name() for child in await client.nodes.objects.get_children()
        ]
        assert "Oven" in {name.Name for name in objects}


async def test_the_plant_moves_by_itself_and_serves_as_many_lines_as_asked() -> None:
    factory = Factory()
    async with plant.serve(factory, lines=2) as served:
        assert len(set(served.places.lines)) == 2
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(served.run(), plant.TICK * 3)
    assert 0.05 < factory.press.clock < 1.0
    assert factory.press_meter.energy > Factory().press_meter.energy


async def test_a_second_factory_finds_ports_of_its_own() -> None:
    machine = registers.Tables(coils=(True,), discrete=(True,), holding=(1,), input=(1,))
    async with plc.serve(lambda: machine, 0) as first, plc.serve(lambda: machine, first) as second:
        assert first != second
    assert ports.known_or_any(first) == first
