import asyncio
import struct

import pytest
from edge_agent_opcua import OpcUaAddress, channel

from edge_agent.driver import ConnectionLost, Flaw, Quality, Why
from tests.rigs.opcua_plant import GUID, MEASURED, OVEN, make_driver
from tests.rigs.until import until

NUMBERED = [f"Number{n}" for n in range(10)]
MEASURED_MS = int(MEASURED.timestamp() * 1000)

# Services by the number of their binary encoding. Source: OPC 10000-6, A.3 (NodeIds.csv).
OPEN_READ_CLOSE = {461: "CreateSession", 467: "ActivateSession", 631: "Read", 473: "CloseSession"}


def at(*names):
    return [OpcUaAddress(at=f"s={name}", namespace=OVEN) for name in names]


async def read(driver, addresses):
    return await driver.read(driver.plan(addresses, {}))


async def test_values_come_with_the_time_of_their_source(driver):
    await driver.open()
    names = ["Temperature", "Cycles", "Door", "Recipe", "Text", "Started", "Clamped"]
    samples = await read(driver, at(*names))
    assert samples.values == [
        181.5, 42, True, "窑-7", "heating", "2026-02-19T12:00:00.123Z", 5.0
    ]  # fmt: skip
    assert not samples.flaws
    assert set(samples.times.values()) == {MEASURED_MS}


async def test_a_server_says_which_product_it_is(driver):
    await driver.open()
    told = await driver.identify(driver.plan(at("Door"), {}))
    assert told["model"] == "FreeOpcUa Python Server"
    assert set(told) <= {"maker", "model", "version", "build"}


async def test_without_a_source_time_the_server_time_is_taken(driver):
    await driver.open()
    (sample,) = await read(driver, at("NoSourceTime"))
    assert sample.time is not None


async def test_every_kind_of_node_id_is_found(driver, plant):
    await driver.open()
    addresses = [
        OpcUaAddress(at="i=1001", namespace=OVEN),
        OpcUaAddress(at=f"g={GUID}", namespace=OVEN),
        OpcUaAddress(at="b=AQI=", namespace=OVEN),
        OpcUaAddress(at=f"ns={plant.first.index};i=1001"),
    ]
    assert (await read(driver, addresses)).values == [7.0, 8.0, 9.0, 7.0]


async def test_the_server_s_quality_is_ours_with_its_name(driver):
    await driver.open()
    samples = await read(driver, at("Unsure", "NoSensor", "Starting", "NoSuchNode"))
    assert samples.values == [5.0, None, None, None]
    assert [flaw for _, flaw in sorted(samples.flaws.items())] == [
        Flaw(Quality.UNCERTAIN, Why.DEVICE_UNCERTAIN, "UncertainLastUsableValue 0x40900000"),
        Flaw(Quality.BAD, Why.DEVICE_BAD, "BadSensorFailure 0x808C0000"),
        Flaw(Quality.BAD, Why.STARTING, "BadWaitingForInitialData 0x80320000"),
        Flaw(Quality.BAD, Why.REFUSED, "BadNodeIdUnknown 0x80340000"),
    ]


async def test_what_cannot_be_decoded_spoils_no_other(driver):
    await driver.open()
    names = ["Temperature", "Broken", "Cycles", "Zones", "NotUtf8", "Empty", "Door"]
    samples = await read(driver, at(*names))
    assert samples.values == [181.5, None, 42, None, None, None, True]
    whys = {names[index]: flaw.why for index, flaw in samples.flaws.items()}
    assert whys == {
        "Broken": Why.DECODE_ERROR,
        "Zones": Why.DECODE_ERROR,
        "NotUtf8": Why.DECODE_ERROR,
        "Empty": Why.NO_VALUE,
    }


async def test_numbers_with_names_but_without_an_enumeration_are_named_too(driver):
    await driver.open()
    nodes = {"Lamp": "blinking", "Step": "heat"}
    addresses = [OpcUaAddress(at=f"s={name}", namespace=OVEN, text=True) for name in nodes]
    assert (await read(driver, addresses)).values == list(nodes.values())
    assert (await read(driver, at(*nodes))).values == [2, 20]


async def test_a_namespace_the_server_has_not_is_refused_and_spoils_no_other(driver):
    await driver.open()
    samples = await read(driver, [OpcUaAddress(at="nsu=urn:none;i=1"), *at("Temperature")])
    assert samples.values == [None, 181.5]
    assert samples.flaws[0].why is Why.REFUSED
    assert OVEN in samples.flaws[0].detail


