"""Refusals, silence and busy devices: what they cost, and what is learnt from them."""

import pytest
from edge_agent_modbus import ModbusAddress, ModbusDriver, ModbusSettings

from edge_agent.driver import ConnectionLost, NoResponse, Why
from tests.rigs.modbus_tcp import mbap, take_mbap
from tests.rigs.until import until


@pytest.fixture
async def driver(tcp):
    driver = ModbusDriver(ModbusSettings(host="127.0.0.1", port=tcp.port, timeout=0.4))
    await driver.open()
    yield driver
    await driver.close()


def registers(*offsets: int) -> list[ModbusAddress]:
    return [ModbusAddress(offset=offset) for offset in offsets]


async def read_until_learnt(driver, addresses, most: int = 10):
    """Read, and plan again with what was learnt, as the agent does, until nothing is new."""
    learnt = {}
    for _ in range(most):
        samples = await driver.read(driver.plan(addresses, learnt))
        if samples.learnt is None:
            return samples, learnt
        learnt = samples.learnt
    raise AssertionError("it never stops learning")


def refuse(code: int):
    def script(frame: bytes):
        number, unit, pdu = take_mbap(frame)
        return [(0, mbap(number, unit, bytes((pdu[0] | 0x80, code))))]

    return script


async def test_fifty_good_points_and_an_illegal_one_bring_fifty_from_the_first_read(driver, device):
    device.holes = frozenset({25})
    addresses = registers(*range(51))
    first = await driver.read(driver.plan(addresses, {}))
    assert list(first.flaws) == [25]
    assert first.flaws[25].why is Why.REFUSED
    assert first.flaws[25].detail == "unit 1 holding:25 x1: exception 2: illegal data address"
    assert first.learnt["holes"] == {"1/holding": [[25, 1, 2]]}
    assert first.learnt["limits"] == {}

    device.reads.clear()
    plan = driver.plan(addresses, first.learnt)
    again = [await driver.read(plan) for _ in range(3)]
    assert all(list(samples.flaws) == [25] and samples.learnt is None for samples in again)
    assert device.reads == 3 * [(3, 0, 25), (3, 26, 25)]


async def test_a_hole_between_wanted_registers_is_gone_around(driver, device):
    device.holes = frozenset({5})
    samples, learnt = await read_until_learnt(driver, registers(0, 1, 9, 10))
    assert samples.values == [1000, 1001, 1009, 1010]
    assert learnt["holes"] == {"1/holding": [[2, 7, 2]]}


@pytest.mark.parametrize("code", [2, 3])
async def test_a_device_that_takes_sixteen_registers_needs_no_setting(driver, device, code):
    device.most, device.code_for_length = 16, code
    samples, learnt = await read_until_learnt(driver, registers(*range(100)))
    assert samples.values == [1000 + at for at in range(100)]
    assert not samples.flaws
    assert 8 <= learnt["limits"]["1/holding"] <= 16
    device.reads.clear()
    await driver.read(driver.plan(registers(*range(100)), learnt))
    assert len(device.reads) <= 13


async def test_a_border_between_neighbours_is_learnt(driver, device):
    right = device.answer

    def answer(pdu: bytes) -> bytes:
        offset, count = int.from_bytes(pdu[1:3]), int.from_bytes(pdu[3:5])
        return b"\x83\x02" if offset < 3 < offset + count else right(pdu)

    device.answer = answer
    samples, learnt = await read_until_learnt(driver, registers(2, 3))
    assert samples.values == [1002, 1003]
    assert learnt["holes"] == {"1/holding": [[3, 0, 2]]}


async def test_many_holes_are_found_over_several_reads_at_a_bounded_price(driver, device):
    device.holes = frozenset(range(1, 100, 2))
    plan = driver.plan(registers(*range(100)), {})
    await driver.read(plan)
    assert len(device.reads) <= 41
    samples, _ = await read_until_learnt(driver, registers(*range(100)))
    assert [value is None for value in samples.values] == [bool(at % 2) for at in range(100)]


