"""Who a unit is and how it does: asked on every transport, with codes that read."""

import contextlib
from collections.abc import AsyncIterator

import pytest
from edge_agent_modbus import ModbusAddress, ModbusDriver, ModbusSettings
from edge_agent_modbus.enquiry import Enquiry, Service
from edge_agent_modbus.identify import Identity, identify, inspect
from edge_agent_modbus.pdu import Barred, Refusal

from edge_agent.driver import ConnectionLost
from tests.drivers.modbus.conftest import rtu_script
from tests.rigs import writes
from tests.rigs.modbus_wire import TcpEnd
from tests.rigs.nameplate import NamedDevice
from tests.rigs.serial_line import SerialLine

NAMES = {
    "vendor": "Acme Works",
    "product_code": "PM-200",
    "revision": "V1.4",
    "product_name": "Power meter",
}


def direct(device: NamedDevice):
    """Ask without a wire."""

    async def ask(asked):
        answer = asked.match(device.answer(asked.pdu))
        assert answer is not None
        return answer

    return ask


@contextlib.asynccontextmanager
async def driving(device: NamedDevice, tmp_path, transport: str) -> AsyncIterator[ModbusDriver]:
    """A driver with the device at the other end."""
    if transport == "rtu":
        line = SerialLine(tmp_path / "tty", rtu_script(device))
        line.plug()
        driver = ModbusDriver(ModbusSettings(transport="rtu", port=str(line.path), baud=115200))
    else:
        end = TcpEnd(
            transport.partition("-")[0],
            lambda frame, send: send(frame.wrap(frame.unit, device.answer(frame.pdu))),
        )
        await end.start()
        driver = ModbusDriver(ModbusSettings(transport=transport, **end.settings))
    await driver.open()
    try:
        yield driver
    finally:
        await driver.close()
        if transport == "rtu":
            line.unplug()
        else:
            await end.stop()


@pytest.mark.shows("P1.5", "P1.6", "P1.7")
@pytest.mark.parametrize("transport", ["tcp", "ascii-over-tcp", "rtu"])
async def test_a_device_says_who_it_is_and_how_it_does(tmp_path, transport):
    device = NamedDevice(per_answer=2)
    async with driving(device, tmp_path, transport) as driver:
        identity = await identify(driver.ask, 1)
        condition = await inspect(driver.ask, 1)
        samples = await driver.read(driver.plan([ModbusAddress(offset=5)], {}))
    assert identity.objects == NAMES
    assert str(identity) == (
        "vendor Acme Works, product_code PM-200, revision V1.4, product_name Power meter"
    )
    assert list(condition.lines()) == [
        "exception status: 01101101 (bit 7 first; meaning: see the manual)",
        "messages worked off: 264, one is being worked on",
        "messages heard: 289; last events, the newest first: 20 00",
    ]
    assert samples.values == [1005]
    assert set(device.asked) == {3, 7, 11, 12, 43}
    assert set(device.asked) <= writes.READS


@pytest.mark.shows("P1.6")
async def test_a_device_without_identification_is_asked_for_its_server_id(tmp_path):
    device = NamedDevice(refused=frozenset({43}))
    async with driving(device, tmp_path, "rtu") as driver:
        identity = await identify(driver.ask, 1)
    assert identity == Identity(server_id=b"\x07PM-200\xff")
    assert str(identity) == "server id 07 50 4d 2d 32 30 30 ff (PM-200)"
    assert device.asked == [43, 17]


@pytest.mark.parametrize("per_answer", [1, 2, 3])
async def test_an_identification_goes_on_while_more_follows(per_answer):
    device = NamedDevice(per_answer=per_answer)
    assert (await identify(direct(device), 1)).objects == NAMES


async def test_a_device_that_knows_the_basics_only_is_not_asked_for_more():
    device = NamedDevice(level=1)
    assert list((await identify(direct(device), 1)).objects) == [
        "vendor",
        "product_code",
        "revision",
    ]
    assert device.asked == [43]


async def test_a_device_that_turns_in_circles_is_left():
    asked = []

    async def ask(enquiry: Enquiry):
        asked.append(enquiry)
        return bytes.fromhex("2b0e0101ff0001000141")  # more follows, from the beginning

    assert (await identify(ask, 1)).objects == {"vendor": "A"}
    assert len(asked) == 1


async def test_a_device_that_never_ends_is_believed_so_far():
    asked = []

    async def ask(enquiry: Enquiry):
        asked.append(enquiry)
        at = enquiry.first
        return bytes((0x2B, 0x0E, enquiry.level, 3, 0xFF, at + 1, 1, at, 1, 0x41))

    await identify(ask, 1)
    assert len(asked) == 16


async def test_nobody_behind_a_gateway_is_not_asked_again():
    asked = []

    async def ask(enquiry: Enquiry):
        asked.append(enquiry)
        return Refusal(0x0B)

    identity = await identify(ask, 1)
    assert not identity
    assert str(identity) == "says nothing of itself"
    assert len(asked) == 1


async def test_what_a_device_does_not_tell_is_said_with_the_reason():
    condition = await inspect(direct(NamedDevice(refused=frozenset({11, 12}))), 1)
    assert (condition.flags, condition.counter, condition.log) == (0x6D, None, None)
    assert set(condition.unknown) == {Service.EVENT_COUNTER, Service.EVENT_LOG}
    assert any("illegal function" in line for line in condition.lines())


async def test_an_enquiry_is_not_repeated_while_its_old_answer_may_come(tmp_path):
    device = NamedDevice()
    line = SerialLine(tmp_path / "tty", lambda _: [])
    line.plug()
    settings = {"transport": "rtu", "port": str(line.path), "baud": 115200, "timeout": 0.05}
    driver = ModbusDriver(ModbusSettings(**settings))
    await driver.open()
    enquiry = Enquiry(1, Service.EVENT_COUNTER)
    assert "no answer within" in (await driver.ask(enquiry)).detail
    line.script = rtu_script(device)
    assert isinstance(await driver.ask(enquiry), Barred)
    assert (await driver.read(driver.plan([ModbusAddress(offset=5)], {}))).values == [1005]
    await driver.close()
    line.unplug()


async def test_enquiries_teach_no_timeout(tmp_path):
    async with driving(NamedDevice(), tmp_path, "tcp") as driver:
        usual = driver._transactions.patience.timeout(1)
        for _ in range(130):
            await driver.ask(Enquiry(1, Service.EXCEPTION_STATUS))
        assert driver._transactions.patience.timeout(1) == usual


async def test_a_closed_link_says_so():
    driver = ModbusDriver(ModbusSettings(host="127.0.0.1", port=1))
    with pytest.raises(ConnectionLost):
        await identify(driver.ask, 1)


@pytest.mark.parametrize(
    ("refused", "told"),
    [
        (frozenset(), NAMES),
        (frozenset({43}), {"server_id": "server id 07 50 4d 2d 32 30 30 ff (PM-200)"}),
        (frozenset({43, 17}), {}),
    ],
)
async def test_the_device_of_a_plan_says_who_it_is_and_is_read_as_before(tmp_path, refused, told):
    device = NamedDevice(refused=refused)
    async with driving(device, tmp_path, "rtu") as driver:
        plan = driver.plan([ModbusAddress(offset=5)], {})
        assert await driver.identify(plan) == told
        assert (await driver.read(plan)).values == [1005]
    assert set(device.asked) <= writes.READS
