"""`python -m benchmarks`: measures the agent and prints tables; `--help` says what else."""

import argparse
import contextlib
import json
import signal
import sys
from collections.abc import Callable
from typing import Any

from benchmarks import document, gateway, scenarios, table
from benchmarks.calibration import machine
from benchmarks.chapters import CHAPTERS, Terms
from benchmarks.figures import FULL
from benchmarks.table import Figures

ABOUT = "\n".join(
    [
        *(f"{name:<9} {chapter.title.lower()}" for name, chapter in CHAPTERS.items()),
        "all       these chapters, but those that take very long: wear and soak",
        "load      10,000 readings a second for 60 s: every number at the subscriber exactly once",
        "outage    the broker away for 30 s, the agent killed in the middle: all accounted for",
    ]
)


def main() -> int:
    """Run what the command line asks for."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nothing is left running
    terms = Terms(options.seconds, options.runs, options.quick, options.here, options.alone, _say)
    with contextlib.nullcontext() if options.here else gateway.alone():
        if options.what == "load":
            account = scenarios.load(terms.program(), FULL, options.seconds or 60, _say)
            return _show(account, options, scenarios.exactly_once)
        if options.what == "outage":
            account = scenarios.outage(terms.program(), FULL, options.seconds or 30, _say)
            return _show(account, options, scenarios.nothing_unaccounted)
        return _measure(options, terms)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m benchmarks",
        description=ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = [*CHAPTERS, "all", "load", "outage"]
    parser.add_argument("what", nargs="?", default="all", choices=what, metavar="WHAT")
    parser.add_argument("--quick", action="store_true", help="all in less than twelve minutes")
    parser.add_argument("--runs", type=int, default=0, help="how often")
    parser.add_argument("--seconds", type=float, default=0, help="of each window")
    parser.add_argument("--here", action="store_true", help="measure this environment's agent")
    parser.add_argument("--alone", action="store_true", help="measure no other programs beside it")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args()


def _measure(options: argparse.Namespace, terms: Terms) -> int:
    """Measure some chapters; tell by the code whether all of them hold."""
    wanted = [name for name, chapter in CHAPTERS.items() if chapter.in_all]
    found: dict[str, list[float]] = {}
    holds = True
    for name in wanted if options.what == "all" else [options.what]:
        _say(f"{CHAPTERS[name].title} ({name})")
        figures = Figures(_say)
        CHAPTERS[name].measure(terms, figures)
        document.keep(name, figures.all, quick=options.quick)
        holds &= all(figure.mark != "MISSED" for figure in figures.all)
        found |= {figure.what: figure.values for figure in figures.all}
        if not options.json:
            _print(f"\n{CHAPTERS[name].title}\n{table.text(figures.all)}\n")
    _print(json.dumps(found) if options.json else machine())
    if options.write:
        document.write()
    return 0 if holds else 1


def _show(
    account: dict[str, Any], options: argparse.Namespace, holds: Callable[[dict[str, Any]], bool]
) -> int:
    if options.json:
        _print(json.dumps(account))
    else:
        _print("\n".join(f"{name:<13} {value}" for name, value in account.items()))
        _print("it holds" if holds(account) else "IT DOES NOT HOLD")
    return 0 if holds(account) else 1


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
