"""`edge-agent setup`: asks what is connected, tries it, and writes the configuration."""

import argparse
import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edge_agent.command import CONFIG_INVALID, OK, USAGE
from edge_agent.errors import CommandFailed

if TYPE_CHECKING:
    from edge_agent.setup.flow import Outcome

EXAMPLE = "edge-agent setup -c my-config.yaml"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "--answers",
        type=Path,
        metavar="FILE",
        help="ask nobody: answers from this file, question id: answer (YAML or JSON lines)",
    )


def run(options: argparse.Namespace) -> int:
    """Ask on the terminal, or take the answers from a file."""
    if options.answers is None and not sys.stdin.isatty():
        raise CommandFailed(
            "setup asks questions and needs a terminal; without one give --answers FILE", USAGE
        )
    config = options.config.absolute()
    try:
        config.parent.mkdir(parents=True, exist_ok=True)
        if options.answers is None:
            return _ask(config, as_json=options.json)
        return _take(config, options.answers, as_json=options.json)
    except OSError as error:
        raise _cannot_write(error, config) from error


def _cannot_write(error: OSError, config: Path) -> CommandFailed:
    if isinstance(error, PermissionError):
        hint = "run it with sudo, or name another file with -c FILE"
    else:
        hint = "see to that, or name another file with -c FILE; your answers so far are kept"
    return CommandFailed(
        f"cannot write {error.filename or config}: {error.strerror}; {hint}", USAGE
    )


def _ask(config: Path, *, as_json: bool) -> int:
    from edge_agent.setup.session import hold

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without a letter shows ? for it
    screen = sys.stderr if as_json else sys.stdout
    outcome = hold(config, sys.stdin, screen)
    if as_json and outcome:
        _report(outcome, as_json=True)
    return OK


def _take(config: Path, answers: Path, *, as_json: bool) -> int:
    from edge_agent.setup.answers import Unattended, read_answers
    from edge_agent.setup.flow import setup
    from edge_agent.setup.session import concealer

    driver = Unattended(read_answers(answers), lambda text: print(text, file=sys.stderr))
    outcome = driver.run(setup(config, concealer(config.parent)))
    if outcome is None:
        if as_json:
            print(json.dumps({"missing": driver.missing}))
        raise CommandFailed(
            f"{answers} lacks answers, nothing was done: {', '.join(driver.missing)}",
            CONFIG_INVALID,
        )
    _report(outcome, as_json=as_json)
    return OK


def _report(outcome: "Outcome", *, as_json: bool) -> None:
    if as_json:
        print(
            json.dumps(
                {
                    "written": outcome.written,
                    "kept": outcome.kept or None,
                    "started": outcome.started,
                }
            )
        )
    else:
        print(outcome.written)
