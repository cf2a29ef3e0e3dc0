"""Values of a device that is in no list: told by the number on its display (S9).

Where a value is, the display tells; names and units only people know.
"""

from typing import NamedTuple

from edge_agent.commissioning import (
    Back,
    Choice,
    Draft,
    Link,
    Question,
    Steps,
    Values,
    _,
    ask,
    menu,
    new_name,
    people_say,
    unit_question,
    what_now,
)
from edge_agent_modbus.setup_shown import matched

_BELOW_ZERO = {"Cel", "W", "kW", "var", "bar", "kPa", "mm"}  # units of what mostly can


def told_by_display(id: str, link: Link, unit: int) -> Steps[Draft]:  # noqa: A002
    """Ask for values one by one, each by its register and the number on the display."""
    points: Values = {}
    compared: dict[str, str] = {}
    number, more = 1, True
    when: int | None = None
    while more:
        at = f"{id}.value.{number}"
        told = yield from _value(at, link, unit, points)
        when = told.at
        points[told.name] = told.point
        compared[told.name] = told.typed
        more = yield from _more(at, told.name, told.shown)
        number += 1
    return Draft({"address": {"unit": unit}, "points": points}, compared=compared, at=when)


class _Told(NamedTuple):
    """One value of a device.

    Attributes:
        name: Its name.
        point: Itself as in the file.
        shown: What was read.
        typed: What somebody saw on the display.
        at: When that was, ms since 1970 UTC.
    """

    name: str
    point: Values
    shown: str
    typed: str
    at: int | None


def _value(id: str, link: Link, unit: int, known: Values) -> Steps[_Told]:  # noqa: A002
    """Ask for one value."""
    way = yield from matched(id, link, unit, len(known) + 1)
    name = yield from ask(_name(id, known))
    measure = yield from ask(unit_question(id))
    is_signed = bool(way.candidate.also) and (yield from ask(_negative(id, measure))) == "yes"
    point: Values = {"address": way.address(is_signed=is_signed)}
    if measure:
        point["unit"] = measure
    if way.candidate.decade:
        point["scale"] = way.candidate.scale
    shown, typed = (f"{one} {people_say(measure)}".rstrip() for one in (way.shown, way.typed))
    return _Told(name, point, shown, typed, way.at)


def _negative(id: str, measure: str) -> Question[str]:  # noqa: A002
    """Ask what no register shows as long as the value is above 0."""
    return menu(
        f"{id}.negative",
        _("Can this value be below 0?"),
        [Choice("no", _("no, never")), Choice("yes", _("yes"))],
        default="yes" if measure in _BELOW_ZERO else "no",
        why=_(
            "Temperatures can, and power that is fed back. Counters, voltages and frequencies "
            "cannot. Registers look alike as long as the value is above 0."
        ),
    )


def _name(id: str, known: Values) -> Question[str]:  # noqa: A002
    return Question(
        id=f"{id}.name",
        text=_("A short name for this value?"),
        parse=new_name(known, between="_"),
        example="oil_temperature",
        why=_("Readings are sent under this name. Small letters, digits, - and _."),
    )


def _more(id: str, name: str, shown: str) -> Steps[bool]:  # noqa: A002
    word = yield from what_now(
        f"{id}.next",
        _("Another value of this device?"),
        [
            Choice("done", _("no, that was the last one")),
            Choice("more", _("yes")),
            Back("change", _("no, this one is wrong: change it"), f"{id}.address"),
        ],
        default="done",
        facts=f"{name} = {shown or _('not read')}",
        why=_("Compare it with the device's display."),
    )
    return word == "more"
