"""What Prometheus and other tools on this gateway are told, and who may ask."""

import asyncio
import contextlib
import json
import re
from pathlib import Path

import pytest

from edge_agent import control, health
from edge_agent.config.model import Metrics
from edge_agent.exporter import LONGEST_REQUEST, MOST_AT_ONCE, Exporter, refusal
from edge_agent.metrics import FAMILIES, PREFIX, exposition
from edge_agent.mounts import mount_of
from edge_agent.status import describe
from tests.rigs.until import until
from tests.rigs.whole_agent import configuration, line, running

ROOT = Path(__file__).parent.parent
GET = b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:9464\r\n\r\n"
# Source: Prometheus text exposition format 0.0.4.
LINE = re.compile(
    r'[a-z_]+(\{[a-z]+="(\\.|[^"\\])*"(,[a-z]+="(\\.|[^"\\])*")*\})? -?[0-9.]+(e[+-]?\d+)?'
)


@pytest.fixture
async def status(tmp_path):
    async with running(configuration(tmp_path, 1, line("waves", "oven", "kiln"))) as agent:
        await until(lambda: agent.recorder.last_good.get("kiln"))
        return describe(agent)


async def test_every_line_has_the_form_and_every_name_its_meaning_once(status):
    lines = exposition(status).splitlines()
    assert [one for one in lines if not one.startswith("#") and not LINE.fullmatch(one)] == []
    helps = [one for one in lines if one.startswith("# HELP")]
    assert len(helps) == len(set(helps))
    assert "edge_agent_polling 1" in lines
    assert 'edge_agent_device_state{device="kiln",state="up"} 1' in lines
    assert 'edge_agent_device_state{device="kiln",state="down"} 0' in lines
    assert 'edge_agent_connection_up{connection="waves"} 1' in lines
    last_good = 'edge_agent_device_last_good_timestamp_seconds{device="oven"} 1'
    assert any(one.startswith(last_good) for one in lines)
    assert not any("broker_last_ack" in one for one in lines), "there is none yet"


async def test_before_the_buffer_is_open_there_are_metrics_too(tmp_path):
    from edge_agent.agent import Agent
    from edge_agent.clock import Clock

    lines = exposition(describe(Agent(configuration(tmp_path, 1), Clock()))).splitlines()
    assert "edge_agent_polling 0" in lines
    assert not any(one.startswith("edge_agent_buffer_readings") for one in lines)


async def test_what_stands_in_a_label_cannot_leave_it(status):
    status["agent"]["version"] = 'a"b\\c\nd'
    assert 'version="a\\"b\\\\c\\nd"' in exposition(status)


def test_the_manual_names_every_metric_and_no_other():
    rows = re.findall(r"^\| `edge_agent_(\w+)(?:\{\w+(?:,\w+)*\})?` \| (\w+) \| (.+) \|$",
                      (ROOT / "docs/service.md").read_text(), re.MULTILINE)  # fmt: skip
    assert rows == [(one.name, one.kind, one.meaning) for one in FAMILIES]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda one: one.name)
def test_names_follow_the_conventions(family):
    assert family.name.endswith("_total") == (family.kind == "counter")
    assert re.fullmatch(r"[a-z_]+", PREFIX + family.name)


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (GET, ""),
        (GET.replace(b"127.0.0.1:9464", b"localhost:9464"), ""),
        (GET.replace(b"127.0.0.1:9464", b"[::1]:9464"), ""),
        (GET.replace(b"/metrics", b"/metrics?a=b"), ""),
        (GET.replace(b"127.0.0.1:9464", b"evil.example"), "403"),
        (GET.replace(b"Host", b"Host: localhost\r\nHost"), "403"),
        (GET.replace(b"Host: 127.0.0.1:9464\r\n", b""), "403"),
        (GET.replace(b"127.0.0.1:9464", b"[::1"), "403"),
        (GET.replace(b"/metrics", b"/"), "404"),
        (GET.replace(b"/metrics", b"//[/metrics"), "404"),
        (GET.replace(b"GET", b"POST"), "405"),
        (GET.replace(b"HTTP/1.1", b"HTTP/2"), "400"),
        (b"\x00\xff\r\n\r\n", "400"),
    ],
)
def test_who_may_ask_for_what(head, said):
    assert refusal(head)[:3] == said


