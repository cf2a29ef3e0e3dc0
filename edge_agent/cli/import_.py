"""`edge-agent import`: reads a maker's register list, from CSV or a spreadsheet."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_agent.command import (
    CONFIG_INVALID,
    OK,
    PARTLY_OK,
    USAGE,
    CommandFailed,
    print_json,
)
from edge_agent.language import _

if TYPE_CHECKING:
    from edge_agent.registers import Asked, RegisterList
    from edge_agent.registers.target import Target
    from edge_agent.setup.question import Steps

EXAMPLE = "edge-agent import registers.xlsx --into hall-3/press-1"

_NO_LOSS = frozenset({"heading", "duplicate"})
"""Refused rows that lose no value."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("file", type=Path, metavar="FILE", help=_("CSV, XLSX, XLS or ODS"))
    what = parser.add_argument_group(_("what the list means"))
    what.add_argument("--driver", metavar="NAME", help=_("whose addresses these are (modbus)"))
    what.add_argument(
        "--answer", action="append", default=[], metavar="ID=WORD",
        help=_("answer a question about the list, such as numbers=wire; may be repeated"),
    )  # fmt: skip
    what.add_argument(
        "--check", action="append", default=[], metavar="ROW=NUMBER",
        help=_("settle what is open by reading that row of the list now, whose value the display "
               "shows; needs --into CONNECTION/DEVICE; may be repeated"),
    )  # fmt: skip
    where = parser.add_argument_group(_("what becomes of it; without these it is printed"))
    where.add_argument(
        "--into", metavar="CONNECTION[/DEVICE]",
        help=_("add the points to the configuration (-c); the one before is kept"),
    )  # fmt: skip
    where.add_argument(
        "--address", action="append", default=[], metavar="KEY=VALUE",
        help=_("of a device that is not there yet, such as unit=7; may be repeated"),
    )  # fmt: skip
    where.add_argument(
        "--corrected", type=Path, metavar="FILE",
        help=_("write the list as it was understood, with a remark on each row, as CSV"),
    )  # fmt: skip
    where.add_argument("--dry-run", action="store_true", help=_("show the rows, change nothing"))


def run(options: argparse.Namespace) -> int:
    """Read the list, ask what it leaves open, show every row, and put the points where wanted."""
    from edge_agent.cli.import_preview import show
    from edge_agent.registers import ListUnreadable
    from edge_agent.registers.splice import NoPlace
    from edge_agent.registers.target import target_of
    from edge_agent.versions import BeingChanged

    try:
        target = target_of(options.config, options.into) if options.into else None
        driver = options.driver or (target.driver if target else "modbus")
        answers = answers_of(options.answer)
        found = _read(options, driver, answers, target)
        _write_corrected(options.corrected, found)
        document = found.document() | {"file": str(options.file)}
        if not (options.dry_run or found.questions or target is None):
            document |= target.add(found, _address(options.address))
    except (ListUnreadable, NoPlace, BeingChanged) as error:
        raise CommandFailed(str(error), CONFIG_INVALID) from error
    except OSError as error:
        raise CommandFailed(
            _("cannot write {file}: {why}").format(file=error.filename, why=error.strerror), USAGE
        ) from error
    if options.json:
        print_json(document)
    else:
        show(found, document, as_block=target is None and not options.dry_run)
    return _exit_code(found)


def answers_of(given: Sequence[str]) -> dict[str, str]:
    """Read answers as options have them, `ID=WORD`."""
    return dict(_pair(one, "--answer", "numbers=wire") for one in given)


def _address(given: Sequence[str]) -> dict[str, Any]:
    from edge_agent.config.scalars import plain

    pairs = [_pair(one, "--address", "unit=7") for one in given]
    return {key: plain(value) for key, value in pairs}


def _pair(text: str, option: str, example: str) -> tuple[str, str]:
    first, equals, second = text.partition("=")
    if not (first and equals and second):
        raise CommandFailed(
            _("{option} {text}: write it like {option} {example}").format(
                option=option, text=text, example=example
            ),
            USAGE,
        )
    return first, second


def _read(
    options: argparse.Namespace, driver: str, answers: dict[str, str], target: "Target | None"
) -> "RegisterList":
    from edge_agent.registers import read_list

    folder = options.config.parent

    def read(given: Mapping[str, str]) -> "RegisterList":
        return read_list(options.file, driver, given, folder)

    for check in options.check:
        answers |= _settled(read, answers, check, target)
    found = read(answers)
    is_asked = sys.stdin.isatty() and not options.json and not options.dry_run
    return _asked(read, answers) if found.questions and is_asked else found


def _settled(
    read: "Callable[[Mapping[str, str]], RegisterList]",
    answers: Mapping[str, str],
    check: str,
    target: "Target | None",
) -> Mapping[str, str]:
    """Read a row of which somebody knows the value, and tell what that settles."""
    from edge_agent.registers.settle import settle

    row, shown = _pair(check, "--check", "12=231.4")
    if target is None or not row.isdecimal():
        raise CommandFailed(
            _("--check reads a device: name it with --into CONNECTION/DEVICE, and the row by its "
              "number, as in --check 12=231.4"), USAGE,
        )  # fmt: skip
    settled = settle(read, target.read, answers, int(row), shown)
    print(settled.why, file=sys.stderr)
    for id_, word in settled.answers.items():
        print(f"  {id_}={word}", file=sys.stderr)
    return settled.answers


def _asked(
    read: "Callable[[Mapping[str, str]], RegisterList]", answers: Mapping[str, str]
) -> "RegisterList":
    """Ask on the terminal until nothing is open."""
    from edge_agent.setup.interview import Interview
    from edge_agent.setup.terminal import Left, Terminal

    interview = Interview(lambda: _conversation(read, answers))
    try:
        Terminal(sys.stdin, sys.stderr).talk(interview)
    except Left as error:
        raise CommandFailed(_("nothing was changed"), CONFIG_INVALID) from error
    assert interview.result is not None  # noqa: S101 - the talk has ended
    return interview.result


def _conversation(
    read: "Callable[[Mapping[str, str]], RegisterList]", answers: Mapping[str, str]
) -> "Steps[RegisterList]":
    from edge_agent.setup.question import Choice, ask, menu

    given = dict(answers)
    while True:
        found = read(given)
        if not found.questions:
            return found
        question = found.questions[0]
        choices = [Choice(*choice) for choice in question.choices]
        facts = _("This concerns {rows}.").format(rows=_rows(question))
        given[question.id] = yield from ask(
            menu(question.id, question.text, choices, facts=facts, why=question.why)
        )


def _rows(question: "Asked") -> str:
    first = ", ".join(map(str, question.rows[:5]))
    more = ", ..." if len(question.rows) > 5 else ""
    return _("row {rows}").format(rows=first + more) if question.rows else _("the whole file")


def _write_corrected(path: Path | None, found: "RegisterList") -> None:
    if path is None:
        return
    from edge_agent.registers.dialect import dialect_of
    from edge_agent.registers.export import corrected

    try:
        with path.open("x", encoding="utf-8-sig", newline="") as file:
            file.write(corrected(found, dialect_of(found.driver)))
    except FileExistsError as error:
        raise CommandFailed(
            _("{file} is there already: name another file").format(file=path), USAGE
        ) from error


def _exit_code(found: "RegisterList") -> int:
    if found.questions or not found.used:
        return CONFIG_INVALID
    lost = [row for row in found.rows if row.code and row.code not in _NO_LOSS]
    return PARTLY_OK if lost else OK
