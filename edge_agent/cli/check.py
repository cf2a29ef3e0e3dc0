"""`edge-agent check`: finds every mistake in the configuration; opens nothing."""

import argparse
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from edge_agent import language
from edge_agent.command import CONFIG_INVALID, OK
from edge_agent.language import _

if TYPE_CHECKING:
    from pathlib import Path

    from edge_agent.config import Config, Inspection, Problem
    from edge_agent.config.experience import Experience
    from edge_agent.config.explain import Line
    from edge_agent.config.findings import Complaint

EXAMPLE = "edge-agent check -c config.yaml --explain"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "--explain",
        action="store_true",
        help=_("show where each point lives on the wire, and how busy each line is"),
    )


def run(options: argparse.Namespace) -> int:
    """Check the file, say everything about it, and tell by the exit code whether it can be used."""
    from edge_agent.config import inspect, secrets

    inspection = inspect(options.config, _doubts, secrets.missing_here)
    lines = (
        _explained(inspection.config, options.config.parent)
        if options.explain and inspection.config
        else None
    )
    if options.json:
        _show_json(inspection, lines)
    else:
        _show_text(str(options.config), inspection, lines or [])
    return OK if inspection.config else CONFIG_INVALID


def _doubts(config: "Config") -> "Iterator[Complaint]":
    from edge_agent.config import secrets
    from edge_agent.config.feasibility import doubts
    from edge_agent.registers.foreign import foreign

    yield from secrets.out_of_sight(config)
    yield from foreign(config)
    yield from doubts(config, _experience(config))


def _explained(config: "Config", folder: "Path") -> "list[Line]":
    from edge_agent.config.explain import explain
    from edge_agent.config.library import Library

    known, library = _experience(config), Library(folder)
    return [explain(connection, known, library) for connection in config.connections]


def _experience(config: "Config") -> "Experience":
    from edge_agent.config import experience
    from edge_agent.notebook import FILE

    return experience.read(config.buffer.path / FILE)


def _show_json(inspection: "Inspection", lines: "Sequence[Line] | None") -> None:
    import json

    result: dict[str, Any] = {
        "ok": inspection.config is not None,
        "errors": [problem._asdict() for problem in inspection.errors],
        "warnings": [problem._asdict() for problem in inspection.warnings],
    }
    if lines is not None:
        result["connections"] = [
            {
                **line._asdict(),
                "points": [point._asdict() for point in line.points],
                "profiles": [profile._asdict() for profile in line.profiles],
            }
            for line in lines
        ]
    print(json.dumps(result, ensure_ascii=False, allow_nan=False))


def _show_text(file: str, inspection: "Inspection", lines: "Sequence[Line]") -> None:
    for problem in inspection.errors:
        _show_problem(file, _("error"), problem)
    for problem in inspection.warnings:
        _show_problem(file, _("warning"), problem)
    for line in lines:
        for text in _line(line):
            print(text)
    print(f"{file}: {_summary(inspection)}")


def _show_problem(file: str, kind: str, problem: "Problem") -> None:
    """Show a problem the way compilers do, so that editors can jump to its place."""
    place = file if problem.line is None else f"{file}:{problem.line}"
    path = f"{problem.path}: " if problem.path else ""
    print(f"{place}: {kind}: {path}{problem.message}")
    if problem.hint:
        print(f"    {problem.hint}")


def _summary(inspection: "Inspection") -> str:
    count = language.count
    warnings = inspection.warnings
    found = [count(len(warnings), "{n:,} warning", "{n:,} warnings")] if warnings else []
    if inspection.config is None:
        mistakes = count(len(inspection.errors), "{n:,} mistake", "{n:,} mistakes")
        return ", ".join([mistakes, *found])
    connections = inspection.config.connections
    devices = [device for link in connections for device in link.devices]
    points = sum(len(device.points) for device in devices)
    sizes = [
        count(len(connections), "{n:,} connection", "{n:,} connections"),
        count(len(devices), "{n:,} device", "{n:,} devices"),
        count(points, "{n:,} point", "{n:,} points"),
    ]
    return ", ".join([_("ok: {sizes}").format(sizes=", ".join(sizes)), *found])


def _line(line: "Line") -> Iterator[str]:
    from edge_agent.layout import columns, printable

    where = _(" on {line}").format(line=line.line) if line.line else ""
    yield f"{line.connection}: {line.driver}{where}, {_busy(line.busy)}"
    for profile in line.profiles:
        doubt = _("; unverified: compare its values with the display") if profile.unverified else ""
        yield _("  profile {profile}: {title}{doubt}").format(
            profile=profile.profile, title=printable(profile.title), doubt=doubt
        )
    rows = [
        (
            p.device,
            p.point,
            p.address,
            _("every {every:g} s").format(every=p.every),
            p.profile and _("from {profile}").format(profile=p.profile),
        )
        for p in line.points
    ]
    for row in columns(rows):
        yield f"  {printable(row)}"
    yield ""


def _busy(share: float | None) -> str:
    if share is None:
        return _("load not known")
    if share > 1:
        return _("busy {share:.0%} of the time, more than it can be: raise `every`").format(
            share=share
        )
    return _("busy {share:.1%} of the time").format(share=share)
