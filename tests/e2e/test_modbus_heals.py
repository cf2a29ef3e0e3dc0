"""A real agent on a difficult device: what it learns is kept, and used after a restart."""

import asyncio
import contextlib
import json

import pytest
import structlog

from edge_agent.agent import Agent
from edge_agent.clock import Clock
from edge_agent.config import parse
from tests.rigs.modbus_device import Device
from tests.rigs.modbus_tcp import TcpPeer, mbap, take_mbap
from tests.rigs.mosquitto import mosquitto
from tests.rigs.subscriber import subscriber
from tests.rigs.until import until

FILE = """
version: 1
agent: {{id: gw, site: e2e}}
mqtt: {{url: "mqtt://127.0.0.1:{broker}"}}
buffer: {{path: {folder}/buffer}}
connections:
  - name: plc
    driver: modbus
    settings: {{host: 127.0.0.1, port: {plc}}}
    devices:
      - name: press
        every: 50ms
        points:
{points}
"""
GOOD = {f"good_{at}": at for at in (*range(20), *range(21, 51))}
BAD = {"bad": 20}


def points() -> str:
    return "\n".join(
        f"          {name}: {{address: {{offset: {at}}}}}" for name, at in {**GOOD, **BAD}.items()
    )


@pytest.fixture
async def plc():
    """A device that gives 16 registers at most, and lacks one of those that are wanted."""
    device = Device(most=16, holes=frozenset({20}))

    def script(frame: bytes):
        number, unit, pdu = take_mbap(frame)
        return [(0, mbap(number, unit, device.answer(pdu)))]

    peer = TcpPeer(script)
    peer.device = device
    await peer.start()
    yield peer
    await peer.stop()
    assert device.writes == []


@contextlib.asynccontextmanager
async def running(config):
    agent, stop, ready = Agent(config, Clock()), asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(agent.run(config, stop, ready))
    await asyncio.wait_for(ready.wait(), 60)
    try:
        yield agent
    finally:
        stop.set()
        await asyncio.wait_for(task, 60)


async def test_fifty_points_are_published_each_time_and_the_bad_one_is_named_once(tmp_path, plc):
    async with mosquitto(tmp_path, "allow_anonymous true") as broker:
        text = FILE.format(broker=broker, folder=tmp_path, plc=plc.port, points=points())
        config = parse(text).config
        with subscriber(broker, "edge/v1/#") as platform, structlog.testing.capture_logs() as log:
            async with running(config):
                await until(lambda: len(platform.on("/press/data")) >= 8)
            learning = list(plc.device.reads)
            plc.device.reads.clear()
            async with running(config):
                seen = len(platform.on("/press/data"))
                await until(lambda: len(platform.on("/press/data")) >= seen + 8)
    for message in platform.on("/press/data"):
        values = {each["p"]: each["v"] for each in message["readings"] if each.get("q") is None}
        assert values == {name: 1000 + at for name, at in GOOD.items()}
        [flawed] = [each for each in message["readings"] if "q" in each]
        assert flawed == {"p": "bad", "v": None, "q": "bad", "why": "refused"}
    named = [line for line in log if line["event"] == "points_refused"]
    assert [line["points"] for line in named] == [["bad"]] * 2, "once for each start"
    assert "holding:20" in named[0]["why"]
    assert not [line for line in log if line["event"] in {"connection_down", "device_silent"}]

    notebook = json.loads((tmp_path / "buffer" / "notebook.json").read_text())
    assert notebook["learnt"]["press"]["holes"] == {"1/holding": [[20, 1, 2]]}
    refused = [read for read in learning if is_refused(read)]
    assert refused, "it had to find out"
    assert [read for read in plc.device.reads if is_refused(read)] == [(3, 20, 1)], (
        "after the restart only the hole is asked for once more"
    )


def is_refused(read: tuple[int, int, int]) -> bool:
    _, offset, count = read
    return count > 16 or offset <= 20 < offset + count
