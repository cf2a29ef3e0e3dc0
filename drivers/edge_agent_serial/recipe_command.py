"""`edge-agent recipe`: test, list, show or learn recipes of serial instruments."""

import argparse
import sys
from typing import TYPE_CHECKING, Any

from edge_agent.command import (
    CONFIG_INVALID,
    OK,
    PARTLY_OK,
    USAGE,
    CommandFailed,
    columns,
    padded,
    print_json,
    sentence,
)
from edge_agent.language import _, later
from edge_agent_serial import learn_command

if TYPE_CHECKING:
    from edge_agent_serial.recipe import Recipe
    from edge_agent_serial.vectors import Result

SUMMARY = later("test a recipe by its vectors, list recipes, or show one")
EXAMPLE = "edge-agent recipe test my-scale.yaml"

MOST_SHOWN = 16
"""Fields of one frame in a line; `--json` shows all."""

_SAID = {
    "list": (
        later("list the recipes that there are"),
        "TEXT",
        later("only those with this in them"),
        "scale",
    ),
    "show": (
        later("show a recipe's fields and line"),
        "NAME",
        later("a recipe, or its file"),
        "mt-sics",
    ),
    "test": (
        later("test a recipe by its vectors"),
        "NAME",
        later("a recipe, or its file"),
        "my-scale.yaml",
    ),
    "learn": (
        later("listen (nothing is sent), and propose a recipe"),
        "PORT",
        later("a serial port, tcp://HOST:PORT or a captured file"),
        "/dev/ttyUSB0 --output my-scale.yaml",
    ),
}
"""What each action does, what it takes, and an example of it."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, (summary, metavar, what, example) in _SAID.items():
        # A parser of its own: options may then stand before the name as well as behind it.
        action = actions.add_parser(
            name,
            help=_(summary),
            description=sentence(_(summary)),
            epilog=_("example: edge-agent recipe {name} {example}").format(
                name=name, example=example
            ),
            allow_abbrev=False,
        )
        action.add_argument("what", nargs="?", metavar=metavar, help=_(what))
        action.add_argument(
            "--json", action="store_true", default=argparse.SUPPRESS, help=_("print JSON")
        )
        action.add_argument(
            "-c", "--config", metavar="FILE", default=argparse.SUPPRESS, help=argparse.SUPPRESS
        )
        if name == "learn":
            learn_command.arguments(action)


def run(options: argparse.Namespace) -> int:
    """Do it."""
    from edge_agent_serial.library import RecipeInvalid

    try:
        return _ACTIONS[options.action](options)
    except RecipeInvalid as error:
        if options.json:
            print_json({"ok": False, "errors": error.mistakes})
            return CONFIG_INVALID
        lines = [_("{mistakes} mistakes").format(mistakes=len(error.mistakes)), *error.mistakes]
        text = "\n  ".join(lines) if len(error.mistakes) > 1 else error.mistakes[0]
        raise CommandFailed(f"{error.where}: {text}", CONFIG_INVALID) from error


def _wanted(options: argparse.Namespace) -> "Recipe":
    from edge_agent_serial import library

    if options.what is None:
        raise CommandFailed(
            _("edge-agent recipe {action}: name a recipe or its file").format(
                action=options.action
            ),
            USAGE,
        )
    return library.load(options.what)


def _test(options: argparse.Namespace) -> int:
    from edge_agent_serial import vectors

    recipe = _wanted(options)
    results = list(vectors.run(recipe))
    holds = all(result.holds for result in results)
    if options.json:
        shown = [_result(result) for result in results]
        print_json({"ok": holds, "recipe": recipe.name, "vectors": shown})
    else:
        _show_results(recipe, results)
    return OK if holds else PARTLY_OK


def _result(result: "Result") -> dict[str, Any]:
    from edge_agent_serial.quality import written

    frames = [
        {
            "bytes": frame.raw.hex(" ").upper(),
            "fields": dict(frame.fields),
            "quality": written(frame.flaw),
            "flaws": {name: written(flaw) for name, flaw in frame.flaws.items()},
        }
        for frame in result.frames
    ]
    return {
        "name": result.name,
        "ok": result.holds,
        "mistakes": list(result.mistakes),
        "frames": frames,
    }


def _show_results(recipe: "Recipe", results: "list[Result]") -> None:
    print(f"{recipe.name}: {_(recipe.title)}")
    for result in results:
        print(f"  {'ok    ' if result.holds else 'WRONG '} {result.name}")
        for frame in _result(result)["frames"]:
            print(f"           {frame['quality']}: {_told(frame)}")
        for mistake in result.mistakes:
            print(f"         - {mistake}")
    wrong = sum(not result.holds for result in results)
    print(
        _("{right} of {vectors} vectors hold").format(
            right=len(results) - wrong, vectors=len(results)
        )
    )


def _told(frame: dict[str, Any]) -> str:
    """Show the fields that have a value, or a reason for having none."""
    told = [
        f"{name} {frame['flaws'].get(name, _text(value))}"
        for name, value in frame["fields"].items()
        if value is not None or name in frame["flaws"]
    ]
    more = (
        [_("and {told} more").format(told=len(told) - MOST_SHOWN)] if len(told) > MOST_SHOWN else []
    )
    return ", ".join([*told[:MOST_SHOWN], *more]) or _("no value")


def _text(value: object) -> str:
    return "-" if value is None else str(value)


def _list(options: argparse.Namespace) -> int:
    from edge_agent_serial import library

    found = [recipe for recipe in library.shipped() if _fits(recipe, options.what or "")]
    if options.json:
        print_json({"recipes": [_summary(recipe) for recipe in found]})
        return OK
    if not found:
        print(
            _(
                "no recipe has {what!r} in it: `edge-agent recipe learn PORT` proposes "
                "one, and for lines of text a `pattern` is enough"
            ).format(what=options.what),
            file=sys.stderr,
        )
        return OK
    rows = [(recipe.name, recipe.mode, _(recipe.title)) for recipe in found]
    for line in columns([("recipe", "mode", "for"), *rows]):
        print(line)
    return OK


def _fits(recipe: "Recipe", text: str) -> bool:
    words = (recipe.name, recipe.title, _(recipe.title), recipe.maker, *recipe.models)
    return text.casefold() in " ".join(words).casefold()


def _summary(recipe: "Recipe") -> dict[str, Any]:
    return {
        "name": recipe.name,
        "title": recipe.title,
        "maker": recipe.maker,
        "models": list(recipe.models),
        "mode": recipe.mode,
        "fields": recipe.field_names(),
        "parameters": list(recipe.parameters),
        "vectors": len(recipe.vectors),
    }


def _show(options: argparse.Namespace) -> int:
    recipe = _wanted(options)
    if options.json:
        print_json(recipe.model_dump(mode="json", by_alias=True, exclude_defaults=True))
        return OK
    for line in _description(recipe):
        print(line)
    return OK


def _description(recipe: "Recipe") -> list[str]:
    line = recipe.line
    said = [
        (_("maker"), recipe.maker),
        (_("models"), ", ".join(recipe.models) or "-"),
        (_("line"), f"{line.baud} baud {line.data_bits}{line.parity[0].upper()}{line.stop_bits}"),
        (_("mode"), recipe.mode),
        *((_("source"), source) for source in recipe.sources),
        *((_("note"), note) for note in recipe.notes),
    ]
    lines = [f"{recipe.name}: {_(recipe.title)}"]
    lines += [f"  {padded(label, 9)}{text}" for label, text in said]
    fields = [(name, *_about(recipe, name)) for name in recipe.field_names()]
    lines += ["", *columns([(_("field"), _("type"), _("unit"), _("is")), *fields])]
    if recipe.parameters:
        rows = [(n, _text(p.default), _(p.help or "")) for n, p in recipe.parameters.items()]
        lines += ["", *columns([(_("parameter"), _("unless given"), _("is")), *rows])]
    if recipe.requests:
        rows = [(request.name, request.send, "") for request in recipe.requests]
        lines += ["", *columns([(_("request"), _("sends"), ""), *rows])]
    return lines


def _about(recipe: "Recipe", name: str) -> tuple[str, str, str]:
    field = recipe.fields.get(name)
    if field is None:
        return ("text", "", _("as it comes"))
    kind = "number" if field.expression or field.scale else "bool" if field.bit is not None else ""
    return (field.type or kind, field.unit or "", _(field.help or ""))


_ACTIONS = {"learn": learn_command.run, "list": _list, "show": _show, "test": _test}
