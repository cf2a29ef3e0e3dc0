"""A value and its power of ten come together, or there is no value."""

import pytest
from edge_agent_modbus import ModbusAddress, ModbusDriver, ModbusSettings

from edge_agent.driver import Why
from tests.rigs.modbus_tcp import mbap, take_mbap


@pytest.fixture
async def driver(tcp):
    driver = ModbusDriver(ModbusSettings(host="127.0.0.1", port=tcp.port, timeout=0.1))
    await driver.open()
    yield driver
    await driver.close()


def scaled(offset: int, exponent: object, **keys) -> ModbusAddress:
    return ModbusAddress.model_validate({"offset": offset, "exponent": exponent, **keys})


async def read(driver, *addresses):
    return await driver.read(driver.plan(addresses, {}))


async def test_a_mantissa_and_its_exponent_are_one_value_from_one_request(driver, device):
    device.values = {10: 1, 11: 57920, 12: 65533}
    samples = await read(driver, scaled(10, "holding:12", type="uint32"))
    assert samples.values == [123.456]
    assert device.reads == [(3, 10, 3)]


async def test_values_share_an_exponent_and_neighbours_are_left_alone(driver, device):
    device.values = {1: 2314, 2: 2299, 3: 7, 9: 0xFFFF}
    plain = ModbusAddress(offset=3)
    samples = await read(driver, plain, scaled(1, "40010"), scaled(2, {"offset": 9}))
    assert samples.values == [7, 231.4, 229.9]
    assert device.reads == [(3, 1, 9)]


@pytest.mark.parametrize(("exponent", "value"), [(10, 5e10), (3, 5000.0), (0, 5.0), (65526, 5e-10)])
async def test_exponents_from_minus_ten_to_ten_count(driver, device, exponent, value):
    device.values = {0: 5, 1: exponent}
    assert (await read(driver, scaled(0, "holding:1"))).values == [value]


@pytest.mark.parametrize("exponent", [11, 65525, 0x8000])
async def test_an_exponent_that_is_none_gives_no_value(driver, device, exponent):
    device.values = {0: 5, 1: exponent}
    samples = await read(driver, scaled(0, "holding:1"), ModbusAddress(offset=0))
    assert samples.values == [None, 5]
    assert samples.flaws[0].why is Why.DECODE_ERROR
    assert "exponent" in samples.flaws[0].detail


async def test_a_code_for_no_value_is_seen_before_the_exponent(driver, device):
    device.values = {0: 0x8000, 1: 65533}
    samples = await read(driver, scaled(0, "holding:1", type="int16", no_value=(0x8000,)))
    assert samples.values == [None]
    assert samples.flaws[0].why is Why.NO_VALUE


async def test_an_exponent_may_be_half_a_register_of_another_table(driver, device):
    device.values = {0: 5, 500: 0x02FF}
    high = {"at": "30501", "type": "int8h"}
    low = {"at": "30501", "type": "int8l"}
    samples = await read(driver, scaled(0, high), scaled(0, low))
    assert samples.values == [500.0, 0.5]


async def test_a_distant_exponent_is_read_before_and_after_its_value(driver, device):
    device.values = {0: 1234, 600: 65534}
    samples = await read(driver, scaled(0, "holding:600"))
    assert samples.values == [12.34]
    assert [offset for _, offset, _ in device.reads] == [600, 0, 600, 600]


async def test_an_exponent_that_changes_meanwhile_gives_no_value(driver, device, tcp):
    device.values = {0: 1234, 600: 65534}
    right = tcp.script

    def script(frame: bytes):
        if take_mbap(frame)[2][1:3] == b"\0\0":
            device.values[600] = 65535
        return right(frame)

    tcp.script = script
    samples = await read(driver, scaled(0, "holding:600"))
    assert samples.values == [None]
    assert samples.flaws[0].why is Why.STALE
    assert (await read(driver, scaled(0, "holding:600"))).values == [123.4]


async def test_a_refused_exponent_leaves_a_value_that_says_so_and_its_neighbours(driver, device):
    device.values = {0: 5, 1: 6}
    device.holes = frozenset({2})
    learnt = {}
    for _ in range(5):
        samples = await driver.read(
            driver.plan([scaled(0, "holding:2"), ModbusAddress(offset=1)], learnt)
        )
        assert samples.values == [None, 6]
        assert samples.flaws[0].why is Why.REFUSED
        learnt = samples.learnt or learnt
    assert learnt["holes"] == {"1/holding": [[2, 1, 2]]}


async def test_a_value_torn_from_its_exponent_by_a_refusal_is_there_at_the_next_poll(
    driver, device
):
    device.values = {0: 5, 9: 1}
    device.holes = frozenset({5})
    wanted = [scaled(0, "holding:9"), ModbusAddress(offset=5), ModbusAddress(offset=8)]
    first = await driver.read(driver.plan(wanted, {}))
    assert first.values[0] is None
    second = await driver.read(driver.plan(wanted, first.learnt))
    assert second.values == [50.0, None, 1008]


async def test_silence_is_no_response_and_no_value(driver, tcp):
    def script(frame: bytes):
        number, unit, pdu = take_mbap(frame)
        return [(0, mbap(number, unit, bytes((pdu[0] | 0x80, 4))))]

    tcp.script = script
    samples = await read(driver, scaled(0, "holding:1"))
    assert [flaw.why for flaw in samples.flaws.values()] == [Why.DEVICE_BAD]
