"""The agent as a service: what happens beside the agent itself."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from edge_agent import agent, control, daemon
from edge_agent.cli import main
from edge_agent.config import load
from tests.rigs.until import until

CONFIGURATION = """\
version: 1
agent: {{id: gw-01, site: hall-3}}
mqtt: {{url: "mqtt://127.0.0.1:1"}}
buffer: {{path: "{path}"}}
connections:
  - name: waves
    driver: simulated
    devices:
      - {{name: oven, points: {{temperature: {{address: {{middle: 180}}}}}}}}
"""


async def test_a_bug_in_a_reload_stops_the_agent_in_order_and_ends_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIGURATION.format(path=tmp_path / "data"))
    served = daemon.Daemon(path)

    def has_a_bug(_: Path) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(daemon, "load", has_a_bug)
    running = asyncio.create_task(served.run(load(path)))
    await served._ready.wait()
    served._reload.set()
    with pytest.raises(ZeroDivisionError):
        async with asyncio.timeout(10):
            await running
    assert not (tmp_path / "data" / "control.sock").exists()


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    monkeypatch.setattr(control, "RUNTIME_FOLDER", folder)
    monkeypatch.setattr(agent, "DISK_RETRY", 0.05)
    return folder


@contextlib.asynccontextmanager
async def served(tmp_path: Path, more: str = "") -> AsyncIterator[daemon.Daemon]:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIGURATION.format(path=tmp_path / "data") + more)
    one = daemon.Daemon(path)
    running = asyncio.create_task(one.run(load(path)))
    try:
        yield one
    finally:
        one._stop.set()
        async with asyncio.timeout(10):
            await running


async def asked(folder: Path) -> dict:
    socket = folder / control.SOCKET
    await until(socket.exists)
    return await asyncio.to_thread(control.ask, socket)


async def until_said(folder: Path, wanted: Callable[[dict], bool]) -> dict:
    while not wanted(status := await asked(folder)):  # noqa: ASYNC110 - it has no event for us
        await asyncio.sleep(0.01)
    return status


async def test_it_says_why_nothing_is_polled_while_the_disk_is_away(tmp_path, runtime, capsys):
    (tmp_path / "data").write_text("in the way of the buffer's folder")
    async with served(tmp_path):
        status = await until_said(runtime, lambda status: "data" in status["buffer"]["why"])
        assert (status["agent"]["state"], status["agent"]["health"]) == ("opening", "degraded")
        assert (status["connections"], status["devices"]) == ([], [])
        assert status["buffer"]["readings"] is None
        assert await asyncio.to_thread(main, ["status", "-c", str(tmp_path / "config.yaml")]) == 6
        assert "buffer   being opened for 0 s: " in capsys.readouterr().out
        (tmp_path / "data").unlink()
        await until_said(runtime, lambda status: status["agent"]["state"] == "polling")
    assert not (runtime / control.SOCKET).exists()


async def test_it_says_that_the_buffer_is_being_mended(tmp_path, runtime, monkeypatch):
    mended, really = asyncio.Event(), agent.Buffer.open

    async def takes_long(*arguments):
        await mended.wait()
        return await really(*arguments)

    monkeypatch.setattr(agent.Buffer, "open", takes_long)
    async with served(tmp_path) as one:
        status = await asked(runtime)
        assert (status["agent"]["state"], status["agent"]["health"]) == ("opening", "ok")
        assert "mended where it is damaged" in status["buffer"]["why"]
        assert status["broker"]["state"] == "waiting"
        mended.set()
        await one._ready.wait()
        assert (await asked(runtime))["agent"]["state"] == "polling"


async def test_a_second_agent_leaves_the_firsts_socket_alone(tmp_path, runtime):
    other = tmp_path / "other"
    other.mkdir()
    async with served(tmp_path) as first:
        await first._ready.wait()
        async with served(other) as second:
            await second._ready.wait()
        status = await asked(runtime)
    assert status["agent"]["state"] == "polling"


async def test_where_only_the_buffers_folder_is_there_the_socket_comes_with_it(tmp_path, runtime):
    runtime.rmdir()
    async with served(tmp_path) as one:
        await one._ready.wait()
        assert (await asked(tmp_path / "data"))["agent"]["state"] == "polling"


async def test_a_reload_switches_metrics_on_and_off(tmp_path, runtime):
    file = tmp_path / "edge.prom"
    async with served(tmp_path) as one:
        await one._ready.wait()
        with (tmp_path / "config.yaml").open("a") as config:
            config.write(f"metrics: {{file: {file}}}\n")
        one._reload.set()
        await until(file.exists)
        assert "edge_agent_polling 1\n" in file.read_text()
        (tmp_path / "config.yaml").write_text(CONFIGURATION.format(path=tmp_path / "data"))
        one._reload.set()
        await until(lambda: not file.exists())
