"""`edge-agent setup`: asks what is connected, tries it, and writes the configuration."""

import argparse
import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_agent.command import CONFIG_INVALID, FAULT, OK, USAGE
from edge_agent.errors import CommandFailed
from edge_agent.language import _
from edge_agent.supervisor import ServiceFailed

if TYPE_CHECKING:
    from edge_agent.setup.flow import Outcome
    from edge_agent.setup.question import Question

EXAMPLE = "edge-agent setup -c my-config.yaml"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "--answers",
        type=Path,
        metavar="FILE",
        help=_("ask nobody: answers from this file, question id: answer (YAML or JSON lines)"),
    )


def run(options: argparse.Namespace) -> int:
    """Ask on the terminal, or take the answers from a file."""
    if options.answers is None and not sys.stdin.isatty():
        raise CommandFailed(
            _("setup asks questions and needs a terminal; without one give --answers FILE"), USAGE
        )
    config = options.config.absolute()
    try:
        config.parent.mkdir(parents=True, exist_ok=True)
        if options.answers is None:
            return _ask(config, as_json=options.json)
        return _take(config, options.answers, lang=options.lang, as_json=options.json)
    except OSError as error:
        raise _cannot_write(error, config) from error
    except ServiceFailed as error:  # the agent would not rest
        raise CommandFailed(str(error), FAULT) from error


def _cannot_write(error: OSError, config: Path) -> CommandFailed:
    if isinstance(error, PermissionError):
        hint = _("run it with sudo, or name another file with -c FILE")
    else:
        hint = _("see to that, or name another file with -c FILE; your answers so far are kept")
    return CommandFailed(
        _("cannot write {file}: {why}; {hint}").format(
            file=error.filename or config, why=error.strerror, hint=hint
        ),
        USAGE,
    )


def _ask(config: Path, *, as_json: bool) -> int:
    from edge_agent.setup.session import hold
    from edge_agent.setup.sitefile import SiteFile

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without a letter shows ? for it
    screen = sys.stderr if as_json else sys.stdout
    outcome = hold(config, sys.stdin, screen)
    if isinstance(outcome, SiteFile):
        return _apply(config, outcome.path, as_json=as_json)
    if as_json and outcome:
        _report(outcome, as_json=True)
    return OK


def _apply(config: Path, template: Path, *, as_json: bool) -> int:
    """Go on as `edge-agent site apply` does."""
    from edge_agent.cli import main

    words = ["site", "apply", "--template", str(template), "-c", str(config)]
    return main([*words, *(["--json"] if as_json else [])])


def _take(config: Path, answers: Path, *, lang: str, as_json: bool) -> int:
    from contextlib import closing

    from edge_agent.setup.answers import Unattended, read_answers
    from edge_agent.setup.flow import everything, setup
    from edge_agent.setup.journal import Journal
    from edge_agent.setup.rest import resting_if_running
    from edge_agent.setup.session import fingerprint, home_of, service_of

    shows = (lambda tag: tag == lang) if lang else everything
    given, service = read_answers(answers), service_of(config)
    flow = setup(config, home_of(config), service, shows, attended=False)
    rehearsal = Unattended(given, _say, tries=False)
    rehearsal.run(flow)
    if rehearsal.is_incomplete:  # then an agent that runs need not rest for it
        raise _lacking(answers, rehearsal.lacking, as_json=as_json)
    driver = Unattended(given, _say)
    with closing(Journal(config.parent)) as journal, resting_if_running(service):
        outcome = driver.run(flow)
        if outcome is None:
            raise _lacking(answers, driver.lacking, as_json=as_json)
        journal.replace(driver.entries, fingerprint(config))  # for whoever adds something later
    _report(outcome, as_json=as_json)
    return OK


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _lacking(answers: Path, missing: "list[Question[Any]]", *, as_json: bool) -> CommandFailed:
    from edge_agent.setup.answers import described

    ids = [question.id for question in missing]
    if as_json:
        print(
            json.dumps(
                {"missing": ids, "questions": [described(one) for one in missing]},
                ensure_ascii=False,
            )
        )
    return CommandFailed(
        _("{file} lacks answers, nothing was done: {ids}").format(file=answers, ids=", ".join(ids)),
        CONFIG_INVALID,
    )


def _report(outcome: "Outcome", *, as_json: bool) -> None:
    if as_json:
        print(
            json.dumps(
                {
                    "written": outcome.written,
                    "kept": outcome.kept or None,
                    "started": outcome.started,
                    "report": outcome.report or None,
                    "template": outcome.template or None,
                }
            )
        )
    else:
        print(outcome.written)
