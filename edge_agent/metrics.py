"""What Prometheus is told, made from the status. Pure.

Source of the form: Prometheus text exposition format 0.0.4; of the names: its naming practices
(base units, `_total` for what only grows).
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PREFIX = "edge_agent_"
DEVICE_STATES = ("starting", "up", "silent", "down")

Status = dict[str, Any]
Labels = dict[str, str]
Sample = tuple[Labels, float | None]


class Family(NamedTuple):
    """One metric: its name without the prefix, what it is, and how it is found in the status.

    Attributes:
        samples: Labels and value of each; None where there is no value yet.
    """

    name: str
    kind: str
    meaning: str
    samples: Callable[[Status], Iterator[Sample]]


def _one(part: str, key: str, scale: float = 1) -> Callable[[Status], Iterator[Sample]]:
    def samples(status: Status) -> Iterator[Sample]:
        value = status[part].get(key)
        yield {}, None if value is None else value * scale

    return samples


def _is(part: str, key: str, wanted: str) -> Callable[[Status], Iterator[Sample]]:
    def samples(status: Status) -> Iterator[Sample]:
        yield {}, float(status[part][key] == wanted)

    return samples


def _each(
    part: str, label: str, value: Callable[[Status], float | None]
) -> Callable[[Status], Iterator[Sample]]:
    def samples(status: Status) -> Iterator[Sample]:
        for one in status[part]:
            yield {label: one[label]}, value(one)

    return samples


def _info(status: Status) -> Iterator[Sample]:
    agent = status["agent"]
    yield {"id": agent["id"], "site": agent["site"], "version": agent["version"]}, 1


def _device_states(status: Status) -> Iterator[Sample]:
    for one in status["devices"]:
        for state in DEVICE_STATES:
            yield {"device": one["device"], "state": state}, float(one["state"] == state)


def _connection(key: str) -> Callable[[Status], Iterator[Sample]]:
    return _each("connections", "connection", lambda one: one[key])


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


FAMILIES = (
    Family("info", "gauge", "which agent this is; always 1", _info),
    Family(
        "polling",
        "gauge",
        "1 when the buffer is open and machines are read",
        _is("agent", "state", "polling"),
    ),
    Family(
        "degraded",
        "gauge",
        "1 while the disk refuses the buffer",
        _is("agent", "health", "degraded"),
    ),
    Family(
        "clock_synced",
        "gauge",
        "1 while the clock is known to be right",
        _is("agent", "clock", "synced"),
    ),
    Family(
        "start_time_seconds",
        "gauge",
        "when the agent started, since 1970 UTC",
        _one("agent", "since", 1e-3),
    ),
    Family("readings_total", "counter", "readings made since the start", _one("agent", "readings")),
    Family(
        "readings_not_kept_total",
        "counter",
        "readings that neither disk nor memory took; a loss record counts them",
        _one("agent", "not_kept"),
    ),
    Family(
        "broker_connected",
        "gauge",
        "1 while the broker is connected",
        _is("broker", "state", "connected"),
    ),
    Family(
        "broker_last_ack_timestamp_seconds",
        "gauge",
        "when the broker last acknowledged a message, since 1970 UTC",
        _one("broker", "last_ack", 1e-3),
    ),
    Family(
        "buffer_readings", "gauge", "readings that wait for the broker", _one("buffer", "readings")
    ),
    Family("buffer_bytes", "gauge", "bytes of the buffer in use on disk", _one("buffer", "bytes")),
    Family(
        "buffer_max_bytes", "gauge", "its limit, `buffer.max_bytes`", _one("buffer", "max_bytes")
    ),
    Family(
        "buffer_full_seconds",
        "gauge",
        "seconds until it is full at the present rate, without a broker",
        _one("buffer", "hours_until_full", 3600),
    ),
    Family(
        "buffer_losses", "gauge", "loss records that wait for the broker", _one("buffer", "losses")
    ),
    Family(
        "written_bytes_total",
        "counter",
        "bytes that the agent wrote to the card since its start",
        _one("buffer", "written"),
    ),
    Family(
        "connection_up",
        "gauge",
        "1 while the link is open",
        _each("connections", "connection", lambda one: float(one["state"] == "up")),
    ),
    Family("connection_polls_total", "counter", "polls over this link", _connection("polls")),
    Family(
        "connection_overruns_total",
        "counter",
        "polls skipped because the line was busy",
        _connection("overruns"),
    ),
    Family(
        "connection_reopened_total",
        "counter",
        "how often the link was opened anew",
        _connection("reopened"),
    ),
    Family(
        "connection_busy_ratio",
        "gauge",
        "share of the time in which the line is busy",
        _connection("busy"),
    ),
    Family(
        "device_state",
        "gauge",
        "1 for the state that a device is in: starting, up, silent, down",
        _device_states,
    ),
    Family(
        "device_last_good_timestamp_seconds",
        "gauge",
        "when a device last gave a good value, since 1970 UTC",
        _each("devices", "device", lambda one: _seconds(one["last_good"])),
    ),
)


def exposition(status: Status) -> str:
    """Write a status down as Prometheus reads it; what has no value yet is left out."""
    return "".join(line for family in FAMILIES for line in _lines(family, status))


def _lines(family: Family, status: Status) -> list[str]:
    name = PREFIX + family.name
    samples = [
        f"{name}{_braced(labels)} {_number(value)}\n"
        for labels, value in family.samples(status)
        if value is not None
    ]
    head = [f"# HELP {name} {family.meaning}\n", f"# TYPE {name} {family.kind}\n"]
    return head + samples if samples else []


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(round(value, 6))


def _braced(labels: Labels) -> str:
    inside = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{inside}}}" if inside else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
