"""How an instrument that says nothing by itself is asked: only after consent, only what reads."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from edge_agent.command import cut
from edge_agent.commissioning import (
    DEVICE_UNREADABLE,
    Back,
    Choice,
    Look,
    Question,
    Steps,
    Values,
    _,
    ask,
    look,
    menu,
    what_now,
)
from edge_agent_serial import library
from edge_agent_serial import setup_asking as asking
from edge_agent_serial.expression import Scalar
from edge_agent_serial.recipe import Recipe
from edge_agent_serial.setup_expert import typed

ALL, TYPED = "all", "typed"
MOST_TOLD = 44
"""Cells of a title in the menu."""


class Answered(NamedTuple):
    """An instrument that answered, or that its registers are asked of later.

    Attributes:
        settings: Of the connection.
        field: Of the number that was compared with the display; empty where none was.
        unit: As the instrument says it.
        parameters: Those that tell it from others on the line.
        shown: That number as it was compared; empty where nobody did.
    """

    settings: Values
    field: str = ""
    unit: str = ""
    parameters: Mapping[str, Scalar] = {}
    shown: str = ""


def ask_instrument(id: str, way: Values) -> Steps[Answered]:  # noqa: A002 - the word of Question
    """Ask for consent and for the family, then ask the instrument; compare with the display."""
    recipes = {recipe.name: recipe for recipe in library.shipped() if _can_be_asked(recipe, way)}
    guessed = [name for name, recipe in recipes.items() if asking.can_be_guessed(recipe)]
    word = yield from ask(_consent(id, recipes, guessed))
    if word == TYPED:
        return Answered((yield from typed(id, way)))
    names = guessed if word == ALL else [word]
    parameters: dict[str, Scalar] = {}
    if word != ALL:
        parameters = yield from ask_parameters(id, recipes[word], asking.needed(recipes[word]))
        if asking.asked_field(recipes[word], parameters) is None:  # a controller's registers
            return Answered(_settings(way, {}, recipes[word]), parameters=parameters)
    seen = yield from look(
        Look(
            f"{id}.asked.look",
            _("Asking (reading requests only) ..."),
            lambda progress: asking.ask(way, names, parameters, progress),
            untried={"problem": "", "found": _supposed(names[0])},
            lasting=True,
        )
    )
    found = seen["found"]
    if found is None:
        yield from _no_answer(id, seen["problem"])
    yield from _compared(id, found)
    settings = _settings(way, found["line"], library.load(found["recipe"]))
    return Answered(settings, found["field"], found["unit"], parameters, _number(found))


def _supposed(name: str) -> Values:
    """Suppose an answer, where questions are only listed."""
    number = {"field": "", "value": "1", "unit": "", "why": ""}
    return {"recipe": name, "title": "", "line": {}, **number}


def _can_be_asked(recipe: Recipe, way: Values) -> bool:
    return bool(recipe.requests) or (recipe.session is not None and way["transport"] == "serial")


def _settings(way: Values, line: Values, recipe: Recipe) -> Values:
    settings = {**way, **line, "recipe": recipe.name}
    return settings if recipe.mode != "stream" else {**settings, "mode": "poll"}


def _consent(id: str, recipes: Mapping[str, Recipe], guessed: Sequence[str]) -> Question[str]:  # noqa: A002
    choices = [Choice(ALL, _("I do not know: try those that are marked *"))]
    for name, recipe in recipes.items():
        mark = "*" if name in guessed else " "
        choices.append(Choice(name, f"{mark} {cut(_(recipe.title), MOST_TOLD, '..')}"))
    choices.append(Choice(TYPED, _("I type the request myself (for experts)")))
    requests = [
        asking.told_request(
            asking.request_for(recipes[name], asking.asked_field(recipes[name], {}) or "", {})
        )
        for name in guessed
    ]
    facts = _(
        "A few short requests would be sent that only read, and nothing else: {requests}"
    ).format(requests=", ".join(dict.fromkeys(requests)))
    return menu(
        f"{id}.asked",
        _("May this gateway ask? What is it?"),
        choices,
        facts=facts,
        example=ALL,
        why=_(
            "Each request is one that the maker's manual gives for reading. Requests that tare, "
            "zero, write or start anything cannot be sent by this program at all."
        ),
    )


def ask_parameters(
    id: str,  # noqa: A002
    recipe: Recipe,
    names: Sequence[str],
) -> Steps[dict[str, Scalar]]:
    """Ask for what tells one instrument from another, such as a meter's number."""
    given: dict[str, Scalar] = {}
    for name in names:
        given[name] = yield from ask(_parameter(id, recipe, name))
    return given


def _parameter(id: str, recipe: Recipe, name: str) -> Question[Scalar]:  # noqa: A002
    parameter = recipe.parameters[name]

    def parse(answer: str) -> Scalar:
        is_number = parameter.type == "int" and answer.isascii() and answer.isdigit()
        checked: Scalar = parameter.check(name, int(answer) if is_number else answer)
        return checked if parameter.type == "int" else answer

    return Question(
        id=f"{id}.{name}",
        text=_("The instrument's {name}?").format(name=name),
        parse=parse,
        facts=_(parameter.help or ""),
        default=None if parameter.default is None else str(parameter.default),
        example="1" if parameter.type == "int" else "AAAAAAAAAAAA" if name == "meter" else "",
        why="\n".join(recipe.notes[:2]),
    )


def _no_answer(id: str, problem: str) -> Steps[None]:  # noqa: A002
    facts = problem or _(
        "Nobody answered. Check in this order:\n"
        " 1. TX of the one goes to RX of the other: swap them.\n"
        " 2. Does its menu name another protocol or speed?\n"
        " 3. Is it set to answer requests (command mode)?"
    )
    yield from what_now(
        f"{id}.asked.trouble",
        _("What now?"),
        [
            Back("again", _("ask again"), f"{id}.asked.look"),
            Back("other", _("it is something else"), f"{id}.asked"),
            Back("change", _("another adapter or address"), f"{id}.transport"),
        ],
        facts=facts,
        exit_code=DEVICE_UNREADABLE,
    )


def _number(found: Values) -> str:
    return f"{found['value']} {found['unit']}".rstrip() if found["value"] else ""


def _compared(id: str, found: Values) -> Steps[None]:  # noqa: A002
    """Have the number that was answered compared with the display."""
    facts = _("It answered: {title}").format(title=_(found["title"]))
    text = _("Is {number} what the display shows?").format(number=_number(found))
    if not found["value"]:
        text = _("It answers, but has no number now ({why}). Go on?").format(why=found["why"])
    yield from what_now(
        f"{id}.answered",
        text,
        [
            Choice("yes", _("yes")),
            Back("again", _("ask again"), f"{id}.asked.look"),
            Back("other", _("no, it is something else"), f"{id}.asked"),
        ],
        default=None,
        facts=facts,
        exit_code=DEVICE_UNREADABLE,
        why=_("The number shall be the one on the display, with its point in the right place."),
    )
