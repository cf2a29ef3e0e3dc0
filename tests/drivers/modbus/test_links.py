"""Links that others share, close, or stand in between: single clients, idle peers, gateways."""

import asyncio

import pytest
from edge_agent_modbus import ModbusAddress, ModbusDriver, ModbusSettings

from edge_agent.driver import ConnectionLost, NoResponse, Why
from tests.rigs.modbus_device import Device, with_crc
from tests.rigs.modbus_tcp import TcpPeer, mbap, take_mbap
from tests.rigs.polling import polling
from tests.rigs.until import until


def driver_for(peer, **keys) -> ModbusDriver:
    keys = {"timeout": 0.3, **keys}
    return ModbusDriver(ModbusSettings(host="127.0.0.1", port=peer.port, **keys))


def registers(*offsets: int, **keys) -> list[ModbusAddress]:
    return [ModbusAddress(offset=offset, **keys) for offset in offsets]


def connections(peer: TcpPeer) -> int:
    return len([writer for writer in peer._writers if not writer.transport.is_closing()])


async def test_a_link_that_is_opened_for_each_poll_is_free_in_between(tcp):
    driver = driver_for(tcp, connection="per_cycle")
    plan = driver.plan(registers(0, 500), {})
    await driver.open()
    for cycle in range(1, 4):
        assert (await driver.read(plan)).values == [1000, 1500]
        await until(lambda: connections(tcp) == 0)
        assert tcp.connects == cycle
    await driver.close()
    assert driver.evidence["reconnects"] == 0


async def test_a_link_that_is_opened_for_each_poll_is_free_after_a_silent_one(tcp):
    tcp.script = lambda frame: []
    driver = driver_for(tcp, connection="per_cycle", timeout=0.05)
    await driver.open()
    with pytest.raises(NoResponse):
        await driver.read(driver.plan(registers(0), {}))
    await until(lambda: connections(tcp) == 0)


@pytest.mark.thorough
async def test_another_client_gets_its_turn_at_a_device_that_serves_one(device):
    """Both are served in turns; the agent's own polls never fail."""

    def script(frame: bytes):
        number, unit, pdu = take_mbap(frame)
        return [(0, mbap(number, unit, device.answer(pdu)))]

    plc = SingleClient(script)
    await plc.start()
    driver = driver_for(plc, connection="per_cycle")
    async with polling(driver, every=0.05, press=registers(0)) as notes:
        await until(lambda: len(notes.kept) >= 2)
        served = 0
        for _ in range(20):
            served += await plc.serves_another()
            await asyncio.sleep(0.02)
        await until(lambda: len(notes.kept) >= 10)
    await plc.stop()
    assert served >= 5
    assert [s.values for s in notes.of("press") if not s.flaws][:5] == [[1000]] * 5


