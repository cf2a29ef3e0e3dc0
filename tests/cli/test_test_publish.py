"""`edge-agent test --publish`: what was read is sent once, in the agent's own row of numbers."""

import asyncio
import json
from pathlib import Path

import pytest

from edge_agent import config
from edge_agent.buffer import Buffer
from edge_agent.cli import main
from edge_agent.clock import Clock
from tests.rigs.mosquitto import mosquitto
from tests.rigs.published import faults
from tests.rigs.subscriber import Subscriber, subscriber
from tests.rigs.until import until

TEXT = """\
version: 1
agent: {{id: gw, site: site}}
mqtt: {{url: "mqtt://127.0.0.1:{port}"}}
buffer: {{path: {path}, flush: 200ms}}
connections:
  - name: demo
    driver: simulated
    devices:
      - name: oven
        points: {{temperature: {{address: {{middle: 180, amplitude: 0}}, unit: Cel}}}}
      - {{name: press, points: {{force: {{address: {{middle: 2, amplitude: 0}}, scale: 2}}}}}}
"""
ABSENT = """\
  - name: plc
    driver: modbus
    settings: {transport: tcp, host: 127.0.0.1, port: 1}
    devices: [{name: absent, points: {strokes: {address: "40001"}}}]
"""


@pytest.fixture
def write(tmp_path: Path):
    def write(port: int, more: str = "") -> str:
        file = tmp_path / "config.yaml"
        file.write_text(TEXT.format(port=port, path=tmp_path / "buffer") + more)
        return str(file)

    return write


def call(*words: str) -> "asyncio.Future[int]":
    return asyncio.ensure_future(asyncio.to_thread(main, ["test", "--publish", *words]))


def data(found: Subscriber) -> list[tuple[str, int, int]]:
    return [
        (topic.split("/")[4], payload["seq"], payload["prev"])
        for topic, payload in found.messages
        if topic.endswith("/data")
    ]


async def test_it_sends_once_and_the_numbers_go_on(tmp_path: Path, write, capsys) -> None:
    async with mosquitto(tmp_path, "allow_anonymous true") as port:
        file = write(port)
        with subscriber(port) as found:
            assert await call("--json", "-c", file) == 0
            assert await call("oven", "--json", "-c", file) == 0
            await until(lambda: len(data(found)) == 3)
            lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    first, second = (line["published"] for line in lines)
    assert first["epoch"] == second["epoch"]
    (oven, press), (oven_again,) = first["seq"], second["seq"]
    assert data(found) == [("oven", oven, 0), ("press", press, 0), ("oven", oven_again, oven)]
    assert (oven, press, oven_again) == (1, 2, 3)
    assert [message for message in found.numbered() if "lost_epoch" in message] == []
    assert [meta["points"]["temperature"]["unit"] for meta in found.on("oven/meta")] == ["Cel"] * 2
    for topic, payload in found.messages:
        assert faults(topic, payload) == []


async def test_what_the_broker_does_not_take_is_kept(tmp_path: Path, write, capsys) -> None:
    file = write(1)
    assert await call("-c", file) == 5
    out, err = capsys.readouterr()
    assert "oven    temperature    180" in out
    assert "is kept, and goes out when the agent is started" in err
    async with mosquitto(tmp_path, "allow_anonymous true") as port:
        with subscriber(port) as found:
            assert await call("oven", "-c", write(port)) == 0
            await until(lambda: ("oven", 3, 1) in data(found))
    buffer = await Buffer.open(config.load(Path(file)).buffer, Clock())
    try:
        kept = buffer.waiting, buffer.losses
    finally:
        await buffer.close()
    assert kept[0] + len(data(found)) == 3  # what is historical goes after what is live
    assert kept[1] == 0


async def test_a_device_that_is_away_is_said_and_sent(tmp_path: Path, write, capsys) -> None:
    async with mosquitto(tmp_path, "allow_anonymous true") as port:
        file = write(port, ABSENT)
        with subscriber(port) as found:
            assert await call("-c", file) == 6
            assert await call("absent", "-c", file) == 4
            await until(lambda: len(found.on("absent/data")) == 2)
    (reading,) = found.on("absent/data")[0]["readings"]
    assert reading == {"p": "strokes", "v": None, "q": "bad", "why": "link_down"}
    assert "sent and acknowledged: epoch " in capsys.readouterr().out


async def test_it_refuses_while_the_agent_runs(write, capsys, monkeypatch) -> None:
    monkeypatch.setattr("edge_agent.database.BUSY_SECONDS", 0.05)
    file = write(1)
    buffer = await Buffer.open(config.load(Path(file)).buffer, Clock())
    try:
        assert await call("-c", file) == 2
    finally:
        await buffer.close()
    out, err = capsys.readouterr()
    assert out == ""
    assert "the agent runs on" in err
    assert "stop it first" in err
