"""What goes over MQTT: topics and JSON, as the published contract describes them.

Readings are encoded once, when they are polled; the head of the message is put in front when it
is sent, because `hist` and the time's quality can change until then. Pure: no I/O, no clock.
"""

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import msgspec

from edge_agent.conditioning import Readings
from edge_agent.config.model import Point
from edge_agent.model import Quality, Value
from edge_agent.row import Loss, Row

VERSION = 1
LARGEST_EXACT = 2**53  # JSON readers that use doubles keep integers up to here (RFC 8259, 6)
# All others may hold larger ones, also those that only some driver knows.
NARROW_TYPES = {"bool", "float", "float32", "float64", "string"} | {
    f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32)
}
QUALITY_WORDS = {Quality.UNCERTAIN: "uncertain", Quality.BAD: "bad"}

encode = msgspec.json.encode


def root(site: str, agent_id: str) -> str:
    """Give the topic under which everything of one agent stands."""
    return f"edge/v{VERSION}/{site}/{agent_id}"


class ReadingsEncoder:
    """Encodes the readings of one poll group, with everything that is constant prepared."""

    def __init__(self, points: Sequence[Point]) -> None:
        self._whole = b",".join(b'{"p":"%b","v":%%b}' % point.name.encode() for point in points)
        wide = bytes(map(_may_be_wide, points))
        self._wide = wide if any(wide) else b""  # one byte for each point

    @cached_property
    def names(self) -> Sequence[bytes]:
        """The names of the points; taken apart only where single ones are published or named."""
        return re.findall(rb'"p":"([^"]*)"', self._whole)

    def encode(self, readings: Readings, indices: Sequence[int]) -> bytes:
        """Encode some readings: the items of the JSON array, without its brackets.

        Args:
            readings: The columns of a poll, or of changes.
            indices: Which of their rows, ascending.
        """
        points = readings.points
        values = self._exact(readings.values, points)
        whole = len(indices) == len(values)
        parts = _encode_each(values if whole else [values[i] for i in indices])
        if whole and points is None and not readings.flaws and not readings.times:
            return self._whole % tuple(parts)
        names = self.names
        if points is not None:
            names = [names[point] for point in points]
        return b",".join(
            b'{"p":"%b","v":%b%b}' % (names[i], part, _remarks(readings, i))
            for i, part in zip(indices, parts, strict=True)
        )

    def _exact(self, values: list[Value], points: Sequence[int] | None) -> list[Value]:
        if not self._wide:
            return values
        wide = self._wide if points is None else [self._wide[point] for point in points]
        large = [i for i, value in enumerate(values) if wide[i] and _is_large(value)]
        if not large:
            return values
        exact = list(values)
        for index in large:
            exact[index] = str(values[index])
        return exact


def _is_large(value: Value) -> bool:
    return value.__class__ is int and not -LARGEST_EXACT <= value <= LARGEST_EXACT


def _encode_each(values: Sequence[Value]) -> list[bytes]:
    """Encode every value on its own, in one go where no text is among them."""
    if not values:
        return []
    together = encode(values)
    if b'"' in together:
        return [encode(value) for value in values]
    return together[1:-1].split(b",")


def _remarks(readings: Readings, index: int) -> bytes:
    remarks = b""
    if (time := readings.times.get(index)) is not None:
        remarks += b',"t":%d' % time
    if (flaw := readings.flaws.get(index)) is not None:
        word = QUALITY_WORDS[flaw.quality]
        remarks += b',"q":"%b","why":"%b"' % (word.encode(), flaw.why.encode())
    return remarks


def _may_be_wide(point: Point) -> bool:
    narrow = point.address.value_type() in NARROW_TYPES
    return not narrow or abs(point.scale) > 1 or abs(point.add) > LARGEST_EXACT / 2


def data_message(epoch: str, row: Row, *, hist: bool) -> bytes:
    """Put the head of a data message in front of its encoded readings."""
    return b'{"v":1,"epoch":"%b","seq":%d,"prev":%d,"ts":%d,%b%b"readings":[%b]}' % (
        epoch.encode(),
        row.seq,
        row.prev,
        row.ts,
        b'"hist":true,' if hist else b"",
        b"" if row.synced else b'"tq":"unsynced",',
        row.body,
    )


def loss_message(epoch: str, loss: Loss) -> bytes:
    """Encode a record of readings that will never arrive."""
    return encode(loss.payload(epoch))


def agent_status(
    state: str, since: int | None, epoch: str | None, version: str, reason: str
) -> bytes:
    """Encode the agent's own status; as the last will `since` is None."""
    return encode(
        {
            "v": VERSION,
            "state": state,
            "since": since,
            "epoch": epoch,
            "version": version,
            "reason": reason,
        }
    )


def device_status(state: str, since: int, why: str, code: str) -> bytes:
    """Encode one device's status: up, silent or down, since when (ms), why and a code."""
    status: dict[str, Any] = {"v": VERSION, "state": state, "since": since, "why": why}
    return encode(status | ({"code": code} if code else {}))


def device_meta(label: str, profile: str, driver: str, points: Sequence[Point]) -> bytes:
    """Encode what a platform must know about a device to understand its readings."""
    described = {point.name: _point_meta(point) for point in points}
    return encode(
        {"v": VERSION, "label": label, "profile": profile, "driver": driver, "points": described}
    )


def _point_meta(point: Point) -> dict[str, Any]:
    meta = {
        "label": point.label,
        "unit": point.unit,
        "type": point.address.value_type(),
        "every": point.every,
        "address": str(point.address),
    }
    return meta | ({"beyond_2_53": "string"} if _may_be_wide(point) else {})