class SingleClient(TcpPeer):
    """Serves one connection and closes every other one at once."""

    async def _serve(self, reader, writer):
        if self._writers:
            writer.transport.abort()
            return
        try:
            await super()._serve(reader, writer)
        finally:
            self._writers.discard(writer)

    async def serves_another(self) -> bool:
        """Connect as another client; tell whether it is served."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(bytes.fromhex("000100000006010300000001"))
        try:
            async with asyncio.timeout(0.2):
                return len(await reader.read(100)) > 0
        except (TimeoutError, ConnectionError):
            return False
        finally:
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)


async def test_a_device_that_serves_another_client_already_is_named(device):
    plc = SingleClient(lambda frame: [])
    await plc.start()
    _, first = await asyncio.open_connection("127.0.0.1", plc.port)
    await until(lambda: plc.connects == 1)
    driver = driver_for(plc)
    await driver.open()
    with pytest.raises(ConnectionLost, match="another client holds its only connection"):
        await driver.read(driver.plan(registers(0), {}))
    await driver.close()
    first.close()
    await first.wait_closed()
    await plc.stop()


async def test_one_connection_is_kept_for_a_device_that_serves_one(tcp):
    driver = driver_for(tcp)
    async with polling(driver, every=0.02, press=registers(0), oven=registers(5, unit=2)) as notes:
        await until(lambda: len(notes.kept) >= 20)
        assert connections(tcp) == 1
    assert tcp.connects == 1
    assert notes.flawed() == []


async def test_a_peer_that_closes_idle_connections_costs_no_reading(tcp):
    driver = driver_for(tcp)
    right = tcp.script

    def script(frame: bytes):
        asyncio.get_running_loop().call_later(0.03, tcp.hang_up)  # idle for 30 ms: closed
        return right(frame)

    tcp.script = script
    async with polling(driver, every=0.3, press=registers(0)) as notes:
        await until(lambda: len(notes.kept) >= 5)
    assert notes.flawed() == []
    assert notes.states == [("press", "up", "")]
    assert driver.evidence["reconnects"] >= 3
    assert tcp.connects >= 4


async def test_a_peer_that_closes_just_when_it_is_asked_costs_no_reading(tcp):
    driver = driver_for(tcp)
    right = tcp.script
    asked = 0

    def script(frame: bytes):
        nonlocal asked
        asked += 1
        if asked % 2 == 0:  # what was sent crosses the closing on its way
            tcp.hang_up()
            return []
        return right(frame)

    tcp.script = script
    # The link has to be there again before the next poll is due: seldom enough for a busy machine.
    async with polling(driver, every=0.3, press=registers(0)) as notes:
        await until(lambda: len(notes.kept) >= 5)
    assert notes.flawed() == []
    assert notes.states == [("press", "up", "")]


async def test_a_link_that_breaks_in_the_middle_of_a_poll_is_lost(tcp):
    driver = driver_for(tcp)
    plan = driver.plan(registers(0, 500), {})
    await driver.open()
    await driver.read(plan)
    right = tcp.script

    def script(frame: bytes):
        if len(tcp.requests) % 2:
            return right(frame)
        tcp.hang_up()
        return []

    tcp.script = script
    with pytest.raises(ConnectionLost):
        await driver.read(plan)
    await driver.close()


class Gateway:
    """Passes RTU frames on to units on one line, one at a time, and waits for each its own time."""

    def __init__(self, device: Device, silent: set[int], patience: float, delay: float = 0.0):
        self.device, self.silent, self.patience, self.delay = device, silent, patience, delay

    def rtu(self, frame: bytes):
        """Say nothing for a silent unit, as a converter does that only passes bytes on."""
        if frame[0] in self.silent:
            return []
        return [(self.delay, with_crc(frame[:1] + self.device.answer(frame[1:-2])))]

    def tcp(self, frame: bytes):
        """Say 0x0B for a silent unit after the gateway's own patience."""
        number, unit, pdu = take_mbap(frame)
        if unit in self.silent:
            return [(self.patience, mbap(number, unit, bytes((pdu[0] | 0x80, 0x0B))))]
        return [(self.delay, mbap(number, unit, self.device.answer(pdu)))]


@pytest.mark.thorough
async def test_several_units_share_one_socket_of_an_rtu_gateway(gateway, device):
    gateway.script = Gateway(device, {3}, 0).rtu
    driver = driver_for(gateway, transport="rtu-over-tcp", timeout=0.05)
    units = {f"unit{unit}": registers(unit, unit=unit) for unit in (1, 2, 3, 4)}
    async with polling(driver, every=0.1, **units) as notes:
        await until(lambda: all(len(notes.of(f"unit{unit}")) >= 8 for unit in (1, 2, 4)))
    for unit in (1, 2, 4):
        assert {tuple(s.values) for s in notes.of(f"unit{unit}")} == {(1000 + unit,)}
    assert {s.flaws[0].why for s in notes.of("unit3")} == {Why.TIMEOUT}
    assert ("unit3", "up", "") not in notes.states


@pytest.mark.thorough
async def test_a_gateway_with_less_patience_than_ours_demotes_only_the_silent_unit(tcp, device):
    tcp.script = Gateway(device, {2}, patience=0.02).tcp
    driver = driver_for(tcp, timeout=0.5)
    async with polling(driver, every=0.05, well=registers(0), dead=registers(0, unit=2)) as notes:
        await until(lambda: len(notes.of("well")) >= 15)
    assert all(s.values == [1000] for s in notes.of("well"))
    assert {s.flaws[0].why for s in notes.of("dead")} == {Why.TIMEOUT}
    assert "gateway" in notes.of("dead")[0].flaws[0].detail
    assert tcp.connects == 1


async def test_a_gateway_with_more_patience_than_ours_never_gives_one_unit_anothers_value(
    tcp, device
):
    tcp.script = Gateway(device, {2}, patience=0.2).tcp
    driver = driver_for(tcp, timeout=0.1)
    async with polling(driver, every=0.05, well=registers(0), dead=registers(0, unit=2)) as notes:
        await until(lambda: len(notes.of("well")) >= 15)
    assert all(s.values == [1000] for s in notes.of("well"))
    assert all(s.flaws for s in notes.of("dead"))
    assert driver.evidence["late"] >= 1


@pytest.mark.thorough
async def test_a_converter_slower_than_our_timeout_is_told_of_with_a_timeout_that_would_do(
    gateway, device
):
    gateway.script = Gateway(device, set(), 0, delay=0.15).rtu
    driver = driver_for(gateway, transport="rtu-over-tcp", timeout=0.1, late_window=0.2)
    await driver.open()
    plan = driver.plan(registers(7), {})
    for _ in range(4):
        with pytest.raises(NoResponse):
            await driver.read(plan)
    await driver.close()
    assert driver.evidence["late"] >= 1
    assert any("timeout" in sentence for sentence in driver.advice())


