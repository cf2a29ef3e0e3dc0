"""What has to work before a new configuration may stay, and whether it does. Pure.

Every device has to give a good value, but one that gave none before the change, and that the change
does not concern, must not forbid it; nor one that speaks only when somebody does something.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from edge_agent.config.model import Config
from edge_agent.language import _

Status = Mapping[str, Any]
"""What `edge-agent status --json` prints."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What has to work.

    Attributes:
        devices: All devices of the new configuration, in its order.
        excused: Device -> why it need not give a value, for people.
        broker: Whether the broker has to be reached, since it was before.
    """

    devices: tuple[str, ...]
    excused: Mapping[str, str]
    broker: bool = False


class Finding(NamedTuple):
    """How the new configuration does so far.

    Attributes:
        devices: Device -> `state` and `why`, as in the status; `good`: whether it gave a value.
        lacking: Devices that have to give a value and did not.
        broker: What is wrong with the broker, where it has to be reached; else empty.
    """

    devices: dict[str, dict[str, Any]]
    lacking: tuple[str, ...]
    broker: str = ""

    @property
    def is_good(self) -> bool:
        """Tell whether the new configuration may stay."""
        return not self.lacking and not self.broker


def demand(
    new: Config, old: Config | None, before: Status | None, excused: Callable[[str], bool]
) -> Demand:
    """Decide what has to work.

    Args:
        new: The new configuration.
        old: The one in force; None if there is none that can be read.
        before: The status of the agent under the old one; None if none runs.
        excused: Tells which devices a person excuses.
    """
    known = {one["device"]: one for one in (before or {}).get("devices", ())}
    same = dict(_equipment(old)) if old else {}
    reasons = {}
    for name, equipment in _equipment(new):
        if excused(name):
            reasons[name] = _("excused by you")
        elif same.get(name) == equipment and name in known and not _is_well(known[name]):
            reasons[name] = _("it gave no value before the change either")
    was_connected = bool(before) and (before or {})["broker"]["state"] == "connected"
    return Demand(tuple(name for name, _one in _equipment(new)), reasons, was_connected)


def _is_well(device: Mapping[str, Any]) -> bool:
    return device["state"] == "up" and device["last_good"] is not None


def _equipment(config: Config) -> Iterator[tuple[str, tuple[str, str, str]]]:
    """Give each device with everything that tells one way of reading it from another."""
    for connection in config.connections:
        link = connection.driver, repr(connection.settings)
        for device in connection.devices:
            yield device.name, (*link, repr(device))


def excuse_those_who_wait(demanded: Demand, waiting: Mapping[str, str]) -> Demand:
    """Excuse devices that give a value only when somebody does something, such as scan a code.

    Args:
        demanded: What has to work so far.
        waiting: Device -> what somebody has to do, in the driver's words.
    """
    reasons = {
        name: _("it gives a value only when somebody does: {action}").format(action=action)
        for name, action in waiting.items()
    }
    return Demand(demanded.devices, {**reasons, **demanded.excused}, demanded.broker)


def judge(demanded: Demand, status: Status | None) -> Finding:
    """Tell how the new configuration does, by the status of the agent that was started with it."""
    known = {one["device"]: one for one in (status or {}).get("devices", ())}
    devices = {name: _judged(known.get(name)) for name in demanded.devices}
    for name, why in demanded.excused.items():
        if name in devices and not devices[name]["good"]:
            devices[name]["excused"] = why
    lacking = tuple(
        name
        for name in demanded.devices
        if name not in demanded.excused and not devices[name]["good"]
    )
    return Finding(devices, lacking, _broker(status) if demanded.broker else "")


def _judged(one: Mapping[str, Any] | None) -> dict[str, Any]:
    if one is None:
        return {"state": "starting", "why": _("the agent has not read it yet"), "good": False}
    is_good, why = one["last_good"] is not None, one["why"]
    if not is_good and not why:
        why = _("it answers, but gives no good value") if one["state"] == "up" else _("no answer")
    return {"state": one["state"], "why": why, "good": is_good}


def _broker(status: Status | None) -> str:
    broker = (status or {}).get("broker", {})
    if broker.get("state") == "connected":
        return ""
    host = f"{broker.get('host')}:{broker.get('port')}" if broker else ""
    return f"{host} {broker.get('why', '')}".strip() or _("the agent has not reached it yet")
