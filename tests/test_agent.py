"""The whole agent in this process: simulated equipment, a broker, a real buffer."""

import asyncio
import contextlib
import dataclasses
import json
import os
import subprocess

import pytest
from edge_agent_simulated import SimulatedSettings, SineAddress

from edge_agent.agent import SLOTS, Agent, slot
from edge_agent.clock import Clock
from edge_agent.config.model import (
    AgentIdentity,
    BufferLimits,
    Config,
    Connection,
    Device,
    Mqtt,
    Point,
)
from edge_agent.status import describe
from tests.rigs.fake_broker import fake_broker
from tests.rigs.published import faults
from tests.rigs.until import until


def line(name, *devices, every=0.05):
    points = (Point("wave", SineAddress(amplitude=2), every=every, unit="Cel", label="Welle"),)
    return Connection(
        name, "simulated", SimulatedSettings(), tuple(Device(one, points) for one in devices)
    )


def configuration(folder, port, *connections):
    return Config(
        AgentIdentity("gw", "site"),
        Mqtt("127.0.0.1", port, client_id="edge-gw"),
        BufferLimits(folder / "buffer", flush=0.2),
        connections,
    )


@contextlib.asynccontextmanager
async def running(config):
    """An agent at work; stopped as SIGTERM would at the end."""
    agent, stop, ready = Agent(config, Clock()), asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(agent.run(config, stop, ready))
    try:
        await asyncio.wait(
            {task, wait := asyncio.create_task(ready.wait())}, return_when="FIRST_COMPLETED"
        )
        wait.cancel()
        yield agent
    finally:
        stop.set()
        await asyncio.wait_for(task, 60)


@pytest.mark.parametrize(
    ("intervals", "seconds"),
    [((1.0,), 0.1), ((60.0, 5.0), 0.1), ((0.1,), 0.01), ((1.0, 0.5), 0.05)],
)
def test_all_groups_have_their_turn_within_a_second_and_the_shortest_interval(intervals, seconds):
    points = tuple(Point(f"p{every:g}", SineAddress(), every) for every in intervals)
    of_all = Connection("line", "simulated", SimulatedSettings(), (Device("one", points),))
    assert slot(of_all) == pytest.approx(seconds)
    assert SLOTS * slot(of_all) <= min(1.0, *intervals)


async def test_readings_descriptions_and_states_arrive_as_documented(tmp_path):
    async with fake_broker() as broker:
        async with running(configuration(tmp_path, broker.port, line("l1", "a", "b"))):
            await until(lambda: len(broker.payloads("/a/data")) > 3)
            await until(lambda: broker.payloads("/b/data"))
    documents = [(one.topic, json.loads(one.payload)) for one in broker.received]
    assert [fault for topic, payload in documents for fault in faults(topic, payload)] == []
    topics = {topic for topic, _ in documents}
    assert {
        f"edge/v1/site/gw/{device}/{kind}" for device in "ab" for kind in ("meta", "status", "data")
    } <= topics
    numbers = [payload["seq"] for _, payload in documents if "seq" in payload]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    last = documents[-1]
    assert last[0].endswith("_agent/status")
    assert (last[1]["state"], last[1]["reason"]) == ("offline", "stopped")


async def test_numbers_go_on_after_a_clean_stop_without_a_gap(tmp_path):
    async with fake_broker() as broker:
        config = configuration(tmp_path, broker.port, line("l1", "a"))
        for _ in range(2):
            seen = len(broker.payloads("/data"))
            async with running(config):
                await until(lambda seen=seen: len(broker.payloads("/data")) > seen + 2)
    data = [json.loads(payload) for payload in broker.payloads("/data")]
    assert len({message["epoch"] for message in data}) == 1
    numbers = sorted({message["seq"] for message in data})
    assert numbers == list(range(1, numbers[-1] + 1))
    assert broker.payloads("/loss") == []


async def test_a_reload_changes_one_connection_and_leaves_the_other_running(tmp_path):
    async with fake_broker() as broker:
        before = configuration(tmp_path, broker.port, line("keep", "a"), line("drop", "b"))
        after = dataclasses.replace(before, connections=(line("keep", "a"), line("new", "c")))
        async with running(before) as agent:
            await until(lambda: broker.payloads("/b/meta") and broker.payloads("/a/data"))
            kept = agent.running["keep"].poller
            changes = await agent.apply(after)
            assert sorted(changes) == ["drop: stopped", "new: started"]
            assert agent.running["keep"].poller is kept
            await until(lambda: broker.payloads("/c/data"))
            await until(
                lambda: broker.payloads("/b/meta")[-1] == b"" == broker.payloads("/b/status")[-1]
            )
            assert await agent.apply(after) == []
    assert len(broker.connects) == 1


