"""Silent servers, restarted servers, and what the agent makes of them."""

import pytest
from asyncua import ua
from edge_agent_opcua import OpcUaDriver, channel
from edge_agent_opcua.client import QuietClient

from edge_agent.driver import ConnectionLost, Why
from tests.rigs.opcua_plant import OVEN, make_driver
from tests.rigs.opcua_watch import agent, at, watching
from tests.rigs.until import until

pytestmark = pytest.mark.thorough


@pytest.fixture
def impatient(monkeypatch):
    """Expect a sign of life every 0.3 s, and count as stalled what gives none for 0.7 s."""
    monkeypatch.setattr("edge_agent_opcua.subscription.KEEP_ALIVE", 0.3)
    monkeypatch.setattr("edge_agent_opcua.stall.GRACE", 0.1)


def subscriptions(plant):
    return plant.first.server.iserver.subscription_service.subscriptions


async def test_a_server_with_nothing_to_tell_is_not_taken_for_dead(driver, impatient):
    async with watching(driver, at("Door")) as listener:
        await listener.until(lambda: listener.heard)
        await listener.listen(1.5)
    assert listener.values() == [True]
    assert driver.evidence == {}


@pytest.fixture
def renewals(monkeypatch):
    """Secure channels of a second; half-way their keys are renewed. Gives how often."""
    make, send, counted = channel._make_client, QuietClient.open_secure_channel, []

    def hurried(settings, url):
        client = make(settings, url)
        client.secure_channel_timeout = 1_000
        return client

    async def open_secure_channel(self, renew=False):
        counted.append(renew)
        await send(self, renew)

    monkeypatch.setattr(channel, "_make_client", hurried)
    monkeypatch.setattr(QuietClient, "open_secure_channel", open_secure_channel)
    return counted


async def test_it_is_watched_through_encryption_and_while_keys_change(gateway, vault, renewals):
    async def give(value):
        index = await vault.server.get_namespace_index(OVEN)
        await vault.server.get_node(ua.NodeId("Temperature", index)).write_value(value)

    gateway.trust(vault.url, vault.certificate)
    async with watching(gateway.driver(vault.url), at("Temperature")) as listener:
        await listener.until_it_is(181.5)
        for value in (300.0, 301.0, 302.0, 303.0, 181.5):
            await listener.listen(0.4)
            vault.run(give(value))
            await listener.until_it_is(value)
    assert renewals.count(True) >= 2
    assert listener.course() == [181.5, 300.0, 301.0, 302.0, 303.0, 181.5]


async def test_a_link_on_which_nothing_comes_any_more_is_lost_by_the_watchdog(relay, monkeypatch):
    monkeypatch.setattr("edge_agent_opcua.channel.WATCHDOG", 0.2)
    async with watching(make_driver(relay.port, timeout=0.4), at("Door")) as listener:
        await listener.until(lambda: listener.heard)
        relay.silence()
        with pytest.raises(ConnectionLost):
            await listener.until(lambda: False)


async def test_a_subscription_that_fell_silent_is_made_anew(driver, plant, impatient):
    before = set(subscriptions(plant))
    async with watching(driver, at("Changing")) as listener:
        await listener.until(lambda: listener.heard)
        [first] = set(subscriptions(plant)) - before

        async def fall_silent():
            subscriptions(plant)[first]._task.cancel()

        plant.run(fall_silent())
        plant.run(plant.first.change("Changing", 400.0))
        await listener.until_it_is(400.0)
        assert Why.TIMEOUT in listener.values(), "nobody knows what happened in between"
        assert first not in subscriptions(plant)
        assert len(set(subscriptions(plant)) - before) == 1
    assert driver.evidence["stalled"] == 1


async def test_subscription_session_and_connection_are_made_anew_in_that_order(
    driver, plant, impatient, monkeypatch
):
    async def silent(self, requestdata=None):
        return False

    made, before = [], set(subscriptions(plant))
    service = plant.first.server.iserver.subscription_service
    create, close = service.create_subscription, plant.first.server.iserver.create_session
    monkeypatch.setattr(
        service,
        "create_subscription",
        lambda *a, **k: made.append("subscription") or create(*a, **k),
    )
    monkeypatch.setattr(
        plant.first.server.iserver, "create_session",
        lambda *a, **k: made.append("session") or close(*a, **k),
    )  # fmt: skip
    monkeypatch.setattr(
        "asyncua.server.internal_subscription.InternalSubscription.publish_results", silent
    )
    async with watching(driver, at("Changing")) as listener:
        with pytest.raises(ConnectionLost, match="reported nothing for"):
            await listener.until(lambda: False)
    assert made == ["session", "subscription", "subscription", "session", "subscription"]
    assert driver.evidence["stalled"] == 3
    assert set(subscriptions(plant)) == before


# --- with the agent's poller ---------------------------------------------------------------------


@pytest.fixture
def soon(monkeypatch):
    monkeypatch.setattr("edge_agent.poller.FIRST_DELAY", 0.1)
    monkeypatch.setattr("edge_agent.poller.LAST_DELAY", 0.5)
    monkeypatch.setattr("edge_agent_opcua.reconcile.FIRST", 0.1)


async def test_unwatched_nodes_are_polled_beside_the_others(relay, plant, soon):
    driver = make_driver(relay.port)
    addresses = [*at("Door"), *at("Changing", watch=False)]
    async with agent(driver, addresses, every=0.05) as (_, diary):
        await until(lambda: len(diary.values.get(("oven", 1), [])) >= 4)
        plant.run(plant.first.change("Changing", 501.0))
        await until(lambda: diary.last(1) == 501)
        assert diary.values["oven", 0] == [True]
        await relay.drop()
        await until(lambda: Why.LINK_DOWN in diary.values["oven", 0])
        await until(lambda: diary.last(0) is True and diary.last(1) == 501)


async def test_with_watch_false_every_node_is_polled(plant, relay):
    driver, before = make_driver(relay.port, watch=False), set(subscriptions(plant))
    async with agent(driver, at("Door"), every=0.05) as (poller, diary):
        await until(lambda: len(diary.values.get(("oven", 0), [])) >= 4)
        assert poller.polls >= 4
        assert set(subscriptions(plant)) == before


def test_a_driver_that_is_not_open_says_nothing_of_itself():
    assert OpcUaDriver(make_driver(1).settings).details() == {}


async def test_a_fault_is_told_of_its_own_device_and_as_long_as_it_lasts(driver, plant):
    well, ill = at("Changing"), at("NoSuchNode", "Door")
    async with watching(driver, well, ill, devices=(0, 1)) as listener:
        await listener.until(lambda: len(listener.heard) == 3)
        plans = [driver.plan(addresses, {}) for addresses in (well, ill)]
        assert driver.noticed(plans[0]) == {}
        first = driver.noticed(plans[1])["unknown_node"]
        assert driver.noticed(plans[1])["unknown_node"] == first + 1, "it is still so"
    assert driver.evidence["unknown_node"] == 1
    assert driver.noticed(driver.plan(at("Unsure"), {})) is None, "nobody watches it"


async def test_the_agent_says_what_is_wrong_with_the_device_that_has_it(relay, soon):
    driver = make_driver(relay.port)
    async with agent(driver, at("Door", "NoSuchNode")) as (poller, diary):
        await until(lambda: diary.last(1) is Why.REFUSED)
        await until(lambda: poller.devices["oven"].code == "E-OPCUA-NODE")
        await until(lambda: diary.last(0) is True)
