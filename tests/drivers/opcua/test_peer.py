"""Values of a server of another house, which encodes in its own way."""

import json

import pytest
from edge_agent_opcua import OpcUaAddress

from edge_agent.driver import ConnectionLost, Quality, Why
from edge_agent.testing import DriverContract, Rig
from tests.rigs.node_opcua import CHANGING, OVEN
from tests.rigs.opcua_plant import make_driver
from tests.rigs.relay import Relay
from tests.rigs.slow_link import slow_link

pytestmark = pytest.mark.thorough

BATCH = {
    "Number": 7,
    "Recipe": "窑-7",
    "Limits": {"Low": 10.5, "High": 99.5},
    "Steps": [1.0, 2.0, 3.0],
    "Mode": 2,
}


def at(name, **more):
    return OpcUaAddress(at=f"nsu={OVEN};s=Oven.{name}", **more)


@pytest.fixture
async def driver(other_house):
    driver = make_driver(other_house.port)
    await driver.open()
    yield driver
    await driver.close()


async def read(driver, *addresses):
    return await driver.read(driver.plan(addresses, {}))


async def test_every_kind_of_value_is_read_from_a_server_of_another_house(driver):
    wanted = {
        at("Temperature"): 181.5,
        at("Pressure"): 1.25,
        at("Cycles"): 42,
        at("Total"): 2**64 - 1,
        at("Small"): -3,
        at("Byte"): 200,
        at("Word"): 50_000,
        at("Long"): -70_000,
        at("Door"): True,
        at("Recipe"): "窑-7",
        at("Text"): "heating",
        at("Started"): "2026-02-19T12:00:00.123Z",
        at("Bytes"): "AQL/",
        at("Id"): "72962b91-fa75-4ae6-8d28-b404dc7daf63",
        at("Zones", part="[3]"): 4.5,
        at("Zones", part="[1:2]", text=True): "[2.5,3.5]",
        at("Names", part="[2]"): "窑",
        at("Matrix", part="[1][2]"): 6,
        at("Mode"): 1,
        at("Mode", text=True): "Heating",
        at("Batch", part="Limits.High"): 99.5,
        at("Batch", part="Steps[1]"): 2.0,
        at("Batch", part="Recipe"): "窑-7",
    }
    samples = await read(driver, *wanted)
    assert dict(zip(wanted, samples.values, strict=True)) == wanted
    assert not samples.flaws
    assert len(samples.times) == len(wanted)


async def test_a_structure_is_json_where_text_is_wanted(driver):
    (sample,) = await read(driver, at("Batch", text=True))
    assert json.loads(sample.value) == BATCH


async def test_an_array_or_structure_without_a_part_is_bad_and_says_what_to_write(driver):
    samples = await read(driver, at("Zones"), at("Batch"), at("Cycles", text=True), at("Door"))
    assert samples.values == [None, None, None, True]
    assert [flaw.why for flaw in samples.flaws.values()] == [Why.DECODE_ERROR] * 3
    assert "an array of 4" in samples.flaws[0].detail
    assert "Number, Recipe, Limits, Steps, Mode" in samples.flaws[1].detail
    assert "no names" in samples.flaws[2].detail


async def test_a_structure_s_type_is_asked_for_only_where_one_is_read(driver, other_house):
    other_house.forget()
    await read(driver, at("Temperature"), at("Zones", part="[0]"), at("Mode"))
    assert set(other_house.services) == {"Read"}
    await read(driver, at("Batch", part="Number"))
    assert "Browse" in other_house.services
    other_house.forget()
    await read(driver, at("Batch", part="Number"))
    assert set(other_house.services) == {"Read"}


async def test_an_array_that_shrinks_loses_only_the_elements_it_has_no_more(driver, other_house):
    addresses = [at("Zones", part="[0]"), at("Zones", part="[3]")]
    assert (await read(driver, *addresses)).values == [1.5, 4.5]
    other_house.remove("Zones")
    other_house.add("Zones")
    other_house.set(Zones=[7, 8, 9, 10])
    assert (await read(driver, *addresses)).values == [7, 10]


