"""`edge-agent recipe learn`: capture what an instrument sends, and propose a recipe for it."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_agent.command import (
    DEVICE_UNREADABLE,
    OK,
    PARTLY_OK,
    USAGE,
    CommandFailed,
    print_json,
    printable,
)
from edge_agent.language import _, refusal

if TYPE_CHECKING:
    from edge_agent_serial.learn import Proposal

SECONDS = 10.0
_SHOWN = 8  # values of one field


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `learn` takes beside the place."""
    learn = parser.add_argument_group("learn")
    learn.add_argument(
        "--seconds",
        type=float,
        default=SECONDS,
        help=_("listen so long ({seconds:g})").format(seconds=SECONDS),
    )
    learn.add_argument("--baud", type=int, help=_("bits per second (9600)"))
    learn.add_argument("--data-bits", type=int, choices=(7, 8), help=_("bits per character (8)"))
    learn.add_argument("--parity", choices=("none", "even", "odd"), help=_("check bit (none)"))
    learn.add_argument(
        "--stop-bits", type=int, choices=(1, 2), help=_("bits between characters (1)")
    )
    learn.add_argument("--output", metavar="FILE", help=_("write the recipe here"))
    learn.add_argument(
        "--name",
        action="append",
        default=[],
        metavar="TEXT",
        help=_("name of a captured line, in their order; may be repeated"),
    )


def run(options: argparse.Namespace) -> int:
    """Capture, propose, and write the recipe."""
    from edge_agent_serial import library
    from edge_agent_serial.capture import capture
    from edge_agent_serial.learn import learn

    if options.what is None:
        raise CommandFailed(
            _("edge-agent recipe learn: name a serial port, tcp://HOST:PORT or a captured file"),
            USAGE,
        )
    found = capture(options, _ignore if options.json else _show_line)
    proposal = learn(found.data, [library.load(name) for name in library.names()])
    if found.doubt:
        proposal = replace(proposal, doubts=(found.doubt, *proposal.doubts))
    if proposal.cutting is None or proposal.fields is None:
        return _give_up(options, proposal)
    titles = options.name or _asked(options, proposal)
    name = Path(options.output).stem if options.output else "learnt"
    recipe = proposal.document(name, titles, f"captured from {options.what}")
    text = _checked(recipe)
    if options.output:
        _write(Path(options.output), text)
    if options.json:
        print_json(_document(options, proposal, recipe))
    else:
        _show(options, proposal, text)
    return OK


def _show_line(line: str) -> None:
    print(line, flush=True)


def _ignore(line: str) -> None:
    """Say nothing: one JSON document comes at the end."""


def _give_up(options: argparse.Namespace, proposal: "Proposal") -> int:
    if options.json:
        print_json({"ok": False, "known": list(proposal.known), "doubts": list(proposal.doubts)})
    else:
        for line in (*_about_known(proposal), *proposal.doubts):
            print(line)
    return PARTLY_OK if proposal.known else DEVICE_UNREADABLE


def _asked(options: argparse.Namespace, proposal: "Proposal") -> list[str]:
    """Ask for a name of each captured line, where somebody is there to answer."""
    if options.json or not options.output or not sys.stdin.isatty():
        return []
    print(_("Name the captured lines (what did the display show?), or press Enter:"))
    return [input(f"  {line!r}: ").strip() for line in proposal.captured()]


def _checked(recipe: dict[str, Any]) -> str:
    """Give the text of the recipe, after it has read its own vectors."""
    from edge_agent_serial import library, vectors
    from edge_agent_serial.learn import as_yaml

    text = as_yaml(recipe)
    failed = [
        result for result in vectors.run(library.parse(text, recipe["name"])) if not result.holds
    ]
    if failed:
        raise CommandFailed(
            _(
                "what was proposed does not read {name}: {mistakes}; please report this "
                "with the capture"
            ).format(name=failed[0].name, mistakes="; ".join(failed[0].mistakes)),
            PARTLY_OK,
        )
    return text


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise CommandFailed(
            _("{path} exists and is kept: give another --output").format(path=path), USAGE
        ) from error
    except OSError as error:
        raise CommandFailed(
            _("{path} cannot be written: {error}").format(path=path, error=refusal(error)), USAGE
        ) from error


def _document(
    options: argparse.Namespace, proposal: "Proposal", recipe: dict[str, Any]
) -> dict[str, Any]:
    from edge_agent_serial.learn import plain

    assert proposal.cutting is not None  # noqa: S101 - the caller has seen to it
    assert proposal.fields is not None  # noqa: S101
    return {
        "ok": True,
        "frames": len(proposal.cutting.cuts),
        "known": list(proposal.known),
        "values": {name: list(values) for name, values in proposal.fields.values.items()},
        "doubts": list(proposal.doubts),
        "written": options.output,
        "recipe": plain(recipe),
    }


def _show(options: argparse.Namespace, proposal: "Proposal", text: str) -> None:
    assert proposal.cutting is not None  # noqa: S101 - the caller has seen to it
    assert proposal.fields is not None  # noqa: S101
    for line in _about_known(proposal):
        print(line)
    checksum = proposal.cutting.checksum
    sure = (
        _("with the checksum {kind}").format(kind=checksum["kind"])
        if checksum
        else _("without a checksum")
    )
    print(_("{cuts} frames {sure}").format(cuts=len(proposal.cutting.cuts), sure=sure))
    for name, values in proposal.fields.values.items():
        print(f"  {name}: {printable(', '.join(dict.fromkeys(values[:_SHOWN])))}")
    for doubt in proposal.doubts:
        print(_("look at this: {doubt}").format(doubt=doubt))
    if options.output:
        print(
            _("wrote {output}; test it: edge-agent recipe test {output}").format(
                output=options.output
            )
        )
    else:
        print(f"\n{text}")


def _about_known(proposal: "Proposal") -> list[str]:
    return [
        _(
            "this looks like {name}: write `recipe: {name}`, which knows more than "
            "can be learnt here"
        ).format(name=name)
        for name in proposal.known
    ]
