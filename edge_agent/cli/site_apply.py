"""`edge-agent site apply` and `diff`: a configuration of a template and answers."""

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from edge_agent.command import (
    CONFIG_INVALID,
    DEVICE_UNREADABLE,
    OK,
    PARTLY_OK,
    columns,
    print_json,
    shown,
)
from edge_agent.errors import CommandFailed, ConfigInvalid
from edge_agent.language import _

if TYPE_CHECKING:
    from edge_agent.site.difference import Difference
    from edge_agent.site.making import Prepared
    from edge_agent.trial import DeviceResult


def apply(options: argparse.Namespace) -> int:
    """Check, try, or put in force what the template and the answers make."""
    prepared = _prepared(options)
    if options.check:
        return _check(options, prepared)
    if options.dry_run:
        return _dry_run(options, prepared)
    return _put_in_force(options, prepared)


def diff(options: argparse.Namespace) -> int:
    """Say how the configuration in force differs; exit code 6 if it does."""
    from edge_agent.site.making import changes

    found = changes(_prepared(options), options.config)
    if options.json:
        print_json({"same": not found, "differences": _as_json(found)})
    else:
        _tell(found, _("The configuration is what the template and the answers make."))
    return PARTLY_OK if found else OK


def _prepared(options: argparse.Namespace) -> "Prepared":
    from edge_agent.setup.terminal import Terminal
    from edge_agent.site.making import AnswersMissing, answered, prepare, read_template
    from edge_agent.site.questions import Vault

    template, vault = read_template(options.template), Vault()
    screen = sys.stderr if options.json else sys.stdout
    terminal = Terminal(sys.stdin, screen) if sys.stdin.isatty() else None
    try:
        answers = answered(template, options.answers, terminal, vault)
        return prepare(template, answers, vault, options.config.absolute().parent)
    except AnswersMissing as error:
        if options.json:
            print_json({"ok": False, "missing": error.missing})
        raise
    except ConfigInvalid as error:
        if options.json:
            wrong = [one._asdict() for one in error.problems]
            print_json({"ok": False, "errors": wrong})
        else:
            for problem in error.problems:
                print(problem, file=sys.stderr)
        raise CommandFailed(
            _("what the template and the answers make is no configuration; nothing was done"),
            CONFIG_INVALID,
        ) from error


def _check(options: argparse.Namespace, prepared: "Prepared") -> int:
    from edge_agent.site.deposit import Deposit
    from edge_agent.site.making import changes, unready

    Deposit(prepared.secrets, prepared.folder)  # refuses what an apply would
    found, missing = changes(prepared, options.config), unready(prepared)
    if options.json:
        document = {
            "ok": not missing,
            "differences": _as_json(found),
            "warnings": prepared.warnings,
            "errors": [{"path": "", "line": None, "message": one, "hint": ""} for one in missing],
        }
        print_json(document)
    else:
        _tell(found, _("Nothing would change."))
        _say([*prepared.warnings, *missing])
    return CONFIG_INVALID if missing else OK


def _dry_run(options: argparse.Namespace, prepared: "Prepared") -> int:
    from edge_agent.control import answering
    from edge_agent.site.looking import look

    if answering(prepared.config.buffer.path):
        _say([_("an agent runs, and a serial port has room for one: stop it first")])
    looked = look(prepared)
    if options.json:
        print_json(
            {
                "devices": [_result(one) for one in looked.results],
                "compared": looked.compared,
                "differences": _as_json(looked.differences),
                "warnings": prepared.warnings,
            }
        )
    else:
        head = (_("device"), _("point"), _("value"), _("unit"), _("quality"))
        for line in columns([head, *_rows(looked.results)], right=[2]):
            print(line)
        alike = _("{n} of {all} devices could be compared with the template's, and are like them.")
        numbers = {"n": len(looked.compared), "all": len(looked.results)}
        _tell(looked.differences, alike.format(**numbers))
        _say(prepared.warnings)
        _say([f"{one.device}: {one.why}" for one in looked.results if one.why])
    return _verdict(looked.results, looked.differences)


def _verdict(results: "Sequence[DeviceResult]", found: "Sequence[Difference]") -> int:
    good = sum(one.good for one in results)
    if results and not good:
        return DEVICE_UNREADABLE
    all_good = good == sum(len(one.readings) for one in results)
    return OK if all_good and not found else PARTLY_OK


def _put_in_force(options: argparse.Namespace, prepared: "Prepared") -> int:
    from edge_agent.cli.site_versions import report, rollout
    from edge_agent.rollout import in_force
    from edge_agent.site.deposit import Deposit
    from edge_agent.site.looking import compared

    _say(prepared.warnings)
    deposit = Deposit(prepared.secrets, prepared.folder)
    how = rollout(options, beside=deposit)
    is_as_it_should = how.service.runs() or not how.service.lasts
    if is_as_it_should and in_force(prepared.text, options.config) and not deposit.is_news:
        return _nothing_to_do(options)
    prepared.folder.mkdir(parents=True, exist_ok=True)
    done = how.make(prepared.text)
    found = [] if done.problem else compared(prepared)
    _say(list(map(str, found)))
    more = {"warnings": prepared.warnings, "differences": _as_json(found)}
    return report(options, done, more)


def _nothing_to_do(options: argparse.Namespace) -> int:
    if options.json:
        print_json({"changed": False})
    else:
        print(_("Nothing to do: this configuration is in force."))
    return OK


# --- saying it ----------------------------------------------------------------------------------


def _tell(found: "Sequence[Difference]", none: str) -> None:
    for one in found:
        print(one)
    if not found:
        print(none)


def _say(warnings: Sequence[str]) -> None:
    for one in warnings:
        print(f"! {one}", file=sys.stderr)


def _as_json(found: "Sequence[Difference]") -> list[dict[str, str]]:
    return [one._asdict() for one in found]


def _rows(results: "Sequence[DeviceResult]") -> list[tuple[str, ...]]:
    return [
        (
            result.device,
            one.point,
            shown(one.value),
            one.unit,
            one.quality.name.lower() + (f": {one.why.value}" if one.why else ""),
        )
        for result in results
        for one in result.readings
    ]


def _result(result: "DeviceResult") -> dict[str, Any]:
    from edge_agent.command import exact

    return {
        "device": result.device,
        "state": result.state.value,
        "detail": result.why,
        "readings": [
            {
                "p": one.point,
                "v": exact(one.value),
                "q": one.quality.name.lower(),
                "why": one.why and one.why.value,
                "unit": one.unit,
            }
            for one in result.readings
        ],
    }
