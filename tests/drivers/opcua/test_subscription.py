"""What becomes of subscriptions with servers of two houses."""

import asyncio
from collections import Counter

import pytest
from asyncua import ua
from edge_agent_opcua import OpcUaAddress, subscription
from edge_agent_opcua import watching as watching_module

from edge_agent.driver import ConnectionLost, NoResponse, Quality, Why
from tests.rigs.opcua_plant import OVEN, make_driver
from tests.rigs.opcua_watch import at, watching
from tests.rigs.until import until

pytestmark = pytest.mark.thorough

WATCHED = {
    "GetEndpoints", "CreateSession", "ActivateSession", "CloseSession", "Read", "Browse",
    "TranslateBrowsePathsToNodeIds", "CreateSubscription", "CreateMonitoredItems", "Publish",
    "SetMonitoringMode", "DeleteMonitoredItems", "DeleteSubscriptions",
}  # fmt: skip


async def test_twenty_changes_in_one_interval_all_arrive_each_with_its_own_time(driver, plant):
    async with watching(driver, at("Changing"), every=0.5) as listener:
        await listener.until(lambda: listener.heard)

        async def change():
            for number in range(20):
                await plant.first.change("Changing", 100.0 + number)
                await asyncio.sleep(0.005)

        plant.run(change())
        await listener.until_it_is(119)
    samples = listener.heard[0, 0][-20:]
    assert [sample.value for sample in samples] == [100.0 + number for number in range(20)]
    times = [sample.time for sample in samples]
    assert times == sorted(times)
    assert len(set(times)) > 10
    assert driver.evidence == {}


async def test_a_server_of_another_house_keeps_them_or_says_that_it_could_not(workshop):
    workshop.rebuild(fastest=0)
    for queue in (50, 2):
        driver = make_driver(workshop.port, queue=queue)
        async with watching(driver, at("Oven.Cycles", sampling=0), every=0.4) as listener:
            await listener.until(lambda: listener.heard)
            wanted = [1000 * queue + number for number in range(20)]
            for value in wanted:
                workshop.set(Cycles=value)
            await listener.until_it_is(wanted[-1])
        if queue == 50:
            assert listener.values()[-20:] == wanted
            assert driver.evidence == {}
        else:
            assert len(listener.values()) < 10
            assert driver.evidence["overflow"] >= 1


async def test_a_queue_that_runs_over_is_noticed(plant, relay):
    driver = make_driver(relay.port, queue=2)
    async with watching(driver, at("Changing"), every=0.3) as listener:
        await listener.until(lambda: listener.heard)
        for number in range(9):
            plant.run(plant.first.change("Changing", 200.0 + number))
        await listener.until_it_is(208)
        assert listener.details["queue"] == [4, 4]  # two looks per interval, and two to spare
        kept = [value for value in listener.values() if value >= 200]
    assert 2 <= len(kept) < 9
    assert kept[-1] == 208


async def test_an_absolute_deadband_is_kept_by_the_server(other_house):
    other_house.set(Temperature=181.5)
    addresses = at("Oven.Temperature", "Oven.Recipe")
    driver = make_driver(other_house.port)
    async with watching(driver, addresses, deadbands={0: 5.0, 1: 5.0}) as listener:
        await listener.until(lambda: len(listener.heard) == 2)
        for value in (182.0, 184.0, 190.0, 191.0, 200.0):
            other_house.set(Temperature=value)
            await listener.listen(0.15)
        items = other_house.state()["subscriptions"][-1]["items"]
    assert listener.values(0) == [181.5, 190.0, 200.0]
    assert [bool(item["filter"]) for item in items] == [True, False], "none for a text"
    other_house.set(Temperature=181.5)