async def test_a_server_s_quality_and_times_are_taken_over(driver, other_house):
    other_house.say(
        Temperature={"value": 3, "status": "UncertainLastUsableValue"},
        Pressure={"status": "BadSensorFailure"},
        Cycles={"source": None},
        Door={"source": "2020-01-01T00:00:00Z"},
    )
    try:
        samples = await read(driver, *map(at, ("Temperature", "Pressure", "Cycles", "Door")))
        assert samples.values == [3, None, 42, True]
        assert samples.flaws[0].why is Why.DEVICE_UNCERTAIN
        assert samples.flaws[1].why is Why.DEVICE_BAD
        assert "BadSensorFailure" in samples.flaws[1].detail
        assert 2 not in samples.flaws
        assert 3 not in samples.flaws, "what has not changed for years has an old time"
        assert samples.times[3] == 1577836800000
        assert abs(samples.times[2] - samples.times[3]) > 10**11, "the server's time, not none"
    finally:
        other_house.set(Temperature=181.5, Pressure=1.25, Cycles=42, Door=True)


async def test_a_time_ahead_of_ours_is_flagged_and_kept(driver, other_house):
    other_house.say(Reading={"value": 2, "source": "2099-01-01T00:00:00Z"})
    (sample,) = await read(driver, at("Reading"))
    assert sample.value == 2
    assert (sample.flaw.quality, sample.flaw.why) == (Quality.UNCERTAIN, Why.CLOCK_SKEW)
    assert sample.time == 4070908800000
    other_house.set(Reading=1)
    (sample,) = await read(driver, at("Reading"))
    assert sample.flaw is None


@pytest.mark.parametrize("round_trip", [0.1, pytest.param(1.2, marks=pytest.mark.faults)])
async def test_a_link_with_long_round_trips_is_only_slow(other_house, round_trip):
    async with slow_link(other_house.port, round_trip) as port:
        driver = make_driver(port, timeout=5)
        await driver.open()
        try:
            assert (await read(driver, at("Cycles"))).values == [42]
        finally:
            await driver.close()


async def test_a_first_read_over_a_slow_link_may_take_many_round_trips(workshop):
    workshop.rebuild(ids="numbers", first=50_000)
    numbers = [OpcUaAddress(at=f"nsu={OVEN};i={50_000 + n}") for n in range(3)]
    names = [at("Mode", path="Oven/Mode", text=True)]
    async with slow_link(workshop.port, 0.15) as port:
        driver = make_driver(port, timeout=0.6)  # each answer is in time, all together are not
        await driver.open()
        try:
            samples = await read(driver, *numbers, *names)
        finally:
            await driver.close()
    assert samples.values == [181.5, 1.25, 42, None]
    assert len(samples.learnt["paths"]) == 3


async def test_nothing_is_left_behind_and_nothing_was_asked_to_change(other_house):
    driver = make_driver(other_house.port)
    before = len(other_house.sessions)
    for _ in range(3):
        await driver.open()
        await read(driver, at("Batch", part="Number"), at("Mode", text=True), at("NoSuchNode"))
        await driver.close()
    assert len(other_house.sessions) == before
    assert not CHANGING & set(other_house.services)


async def test_a_server_that_is_full_is_named_and_has_room_again_when_we_close(workshop):
    workshop.rebuild(limits={"MaxSessions": 1})
    first, second = make_driver(workshop.port), make_driver(workshop.port)
    try:
        await first.open()
        with pytest.raises(ConnectionLost, match="session"):
            await second.open()
        await first.close()
        await second.open()
    finally:
        await first.close()
        await second.close()


class TestContractWithAnotherHouse(DriverContract):
    @pytest.fixture
    async def rig(self, other_house):
        async with Relay(other_house.port) as relay:
            driver = make_driver(relay.port)
            yield Rig(
                driver=driver,
                good=[at("Temperature"), at("Batch", part="Recipe"), OpcUaAddress(at="i=2261")],
                refused=at("NoSuchNode"),
                cut=relay.cut,
            )
            await driver.close()
