"""The power-cycle test: how the agent stood before the plug was pulled, and whether it came back.

`note` and `judge` look at this gateway; the judgement itself, `judged`, is pure. Everything is
plain JSON, since the wizard is started anew between the two.

What is proven is that the gateway started anew, that the agent runs again without anybody's help,
that machines answered and the broker acknowledged since, and that the numbers of readings go on
where they were: then what may be missing is named by a loss record, and nothing else is.
"""

import time
from pathlib import Path
from typing import Any, NamedTuple

from edge_agent import control
from edge_agent.clock import BOOT_ID
from edge_agent.config.loading import inspect
from edge_agent.doctor.gateway import DEFAULT_BUFFER, unit_properties
from edge_agent.language import _, speaking
from edge_agent.setup.draft import Values
from edge_agent.setup.powercut_words import next_step, sentence, told

__all__ = ["judge", "judged", "next_step", "note", "noted", "standing", "told"]

UPTIME = Path("/proc/uptime")
PATIENCE = 90.0
"""Seconds from the look until everything has to be there; a slow card takes a minute to boot."""
BY_ITSELF = 300.0
"""Seconds after power-on within which a service that starts at boot runs; later it was a hand."""
LOOK_EVERY = 1.0
ENABLED = frozenset({"enabled", "static", "linked"})  # as systemctl(1) calls what starts at boot


class Standing(NamedTuple):
    """How the gateway stands at one moment.

    Attributes:
        boot: Which boot this is.
        at: Wall clock, ms since 1970 UTC.
        uptime: Seconds since power-on.
        enabled: Whether systemd starts the service at boot; None where it does not run here.
        status: What the running agent says of itself; None where none answers.
    """

    boot: str
    at: int
    uptime: float
    enabled: bool | None
    status: dict[str, Any] | None


def note(config: Path) -> Values:
    """Note what has to come back, before the plug is pulled.

    Returns:
        `boot`, `at`, `epoch`, `seq`, `devices` that are up, and `problem`: a sentence where the
        test makes no sense yet, else empty.
    """
    return noted(standing(config))


def judge(before: Values, config: Path, patience: float = PATIENCE) -> Values:
    """Look until everything is back, or patience is over; see `judged`."""
    end = time.monotonic() + patience
    while True:
        result = judged(before, standing(config))
        if result["passed"] or not result["steps"][0]["ok"] or time.monotonic() >= end:
            return result
        time.sleep(LOOK_EVERY)


def noted(now: Standing) -> Values:
    """Give what of a standing is compared later. Pure."""
    known = {"boot": now.boot, "at": now.at, "epoch": "", "seq": 0, "devices": [], "problem": ""}
    if now.status is None or now.status["agent"]["state"] != "polling":
        problem = _("The agent does not run yet, so this cannot be tried. Start it first.")
        return {**known, "problem": problem}
    buffer, devices = now.status["buffer"], now.status["devices"]
    up = [one["device"] for one in devices if one["state"] == "up"]
    problem = _unfit(up=bool(up), acknowledged=now.status["broker"]["last_ack"] is not None)
    return {
        **known,
        "epoch": buffer["epoch"],
        "seq": buffer["seq"],
        "devices": up,
        "problem": problem,
    }


def _unfit(*, up: bool, acknowledged: bool) -> str:
    if not up:
        return _("No device answers yet, so this cannot be tried. See to the devices first.")
    if not acknowledged:
        return _("The broker has confirmed nothing yet, so this cannot be tried.")
    return ""


def judged(before: Values, now: Standing) -> Values:
    """Judge a restart. Pure.

    Returns:
        `passed`; `at`; and `steps`, each with `step` (`restarted`, `service`, `devices`, `broker`,
        `buffer`), `ok`, what its sentence names, and `told`: that sentence in English.
    """
    steps = [_restarted(before, now), _service(now)]
    polling = now.status is not None and now.status["agent"]["state"] == "polling"
    if now.status is not None and polling:
        steps += [_devices(before, now.status), _broker(now.status), _buffer(before, now.status)]
    passed = polling and all(one["ok"] for one in steps)
    with speaking("en"):
        steps = [{**one, "told": sentence(one)} for one in steps]
    return {"passed": passed, "at": now.at, "steps": steps}


def _restarted(before: Values, now: Standing) -> Values:
    return {
        "step": "restarted",
        "ok": now.boot not in (before["boot"], "unknown"),
        "seconds": round(now.uptime),
    }


def _service(now: Standing) -> Values:
    if now.status is None:
        return {"step": "service", "ok": False, "why": "stopped", "seconds": round(now.uptime)}
    agent = now.status["agent"]
    # negative where the clock was set since: then all that is known is that it runs
    started = max(0.0, now.uptime - (agent["now"] - agent["since"]) / 1000)
    why = "" if agent["state"] == "polling" else "opening"
    if not why and started > BY_ITSELF:
        why = "by hand"
    if not why and now.enabled is False:
        why = "disabled"
    return {"step": "service", "ok": not why, "why": why, "seconds": round(started)}


def _devices(before: Values, status: dict[str, Any]) -> Values:
    """The agent keeps its last good reading in memory: what it has came since it started."""
    back = {one["device"] for one in status["devices"] if one["last_good"] is not None}
    return _all_of(before["devices"], back)


def _all_of(wanted: list[str], back: set[str]) -> Values:
    missing = [name for name in wanted if name not in back]
    return {"step": "devices", "ok": not missing, "number": len(wanted), "missing": missing}


def _broker(status: dict[str, Any]) -> Values:
    """The same holds for the last acknowledgement."""
    return {"step": "broker", "ok": status["broker"]["last_ack"] is not None}


def _buffer(before: Values, status: dict[str, Any]) -> Values:
    buffer = status["buffer"]
    same = buffer["epoch"] == before["epoch"] and buffer["seq"] > before["seq"]
    losses = buffer["losses"]
    return {"step": "buffer", "ok": same and not losses, "same": same, "losses": losses}


def standing(config: Path) -> Standing:
    """Look at this gateway."""
    unit = unit_properties()
    loaded = unit is not None and unit.get("LoadState") == "loaded"
    return Standing(
        boot=BOOT_ID.read_text().strip() if BOOT_ID.exists() else "unknown",
        at=time.time_ns() // 1_000_000,
        uptime=float(UPTIME.read_text().split()[0]),
        enabled=unit.get("UnitFileState") in ENABLED if unit is not None and loaded else None,
        status=_asked(config),
    )


def _asked(config: Path) -> dict[str, Any] | None:
    found = inspect(config).config
    answer = control.answering(found.buffer.path if found else DEFAULT_BUFFER)
    return answer[1] if answer else None