async def test_a_server_with_narrow_limits_is_used_within_them(workshop):
    limits = {"MaxMonitoredItemsPerCall": 7, "MaxMonitoredItemsPerSubscription": 28}
    workshop.rebuild(many=30, fastest=2000, limits=limits)
    workshop.forget()
    addresses = at(*(f"v{number}" for number in range(30)))
    driver = make_driver(workshop.port)
    async with watching(driver, addresses, every=0.2) as listener:
        await listener.until(lambda: len(listener.heard) == 28 and listener.unwatched)
        assert workshop.services["CreateMonitoredItems"] == 5
        assert listener.unwatched == {0: [28, 29]}, "there is no room: they are polled"
        assert len((await driver.read(driver.plan(addresses[28:], {}))).flaws) == 0
        details = listener.details
    assert details["sampling_s"] == [2.0, 2.0], "the server is slower than asked, and it is shown"
    assert (details["every_s"], details["publishing_s"]) == (0.2, pytest.approx(0.2))
    assert details["keep_alive_s"] == pytest.approx(10.0)
    assert (details["watched"], details["polled"], details["refused"]) == (28, 2, 0)


async def test_nodes_that_are_not_to_be_watched_are_polled(driver):
    async with watching(driver, [*at("Recipe", watch=False), *at("Door")]) as listener:
        await listener.until(lambda: listener.unwatched and listener.heard)
        await listener.listen(0.2)
    assert listener.unwatched == {0: [0]}
    assert list(listener.heard) == [(0, 1)]


async def test_whatever_can_be_read_can_be_watched(other_house):
    other_house.set(Zones=[1.5, 2.5, 3.5, 4.5])
    addresses = [
        *at("Oven.Zones", part="[1]"),
        *at("Oven.Zones", part="[3]"),
        *at("Oven.Batch", part="Limits.High"),
        *at("Oven.Mode", text=True),
        *at("Oven.Total", "Oven.Text", "Oven.Started", "Oven.Bytes", "Oven.Small", "Oven.Zones"),
    ]
    driver = make_driver(other_house.port)
    async with watching(driver, addresses) as listener:
        await listener.until(lambda: len(listener.heard) == len(addresses))
        read = await driver.read(driver.plan(addresses, {}))
        assert listener.details["watched"] == 8, "parts of one node are one item"
    first = [listener.heard[0, index][0] for index in range(len(addresses))]
    assert [sample.value for sample in first] == read.values
    assert first[1].value == 4.5
    assert isinstance(first[2].value, float)
    assert first[-1].flaw.why is Why.DECODE_ERROR


async def test_a_value_that_cannot_be_decoded_spoils_no_other(driver):
    async with watching(driver, at("Broken", "Door")) as listener:
        await listener.until(lambda: len(listener.heard) == 2)
    assert listener.values(0) == [Why.DECODE_ERROR]
    assert listener.values(1) == [True]


async def test_quality_comes_along(driver):
    async with watching(driver, at("Unsure", "NoSensor", "Starting", "Clamped")) as listener:
        await listener.until(lambda: len(listener.heard) == 4)
    samples = [listener.heard[0, index][0] for index in range(4)]
    assert [sample.flaw and sample.flaw[:2] for sample in samples] == [
        (Quality.UNCERTAIN, Why.DEVICE_UNCERTAIN),
        (Quality.BAD, Why.DEVICE_BAD),
        (Quality.BAD, Why.STARTING),
        None,
    ]


def subscriptions(server) -> set[int]:
    return {one["id"] for one in server.state()["subscriptions"]}


async def test_nothing_is_asked_that_could_change_anything_and_nothing_is_left(other_house):
    before, sessions = subscriptions(other_house), Counter(other_house.sessions)
    other_house.forget()
    async with watching(make_driver(other_house.port), at("Oven.Door")) as listener:
        await listener.until(lambda: listener.heard)
        assert len(subscriptions(other_house) - before) == 1
    assert set(other_house.services) <= WATCHED
    # What tests before left behind a broken link may have ended by itself meanwhile.
    assert subscriptions(other_house) <= before
    assert not Counter(other_house.sessions) - sessions


# --- nodes, items and subscriptions that come and go ---------------------------------------------


@pytest.fixture
def hurried(monkeypatch):
    """Compare what is wanted with what is watched many times a second, and try again as often."""
    monkeypatch.setattr(watching_module, "VERIFY", 0.2)
    monkeypatch.setattr("edge_agent_opcua.reconcile.FIRST", 0.1)


