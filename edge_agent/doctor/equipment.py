"""The configuration, and the machines as the running agent sees them."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

from edge_agent.doctor.finding import Finding, Findings, Unseen, fail, fine, warn
from edge_agent.doctor.gateway import Gateway
from edge_agent.layout import printable

MOST = 8  # machines with trouble that fit on a screen
LOOK = "edge-agent status"


def check_configuration(gateway: Gateway) -> Findings:
    """Say whether the file has mistakes."""
    subject, errors = "configuration", gateway.inspection.errors
    if not errors:
        warnings = gateway.inspection.warnings
        if warnings:
            what = f"{gateway.file} is valid, with {len(warnings)} doubts: {warnings[0]}"
            yield warn(subject, printable(what), "edge-agent check", "D-CONFIG-DOUBT")
        else:
            yield fine(subject, f"{gateway.file} is valid")
    elif not gateway.file.exists():
        what = f"there is no {gateway.file}"
        yield fail(subject, what, "sudo edge-agent setup", "D-CONFIG-MISSING")
    elif "this user may not read" in errors[0].message:
        yield Unseen(subject, errors[0].message)
    else:
        what = f"{gateway.file}: {len(errors)} mistakes, the first: {errors[0]}"
        yield fail(subject, printable(what), "edge-agent check", "D-CONFIG-INVALID")


def check_machines(gateway: Gateway) -> Findings:
    """Say which machines are not read, and why."""
    status = gateway.status
    if status is None or status["agent"]["state"] != "polling":
        yield Unseen("machines", "no agent runs that could tell; edge-agent test reads each once")
        return
    troubled = [*map(_link, _down(status)), *filter(None, map(_device, _others(status)))]
    yield from islice(troubled, MOST)
    if len(troubled) > MOST:
        what = f"{len(troubled) - MOST} more have trouble"
        yield fail("machines", what, LOOK, "D-MORE")
    up = sum(one["state"] == "up" for one in status["devices"])
    if up == len(status["devices"]):
        yield fine("machines", f"{up} of {up} are read")


def _down(status: dict[str, Any]) -> Iterable[dict[str, Any]]:
    return (one for one in status["connections"] if one["state"] == "down")


def _others(status: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """Give the devices whose link is not said to be down already."""
    reasons = {one["why"] for one in _down(status)}
    return (one for one in status["devices"] if one["state"] != "down" or one["why"] not in reasons)


def _link(one: dict[str, Any]) -> Finding:
    what, action = _split(one["why"])
    return fail(f"link {one['connection']}", what, action, "D-LINK")


def _device(one: dict[str, Any]) -> Finding | None:
    subject, (what, action) = f"device {one['device']}", _split(one["why"])
    code = f" ({one['code']})" if one["code"] else ""
    if one["state"] in {"silent", "down"}:
        return fail(subject, f"{one['state']}: {what}{code}", action, "D-DEVICE")
    if one["why"]:
        return warn(subject, f"{what}{code}", action, "D-DEVICE-REMARK")
    return None


def _split(why: str) -> tuple[str, str]:
    what, _, action = printable(why).partition("; ")
    return what, action or LOOK
