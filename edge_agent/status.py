"""Describes a running agent for people and programs: what `edge-agent status --json` prints."""

from typing import Any

from edge_agent import __version__
from edge_agent.agent import Agent, Running
from edge_agent.language import _, later
from edge_agent.standing import Standing

SECONDS_AN_HOUR = 3600
OPENING = later("it is being checked, and mended where it is damaged")


def describe(agent: Agent) -> dict[str, Any]:
    """Give the whole status as JSON-able data; times are ms since 1970 UTC.

    Before the buffer is open nothing is polled yet: then it says since when, and why.
    """
    if not agent.is_polling:
        return _opening(agent)
    return {
        "agent": _agent(agent),
        "broker": _broker(agent),
        "buffer": _buffer(agent),
        "connections": [_connection(name, one) for name, one in agent.running.items()],
        "devices": [
            _device(agent, one, device, standing)
            for one in agent.running.values()
            for device, standing in one.poller.devices.items()
        ],
    }


def _opening(agent: Agent) -> dict[str, Any]:
    unknown = dict.fromkeys(("readings", "bytes", "hours_until_full", "written_per_day"))
    return {
        "agent": {
            **_identity(agent, "opening"),
            "clock": "synced" if agent.clock.synced() else "unsynced",
            "readings": 0,
            "not_kept": 0,
            "health": "degraded" if agent.obstacle else "ok",
        },
        "broker": {
            "host": agent.mqtt.host,
            "port": agent.mqtt.port,
            "state": "waiting",
            "why": _("the buffer comes first"),
            "last_ack": None,
            "note": "",
        },
        "buffer": {
            **unknown,
            "max_bytes": agent.limits.max_bytes,
            "why": agent.obstacle or _(OPENING),
        },
        "connections": [],
        "devices": [],
    }


def _identity(agent: Agent, state: str) -> dict[str, Any]:
    return {
        "id": agent.identity.id,
        "site": agent.identity.site,
        "version": __version__,
        "state": state,
        "since": agent.started,
        "now": agent.clock.now(),
    }


def _agent(agent: Agent) -> dict[str, Any]:
    return {
        **_identity(agent, "polling"),
        "clock": "synced" if agent.buffer.synced else "unsynced",
        "readings": agent.recorder.readings,
        "not_kept": agent.recorder.unkept,
        "health": "degraded" if agent.buffer.trouble else "ok",
    }


def _broker(agent: Agent) -> dict[str, Any]:
    publisher = agent.publisher
    return {
        "host": agent.mqtt.host,
        "port": agent.mqtt.port,
        "state": publisher.state,
        "why": publisher.why,
        "last_ack": publisher.last_ack,
        "note": publisher.note,
    }


def _buffer(agent: Agent) -> dict[str, Any]:
    buffer = agent.buffer
    return {
        "epoch": buffer.epoch,
        "seq": buffer.last_seq,
        "readings": buffer.waiting,
        "bytes": buffer.used,
        "max_bytes": agent.limits.max_bytes,
        "hours_until_full": _hours_until_full(agent),
        "written": buffer.wear.bytes,
        "written_per_day": buffer.wear.per_day,
        "losses": buffer.losses,
        "lag_s": round(buffer.lag, 3),
        "carried": buffer.carried,
        "why": buffer.trouble,
    }


def _hours_until_full(agent: Agent) -> float | None:
    """Give the hours until the limit is reached at the present rate, without a broker."""
    seconds = agent.buffer.seconds_until_full
    return None if seconds is None else round(seconds / SECONDS_AN_HOUR, 5)


def _connection(name: str, one: Running) -> dict[str, Any]:
    poller = one.poller
    return {
        "connection": name,
        "state": poller.state,
        "why": poller.why,
        "polls": poller.polls,
        "overruns": poller.overruns,
        "reopened": poller.reopened,
        "busy": poller.workload.busy,
        "overload": poller.workload.overload,
        "lateness_p99_ms": poller.lateness.percentile(0.99),
        "changes": poller.ear.heard,
        "evidence": dict(poller.driver.evidence),
        "details": dict(poller.driver.details()),
    }


def _device(agent: Agent, one: Running, device: str, standing: Standing) -> dict[str, Any]:
    return {
        "device": device,
        "state": standing.state,
        "last_good": agent.recorder.last_good.get(device),
        "since": agent.recorder.since(device),
        "why": standing.why,
        "code": standing.code,
        "evidence": dict(one.poller.roster.evidence[device].totals),
    }
