"""The platform's side, a process of its own: `python -m benchmarks.subscriber PORT`.

Says `ready` when it has subscribed; then answers each line on stdin with its tally as one line of
JSON, until stdin is closed. Its session outlives a restart of the broker.
"""

import sys
import threading
import time
from typing import Any

import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.tally import Data, Loss, Tally

TOPIC = "edge/v1/#"
RECONNECT_SECONDS = 1


class Subscriber:
    """Counts what arrives in paho's thread, and tells it in another."""

    def __init__(self, port: int) -> None:
        self._tally = Tally()
        self._lock = threading.Lock()
        self._data = msgspec.json.Decoder(Data)
        self._loss = msgspec.json.Decoder(Loss)
        self._client = client = paho.Client(
            CallbackAPIVersion.VERSION2, "bench-subscriber", clean_session=False
        )
        client.reconnect_delay_set(RECONNECT_SECONDS, RECONNECT_SECONDS)
        client.on_connect = self._connected
        self._subscribed = threading.Event()
        client.on_subscribe = lambda *_: self._subscribed.set()
        client.on_message = self._arrived
        client.connect("127.0.0.1", port)

    def _connected(self, client: paho.Client, *_: Any) -> None:
        client.subscribe(TOPIC, qos=1)

    def _arrived(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        now, topic = time.time(), message.topic
        with self._lock:
            if topic.endswith("/data"):
                self._tally.data(self._data.decode(message.payload), now)
            elif topic.endswith("/_agent/loss"):
                self._tally.loss(self._loss.decode(message.payload))

    def run(self) -> None:
        """Count until stdin is closed."""
        self._client.loop_start()
        self._subscribed.wait()
        _say("ready")
        for _ in sys.stdin:
            with self._lock:
                report = self._tally.report()
            _say(msgspec.json.encode(report).decode())
        self._client.disconnect()
        self._client.loop_stop()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    Subscriber(int(sys.argv[1])).run()