async def test_a_node_that_comes_and_goes_is_watched_whenever_it_is_there(other_house, hurried):
    other_house.remove("Door")
    driver = make_driver(other_house.port)
    async with watching(driver, at("Oven.Door", "Oven.Recipe")) as listener:
        await listener.until(lambda: len(listener.heard) == 2)
        assert listener.values(0) == [Why.REFUSED]
        other_house.add("Door")
        await listener.until_it_is(True)
        other_house.remove("Door")
        await listener.until_it_is(Why.REFUSED)
        other_house.add("Door")
        await listener.until_it_is(True)
        other_house.set(Door=False)
        await listener.until_it_is(False)
        other_house.set(Door=True)
    assert listener.course() == [Why.REFUSED, True, Why.REFUSED, True, False]
    assert len(set(listener.values(1))) == 1


async def test_looking_for_a_node_that_is_not_there_silences_no_server(
    other_house, hurried, monkeypatch
):
    # This server counts the time until it says that it lives anew at each call of a subscription.
    monkeypatch.setattr("edge_agent_opcua.subscription.KEEP_ALIVE", 0.3)
    monkeypatch.setattr("edge_agent_opcua.stall.GRACE", 0.1)
    monkeypatch.setattr("edge_agent_opcua.reconcile.LAST", 0.1)
    monkeypatch.setattr(watching_module, "VERIFY", 60.0)
    driver = make_driver(other_house.port)
    async with watching(driver, at("Oven.Door", "Oven.Nowhere")) as listener:
        await listener.until(lambda: len(listener.heard) == 2)
        await listener.listen(1.5)
    assert (listener.values(0), listener.values(1)) == ([True], [Why.REFUSED])
    assert driver.evidence["stalled"] == 0


async def test_an_item_whose_node_the_server_says_is_gone_is_made_anew(driver, plant, hurried):
    def items():
        services = plant.first.server.iserver.subscription_service.subscriptions.values()
        return {
            (one.data.SubscriptionId, number)
            for one in services
            for number in one.monitored_item_srv._monitored_items
        }

    others = items()  # of sessions whose links were cut
    async with watching(driver, at("Changing")) as listener:
        await listener.until(lambda: listener.heard)
        before = items() - others
        gone = ua.StatusCode(ua.StatusCodes.BadNodeIdUnknown)
        plant.run(plant.first.change("Changing", 0.0, StatusCode=gone))
        await listener.until_it_is(Why.REFUSED)
        await until(lambda: not items() & before)
        node = plant.first.server.iserver.aspace[ua.NodeId("Changing", plant.first.index)]
        # The server made the value null, and would refuse a number in its place.
        node.attributes[ua.AttributeIds.Value].value = ua.DataValue(ua.Variant(0.0))
        plant.run(plant.first.change("Changing", 800.0))
        await listener.until_it_is(800.0)


async def test_items_that_are_watched_are_not_made_again(other_house, hurried):
    # This server answers BadNothingToDo where an item is in the mode that is asked for.
    driver = make_driver(other_house.port)
    # A link that broke in a test before leaves its subscription until the server's timeout.
    others = subscriptions(other_house)
    async with watching(driver, at("Oven.Door", "Oven.Recipe")) as listener:
        await listener.until(lambda: len(listener.heard) == 2)
        other_house.forget()
        await until(lambda: other_house.services.get("SetMonitoringMode", 0) >= 3)
        ours = [one for one in other_house.state()["subscriptions"] if one["id"] not in others]
    assert [len(one["items"]) for one in ours] == [2]
    assert driver.evidence["items_lost"] == 0


async def test_items_that_the_server_forgets_are_made_again(driver, plant, hurried):
    async with watching(driver, at("Changing", "Door")) as listener:
        await listener.until(lambda: len(listener.heard) == 2)

        async def forget():
            for one in plant.first.server.iserver.subscription_service.subscriptions.values():
                service = one.monitored_item_srv
                service.delete_monitored_items(list(service._monitored_items)[:1])

        plant.run(forget())
        plant.run(plant.first.change("Changing", 300.0))
        await listener.until_it_is(300)
        assert listener.details["watched"] == 2
    assert driver.evidence["items_lost"] == 1


@pytest.fixture
def suspicious(monkeypatch):
    """Expect the report of a change that was read a moment later."""
    monkeypatch.setattr(watching_module, "GRACE", 0.1)
    monkeypatch.setattr("edge_agent_opcua.reconcile.FIRST", 0.05)


