"""`edge-agent doctor`: what is right and wrong with this gateway, each with a next step."""

import argparse
from typing import TYPE_CHECKING, Any

from edge_agent.command import OK, PARTLY_OK, CommandFailed, print_json, printable, wrap

if TYPE_CHECKING:
    from edge_agent.doctor.examination import Report
    from edge_agent.doctor.finding import Finding

EXAMPLE = "sudo edge-agent doctor"
WIDTH = 110  # cells
SUBJECT_WIDTH = 22


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what it does to the world."""
    parser.description = (
        "Looks at this gateway from the clock to the broker. Changes nothing and sends nothing to "
        "machines; the broker gets one test message on .../_agent/doctor. Works without a "
        "configuration, with the agent running or not, and says what only root would see. "
        "Exit code 0: all is well, 6: something is not."
    )


def run(options: argparse.Namespace) -> int:
    """Examine the gateway; 6 if anything is not as it should be."""
    from edge_agent.doctor.examination import examine, gateway_here
    from edge_agent.doctor.finding import Level
    from edge_agent.logs import configure

    configure("critical")  # what is to be known stands in what is printed
    gateway = gateway_here(options.config, asked(options))
    report = examine(gateway)
    if options.json:
        print_json(document(report))
    else:
        print("\n".join(_screen(report)))
    return OK if report.worst is Level.OK else PARTLY_OK


def asked(options: argparse.Namespace) -> dict[str, Any] | None:
    """Ask the running agent how it stands; None if none answers."""
    from edge_agent.cli.status import ask_daemon

    try:
        return ask_daemon(options.config)
    except (CommandFailed, ValueError):  # none, or one that ends while it answers
        return None


def document(report: "Report") -> dict[str, Any]:
    """Give a report as JSON-able data."""
    return {
        "ok": report.worst == "ok",
        "worst": report.worst,
        "findings": [
            {"group": group, **one._asdict()}
            for group, found in report.groups.items()
            for one in found
        ],
        "unseen": [one._asdict() for one in report.unseen],
    }


def _screen(report: "Report") -> list[str]:
    lines: list[str] = []
    for group, found in report.groups.items():
        lines += [group, *(line for one in found for line in _lines(one))] if found else []
    if report.unseen:
        lines.append("not seen from here")
        for one in report.unseen:
            lines += _beside("-", one.subject, one.why)
    return [*lines, _summary(report)]


def _lines(one: "Finding") -> list[str]:
    lines = _beside(one.level.upper(), one.subject, one.what)
    return lines + (_beside("", "", f"-> {one.action} ({one.code})") if one.action else [])


def _beside(level: str, subject: str, text: str) -> list[str]:
    """Lay a text out beside its subject, in as many lines as it takes."""
    head = f"  {level:5} {subject:{SUBJECT_WIDTH}} "
    first, *rest = wrap(printable(text), WIDTH - len(head))
    return [head + first, *(" " * len(head) + line for line in rest)]


def _summary(report: "Report") -> str:
    levels = [str(one.level) for one in report.findings]
    bad, doubtful = levels.count("fail"), levels.count("warn")
    if not bad and not doubtful:
        return "all is well"
    return f"{bad} to mend, {doubtful} to look at"