async def test_a_namespace_that_moved_in_a_restart_is_found_again(driver, relay, plant):
    await driver.open()
    plan = driver.plan(at("Temperature", "Recipe"), {})
    assert (await driver.read(plan)).values == [181.5, "窑-7"]
    relay.upstream = plant.second.port
    await relay.drop()
    with pytest.raises(ConnectionLost, match="a new one will be opened"):
        await driver.read(plan)
    await driver.close()
    await driver.open()
    assert plant.first.index != plant.second.index
    assert (await driver.read(plan)).values == [181.5, "窑-7"]


@pytest.fixture
def oven(plant):
    yield plant.first
    plant.first.most_nodes = 10_000
    plant.run(plant.first.announce(0))


async def test_a_read_is_cut_into_as_many_nodes_as_the_server_allows(driver, oven, plant):
    plant.run(oven.announce(4))
    await driver.open()
    oven.reads.clear()
    samples = await read(driver, at(*NUMBERED))
    assert samples.values == list(range(10))
    assert oven.reads == [4, 4, 2]


async def test_a_server_that_allows_less_than_it_says_is_asked_for_less(driver, oven):
    oven.most_nodes = 3
    await driver.open()
    for _ in range(2):
        oven.reads.clear()
        samples = await read(driver, at(*NUMBERED))
        assert samples.values == list(range(10))
    assert max(oven.reads) <= 3


async def test_a_read_that_is_always_too_much_is_bad_and_ends(driver, oven):
    await driver.open()
    oven.most_nodes = 0
    samples = await read(driver, at("Temperature", "Cycles"))
    assert [flaw.why for flaw in samples.flaws.values()] == [Why.DEVICE_BAD] * 2


async def test_points_of_one_node_come_from_one_request_for_it(driver, oven):
    await driver.open()
    oven.reads.clear()
    assert (await read(driver, at("Cycles", "Door", "Cycles"))).values == [42, True, 42]
    assert oven.reads == [2]


async def test_only_reading_services_are_ever_requested(driver, relay):
    seen = []
    relay.watch = lambda data: seen.extend(services(data))
    await driver.open()
    await read(driver, at("Temperature", "NoSuchNode", "Broken"))
    await driver.close()
    assert set(seen) == set(OPEN_READ_CLOSE)
    assert seen[-1] == 473, "the session is closed at the end"


def services(data):
    """Give the services that messages of the OPC UA secure conversation ask for, in order."""
    while data:
        kind, length = data[:3], struct.unpack_from("<I", data, 4)[0]
        if kind == b"MSG":
            assert data[24:26] == b"\x01\x00", "a four-byte node id in namespace 0"
            yield struct.unpack_from("<H", data, 26)[0]
        data = data[length:]


async def test_a_closed_driver_leaves_nothing_on_the_server(driver, plant, relay):
    await driver.open()
    assert plant.first.sessions == 1
    await driver.close()
    await until(lambda: plant.first.sessions == 0)


@pytest.mark.thorough
async def test_slow_polls_find_the_session_alive(driver, oven, monkeypatch):
    monkeypatch.setattr(channel, "SESSION_TIMEOUT_MS", 300)
    await driver.open()
    oven.reads.clear()
    await until(lambda: len(oven.reads) >= 3)
    assert (await read(driver, at("Cycles"))).values == [42]


@pytest.mark.thorough
async def test_the_channel_is_renewed_before_it_ends(relay, monkeypatch):
    opened = []
    relay.watch = lambda data: opened.append(1) if data[:3] == b"OPN" else None
    make_client = channel._make_client

    def impatient(*given):
        client = make_client(*given)
        client.secure_channel_timeout = 400
        return client

    monkeypatch.setattr(channel, "_make_client", impatient)
    driver = make_driver(relay.port)
    try:
        await driver.open()
        await until(lambda: len(opened) >= 3)
        assert (await read(driver, at("Cycles"))).values == [42]
    finally:
        await driver.close()


async def test_a_silent_server_is_a_lost_connection_and_closing_does_not_wait(driver, relay):
    await driver.open()
    plan = driver.plan(at("Temperature"), {})
    await driver.read(plan)
    relay.silence()
    # the answer is late, not the test
    driver._session._channel.client.uaclient.protocol.timeout = 0.1
    with pytest.raises(ConnectionLost, match="did not answer within"):
        await driver.read(plan)
    started = asyncio.get_running_loop().time()
    await driver.close()
    assert asyncio.get_running_loop().time() - started < 1.5
