"""The agent as a service: what happens beside the agent itself."""

import asyncio
from pathlib import Path

import pytest

from edge_agent import daemon
from edge_agent.config import load

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
