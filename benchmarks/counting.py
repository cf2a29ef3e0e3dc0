"""A platform that only counts, for any sender: `python -m benchmarks.counting PORT`.

Every value in these benchmarks has a name that begins with `value_`, whatever format it comes in;
so many of them in a message are so many readings. Says `ready` when it has subscribed; then answers
each line on stdin with its counts as one line of JSON, until stdin is closed.

It is also what ThingsBoard's gateway waits for: something that tells it its session's limits, here
none. Without an answer it sends nothing.
"""

import json
import sys
import threading
import time
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

NAME = b'"value_'
ASKS, ANSWER = "v1/devices/me/rpc/request/", "v1/devices/me/rpc/response/"
_NONE = {"messages": "", "telemetryMessages": "", "telemetryDataPoints": ""}
LIMITS = json.dumps({"rateLimits": _NONE, "gatewayRateLimits": _NONE, "maxPayloadSize": 65536})


class Counting:
    """Counts what arrives in paho's thread, and tells it in another."""

    def __init__(self, port: int) -> None:
        self._readings = self._messages = self._bytes = 0
        self._first_at: float | None = None
        self._last_at: float | None = None
        self._client = client = paho.Client(CallbackAPIVersion.VERSION2, "bench-counting")
        client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self._subscribed = threading.Event()
        client.on_subscribe = lambda *_: self._subscribed.set()
        client.on_message = self._arrived
        client.connect("127.0.0.1", port)

    def _arrived(self, client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        if message.topic.startswith(ASKS):
            client.publish(ANSWER + message.topic.removeprefix(ASKS), LIMITS, qos=1)
        elif not message.retain and not message.topic.endswith("/meta"):
            self._count(message.payload)

    def _count(self, payload: bytes | bytearray) -> None:
        found = payload.count(NAME)
        if not found:
            return
        self._last_at = time.time()
        self._first_at = self._first_at or self._last_at
        self._messages += 1
        self._readings += found
        self._bytes += len(payload)

    def run(self) -> None:
        """Count until stdin is closed."""
        self._client.loop_start()
        self._subscribed.wait()
        _say("ready")
        for _ in sys.stdin:
            counts = {
                "readings": self._readings,
                "messages": self._messages,
                "bytes": self._bytes,
                "first_at": self._first_at,
                "last_at": self._last_at,
            }
            _say(json.dumps(counts))
        self._client.disconnect()
        self._client.loop_stop()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    Counting(int(sys.argv[1])).run()
