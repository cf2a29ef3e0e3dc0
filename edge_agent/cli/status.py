"""`edge-agent status`: one screen from the running daemon."""

import argparse
import json
from pathlib import Path
from typing import Any

from edge_agent.language import _, refusal, retell
from edge_agent.layout import padded
from edge_agent.standing import OVERLOADED

EXAMPLE = "edge-agent status --json"
_PLAIN = frozenset({"reads", "answered"})  # evidence of no trouble
LABEL = 9  # cells
DEFAULT_BUFFER = Path("/var/lib/edge-agent")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what only this command takes: nothing."""


def run(options: argparse.Namespace) -> int:
    """Print how the running daemon stands; exit code 1 if none runs, 6 if it does not poll yet."""
    from edge_agent.command import OK, PARTLY_OK

    status = ask_daemon(options.config)
    print(json.dumps(status, ensure_ascii=False) if options.json else _screen(status))
    return OK if status["agent"]["state"] == "polling" else PARTLY_OK


def ask_daemon(config: Path) -> dict[str, Any]:
    """Ask the running daemon how it stands.

    Raises:
        CommandFailed: None answers.
    """
    return find_daemon(config)[1]


def find_daemon(config: Path) -> tuple[Path, dict[str, Any]]:
    """Find the running daemon; give its socket, and how it stands.

    Raises:
        CommandFailed: None answers.
    """
    from edge_agent.control import ask, candidates
    from edge_agent.errors import CommandFailed

    problems = []
    for path in candidates(_buffer_folder(config)):
        try:
            return path, ask(path)
        except OSError as error:
            problems.append(f"{path}: {refusal(error)}")
    raise CommandFailed(
        _(
            "no running agent answers ({problems}); start it with `edge-agent run` "
            "or `systemctl start edge-agent`, or run this command as a user who may "
            "open the socket"
        ).format(problems="; ".join(problems)),
        1,
    )


def _buffer_folder(config: Path) -> Path:
    """Find the folder in the configuration; a broken or unreadable one names the usual place."""
    from edge_agent.config import load
    from edge_agent.errors import EdgeAgentError

    try:
        return load(config).buffer.path
    except EdgeAgentError:
        return DEFAULT_BUFFER


def _screen(status: dict[str, Any]) -> str:
    agent, broker, buffer = status["agent"], status["broker"], status["buffer"]
    if agent["state"] != "polling":
        opening = _("being opened for {time}: {why}").format(
            time=_ago(agent["since"], agent["now"]), why=retell(buffer["why"])
        )
        return "\n".join(
            [
                _row(_("agent"), _identity(agent)),
                _row(_("buffer"), opening),
                _row("", _("nothing is read before")),
            ]
        )
    lines = [
        _row(_("agent"), _running(agent)),
        _row(_("broker"), _broker(broker, agent["now"])),
        _row(_("buffer"), _waiting(buffer)),
        *_carried(buffer["carried"]),
        *_wear(buffer["written"], buffer["written_per_day"]),
    ]
    lines += _lines(status["connections"], status["devices"], agent["now"])
    return "\n".join(lines)


def _row(label: str, text: str) -> str:
    return f"{padded(label, LABEL)}{text}"


def _identity(agent: dict[str, Any]) -> str:
    return _("{agent} at {site}, version {version}").format(
        agent=agent["id"], site=agent["site"], version=agent["version"]
    )


def _running(agent: dict[str, Any]) -> str:
    return _("{agent}, {health}, running {time}, clock {clock}").format(
        agent=_identity(agent),
        health=_(agent["health"]),
        time=_ago(agent["since"], agent["now"]),
        clock=_(agent["clock"]),
    )


def _broker(broker: dict[str, Any], now: int) -> str:
    remark = retell(broker["why"] or broker["note"])
    head = f"{broker['host']}:{broker['port']} {_(broker['state'])}"
    head += f": {remark}" if remark else ""
    if broker["last_ack"] is None:
        return _("{broker}, nothing acknowledged yet").format(broker=head)
    return _("{broker}, last acknowledged {time} ago").format(
        broker=head, time=_ago(broker["last_ack"], now)
    )


def _waiting(buffer: dict[str, Any]) -> str:
    text = _("{readings} readings wait, {size} KiB on disk").format(
        readings=buffer["readings"], size=buffer["bytes"] // 1024
    )
    full = buffer["hours_until_full"]
    if full is None:
        return text
    return _("{waiting}, full in {time} without a broker").format(
        waiting=text, time=_span(full * 3600)
    )


def _lines(connections: list[dict[str, Any]], devices: list[dict[str, Any]], now: int) -> list[str]:
    """Show the lines and their devices; what a whole line suffers from is said there alone."""
    said = {one["why"] for one in connections}
    told = {OVERLOADED} if any(one["overload"] for one in connections) else set()
    shown = [line for one in connections for line in _line(one)]
    for one in devices:
        is_said = one["why"] in said or one["code"] in told
        shown += _device({**one, "why": "" if is_said else one["why"]}, now)
    return shown


def _carried(epochs: list[dict[str, Any]]) -> list[str]:
    """Say what waits that came from another card."""
    text = _("of these {readings} were carried here from another card (epoch {epoch})")
    return [_row("", text.format(**one)) for one in epochs]


def _wear(written: int | None, per_day: int | None) -> list[str]:
    """Say how much is written to the card, which wears out by it."""
    if written is None:
        return []
    text = _("{written} written since the start").format(written=_megabytes(written))
    if per_day is not None:
        text += _(", at present {written} a day").format(written=_megabytes(per_day))
    return [_row(_("card"), text)]


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"


def _line(one: dict[str, Any]) -> list[str]:
    counted = _("{polls} polls, {skipped} skipped").format(
        polls=one["polls"], skipped=one["overruns"]
    )
    if one["changes"]:
        changes = _("{changes} changes").format(changes=one["changes"])
        counted = f"{changes}, {counted}" if one["polls"] else changes
    if one["busy"] is not None:
        counted += _(", busy {busy:.0%} of the time").format(busy=one["busy"])
    elif one["state"] == "up" and one["polls"] and not one["changes"]:
        counted += _(", measuring how busy it is")
    why = retell(one["why"])
    head = f"{_named(one['connection'], one['state'])} {counted}" + (f": {why}" if why else "")
    return [
        _row(_("line"), head),
        *_more(retell(one["overload"]), _counts(one["evidence"])),
    ]


def _device(one: dict[str, Any], now: int) -> list[str]:
    last_good = _("no good reading yet")
    if one["last_good"] is not None:
        last_good = _("last good {time} ago").format(time=_ago(one["last_good"], now))
    head = f"{_named(one['device'], one['state'])} {last_good} {one['code']}".rstrip()
    noticed = {kind: count for kind, count in one["evidence"].items() if kind not in _PLAIN}
    return [_row(_("device"), head), *_more(retell(one["why"]), _counts(noticed))]


def _named(name: str, state: str) -> str:
    return f"{padded(name, 24)} {padded(_(state), 7)}"


def _counts(evidence: dict[str, int]) -> str:
    """Say how often what was noticed since the start, the most frequent first."""
    ordered = sorted(evidence.items(), key=lambda pair: -pair[1])
    noticed = ", ".join(f"{_(kind)} {count}" for kind, count in ordered)
    return _("noticed {noticed}").format(noticed=noticed) if ordered else ""


def _more(*remarks: str) -> list[str]:
    return [_row("", remark) for remark in remarks if remark]


def _ago(then: int, now: int) -> str:
    return _span(max(0, now - then) / 1000)


def _span(seconds: float) -> str:
    for size, name in ((86400, _("d")), (3600, _("h")), (60, _("min"))):
        if seconds >= size:
            return f"{seconds / size:.1f} {name}"
    return _("{seconds:.0f} s").format(seconds=seconds)
