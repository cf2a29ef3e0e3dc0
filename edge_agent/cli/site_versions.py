"""`edge-agent site versions` and `back`: configurations that were in force, and ways to them."""

import argparse
import sys
from typing import TYPE_CHECKING, Any

from edge_agent.command import (
    BROKER_UNREACHABLE,
    DEVICE_UNREADABLE,
    FAULT,
    OK,
    USAGE,
    columns,
    print_json,
)
from edge_agent.errors import CommandFailed
from edge_agent.language import _

if TYPE_CHECKING:
    from edge_agent.rollout import RolledOut, Rollout
    from edge_agent.versions import Version, Versions

_CODES = {"": OK, "device": DEVICE_UNREADABLE, "broker": BROKER_UNREACHABLE, "agent": FAULT}


def show(options: argparse.Namespace) -> int:
    """List the versions, the newest first."""
    from edge_agent.versions import Versions

    versions = Versions(options.config)
    present, trial, all_ = versions.present(), versions.trial(), versions.all()
    refused = str(versions.refused) if versions.refused.exists() else None
    rows = [(one, one.path.read_bytes() == present) for one in reversed(all_)]
    if options.json:
        print_json(
            {
                "versions": [
                    {
                        "number": one.number,
                        "replaced": one.replaced,
                        "file": str(one.path),
                        "in_force": is_present,
                    }
                    for one, is_present in rows
                ],
                "unproven": trial is not None,
                "refused": refused,
            }
        )
        return OK
    head = (_("number"), _("replaced (UTC)"), _("file"), "")
    table = [
        (str(one.number), _readable(one.replaced), str(one.path), _("in force") if same else "")
        for one, same in rows
    ]
    for line in columns([head, *table], right=[0]) if table else [_("No version is kept yet.")]:
        print(line)
    if trial:
        print(_unproven(), file=sys.stderr)
    if refused:
        print(_("The last one that was taken back: {file}").format(file=refused))
    return OK


def _readable(stamp: str) -> str:
    day, clock = stamp[:8], stamp[9:15]
    return f"{day[:4]}-{day[4:6]}-{day[6:]} {clock[:2]}:{clock[2:4]}:{clock[4:]}"


def _unproven() -> str:
    return _(
        "! The last change was cut short before it was proven: apply it again, or go back with: "
        "edge-agent site back"
    )


def back(options: argparse.Namespace) -> int:
    """Put an earlier one in force again, if it works."""
    from edge_agent.versions import Versions

    version = _chosen(Versions(options.config), options.number)
    print(
        _("Going back to version {number}, {file}").format(
            number=version.number, file=version.path
        ),
        file=sys.stderr,
    )
    return report(
        options, rollout(options).make(version.path.read_bytes()), {"number": version.number}
    )


def _chosen(versions: "Versions", number: int | None) -> "Version":
    present = versions.present()
    there = [one for one in versions.all() if one.path.read_bytes() != present]
    if number is not None:
        there = [one for one in there if one.number == number]
    if not there:
        text = _("there is no such version to go back to; see: edge-agent site versions")
        raise CommandFailed(text, USAGE)
    return there[-1]


def rollout(options: argparse.Namespace, **more: Any) -> "Rollout":
    """Make a rollout as the command line wants it."""
    from edge_agent.rollout import Rollout
    from edge_agent.supervisor import service_for

    silent = options.allow_silent
    config = options.config.absolute()
    return Rollout(
        config=config,
        service=service_for(config),
        say=lambda text: print(text, file=sys.stderr, flush=True),
        patience=options.patience,
        excused=lambda name: silent is not None and (not silent or name in silent),
        **more,
    )


def report(options: argparse.Namespace, done: "RolledOut", more: dict[str, Any]) -> int:
    """Say what came of it; the exit code tells what is to blame."""
    if options.json:
        print_json({"changed": not done.rolled_back, **more, **done.as_json()})
    if done.problem:
        raise CommandFailed(_failed(done), _CODES[done.code])
    if not options.json:
        _tell(done)
    return OK


def _tell(done: "RolledOut") -> None:
    print(_("It works, and is in force."))
    for name, one in done.devices.items():
        if not one["good"]:
            print(f"! {name}: {one['why']} ({one.get('excused', '')})", file=sys.stderr)
    if done.kept:
        text = _("The one before is {file}. Back to it: edge-agent site back")
        print(text.format(file=done.kept))
    if done.next_step:
        print(done.next_step)


def _failed(done: "RolledOut") -> str:
    if not done.rolled_back:
        return done.problem
    said = _("{problem}; the configuration before is in force again, and the new one is {file}")
    return said.format(problem=done.problem, file=done.refused)
