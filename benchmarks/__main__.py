"""`python -m benchmarks`: measures the agent and prints tables; `--help` says what else."""

import argparse
import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from benchmarks import document, gateway, scenarios, table
from benchmarks.calibration import machine, others_share
from benchmarks.chapters import CHAPTERS, Terms
from benchmarks.figures import FULL
from benchmarks.table import Figures
from edge_agent.errors import EdgeAgentError

ABOUT = "\n".join(
    [
        *(f"{name:<9} {chapter.title.lower()}" for name, chapter in CHAPTERS.items()),
        "all       these chapters, but those that take very long: wear and soak",
        "write     nothing is measured; docs/benchmarks.md is made of what was kept",
        "load      10,000 readings a second for 60 s: every number at the subscriber exactly once",
        "outage    the broker away for 30 s, the agent killed in the middle: all accounted for",
    ]
)
MISHAPS = (EdgeAgentError, AssertionError, OSError, RuntimeError, subprocess.SubprocessError)
WORDS = (["all"], ["write"], ["load"], ["outage"])


def main() -> int:
    """Run what the command line asks for."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nothing is left running
    terms = Terms(options.seconds, options.runs, options.quick, options.here, options.alone, _say)
    if options.what == ["write"]:
        document.write()
        return 0
    with contextlib.nullcontext() if options.here else gateway.alone():
        if options.what == ["load"]:
            account = scenarios.load(terms.program(), FULL, options.seconds or 60, _say)
            return _show(account, options, scenarios.exactly_once)
        if options.what == ["outage"]:
            account = scenarios.outage(terms.program(), FULL, options.seconds or 30, _say)
            return _show(account, options, scenarios.nothing_unaccounted)
        return _measure(options, terms)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m benchmarks",
        description=ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", nargs="*", metavar="WHAT", help="several chapters, or one word")
    parser.add_argument("--quick", action="store_true", help="all in about twelve minutes")
    parser.add_argument("--runs", type=int, default=0, help="how often")
    parser.add_argument("--seconds", type=float, default=0, help="of each window")
    parser.add_argument("--here", action="store_true", help="measure this environment's agent")
    parser.add_argument("--alone", action="store_true", help="measure no other programs beside it")
    parser.add_argument("--write", action="store_true", help="keep it, write docs/benchmarks.md")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    options.what = options.what or ["all"]
    if options.what not in WORDS and (unknown := set(options.what) - set(CHAPTERS)):
        parser.error(f"{', '.join(sorted(unknown))}: neither a chapter nor one word alone")
    return options


def _measure(options: argparse.Namespace, terms: Terms) -> int:
    """Measure some chapters; tell by the code whether all of them hold."""
    wanted = [name for name, chapter in CHAPTERS.items() if chapter.in_all]
    found: dict[str, list[float]] = {}
    holds = True
    for name in wanted if options.what == ["all"] else options.what:
        figures = Figures(_say)
        if not _chapter(name, options, terms, figures):
            holds = False
            continue
        holds &= all(figure.mark != "MISSED" for figure in figures.all)
        found |= {figure.what: figure.values for figure in figures.all}
    _print(json.dumps(found) if options.json else machine())
    return 0 if holds else 1


def _chapter(name: str, options: argparse.Namespace, terms: Terms, figures: Figures) -> bool:
    """Measure a chapter; tell whether that went well. What is known of it stays if it did not."""
    _say(f"{CHAPTERS[name].title} ({name})")
    busy = others_share()
    try:
        CHAPTERS[name].measure(terms, figures)
    except MISHAPS as error:
        if _is_told_to_end(error):
            raise SystemExit(143) from error
        # what went wrong while all was ended hides what went wrong before
        before = f", after: {error.__context__}" if error.__context__ else ""
        _say(f"{name} is not measured; on with the next one: {error}{before}")
        return False
    if not options.json:
        _print(f"\n{CHAPTERS[name].title}\n{table.text(figures.all)}\n")
    if options.write:  # at once: what comes later may fail
        document.keep(name, figures, terms.how, busy)
        document.write()
    return True


def _is_told_to_end(error: BaseException | None) -> bool:
    """Tell whether a mishap came while everything was ended, because somebody wanted that."""
    while error is not None and not isinstance(error, SystemExit):
        error = error.__context__
    return error is not None


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
