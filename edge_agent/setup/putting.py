"""Puts the new configuration in force: written, or started and watched until every device reads."""

import contextlib
from collections.abc import Collection
from pathlib import Path

from edge_agent.errors import CommandFailed, ConfigInvalid
from edge_agent.language import _
from edge_agent.layout import columns
from edge_agent.report.looking import Look as Looked
from edge_agent.report.looking import look_at
from edge_agent.rollout import Rollout, RolloutRefused, store
from edge_agent.setup.draft import Values
from edge_agent.setup.leftovers import clear
from edge_agent.setup.proving import read_config
from edge_agent.setup.question import Back, Look, Progress, Steps, look, what_now
from edge_agent.setup.screen import clipped, filled
from edge_agent.setup.service import adopt
from edge_agent.setup.summary import START
from edge_agent.setup.telling import first_values, named_points
from edge_agent.setup.writer import as_yaml
from edge_agent.site.deposit import Deposit
from edge_agent.supervisor import Service
from edge_agent.versions import BeingChanged

WRITTEN = "write"
"""The look behind which the new configuration is in force."""
VALUES_PATIENCE = 5.0  # seconds to watch for values of the agent that runs
MORE_LOOKS = 2  # while the broker has confirmed nothing
MOST_ROWS = 8
MISHAPS = (ConfigInvalid, BeingChanged, CommandFailed, RolloutRefused, OSError, ValueError)


def put(document: Values, config: Path, chosen: Values, service: Service | None) -> Steps[Values]:
    """Put it in force; ask what to do where that fails.

    Args:
        document: The configuration, as in the file.
        config: The file.
        chosen: What `summary` gave.
        service: Who starts the agent; None where nobody does.

    Returns:
        `written`, `kept` (where the one before is, else empty), `started`, `devices` (device ->
        `state`, `why`, `good`), `values` (device -> text), `confirmed` (whether the broker has
        taken readings) and `next_step`.
    """
    silent = {one["device"] for one in chosen["devices"] if not one["good"]}
    starts = service if chosen["choice"] == START else None
    seen: Values = yield from look(
        Look(
            WRITTEN,
            _("Writing the configuration ..."),
            lambda progress: _put(document, config, starts, silent, progress),
            lasting=True,
        )
    )
    if seen["problem"]:
        yield from _trouble(seen)
    return seen


def _put(
    document: Values,
    config: Path,
    service: Service | None,
    silent: Collection[str],
    progress: Progress,
) -> Values:
    result: Values = {
        "written": str(config),
        "kept": "",
        "started": False,
        "devices": {},
        "values": {},
        "confirmed": False,
        "broker": "",
        "next_step": "",
        "problem": "",
    }
    try:
        if service is None:
            text = as_yaml(document)
            kept = store(text.encode(), config)
            _tidied(config, text)
            return result | {"kept": kept}
        adopted = adopt(document, config.parent)
        text = as_yaml(adopted.document)
        change = Rollout(
            config=config,
            service=service,
            say=progress.say,
            excused=lambda device: device in silent,
            beside=Deposit(adopted.secrets, config.parent),
        )
        done = change.make(text.encode())
    except MISHAPS as error:
        return result | {"problem": str(error)}
    if not done.problem:
        _tidied(config, as_yaml(document))
    now = {} if done.problem else _read_now(text, config)
    return result | {
        "kept": done.kept,
        "started": not done.problem,
        "devices": done.devices,
        **now,
        "next_step": done.next_step,
        "problem": done.problem,
    }


def _tidied(config: Path, answered: str) -> None:
    with contextlib.suppress(OSError):  # what is in force is no worse for a file too many
        clear(config, answered)


def _read_now(text: str, config: Path) -> Values:
    """Look at the agent that runs: the first value of each device, and what the broker confirmed.

    Returns:
        `values`: device -> text; `confirmed`; and `broker`: why nothing is confirmed, else empty.
    """
    made = read_config(text, config.parent)
    points = named_points(made, config.parent)
    look = look_at(made, VALUES_PATIENCE)
    for _attempt in range(MORE_LOOKS):
        if _confirmed(look):
            break
        look = look_at(made, VALUES_PATIENCE)
    good = {key: reading["v"] for key, reading in look.readings.items() if "v" in reading}
    return {
        "values": first_values(points, good),
        "confirmed": _confirmed(look),
        "broker": str(look.status["broker"].get("why") or "") if look.status else "",
    }


def _confirmed(look: Looked) -> bool:
    return look.status is not None and look.status["broker"]["last_ack"] is not None


def told(seen: Values) -> list[str]:
    """Say what was done, in lines."""
    lines = [_("Written: {file}").format(file=seen["written"])]
    if seen["kept"]:
        lines.append(_("The one before: {file}").format(file=seen["kept"]))
    rows = columns([_device(name, seen) for name in seen["devices"]])
    lines += filled([clipped(row) for row in rows], MOST_ROWS)
    if seen["started"]:
        lines.append(_about_broker(seen))
    return lines


def _about_broker(seen: Values) -> str:
    if seen["confirmed"]:
        return _("The broker has confirmed readings: they leave this gateway.")
    return _("The broker has confirmed nothing yet. {why}").format(why=seen["broker"]).rstrip()


def _device(name: str, seen: Values) -> list[str]:
    one = seen["devices"][name]
    mark = _("OK") if one["good"] else _("FAIL")
    what = seen["values"].get(name) or one["why"] or one.get("excused", "") or one["state"]
    return [f" {mark}", name, what]


def _trouble(seen: Values) -> Steps[None]:
    yield from what_now(
        "write.trouble",
        _("The new configuration is not in force. What now?"),
        [
            Back("again", _("try again"), WRITTEN),
            Back("change", _("back to the summary"), "summary.look"),
        ],
        facts="\n".join([seen["problem"], *told(seen)[2:]]),
        exit_code=1,
        why=_("The old configuration, if there is one, is as it was."),
    )