# ASCII, carried by TCP


def ascii_frame(body: bytes) -> bytes:
    return b":" + (body + bytes((-sum(body) & 0xFF,))).hex().upper().encode() + b"\r\n"


def ascii_script(device: Device, change=lambda frame: frame):
    def script(frame: bytes):
        body = bytes.fromhex(frame[1:-2].decode())
        assert sum(body) & 0xFF == 0
        return [(0, change(ascii_frame(body[:1] + device.answer(body[1:-1]))))]

    return script


@pytest.fixture
async def ascii_gateway(device):
    peer = TcpPeer(ascii_script(device), request_size=17)
    await peer.start()
    yield peer
    await peer.stop()


async def test_ascii_passes_a_gateway_with_all_tables_and_units(ascii_gateway):
    driver = driver_for(ascii_gateway, transport="ascii-over-tcp")
    await driver.open()
    wanted = [
        *registers(*range(60)),
        *registers(5, table="input"),
        *registers(3, 4, table="coil"),
        *registers(6, table="discrete"),
    ]
    samples = await driver.read(driver.plan(wanted, {}))
    other = await driver.read(driver.plan(registers(9, unit=247), {}))
    await driver.close()
    assert samples.values == [*range(1000, 1060), 2005, True, False, True]
    assert other.values == [1009]


@pytest.mark.parametrize(
    "change",
    [
        bytes.lower,
        lambda frame: bytes(byte | 0x80 for byte in frame),
        lambda frame: b"\0\xff:0103" + frame,
        lambda frame: frame + b"\0junk",
        lambda frame: ascii_frame(bytes.fromhex("020302DEAD")) + frame,
    ],
    ids=["lower case", "eighth bit", "cut frame before", "junk behind", "another unit before"],
)
async def test_ascii_is_found_among_what_else_a_line_says(ascii_gateway, device, change):
    ascii_gateway.script = ascii_script(device, change)
    driver = driver_for(ascii_gateway, transport="ascii-over-tcp")
    await driver.open()
    plan = driver.plan(registers(5), {})
    for _ in range(3):
        assert (await driver.read(plan)).values == [1005]
    await driver.close()


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame[:-4] + b"00\r\n",
        lambda frame: frame[:-2],
        lambda frame: frame.replace(b":", b";"),
        lambda frame: ascii_frame(bytes.fromhex("010304") + b"\0\1\0\2"),
        lambda frame: ascii_frame(bytes.fromhex("010402DEAD")),
        lambda frame: ascii_frame(bytes.fromhex("0103030000")),
        lambda frame: frame[:5] + b"G" + frame[6:],
    ],
    ids=["wrong sum", "no end", "no colon", "too long", "function", "byte count", "no digit"],
)
async def test_ascii_that_is_not_the_answer_is_never_a_value(ascii_gateway, device, change):
    ascii_gateway.script = ascii_script(device, change)
    driver = driver_for(ascii_gateway, transport="ascii-over-tcp", timeout=0.05)
    await driver.open()
    try:
        samples = await driver.read(driver.plan(registers(5), {}))
    except NoResponse:
        pass
    else:
        assert samples.values == [None]
        assert samples.flaws[0].why in {Why.DAMAGED, Why.TIMEOUT}
    await driver.close()


async def test_ascii_refusals_heal_the_plan_like_all_others(ascii_gateway, device):
    device.holes = frozenset({3})
    driver = driver_for(ascii_gateway, transport="ascii-over-tcp")
    await driver.open()
    samples = await driver.read(driver.plan(registers(*range(6)), {}))
    await driver.close()
    assert samples.values == [1000, 1001, 1002, None, 1004, 1005]
    assert samples.flaws[3].why is Why.REFUSED


@pytest.mark.parametrize("wrong", [-1, 1, 2])
async def test_fewer_registers_or_padded_ones_are_rejected(tcp, device, wrong):
    """Whoever answers with another number of registers than asked for answers something else."""

    def script(frame: bytes):
        number, unit, pdu = take_mbap(frame)
        data = device.answer(pdu)[2:]
        data = data[: 2 * wrong] if wrong < 0 else data + b"\0\0" * wrong
        return [(0, mbap(number, unit, bytes((pdu[0], len(data))) + data))]

    tcp.script = script
    driver = driver_for(tcp, timeout=0.05)
    await driver.open()
    try:
        samples = await driver.read(driver.plan(registers(0, 1, 2), {}))
    except NoResponse:
        pass
    else:
        assert samples.values == [None] * 3
    await driver.close()
