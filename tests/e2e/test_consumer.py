"""The reference consumer, `examples/consumer.py`, as a platform would run it."""

import asyncio
import json
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.rigs.agent_process import agent, configure
from tests.rigs.counter_plc import CounterPlc, connection, drain
from tests.rigs.mosquitto import mosquitto
from tests.rigs.site import ENDLESS
from tests.rigs.until import until

PROGRAM = Path(__file__).parents[2] / "examples" / "consumer.py"


@contextmanager
def consumer(port, file, name="platform-1"):
    """Run one, and stop it as a service is stopped."""
    words = [sys.executable, PROGRAM, f"mqtt://127.0.0.1:{port}", file, "--name", name]
    with subprocess.Popen(words) as process:
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
        finally:
            process.kill()


def found(file, query):
    """Ask the database; nothing where it does not stand yet."""
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
            return database.execute(query).fetchall()
    except sqlite3.OperationalError:
        return []


def values(*files):
    rows = [found(file, "select value from reading where quality = 'good'") for file in files]
    return sorted(value for part in rows for (value,) in part)


def stands(file):
    return bool(found(file, "select name from sqlite_master where name = 'loss'"))


async def publish(port, *messages):
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    for topic, payload in messages:
        sent = client.publish(topic, json.dumps(payload), qos=1)
        await asyncio.to_thread(sent.wait_for_publish, 10)
    client.disconnect()
    client.loop_stop()


@pytest.mark.thorough
async def test_two_that_share_the_work_keep_every_reading_once(tmp_path):
    first, second = tmp_path / "first.db", tmp_path / "second.db"
    async with CounterPlc() as plc, mosquitto(tmp_path, *ENDLESS) as port:
        async with agent(tmp_path, configure(port, connection(plc))) as gateway:
            with consumer(port, first), consumer(port, second, "platform-2"):
                await until(lambda: values(first) and values(second))
            # what is published while nobody is there is kept for those who come back
            gone = plc.count()
            await until(lambda: plc.count() > gone + 10)
            with consumer(port, first), consumer(port, second, "platform-2"):
                await drain(gateway, plc)
                # what came before the first subscription belonged to nobody
                wanted = list(range(values(first, second)[0], plc.count() + 1))
                await until(lambda: len(values(first, second)) >= len(wanted))
    assert values(first, second) == wanted


async def test_a_message_that_comes_again_is_kept_once_and_a_loss_by_its_name(tmp_path):
    file = tmp_path / "readings.db"
    readings = [{"p": "a", "v": 1.5, "dt": 20}, {"p": "b", "v": None, "q": "bad", "why": "timeout"}]
    data = {"v": 1, "epoch": "e", "seq": 7, "prev": 0, "ts": 1000, "readings": readings}
    lost = {"lost_epoch": "e", "first": 3, "last": 6, "readings": 4, "why": "capacity"}
    loss = {"v": 1, "epoch": "e", "seq": 8, "prev": 0, **lost}
    topics = "edge/v1/site/gw/press/data", "edge/v1/site/gw/_agent/loss"
    async with mosquitto(tmp_path, *ENDLESS) as port:
        with consumer(port, file):
            await until(lambda: stands(file))
            while not found(file, "select * from loss"):
                await publish(port, (topics[0], data), (topics[0], data), (topics[1], loss))
    assert found(file, "select * from reading") == [
        ("site/gw", "press", "a", 1020, 1.5, "good", None),
        ("site/gw", "press", "b", 1000, None, "bad", "timeout"),
    ]
    assert found(file, "select * from loss") == [("site/gw", "e", 3, 6, 4, "capacity")]


def test_it_stays_short_enough_to_be_read():
    assert len(PROGRAM.read_text().splitlines()) < 100
