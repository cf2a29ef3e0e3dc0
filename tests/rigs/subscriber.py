"""A real subscriber: collects what arrives at a broker, in the order of its arrival."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion


@dataclass
class Subscriber:
    """What arrived: topics with their payloads, decoded."""

    messages: list[tuple[str, Any]] = field(default_factory=list)

    def on(self, suffix: str) -> list[Any]:
        """Give the payloads of topics that end so."""
        return [payload for topic, payload in list(self.messages) if topic.endswith(suffix)]

    def numbered(self) -> list[dict[str, Any]]:
        """Give the payloads that carry a number: readings and records of loss."""
        return [payload for _, payload in list(self.messages) if payload and "seq" in payload]


@contextmanager
def subscriber(port: int, topic: str = "edge/v1/#", client_id: str = "") -> Iterator[Subscriber]:
    """Subscribe, with a session that survives the broker's restart where a client id is given."""
    found, subscribed = Subscriber(), Event()
    client = paho.Client(
        CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=not client_id
    )
    client.on_connect = lambda *_: client.subscribe(topic, qos=1)
    client.on_subscribe = lambda *_: subscribed.set()
    client.on_message = lambda _client, _data, message: found.messages.append(
        (message.topic, json.loads(message.payload) if message.payload else None)
    )
    client.reconnect_delay_set(0.2, 0.2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        assert subscribed.wait(10)
        yield found
    finally:
        client.disconnect()
        client.loop_stop()