async def test_an_item_that_is_stuck_is_made_again_and_at_last_polled(driver, plant, suspicious):
    async def get_stuck():
        for one in plant.first.server.iserver.subscription_service.subscriptions.values():
            for data in one.monitored_item_srv._monitored_items.values():
                plant.first.server.iserver.aspace.delete_datachange_callback(data.callback_handle)

    plan = driver.plan(at("Changing"), {})
    async with watching(driver, at("Changing")) as listener:
        await listener.until(lambda: listener.heard)
        for count in range(1, 4):
            plant.run(get_stuck())
            plant.run(plant.first.change("Changing", 600.0 + count))
            await driver.read(plan)
            await until(lambda: driver.evidence["items_stuck"] == count)  # noqa: B023
            if count < 3:
                await listener.until_it_is(600.0 + count)
        await listener.until(lambda: listener.unwatched == {0: [0]})


async def test_what_was_read_and_is_reported_soon_is_no_reason_for_suspicion(
    driver, plant, suspicious
):
    async with watching(driver, at("Changing", "Door"), every=0.3) as listener:
        await listener.until(lambda: len(listener.heard) == 2)
        for count in range(3):
            plant.run(plant.first.change("Changing", 700.0 + count))
            await driver.read(driver.plan(at("Changing", "Door"), {}))
            await listener.until_it_is(700.0 + count)
    assert driver.evidence == {}


async def test_a_subscription_that_the_server_forgets_is_made_again(other_house):
    async with watching(make_driver(other_house.port), at("Oven.Temperature")) as listener:
        await listener.until(lambda: listener.heard)
        other_house.drop_subscriptions()
        other_house.set(Temperature=99.0)
        await listener.until_it_is(99)
        assert len(other_house.state()["subscriptions"]) == 1
    other_house.set(Temperature=181.5)
    assert listener.driver.evidence["subscriptions_lost"] >= 1


async def test_a_session_that_the_server_forgets_is_a_lost_link(other_house):
    async with watching(make_driver(other_house.port), at("Oven.Temperature")) as listener:
        await listener.until(lambda: listener.heard)
        other_house.drop_sessions()
        with pytest.raises(ConnectionLost, match=str(other_house.port)):
            await listener.until(lambda: False)


async def test_a_server_that_restarts_behind_a_living_session_is_asked_anew(driver, plant, hurried):
    subscriptions = plant.first.server.iserver.subscription_service.subscriptions
    before = set(subscriptions)
    async with watching(driver, at("Changing")) as listener:
        await listener.until(lambda: listener.heard)
        clients = set(plant.first.server.bserver.clients)
        started = plant.first.server.get_node(watching_module.START_TIME)
        plant.run(started.write_value(ua.Variant(ua.DateTime.now(), ua.VariantType.DateTime)))
        await until(lambda: driver.evidence["restarted"] == 1)
        await listener.until(lambda: len(listener.values()) >= 2)
        assert set(plant.first.server.bserver.clients) == clients, "on the same connection"
        plant.run(plant.first.change("Changing", 310.0))
        await listener.until_it_is(310)
        assert len(set(subscriptions) - before) == 1, "the earlier one is gone"


async def test_a_closed_driver_has_nothing_to_say(driver):
    async with watching(driver, at("Door")):
        pass
    with pytest.raises((ConnectionLost, NoResponse)):
        await driver.read(driver.plan(at("Door"), {}))
    assert driver.details() == {}


def test_reports_are_no_rarer_than_signs_of_life():
    for every, publishing, keep_alive in [(0.1, 0.1, 10), (3, 3, 9), (10, 10, 10), (600, 10, 10)]:
        timing = subscription.Timing.of(every)
        assert timing.publishing == publishing
        assert timing.keep_alive == pytest.approx(keep_alive)


async def test_nodes_named_by_numbers_hand_back_their_paths(driver):
    number = OpcUaAddress(at="i=1001", namespace=OVEN)
    async with watching(driver, [number], at("Door"), every=0.1) as listener:
        await listener.until(lambda: listener.heard and listener.learnt)
        await listener.listen(0.3)
    assert listener.learnt == [{"paths": {number.node(): "0:1001"}}], "once"
