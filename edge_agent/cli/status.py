"""`edge-agent status`: one screen from the running daemon."""

import argparse
import json
from pathlib import Path
from typing import Any

EXAMPLE = "edge-agent status --json"
_PLAIN = frozenset({"reads", "answered"})  # evidence of no trouble
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
            problems.append(f"{path}: {error.strerror or error}")
    raise CommandFailed(
        f"no running agent answers ({'; '.join(problems)}); start it with `edge-agent run` or "
        "`systemctl start edge-agent`, or run this command as a user who may open the socket",
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
        return (
            f"agent    {agent['id']} at {agent['site']}, version {agent['version']}\n"
            f"buffer   being opened for {_ago(agent['since'], agent['now'])}: {buffer['why']}\n"
            "         nothing is read before"
        )
    full = buffer["hours_until_full"]
    lines = [
        f"agent    {agent['id']} at {agent['site']}, version {agent['version']}, {agent['health']},"
        f" running {_ago(agent['since'], agent['now'])}, clock {agent['clock']}",
        f"broker   {broker['host']}:{broker['port']} {broker['state']}"
        f" {broker['why'] or broker['note']}".rstrip()
        + f", last acknowledged {_ago(broker['last_ack'], agent['now'])} ago",
        f"buffer   {buffer['readings']} readings wait, {buffer['bytes'] // 1024} KiB on disk"
        + ("" if full is None else f", full in {_span(full * 3600)} without a broker"),
        *_carried(buffer["carried"]),
        *_wear(buffer["written"], buffer["written_per_day"]),
    ]
    lines += _lines(status["connections"], status["devices"], agent["now"])
    return "\n".join(lines)


def _lines(connections: list[dict[str, Any]], devices: list[dict[str, Any]], now: int) -> list[str]:
    """Show the lines and their devices; what a whole line suffers from is said there alone."""
    said = {one[key] for one in connections for key in ("why", "overload")}
    shown = [line for one in connections for line in _line(one)]
    for one in devices:
        shown += _device({**one, "why": "" if one["why"] in said else one["why"]}, now)
    return shown


def _carried(epochs: list[dict[str, Any]]) -> list[str]:
    """Say what waits that came from another card."""
    return [
        f"         of these {one['readings']} were carried here from another card (epoch "
        f"{one['epoch']})"
        for one in epochs
    ]


def _wear(written: int | None, per_day: int | None) -> list[str]:
    """Say how much is written to the card, which wears out by it."""
    if written is None:
        return []
    pace = "" if per_day is None else f", at present {_megabytes(per_day)} a day"
    return [f"card     {_megabytes(written)} written since the start{pace}"]


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"


def _line(one: dict[str, Any]) -> list[str]:
    busy = "" if one["busy"] is None else f", busy {one['busy']:.0%} of the time"
    polls = f"{one['polls']} polls, {one['overruns']} skipped"
    changes = f"{one['changes']} changes" + (f", {polls}" if one["polls"] else "")
    counted = changes if one["changes"] else polls
    head = f"line     {one['connection']:24} {one['state']:7} {counted}{busy} {one['why']}".rstrip()
    return [head, *_more(one["overload"], _counts(one["evidence"]))]


def _device(one: dict[str, Any], now: int) -> list[str]:
    last_good = f"last good {_ago(one['last_good'], now)} ago"
    head = f"device   {one['device']:24} {one['state']:7} {last_good} {one['code']}".rstrip()
    noticed = {kind: count for kind, count in one["evidence"].items() if kind not in _PLAIN}
    return [head, *_more(one["why"], _counts(noticed))]


def _counts(evidence: dict[str, int]) -> str:
    """Say how often what was noticed since the start, the most frequent first."""
    ordered = sorted(evidence.items(), key=lambda pair: -pair[1])
    return "noticed " + ", ".join(f"{kind} {count}" for kind, count in ordered) if ordered else ""


def _more(*remarks: str) -> list[str]:
    return [f"         {remark}" for remark in remarks if remark]


def _ago(then: int | None, now: int) -> str:
    if then is None:
        return "never"
    return _span(max(0, now - then) / 1000)


def _span(seconds: float) -> str:
    for size, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {name}"
    return f"{seconds:.0f} s"
