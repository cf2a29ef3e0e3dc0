"""The configuration, and the machines as the running agent sees them."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

from edge_agent.doctor.finding import Finding, Findings, Unseen, fail, fine, warn
from edge_agent.doctor.gateway import Gateway
from edge_agent.language import _, later, parted, retell
from edge_agent.layout import printable

MOST = 8  # machines with trouble that fit on a screen
LOOK = "edge-agent status"


def check_configuration(gateway: Gateway) -> Findings:
    """Say whether the file has mistakes."""
    subject, errors = later("configuration"), gateway.inspection.errors
    if not errors:
        warnings = gateway.inspection.warnings
        if warnings:
            what = _("{file} is valid, with {warnings} doubts: {first}").format(
                file=gateway.file, warnings=len(warnings), first=warnings[0]
            )
            yield warn(subject, printable(what), "edge-agent check", "D-CONFIG-DOUBT")
        else:
            yield fine(subject, _("{file} is valid").format(file=gateway.file))
    elif not gateway.file.exists():
        what = _("there is no {file}").format(file=gateway.file)
        yield fail(subject, what, "sudo edge-agent setup", "D-CONFIG-MISSING")
    elif "this user may not read" in errors[0].message:
        yield Unseen(subject, errors[0].message)
    else:
        what = _("{file}: {errors} mistakes, the first: {first}").format(
            file=gateway.file, errors=len(errors), first=errors[0]
        )
        yield fail(subject, printable(what), "edge-agent check", "D-CONFIG-INVALID")


def check_machines(gateway: Gateway) -> Findings:
    """Say which machines are not read, and why."""
    status = gateway.status
    if status is None or status["agent"]["state"] != "polling":
        yield Unseen(
            later("machines"), _("no agent runs that could tell; edge-agent test reads each once")
        )
        return
    troubled = [*map(_link, _down(status)), *filter(None, map(_device, _others(status)))]
    yield from islice(troubled, MOST)
    if len(troubled) > MOST:
        what = _("{troubled} more have trouble").format(troubled=len(troubled) - MOST)
        yield fail(later("machines"), what, LOOK, "D-MORE")
    up = sum(one["state"] == "up" for one in status["devices"])
    if up == len(status["devices"]):
        yield fine(later("machines"), _("{up} of {up} are read").format(up=up))


def _down(status: dict[str, Any]) -> Iterable[dict[str, Any]]:
    return (one for one in status["connections"] if one["state"] == "down")


def _others(status: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """Give the devices whose link is not said to be down already."""
    reasons = {one["why"] for one in _down(status)}
    return (one for one in status["devices"] if one["state"] != "down" or one["why"] not in reasons)


def _link(one: dict[str, Any]) -> Finding:
    what, action = _split(one["why"])
    return fail(later("link {connection}").format(**one), what, action, "D-LINK")


def _device(one: dict[str, Any]) -> Finding | None:
    subject, (what, action) = later("device {device}").format(**one), _split(one["why"])
    code = f" ({one['code']})" if one["code"] else ""
    if one["state"] in {"silent", "down"}:
        return fail(subject, f"{_(one['state'])}: {what}{code}", action, "D-DEVICE")
    if one["why"]:
        return warn(subject, f"{what}{code}", action, "D-DEVICE-REMARK")
    return None


def _split(why: str) -> tuple[str, str]:
    what, action = parted(retell(printable(why)))
    return what, action or LOOK
