"""Describes a running agent for people and programs: what `edge-agent status --json` prints."""

from typing import Any

from edge_agent import __version__
from edge_agent.agent import Agent, Running
from edge_agent.standing import Standing

SECONDS_AN_HOUR = 3600


def describe(agent: Agent) -> dict[str, Any]:
    """Give the whole status as JSON-able data; times are ms since 1970 UTC."""
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


def _agent(agent: Agent) -> dict[str, Any]:
    return {
        "id": agent.identity.id,
        "site": agent.identity.site,
        "version": __version__,
        "since": agent.started,
        "now": agent.clock.now(),
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
        "note": "nobody subscribes" if publisher.unheard else "",
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
        "losses": buffer.losses,
        "lag_s": round(buffer.lag, 3),
        "why": buffer.trouble,
    }


def _hours_until_full(agent: Agent) -> float | None:
    """Estimate from the bytes that a waiting reading takes and the readings made per second."""
    buffer, elapsed = agent.buffer, (agent.clock.now() - agent.started) / 1000
    rate = agent.recorder.readings / elapsed if elapsed > 1 else 0
    if not rate:
        return None
    bytes_each = buffer.used / buffer.waiting if buffer.waiting > 1000 else 20.0
    free = max(0, agent.limits.max_bytes - buffer.used)
    return round(free / (rate * bytes_each) / SECONDS_AN_HOUR, 1)


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
        "evidence": dict(poller.driver.evidence),
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