async def test_a_reload_to_another_broker_takes_the_buffer_along(tmp_path):
    async with fake_broker() as first, fake_broker() as second:
        before = configuration(tmp_path, first.port, line("l", "a"))
        async with running(before) as agent:
            await until(lambda: first.payloads("/a/data"))
            await agent.apply(
                dataclasses.replace(before, mqtt=Mqtt("127.0.0.1", second.port, "edge-gw"))
            )
            await until(lambda: second.payloads("/a/data") and second.payloads("/a/status"))
        await until(lambda: second.payloads("_agent/status"))
    assert b'"offline"' in first.payloads("_agent/status")[-1]


async def test_topics_of_devices_removed_while_stopped_are_cleared(tmp_path):
    async with fake_broker() as broker:
        async with running(configuration(tmp_path, broker.port, line("l", "a", "b"))):
            await until(lambda: broker.payloads("/b/status"))
        async with running(configuration(tmp_path, broker.port, line("l", "a"))):
            await until(lambda: broker.payloads("/b/status")[-1] == b"")
            await until(lambda: broker.payloads("/b/meta")[-1] == b"")


async def test_without_a_broker_everything_is_kept_and_later_delivered(tmp_path):
    async with fake_broker(connack=0x88) as broker:
        config = configuration(tmp_path, broker.port, line("l", "a"))
        async with running(config) as agent:
            await until(lambda: agent.buffer.waiting >= 10)
            status = describe(agent)
            assert status["broker"]["state"] == "waiting"
            assert status["buffer"]["readings"] >= 10
            assert status["devices"][0]["state"] == "up"
        broker.connack = 0
        async with running(config) as agent:
            await until(lambda: broker.payloads("/data"))
            produced = agent.buffer.last_seq
    assert produced >= 10


@pytest.fixture
def small_disk(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("a file system of its own needs root")
    mount = ["mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", tmp_path]
    if subprocess.run(mount, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    yield tmp_path
    subprocess.run(["umount", "-l", tmp_path], check=True)


async def test_a_disk_that_is_full_at_the_start_is_waited_for(small_disk, monkeypatch):
    monkeypatch.setattr("edge_agent.agent.DISK_RETRY", 0.05)
    filler = small_disk / "filler"
    with contextlib.suppress(OSError):
        filler.write_bytes(b"x" * 100_000)
    async with fake_broker() as broker:
        config = configuration(small_disk, broker.port, line("l", "a"))
        agent, stop, ready = Agent(config, Clock()), asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(agent.run(config, stop, ready))
        await asyncio.sleep(0.3)
        assert not ready.is_set()
        assert not task.done()
        filler.unlink()
        await until(lambda: broker.payloads("/data"))
        stop.set()
        await asyncio.wait_for(task, 60)


async def test_a_bug_in_the_core_ends_the_agent_but_saves_the_buffer(tmp_path, monkeypatch):
    async with fake_broker(connack=0x88) as broker:
        config = configuration(tmp_path, broker.port, line("l", "a"))
        agent, stop = Agent(config, Clock()), asyncio.Event()
        task = asyncio.create_task(agent.run(config, stop))
        await until(lambda: hasattr(agent, "buffer") and agent.buffer.waiting >= 3)
        monkeypatch.setattr(agent.recorder, "keep", lambda *_: 1 / 0)
        with pytest.raises(ExceptionGroup):
            await asyncio.wait_for(task, 60)
        broker.connack = 0
        monkeypatch.undo()
        async with running(config):
            await until(lambda: broker.payloads("/data"))
    assert broker.payloads("/loss") == []


async def test_a_connection_without_devices_waits_for_some_and_disturbs_nobody(tmp_path):
    async with fake_broker() as broker:
        before = configuration(tmp_path, broker.port, line("a", "one"), line("b"))
        after = configuration(tmp_path, broker.port, line("a"), line("b", "two"))
        async with running(before) as agent:
            await until(lambda: broker.payloads("one/data"))
            states = {one["connection"]: one["state"] for one in describe(agent)["connections"]}
            assert states == {"a": "up", "b": "waiting"}
            assert agent.stuck() is None
            await agent.apply(after)
            await until(lambda: broker.payloads("two/data"))
