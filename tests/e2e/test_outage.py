"""The real daemon against a real broker: broker away, `kill -9` in the middle, both return."""

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from tests.rigs.mosquitto import mosquitto
from tests.rigs.published import faults
from tests.rigs.subscriber import subscriber
from tests.rigs.until import until

pytestmark = pytest.mark.thorough

CONFIG = """
version: 1
agent: {{id: gw, site: e2e}}
mqtt: {{url: "mqtt://127.0.0.1:{port}"}}
buffer: {{path: {folder}/buffer, flush: 200ms}}
connections:
  - name: waves
    driver: simulated
    devices:
      - name: wave
        every: 20ms
        points: {{a: {{address: {{period: 3}}}}, b: {{address: {{amplitude: 7}}}}}}
      - name: slow
        every: 100ms
        points: {{c: {{address: {{period: 9}}}}}}
"""


def daemon(config):
    return subprocess.Popen(
        [sys.executable, "-m", "edge_agent", "run", "-c", config],
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


# One story from beginning to end: parting it would hide what happens.
async def test_an_outage_with_a_kill_in_the_middle_leaves_no_number_unaccounted_for(tmp_path):  # noqa: PLR0915
    config = tmp_path / "config.yaml"
    # The broker keeps what its subscriber has not fetched, as a platform's broker does.
    broker = ("allow_anonymous true", "persistence true", f"persistence_location {tmp_path}/")
    async with mosquitto(tmp_path, *broker, "user root") as port:
        config.write_text(CONFIG.format(port=port, folder=tmp_path))
        with subscriber(port, client_id="platform") as before:
            first = daemon(config)
            await until(lambda: len(before.on("/data")) > 50)
    await asyncio.sleep(1)  # the broker is away
    first.send_signal(signal.SIGKILL)
    first.wait()
    second = daemon(config)
    try:
        await asyncio.sleep(1)
        async with mosquitto(tmp_path, *broker, "user root", port=port):
            with subscriber(port, client_id="platform") as after:
                await until(lambda: after.on("_agent/loss"), 30)
                newest = max(message["seq"] for message in after.numbered())
                await until(lambda: not _open_numbers(newest, before, after), 30)
                second.send_signal(signal.SIGTERM)
                assert await asyncio.to_thread(second.wait, 10) == 0
    finally:
        second.kill()
        second.wait()
    losses = after.on("_agent/loss")
    assert {(loss["why"], loss["exposed_ms"]) for loss in losses} == {("power_cut", 200)}
    assert len({message["epoch"] for message in (*before.numbered(), *after.numbered())}) == 1
    assert [f for topic, payload in after.messages for f in faults(topic, payload)] == []


def _open_numbers(newest, *subscribers):
    """Give the numbers that neither arrived nor stand in a record of loss."""
    messages = [message for one in subscribers for message in one.numbered()]
    numbers = set(range(1, newest + 1)) - {message["seq"] for message in messages}
    for loss in messages:
        if "why" in loss:
            numbers -= set(range(loss["first"], loss["last"] + 1))
    return numbers
