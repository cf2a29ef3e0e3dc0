"""What arrived at a platform, judged: every number once, in order, or named as lost."""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from edge_agent.accounts import Accounts

POINT = "counter"  # the point whose values are kept, to be compared with what a device served


class Arrivals:
    """Takes every message in the order of its arrival.

    Attributes:
        delivered: Readings that arrived, each counted once.
        duplicates: Messages that arrived again.
        disorder: First arrivals with a lower number than one before, by device and lane.
        losses: Records of loss.
        statuses: Topic -> the payloads of its retained status, in order.
        ages: Of each live message that arrived for the first time: when, and how old it was (s).
        values: Device -> the good values of its counter, in order of arrival.
        bad: Device -> how many of its readings had no value.
    """

    def __init__(self) -> None:
        self.accounts = Accounts()
        self.delivered = self.duplicates = self.disorder = self.historical = 0
        self.losses: list[dict[str, Any]] = []
        self.statuses: dict[str, list[Any]] = defaultdict(list)
        self.ages: list[tuple[float, float]] = []
        self.values: dict[str, list[Any]] = defaultdict(list)
        self.bad: dict[str, int] = defaultdict(int)
        self.last_at = 0.0
        self._seen: set[tuple[str, int]] = set()
        self._newest: dict[tuple[str, str, bool], int] = {}

    def take(self, topic: str, content: bytes, at: float) -> None:
        """Take a message; `at` is seconds since 1970."""
        if topic.endswith("/status") and content:
            self.statuses[topic.split("/")[-2]].append(json.loads(content))
        elif topic.endswith(("/data", "/_agent/loss")):
            self._take_numbered(topic, json.loads(content), at)

    def _take_numbered(self, topic: str, payload: dict[str, Any], at: float) -> None:
        self.accounts.add("/".join(topic.split("/")[2:-2]), payload)
        self.last_at = at
        key = payload["epoch"], payload["seq"]
        if key in self._seen:
            self.duplicates += 1
            return
        self._seen.add(key)
        if "lost_epoch" in payload:
            self.losses.append(payload)
        else:
            self._take_data(topic.split("/")[-2], payload, at)

    def _take_data(self, device: str, payload: dict[str, Any], at: float) -> None:
        historical = payload.get("hist", False)
        lane = payload["epoch"], device, historical
        self.disorder += payload["seq"] < self._newest.get(lane, 0)
        self._newest[lane] = max(payload["seq"], self._newest.get(lane, 0))
        self.delivered += len(payload["readings"])
        self.historical += historical
        if not historical:
            self.ages.append((at, at - payload["ts"] / 1000))
        for reading in payload["readings"]:
            if reading["v"] is None:
                self.bad[device] += 1
            elif reading["p"] == POINT:
                self.values[device].append(reading["v"])

    @property
    def good(self) -> int:
        """Readings with a value that arrived, each counted once."""
        return self.delivered - sum(self.bad.values())

    @property
    def messages(self) -> int:
        """How many numbers arrived."""
        return len(self._seen)

    @property
    def highest(self) -> int:
        """The highest number that arrived, of any epoch."""
        return max((seq for _, seq in self._seen), default=0)

    @property
    def named(self) -> int | None:
        """Readings that the records of loss name; None where one leaves it unknown."""
        counts = [loss["readings"] for loss in self.losses]
        return None if None in counts else sum(counts)

    @property
    def missing(self) -> int:
        """How many numbers from 1 on neither arrived nor stand in a record of loss."""
        missing = 0
        for account in self.accounts.report()["agents"]:
            missing += sum(last - first + 1 for first, last in account["missing"])
            lowest = account["first"] or 1
            starts = [loss["first"] or 1 for loss in account["losses"]]
            missing += max(0, min([lowest, *starts]) - 1)
        return missing

    def arrived(self, epoch: str, seq: int) -> bool:
        """Tell whether a number arrived."""
        return (epoch, seq) in self._seen

    def oldest_live(self, since: float = 0.0, share: float = 1.0) -> float:
        """Give the age (s) that this share of the live messages read since then does not exceed."""
        ages = sorted(age for at, age in self.ages if at - age >= since)
        return ages[min(len(ages) - 1, int(len(ages) * share))] if ages else 0.0


@contextmanager
def heard(port: int, client_id: str = "platform", **tls: str) -> Iterator[Arrivals]:
    """Listen to a broker with a session that outlives its restarts."""
    arrivals, subscribed = Arrivals(), threading.Event()
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False)
    if tls:
        client.tls_set(**tls)
    client.on_connect = lambda *_: client.subscribe("edge/v1/#", qos=1)
    client.on_subscribe = lambda *_: subscribed.set()
    client.on_message = lambda _client, _data, message: arrivals.take(
        message.topic, message.payload, time.time()
    )
    client.reconnect_delay_set(0.1, 0.1)
    client.connect("localhost" if tls else "127.0.0.1", port)
    client.loop_start()
    try:
        assert subscribed.wait(10)
        yield arrivals
    finally:
        client.disconnect()
        client.loop_stop()


def arrivals_at(broker: Any) -> Arrivals:
    """Judge what a `FakeBroker` received."""
    arrivals = Arrivals()
    for message in broker.received:
        arrivals.take(message.topic, message.payload, message.at)
    return arrivals
