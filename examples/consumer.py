"""The platform's side to start from: readings and losses of all gateways in one SQLite file.

    python examples/consumer.py mqtt://broker.example readings.db --name platform-1

(epoch, seq) identifies a message, which may arrive more than once and is kept once. It is
acknowledged after the commit, so a crash here loses nothing. Several of different names share the
work, each with its own file: the one that gets a repeated message may be another than before.
"""

import argparse
import json
import logging
import signal
import sqlite3
from typing import Any
from urllib.parse import urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

log = logging.getLogger("consumer")
TOPIC = "edge/v1/#"
KEEP_SECONDS = 30 * 86400  # that the broker keeps what arrives while we are away
TABLES = """
pragma journal_mode = wal;
create table if not exists message (epoch, seq integer, agent, primary key (epoch, seq));
create table if not exists reading (agent, device, point, time_ms integer, value, quality, why);
create table if not exists loss (agent, lost_epoch, first, last, readings, why);
"""


class Consumer:
    """Writes what arrives into a database."""

    def __init__(self, file: str) -> None:
        self._database = sqlite3.connect(file)
        self._database.executescript(TABLES)

    def take(self, topic: str, content: bytes) -> None:
        """Keep one message of readings or losses, unless it is here already."""
        *place, device, kind = topic.removeprefix("edge/v1/").split("/")
        if kind not in {"data", "loss"}:
            return
        agent, payload = "/".join(place), json.loads(content)
        with self._database:  # one transaction: the message with all its readings, or nothing
            key = payload["epoch"], payload["seq"], agent
            if self._database.execute("insert or ignore into message values (?,?,?)", key).rowcount:
                keep = self._keep_loss if device == "_agent" else self._keep_readings
                keep(agent, device, payload)

    def _keep_readings(self, agent: str, device: str, payload: dict[str, Any]) -> None:
        for one in payload["readings"]:
            # The device's own time where it gives one, else the agent's time of this reading.
            time = one.get("t", payload["ts"] + one.get("dt", 0))
            row = agent, device, one["p"], time, one["v"], one.get("q", "good"), one.get("why")
            self._database.execute("insert into reading values (?,?,?,?,?,?,?)", row)

    def _keep_loss(self, agent: str, _device: str, payload: dict[str, Any]) -> None:
        row = agent, *(payload[key] for key in ("lost_epoch", "first", "last", "readings", "why"))
        self._database.execute("insert into loss values (?,?,?,?,?,?)", row)


def listen(url: str, group: str, name: str, consumer: Consumer) -> paho.Client:
    """Make a client whose place at the broker outlives us; it connects again by itself."""
    where, v5 = urlsplit(url), MQTTProtocolVersion.MQTTv5
    client = paho.Client(CallbackAPIVersion.VERSION2, name, protocol=v5, manual_ack=True)
    if where.username:
        client.username_pw_set(where.username, where.password)
    if where.scheme == "mqtts":
        client.tls_set()

    def taken(client: paho.Client, _: object, message: paho.MQTTMessage) -> None:
        try:
            consumer.take(message.topic, bytes(message.payload))
        except (ValueError, KeyError, TypeError):  # it never gets better, and would come for ever
            log.exception("no message of an agent on %s", message.topic)
        client.ack(message.mid, message.qos)  # only now may the broker forget it

    client.on_connect = lambda client, *_: client.subscribe(f"$share/{group}/{TOPIC}", qos=1)
    client.on_message = taken
    session = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho's own
    session.SessionExpiryInterval = KEEP_SECONDS
    port = where.port or (8883 if where.scheme == "mqtts" else 1883)
    client.connect(where.hostname or "localhost", port, clean_start=False, properties=session)
    return client


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for word in ("url", "database", "--group", "--name"):
        parser.add_argument(word, default=word.strip("-"))
    options = parser.parse_args()
    client = listen(options.url, options.group, options.name, Consumer(options.database))
    signal.signal(signal.SIGTERM, lambda *_: client.disconnect())
    client.loop_forever()