async def served(exporter):
    task = asyncio.create_task(exporter.run())
    await until(lambda: exporter.port)
    return task


async def says(port, request):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    with contextlib.closing(writer):
        return await reader.read()


async def test_the_port_answers_prometheus_and_survives_everybody_else():
    exporter = Exporter(Metrics(("127.0.0.1", 0)), lambda: "edge_agent_polling 1\n")
    task = await served(exporter)
    answer = await says(exporter.port, GET)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4")
    assert answer.endswith(b"\r\n\r\nedge_agent_polling 1\n")
    with contextlib.suppress(ConnectionError):  # it may hang up before everything is sent
        assert b" 400 " in await says(exporter.port, b"x" * (2 * LONGEST_REQUEST))
    idle = [await asyncio.open_connection("127.0.0.1", exporter.port) for _ in range(MOST_AT_ONCE)]
    with contextlib.suppress(ConnectionError):
        assert await says(exporter.port, GET) == b"", "it is full"
    for _, writer in idle:
        writer.close()
    await until(lambda: not exporter._answering)
    assert b" 200 " in await says(exporter.port, GET)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_who_says_nothing_is_not_listened_to_for_ever(monkeypatch):
    monkeypatch.setattr("edge_agent.exporter.PATIENCE", 0.05)
    exporter = Exporter(Metrics(("127.0.0.1", 0)), str)
    task = await served(exporter)
    assert await says(exporter.port, b"GET") == b""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_port_in_use_is_waited_for(monkeypatch):
    monkeypatch.setattr("edge_agent.exporter.RETRY_SECONDS", 0.02)
    first = Exporter(Metrics(("127.0.0.1", 0)), lambda: "first")
    task = await served(first)
    second = Exporter(Metrics(("127.0.0.1", first.port)), lambda: "second")
    waiting = asyncio.create_task(second.run())
    await asyncio.sleep(0.05)
    assert not waiting.done()
    task.cancel()
    await until(lambda: second.port)
    assert (await says(second.port, GET)).endswith(b"second")
    waiting.cancel()
    await asyncio.gather(task, waiting, return_exceptions=True)


def test_the_health_file_stands_in_memory_and_nowhere_else(tmp_path):
    assert health._is_suitable(tmp_path) is mount_of(tmp_path).in_memory
    assert health._is_suitable(Path("/dev/shm")) is mount_of(Path("/dev/shm")).in_memory  # noqa: S108
    assert not health._is_suitable(tmp_path / "none")


async def test_the_health_file_is_written_at_changes(tmp_path, monkeypatch):
    folder = tmp_path / "run"
    folder.mkdir()
    monkeypatch.setattr(health, "_is_suitable", lambda _: True)
    file, path = health.HealthFile(folder), folder / health.FILE
    async with running(configuration(tmp_path, 1, line("waves", "oven"))) as agent:
        await until(lambda: agent.recorder.last_good.get("oven"))
        file.look(agent)
        said = json.loads(path.read_text())
        assert (said["state"], said["health"], said["devices"]) == ("polling", "ok", {"up": 1})
        assert path.stat().st_mode & 0o777 == 0o644
        before = path.stat().st_ino
        file.look(agent)
        assert path.stat().st_ino == before, "nothing changed"
        agent.buffer.trouble = "disk full"
        file.look(agent)
        assert json.loads(path.read_text())["why"] == "disk full"
        agent.buffer.trouble = ""
    file.remove()
    assert list(folder.iterdir()) == []


def test_the_runtime_folder_of_the_unit_is_the_one_looked_at():
    unit = (ROOT / "systemd/edge-agent.service").read_text()
    assert f"RuntimeDirectory={control.RUNTIME_FOLDER.name}\n" in unit