async def test_a_hole_that_gives_values_again_is_read_again(driver, device):
    learnt = {"holes": {"1/holding": [[25, 1, 2]]}}
    samples = await driver.read(driver.plan(registers(*range(51)), learnt))
    assert not samples.flaws
    assert samples.learnt["holes"] == {}


async def test_a_device_that_refuses_everything_is_alive_and_asked_little(driver, tcp):
    tcp.script = refuse(2)
    samples, learnt = await read_until_learnt(driver, registers(0, 50, 100))
    assert {flaw.why for flaw in samples.flaws.values()} == {Why.REFUSED}
    plan = driver.plan(registers(0, 50, 100), learnt)
    await driver.read(plan)
    tcp.requests.clear()
    assert len((await driver.read(plan)).flaws) == 3
    assert len(tcp.requests) == 1


async def test_a_table_the_device_does_not_have_is_not_taken_apart(driver, tcp):
    tcp.script = refuse(1)
    samples = await driver.read(driver.plan(registers(0, 1, 2), {}))
    assert [flaw.why for flaw in samples.flaws.values()] == [Why.REFUSED] * 3
    assert len(tcp.requests) == 1
    assert "illegal function" in samples.flaws[0].detail


async def test_a_failed_device_is_named_as_such(driver, tcp):
    tcp.script = refuse(4)
    samples = await driver.read(driver.plan(registers(0), {}))
    assert samples.flaws[0].why is Why.DEVICE_BAD


async def test_a_busy_device_is_waited_for(driver, tcp):
    scripts = [refuse(6), refuse(5), tcp.script]
    tcp.script = lambda frame: scripts.pop(0)(frame)  # noqa: PLW0108 - another one each time
    assert (await driver.read(driver.plan(registers(0), {}))).values == [1000]
    assert len(tcp.requests) == 3


@pytest.mark.parametrize("code", [0x0A, 0x0B])
async def test_a_gateway_whose_device_is_silent_is_no_response(driver, tcp, code):
    tcp.script = refuse(code)
    with pytest.raises(NoResponse, match="gateway"):
        await driver.read(driver.plan(registers(0, 500), {}))
    assert len(tcp.requests) == 1


async def test_a_silent_device_costs_one_timeout_however_many_blocks(driver, tcp):
    tcp.script = lambda frame: []
    with pytest.raises(NoResponse, match="no answer within"):
        await driver.read(driver.plan(registers(0, 300, 600, 900), {}))
    assert len(tcp.requests) == 1


async def test_what_was_read_before_the_silence_is_kept(driver, tcp):
    right = tcp.script
    tcp.script = lambda frame: right(frame) if len(tcp.requests) == 1 else []
    samples = await driver.read(driver.plan(registers(600, 0, 300), {}))
    assert samples.values == [None, 1000, None]
    assert [samples.flaws[at].why for at in (0, 2)] == [Why.TIMEOUT] * 2
    assert len(tcp.requests) == 2


async def test_a_link_closed_while_idle_is_opened_again_without_ado(driver, tcp):
    plan = driver.plan(registers(0), {})
    await driver.read(plan)
    tcp.hang_up()
    await until(lambda: not driver._transactions.is_open)
    assert (await driver.read(plan)).values == [1000]
    assert tcp.connects == 2
    assert driver.evidence["reconnects"] == 1


async def test_a_link_that_breaks_while_asked_is_lost(driver, tcp):
    def script(frame: bytes):
        tcp.hang_up()
        return []

    plan = driver.plan(registers(0), {})
    await driver.read(plan)
    tcp.script = script
    with pytest.raises(ConnectionLost, match="the other side"):
        await driver.read(plan)


async def test_reading_before_opening_says_so(tcp):
    driver = ModbusDriver(ModbusSettings(host="127.0.0.1", port=tcp.port))
    with pytest.raises(ConnectionLost, match="not open"):
        await driver.read(driver.plan(registers(0), {}))


async def test_a_refused_connection_says_what_to_check():
    driver = ModbusDriver(ModbusSettings(host="127.0.0.1", port=1))
    with pytest.raises(ConnectionLost, match="another client"):
        await driver.open()
    await driver.close()
