"""The serial part of the setup wizard: listen, recognise, compare with the display."""

import re

from edge_agent.commissioning import (
    Choice,
    Draft,
    Home,
    Kind,
    Link,
    Manner,
    Question,
    Steps,
    Values,
    _,
    ask,
    checked,
    menu,
    points,
    valid,
)
from edge_agent_serial import library
from edge_agent_serial.address import SerialAddress
from edge_agent_serial.expression import Scalar
from edge_agent_serial.recipe import Recipe
from edge_agent_serial.setup_asked import ask_parameters
from edge_agent_serial.setup_asking import needed
from edge_agent_serial.setup_fields import as_point, choose_fields, fields_of, name_of
from edge_agent_serial.setup_instrument import identify
from edge_agent_serial.setup_way import way


def kinds(home: Home) -> list[Kind]:
    """List the one kind: an instrument on a serial line."""
    text = _("Scale, gauge or other device with a serial port")

    def link(id: str) -> Steps[Link]:  # noqa: A002 - the word of Question
        return (yield from _link(id, home))

    return [Kind("serial", text, "serial", link, _device)]


def _link(id: str, home: Home) -> Steps[Link]:  # noqa: A002
    """Find out where the instrument is and what it says."""
    where = yield from way(id)
    found = yield from identify(id, where, home)
    return Link(found.settings, memory={"found": found._asdict()})


def _device(id: str, link: Link) -> Steps[Draft]:  # noqa: A002
    """Choose what is collected from the instrument."""
    found = link.memory.pop("found", None) or {"field": "", "scale": 1.0, "unit": "", "shown": ""}
    if "recipe" not in link.settings:
        fields = list(re.compile(link.settings["pattern"]).groupindex)
        manner = Manner(driver="serial", address=lambda at: _field(at, fields))
        return (yield from points(id, link, manner))
    recipe = library.load(link.settings["recipe"])
    parameters = found.get("parameters") or (yield from _parameters(id, link, recipe))
    asks = link.settings.get("mode", recipe.mode) == "poll"
    fields = list(found.get("columns") or ())
    if not recipe.is_dynamic:
        fields = fields_of(recipe, parameters, asks=asks)
    if not fields:
        manner = Manner("serial", lambda at: _register(at, recipe), dict(parameters))
        return (yield from points(id, link, manner))
    return (yield from _collected(id, link, found, recipe, (fields, dict(parameters))))


def _parameters(id: str, link: Link, recipe: Recipe) -> Steps[dict[str, Scalar]]:  # noqa: A002
    """Ask what tells this instrument from those that hang on the line already."""
    names = needed(recipe)
    if link.devices and not names:
        names = [name for name, one in recipe.parameters.items() if one.type == "int"][:1]
    return (yield from ask_parameters(id, recipe, names))


def _collected(
    id: str,  # noqa: A002
    link: Link,
    found: Values,
    recipe: Recipe,
    there: tuple[list[str], Values],
) -> Steps[Draft]:
    fields, address = there
    main = found["field"] or fields[0]
    numbers = found.get("columns") or {}
    made = {field: as_point(field, is_number=bool(numbers.get(field))) for field in fields}
    is_number = bool(numbers.get(main))
    made[main] = as_point(main, found["scale"], found["unit"], is_number=is_number)
    chosen = yield from choose_fields(id, link.settings, address, (recipe, found["field"]), made)
    if recipe.weighing and link.settings.get("mode", recipe.mode) == "stream" and not link.devices:
        link.settings |= yield from _only(id)
    collected = {name_of(field): made[field] for field in chosen}
    device: Values = {"address": address, "points": collected}
    compared = {name_of(main): found["shown"]} if found["shown"] and main in chosen else {}
    name = "scale" if recipe.weighing else "gauge" if len(collected) == 1 else "device"
    return Draft({key: one for key, one in device.items() if one}, name, "", compared)


def _only(id: str) -> Steps[Values]:  # noqa: A002
    """Ask which weights are wanted; a scale says many."""
    choice = yield from ask(
        menu(
            f"{id}.only",
            _("Which weights shall be sent?"),
            [
                Choice("all", _("all, also while it moves (marked so)")),
                Choice("stable", _("only those that stand still")),
                Choice("weighings", _("one for each weighing, as a list of goods")),
            ],
            default="all",
            why=_("A weighing is the first still weight after the scale was empty."),
        )
    )
    return {} if choice == "all" else {"only": choice}


def _field(id: str, fields: list[str]) -> Steps[Values]:  # noqa: A002
    """Ask which field a value is, where there are several."""
    if len(fields) == 1:
        return {"field": fields[0]}
    field = yield from ask(
        menu(
            f"{id}.field",
            _("Which field of the line is it?"),
            [Choice(field, field) for field in fields],
            parse=valid(lambda field: checked(SerialAddress, {"field": field})),
            why=_("These are the names in the expression for the line."),
        )
    )
    return {"field": field}


def _register(id: str, recipe: Recipe) -> Steps[Values]:  # noqa: A002
    """Ask for a field of a controller or table, and for what it takes to ask for it."""
    named = recipe.field_names()
    field = yield from ask(
        Question(
            id=f"{id}.field",
            text=_("Which field? Choose, or type its name."),
            parse=valid(lambda field: checked(SerialAddress, {"field": field})),
            choices=tuple(Choice(name, name) for name in named),
            example="1.8.0" if not named else "",
            why="\n".join(recipe.notes[:3]),
        )
    )
    open_ones = [name for name, one in recipe.parameters.items() if one.default is None]
    given = yield from ask_parameters(id, recipe, open_ones if recipe.requests else [])
    return {"field": field, **given}
