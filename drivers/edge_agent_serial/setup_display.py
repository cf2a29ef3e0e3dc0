"""The number on the display decides: it is looked for in what was heard, or lines are learnt."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from edge_agent.commissioning import (
    DEVICE_UNREADABLE,
    Back,
    Choice,
    Home,
    Look,
    Question,
    Steps,
    Values,
    _,
    ask,
    look,
    menu,
    valid,
    what_now,
)
from edge_agent_serial import library
from edge_agent_serial import setup_learning as learning
from edge_agent_serial.expression import Scalar
from edge_agent_serial.numbers import to_number
from edge_agent_serial.setup_evidence import COLUMNS, GENERIC, Match, columns_of, matches


class Instrument(NamedTuple):
    """What an instrument says.

    Attributes:
        settings: Of the connection.
        field: Of the number that was compared with the display; empty where none was.
        scale: What it is multiplied by.
        unit: As the instrument says it.
        parameters: Those that tell it from others on the line.
        shown: That number as it was compared; empty where nobody did.
        columns: Fields of its lines, where the recipe does not name them -> whether it is a number.
    """

    settings: Values
    field: str = ""
    scale: float = 1.0
    unit: str = ""
    parameters: Mapping[str, Scalar] = {}
    columns: Mapping[str, bool] = {}
    shown: str = ""


def settings_of(way: Values, seen: Values, recipe: str) -> Values:
    """Write the settings of a connection whose instrument was heard unasked.

    Args:
        way: Where it is.
        seen: What was heard; `pressed` where somebody had to press a key for it.
        recipe: That reads it.
    """
    settings = {**way, **seen["line"], "recipe": recipe}
    mode = "event" if seen.get("pressed") else "stream"
    return settings if library.load(recipe).mode == mode else {**settings, "mode": mode}


def other_number(id: str, way: Values, seen: Values, home: Home) -> Steps[Instrument]:  # noqa: A002
    """Ask for the number on the display, and find it in what was heard, or learn the lines."""
    heard = seen["heard"].encode("latin-1")
    display = yield from ask(_display(id))
    known = [library.load(name) for name in (*seen["recipes"], GENERIC, COLUMNS)]
    found = matches(display, heard, known)
    learnt = None
    if not found:
        learnt = yield from _learnt(id, way, seen)
        found = matches(display, learnt["heard"].encode("latin-1"), learning.recipes_of(learnt))
    if not found:
        yield from _not_found(id, display, seen["at"])
    best = yield from _meant(id, found)
    if learnt is not None and learnt["recipe"]:
        settings = yield from _written(id, way, seen, learnt, home)
        return Instrument(settings, best.field, best.scale, shown=display)
    settings, recipe = settings_of(way, seen, best.recipe), library.load(best.recipe)
    if not recipe.is_dynamic:
        return Instrument(settings, best.field, best.scale, shown=display)
    columns = columns_of(heard, recipe, best.field)
    settings |= columns.parameters  # what is not asked for is told apart by the line's own settings
    return Instrument(settings, best.field, best.scale, columns=columns.numbers, shown=display)


def _meant(id: str, found: Sequence[Match]) -> Steps[Match]:  # noqa: A002
    """Ask which of several equal numbers of one line is meant."""
    alike = {
        each.field: each
        for each in found
        if (each.recipe, each.scale) == (found[0].recipe, found[0].scale)
    }
    if len(alike) == 1:
        return found[0]
    field = yield from ask(
        menu(
            f"{id}.same",
            _("That number stands there several times. Which one is it?"),
            [Choice(field, field) for field in alike],
            default=found[0].field,
            why=_("Change the number on the instrument and press b to see which one moves."),
        )
    )
    return alike[field]


def _display(id: str) -> Question[str]:  # noqa: A002
    return Question(
        id=f"{id}.display",
        text=_("What number does the display show now?"),
        parse=valid(_check_number),
        example="12.35",
        remember=False,
        why=_("It is looked for in what the instrument sends, also with its point elsewhere."),
    )


def _check_number(text: str) -> None:
    if to_number(text) is None:
        raise ValueError(_("Write the number alone, such as 12.35."))


def _learnt(id: str, way: Values, seen: Values) -> Steps[Values]:  # noqa: A002
    learnt: Values = yield from look(
        Look(
            f"{id}.learn.look",
            _("Learning its lines. Change the number meanwhile (load, move) ..."),
            lambda progress: learning.learn_lines(way, seen["line"], seen["heard"], progress),
            untried={"recipe": None, "heard": "", "doubts": []},
            lasting=True,
        )
    )
    return learnt


def _not_found(id: str, display: str, at: str) -> Steps[None]:  # noqa: A002
    yield from what_now(
        f"{id}.display.trouble",
        _("What now?"),
        [
            Back("again", _("listen again"), at),
            Back("change", _("another number"), f"{id}.display"),
        ],
        facts=_(
            "{number} does not occur in what the instrument sends. Perhaps it changed "
            "meanwhile, or the display shows something else (net, tare, pieces)."
        ).format(number=display),
        exit_code=DEVICE_UNREADABLE,
    )


def _written(
    id: str,  # noqa: A002
    way: Values,
    seen: Values,
    learnt: Values,
    home: Home,
) -> Steps[Values]:
    """Keep a learnt recipe as a file beside the configuration, and use it."""
    done = yield from look(
        Look(
            f"{id}.recipe.look",
            _("Writing down what was learnt ..."),
            lambda progress: learning.write_recipe(learnt["recipe"], home.folder),
            untried={"file": "", "problem": ""},
            lasting=True,
        )
    )
    if done["problem"]:
        yield from _not_written(id, done["problem"])
    return settings_of(way, seen, done["file"])


def _not_written(id: str, problem: str) -> Steps[None]:  # noqa: A002
    yield from what_now(
        f"{id}.recipe.trouble",
        _("What was learnt cannot be kept."),
        [Back("again", _("try again"), f"{id}.recipe.look")],
        facts=problem,
        exit_code=1,
        why=_("It becomes a file beside the configuration, which must be writable."),
    )
