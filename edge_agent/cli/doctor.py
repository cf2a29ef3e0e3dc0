"""`edge-agent doctor`: what is right and wrong with this gateway, each with a next step."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_agent.command import (
    OK,
    PARTLY_OK,
    USAGE,
    CommandFailed,
    padded,
    print_json,
    printable,
    width,
    wrap,
)
from edge_agent.language import _, refusal, retell

if TYPE_CHECKING:
    from edge_agent.doctor.examination import Report
    from edge_agent.doctor.finding import Finding
    from edge_agent.report.sealed import Sealed

EXAMPLE = "sudo edge-agent doctor"
WIDTH = 110  # cells
SUBJECT_WIDTH = 22
COMPARED_SECONDS = 12.0  # to wait for values; what comes later is not compared


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what it does to the world."""
    parser.description = _(
        "Looks at this gateway from the clock to the broker. Changes nothing and "
        "sends nothing to machines; the broker gets one test message on "
        ".../_agent/doctor. Works without a configuration, with the agent "
        "running or not, and says what only root would see. Exit code 0: all is "
        "well, 6: something is not."
    )
    parser.add_argument(
        "--compare",
        type=Path,
        metavar="FILE",
        help=_("also tell what has changed since this report of `edge-agent report`"),
    )


def run(options: argparse.Namespace) -> int:
    """Examine the gateway; 6 if anything is not as it should be."""
    from edge_agent.doctor.examination import examine, gateway_here
    from edge_agent.doctor.finding import Level
    from edge_agent.logs import configure

    configure("critical")  # what is to be known stands in what is printed
    baseline = _baseline(options.compare) if options.compare else None
    gateway = gateway_here(options.config, asked(options))
    report = examine(gateway)
    if baseline:
        _add_changes(report, baseline, options.config)
    if options.json:
        print_json(document(report))
    else:
        print("\n".join(_screen(report)))
    return OK if report.worst is Level.OK else PARTLY_OK


def _baseline(file: Path) -> "Sealed":
    from edge_agent.report.sealed import read

    try:
        return read(file)
    except (OSError, ValueError) as error:
        why = refusal(error) if isinstance(error, OSError) else error
        raise CommandFailed(
            _("cannot compare with {file}: {why}").format(file=file, why=why), USAGE
        ) from error


def _add_changes(report: "Report", baseline: "Sealed", config: Path) -> None:
    from edge_agent.doctor.finding import Unseen
    from edge_agent.errors import ConfigInvalid
    from edge_agent.report.comparison import compare
    from edge_agent.report.gathering import gather

    try:
        now = gather(config, COMPARED_SECONDS, doctor=report)
    except ConfigInvalid:
        why = _("without a valid configuration there is nothing to compare")
        report.unseen.append(Unseen(_("the report"), why))
        return
    changes = compare(baseline.report, now, is_intact=baseline.is_intact)
    report.groups["since the report"] = changes


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
        lines += [_(group), *(line for one in found for line in _lines(one))] if found else []
    if report.unseen:
        lines.append(_("not seen from here"))
        for one in report.unseen:
            lines += _beside("-", retell(one.subject), one.why)
    return [*lines, _summary(report)]


def _lines(one: "Finding") -> list[str]:
    lines = _beside(_(one.level.upper()), retell(one.subject), one.what)
    return lines + (_beside("", "", f"-> {one.action} ({one.code})") if one.action else [])


def _beside(level: str, subject: str, text: str) -> list[str]:
    """Lay a text out beside its subject, in as many lines as it takes."""
    head = f"  {padded(level, 5)} {padded(subject, SUBJECT_WIDTH)} "
    first, *rest = wrap(printable(text), WIDTH - width(head))
    return [head + first, *(" " * width(head) + line for line in rest)]


def _summary(report: "Report") -> str:
    levels = [str(one.level) for one in report.findings]
    bad, doubtful = levels.count("fail"), levels.count("warn")
    if not bad and not doubtful:
        return _("all is well")
    return _("{bad} to mend, {doubtful} to look at").format(bad=bad, doubtful=doubtful)
