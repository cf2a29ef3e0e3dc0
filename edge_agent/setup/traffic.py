"""How much a configuration sends: messages a second and bytes a month, from values just read. Pure.

Every value is encoded as it will be, at the length it has now; what comes around it is counted too.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from edge_agent import payload
from edge_agent.conditioning import Readings
from edge_agent.config.model import Config, Device, Point
from edge_agent.model import Value
from edge_agent.row import Row

MONTH = 30 * 86400.0  # seconds
EPOCH = "0" * 16
LARGEST_SEQ = 10**9  # as wide as numbers become after some years
HEADERS = 2 * 40
"""Bytes of IPv4 and TCP around a message and its acknowledgement.

Source: RFC 791, 3.1, and RFC 9293, 3.1: 20 bytes each, without options.
"""
PUBLISH, PUBACK = 8, 4
"""Bytes of a PUBLISH beside topic and payload, and of a PUBACK. Source: MQTT 5.0, 3.3 and 3.4."""
TLS = 2 * 22
"""Bytes that TLS 1.3 puts around both. Source: RFC 8446, 5.2: head 5, type 1, tag 16."""

Values = Mapping[tuple[str, str], Value]
"""The last value by device and point; what is not there counts as null."""


def messages_per_second(config: Config) -> float:
    """Count the messages that polls make, at most: a deadband makes them fewer."""
    return sum(1 / every for _device, every, _points in _groups(config))


def bytes_per_month(config: Config, values: Values) -> float:
    """Count the bytes of 30 days over the network, in both directions, at most."""
    root = payload.root(config.agent.site, config.agent.id)
    around = HEADERS + PUBLISH + PUBACK + (TLS if config.mqtt.tls else 0)
    total = 0.0
    for device, every, points in _groups(config):
        topic = len(f"{root}/{device.name}/data")
        total += (around + topic + len(_message(device, points, values))) * MONTH / every
    return total


def _groups(config: Config) -> Iterable[tuple[Device, float, list[Point]]]:
    """Points of one device and one interval come in one message."""
    for connection in config.connections:
        for device in connection.devices:
            groups: defaultdict[float, list[Point]] = defaultdict(list)
            for point in device.points:
                groups[point.every].append(point)
            for every, points in groups.items():
                yield device, every, points


def _message(device: Device, points: list[Point], values: Values) -> bytes:
    now = [values.get((device.name, point.name)) for point in points]
    body = payload.ReadingsEncoder(points).encode(
        Readings(range(len(now)), now, {}, {}), range(len(now))
    )
    seq = LARGEST_SEQ
    row = Row(seq, seq, device.name, 10**12, 0.0, synced=True, readings=len(now), body=body)
    return payload.data_message(EPOCH, row, hist=False)
