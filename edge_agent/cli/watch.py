"""`edge-agent watch`: what the running daemon reads, as it reads it."""

import argparse
import difflib
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from typing import Any

from edge_agent.cli.labels import Labels, labels_in, named
from edge_agent.command import FAULT, OK, USAGE, columns, printable, shown
from edge_agent.errors import CommandFailed
from edge_agent.language import _, later, retell

EXAMPLE = "edge-agent watch press-1"

REDRAW_SECONDS = 0.5
_HEAD = (
    later("device"),
    later("point"),
    later("value"),
    later("unit"),
    later("quality"),
    later("age"),
)
_VALUE, _AGE = 2, 5
_CLEAR = "\x1b[H\x1b[2J"

Update = dict[str, Any]


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "device", nargs="?", default="", metavar="DEVICE", help=_("only this device")
    )


def run(options: argparse.Namespace) -> int:
    """Show what is read until Ctrl-C; exit code 1 if no agent runs, or if it ends."""
    updates = _updates(options)
    try:
        if options.json:
            _show_json(updates)
        elif sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb":
            _show_table(updates)
        else:
            _show_lines(updates)
    except KeyboardInterrupt:
        return OK
    raise CommandFailed(_("the agent has ended; start it, and watch again"), FAULT)


def _updates(options: argparse.Namespace) -> Iterator[Update | None]:
    from edge_agent.cli.status import find_daemon
    from edge_agent.control import watched

    socket, status = find_daemon(options.config)
    if status["agent"]["state"] != "polling":
        raise CommandFailed(
            _("nothing is read yet: {why}").format(why=retell(status["buffer"]["why"])), FAULT
        )
    _refuse_unknown(options.device, [each["device"] for each in status["devices"]])
    updates = watched(socket, options.device, REDRAW_SECONDS)
    return updates if options.json else _labelled(updates, labels_in(options.config))


def _labelled(updates: Iterator[Update | None], known: Labels) -> Iterator[Update | None]:
    """Say beside each point what it is called, where its name says nothing to who reads."""
    for update in updates:
        if update is not None and known:
            for reading in update["readings"]:
                reading["p"] = named(known, update["device"], reading["p"])
        yield update


def _refuse_unknown(device: str, known: list[str]) -> None:
    if device and device not in known:
        near = difflib.get_close_matches(device, known, n=1)
        hint = (
            _("did you mean {near!r}?").format(near=near[0])
            if near
            else _("there are: {known}").format(known=", ".join(known) or _("none"))
        )
        raise CommandFailed(
            _("the running agent has no device {device!r}; {hint}").format(
                device=device, hint=hint
            ),
            USAGE,
        )


def _show_json(updates: Iterator[Update | None]) -> None:
    for update in updates:
        if update is not None:
            print(json.dumps(update, ensure_ascii=False), flush=True)


def _show_lines(updates: Iterator[Update | None]) -> None:
    """Write one line for each reading, for terminals that cannot do more, and for files."""
    for update in updates:
        for device, reading in _readings(update):
            at = time.strftime("%H:%M:%S", time.localtime(reading["ts"] / 1000))
            print(f"{at}  {'  '.join(_cells(device, reading)).rstrip()}", flush=True)


def _show_table(updates: Iterator[Update | None]) -> None:
    """Draw one line for each point, the last reading and its age, over and over."""
    rows: dict[tuple[str, str], tuple[float, tuple[str, ...]]] = {}
    drawn = float("-inf")
    for update in updates:
        now = time.monotonic()
        for device, reading in _readings(update):
            rows[device, reading["p"]] = now, _cells(device, reading)
        if now - drawn >= REDRAW_SECONDS:
            drawn = now
            print(_CLEAR + "\n".join(_screen(rows, now)), flush=True)


def _screen(
    rows: dict[tuple[str, str], tuple[float, tuple[str, ...]]], now: float
) -> Iterator[str]:
    room = shutil.get_terminal_size()
    table = [(*cells, f"{now - came:.0f} s") for came, cells in rows.values()]
    lines = columns([[*map(_, _HEAD)], *table], right=[_VALUE, _AGE])
    fitting = max(1, room.lines - 3)
    yield from (line[: room.columns] for line in lines[:fitting])
    if not rows:
        yield _("waiting for the first reading")
    if len(lines) > fitting:
        yield _("and {lines} more: name a DEVICE, or enlarge the window").format(
            lines=len(lines) - fitting
        )
    yield _("Ctrl-C ends this")


def _readings(update: Update | None) -> Iterator[tuple[str, dict[str, Any]]]:
    if update is not None:
        if missed := update.get("missed"):
            faster = _("{missed} updates came faster than they are shown").format(missed=missed)
            print(f"edge-agent: {faster}", file=sys.stderr)
        for reading in update["readings"]:
            yield update["device"], {**reading, "ts": update["ts"]}


def _cells(device: str, reading: dict[str, Any]) -> tuple[str, ...]:
    quality = _(reading["q"]) + (f": {_(reading['why'])}" if reading["why"] else "")
    return device, reading["p"], printable(shown(reading["v"])), reading["unit"], quality
