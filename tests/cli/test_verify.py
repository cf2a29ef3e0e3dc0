"""`edge-agent verify` against a real broker."""

import asyncio
import json
import sys

import pytest
from paho.mqtt import publish

from tests.rigs.mosquitto import mosquitto


async def verify(*words, expect):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "edge_agent", "verify", *words, stdout=-1, stderr=-1
    )
    out, err = await process.communicate()
    assert process.returncode == expect, err.decode()
    return out.decode(), err.decode()


async def send(port, *numbers, loss=None):
    messages = [
        ("edge/v1/s/gw/dev/data", json.dumps({"epoch": "e", "seq": n, "readings": []}), 1, False)
        for n in numbers
    ]
    if loss:
        messages.append(("edge/v1/s/gw/_agent/loss", json.dumps(loss), 1, False))
    await asyncio.to_thread(publish.multiple, messages, hostname="127.0.0.1", port=port)


@pytest.mark.thorough
async def test_it_follows_over_several_runs_and_tells_what_is_missing(tmp_path):
    db = tmp_path / "state.json"
    async with mosquitto(tmp_path, "allow_anonymous true") as port:
        url = f"mqtt://127.0.0.1:{port}"
        out, _ = await verify(url, "--seconds", "0.5", "--db", str(db), expect=0)
        assert "nothing arrived" in out
        await send(port, 1, 2, 2, 5)  # nobody listens now: the broker keeps them for this state
        out, _ = await verify(url, "--seconds", "1", "--db", str(db), "--json", expect=6)
        agent = json.loads(out)["agents"][0]
        assert (agent["agent"], agent["missing"], agent["duplicates"]) == ("s/gw", [[3, 4]], 1)
        named = {"epoch": "e", "seq": 6, "lost_epoch": "e", "first": 3, "last": 4, "why": "age"}
        await send(port, loss=named)
        out, _ = await verify(url, "--seconds", "1", "--db", str(db), expect=0)
        assert "0 missing" in out
        assert "lost 3 to 4: age" in out


async def test_without_a_broker_it_says_so(tmp_path):
    async with mosquitto(tmp_path, "allow_anonymous true") as port:
        pass
    _, err = await verify(f"mqtt://127.0.0.1:{port}", "--seconds", "1", expect=5)
    assert "nothing listens there" in err


async def test_a_url_that_is_none_is_a_usage_error():
    _, err = await verify("broker:1883", expect=2)
    assert "mqtt" in err
