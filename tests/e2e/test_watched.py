"""What equipment reports by itself, from its driver to the broker, through the whole agent."""

import dataclasses
import json

from edge_agent_simulated import SimulatedDriver

from edge_agent.config.model import Connection, Device, Point
from edge_agent.driver import Sample
from edge_agent.status import describe
from tests.rigs.fake_broker import fake_broker
from tests.rigs.published import faults
from tests.rigs.scripted_driver import ScriptedAddress, ScriptedSettings
from tests.rigs.until import until
from tests.rigs.watched import WatchedDriver
from tests.rigs.whole_agent import configuration, line, running


async def test_changes_arrive_as_documented_and_a_reload_leaves_them_alone(tmp_path, monkeypatch):
    driver, points = WatchedDriver(), tuple(
        Point(name, ScriptedAddress(at=name), every=1000.0) for name in ("door", "count")
    )  # fmt: skip
    watched = Connection("w", "watched", ScriptedSettings(), (Device("oven", points),))
    load = "edge_agent.plugins.load"
    monkeypatch.setattr(load, {"watched": lambda _: driver, "simulated": SimulatedDriver}.get)
    async with fake_broker() as broker:
        config = configuration(tmp_path, broker.port, watched)
        async with running(config) as agent:
            await until(lambda: driver.watched)
            driver.report(
                (0, True), *((1, Sample(n, time=1_771_500_000_000 + n)) for n in range(20))
            )
            await until(lambda: broker.payloads("/oven/data"))
            changed = dataclasses.replace(config, connections=(watched, line("l", "other")))
            assert await agent.apply(changed) == ["l: started"]
            driver.report((0, False))
            await until(lambda: len(broker.payloads("/oven/data")) == 2)
            [one, _] = describe(agent)["connections"]
            assert (one["state"], one["changes"], one["polls"]) == ("up", 22, 0)
            assert agent.stuck() is None
    assert driver.watched == 1
    first, second = (json.loads(payload) for payload in broker.payloads("/oven/data"))
    assert first["readings"] == [
        {"p": "door", "v": True},
        *({"p": "count", "v": n, "t": 1_771_500_000_000 + n} for n in range(20)),
    ]
    assert second["readings"] == [{"p": "door", "v": False}]
    assert second["prev"] == first["seq"]
    heard = [(one.topic, json.loads(one.payload)) for one in broker.received if one.payload]
    assert [fault for topic, payload in heard for fault in faults(topic, payload)] == []
