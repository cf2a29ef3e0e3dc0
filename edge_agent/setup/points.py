"""What the wizard asks about one value of a device, until its number is right on the screen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from edge_agent.command import DEVICE_UNREADABLE
from edge_agent.language import _
from edge_agent.layout import people_say
from edge_agent.setup.draft import Values
from edge_agent.setup.kind import Draft, Link
from edge_agent.setup.live import complaint, read_points
from edge_agent.setup.meaning import new_name, to_factor, to_unit
from edge_agent.setup.question import (
    Back,
    Choice,
    Look,
    Progress,
    Question,
    Steps,
    ask,
    look,
    menu,
    moment,
    optional,
    what_now,
)


def _just_one(address: Values) -> Mapping[str, Values]:
    return {"": address}


def _always(address: Values) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Manner:
    """How a driver's values are asked for.

    Attributes:
        driver: Its name.
        address: Asks where one value lives; its questions begin with the id it is given.
        device_address: What all values of the device share, as in the configuration file.
        forms: Ways in which what comes from there may be meant, the usual one first: a word for
            answers files -> the address. Where there are several, the values of all are shown.
        is_number: Whether what lives at an address is a number, which may have a unit.
        scaled: Whether its numbers may need a factor.
    """

    driver: str
    address: Callable[[str], Steps[Values]]
    device_address: Values = field(default_factory=dict)
    forms: Callable[[Values], Mapping[str, Values]] = _just_one
    is_number: Callable[[Values], bool] = _always
    scaled: bool = False


def points(id: str, link: Link, manner: Manner) -> Steps[Draft]:  # noqa: A002 - the word of Question
    """Ask for a device's values one by one; each is read at once."""
    known: Values = {}
    seen: dict[str, str] = {}
    number, more = 1, True
    while more:
        at = f"{id}.point.{number}"
        name, point, shown = yield from _point(at, link, manner, known)
        known[name] = point
        if shown:
            seen[name] = shown
        more = yield from _go_on(at, name, shown)
        number += 1
    confirmed = yield from moment(f"{id}.points")
    device = {"address": manner.device_address, "points": known}
    found = {key: value for key, value in device.items() if value}
    return Draft(found, compared=seen, at=confirmed)


def _point(
    id: str,  # noqa: A002
    link: Link,
    manner: Manner,
    known: Values,
) -> Steps[tuple[str, Values, str]]:
    """Ask for one value; give its name, itself as in the file, and what it is now, if anything."""
    name = yield from ask(_name(id, known))
    address = yield from manner.address(id)
    is_number = manner.is_number(address)
    meaning = (yield from _meaning(id, scaled=manner.scaled)) if is_number else {}
    forms = {word: {"address": form, **meaning} for word, form in manner.forms(address).items()}
    seen = yield from look(_reading(id, name, link, manner, forms))
    usual = next(iter(forms))
    why = complaint(seen, usual)
    if why:
        yield from _trouble(id, why)
    form = (yield from ask(_form(id, list(forms), seen["values"]))) if len(forms) > 1 else usual
    unit = people_say(meaning.get("unit", ""))
    shown = "" if why else f"{seen['values'][form]['v']} {unit}".rstrip()
    return name, _tidy(forms[form]), shown


def _name(id: str, known: Values) -> Question[str]:  # noqa: A002
    return Question(
        id=f"{id}.name",
        text=_("Value {number} of this device: its name?").format(number=len(known) + 1),
        parse=new_name(known, between="_"),
        example="oil_temperature",
        why=_("Readings are sent under this name. Small letters, digits, - and _."),
    )


def _meaning(id: str, *, scaled: bool) -> Steps[Values]:  # noqa: A002
    """Ask for the factor, where there may be one, and the unit."""
    point: Values = {}
    if scaled:
        point["scale"] = yield from ask(
            Question(
                id=f"{id}.scale",
                text=_("Multiply the number by?"),
                parse=to_factor,
                default="1",
                why=_("If the manual says 0.1 °C or 1/10, the factor is 0.1."),
            )
        )
    point["unit"] = yield from ask(unit_question(id))
    return point


def unit_question(id: str) -> Question[str]:  # noqa: A002
    """Ask for the unit of a number."""
    return Question(
        id=f"{id}.unit",
        text=_("Its unit? Choose, or type another one."),
        parse=optional(to_unit),
        choices=_common_units(),
        default="",
        why=_("Units are UCUM codes, such as m3/h or mm."),
    )


def _common_units() -> tuple[Choice, ...]:
    texts = {
        "Cel": _("°C, temperature"),
        "%": _("percent"),
        "V": _("volt"),
        "A": _("ampere"),
        "W": _("watt"),
        "kW": _("kilowatt"),
        "kW.h": _("kilowatt hours"),
        "Hz": _("hertz"),
        "bar": _("pressure"),
        "/min": _("turns per minute"),
    }
    units = (Choice(unit, f"{unit:5} {text}") for unit, text in texts.items())
    return (Choice("", _("none")), *units)


def _reading(
    id: str,  # noqa: A002
    name: str,
    link: Link,
    manner: Manner,
    forms: Values,
) -> Look:
    def read(_progress: Progress) -> Values:
        return read_points(manner.driver, link.settings, manner.device_address, forms)

    supposed = {form: {"ok": True, "v": "", "why": ""} for form in forms}
    return Look(
        f"{id}.look",
        _("Reading {name} ...").format(name=name),
        read,
        untried={"why": "", "values": supposed},
    )


def _trouble(id: str, why: str) -> Steps[None]:  # noqa: A002
    yield from what_now(
        f"{id}.trouble",
        _("This value could not be read. What now?"),
        [
            Back("again", _("read again"), f"{id}.look"),
            Back("change", _("change what I typed for this value"), f"{id}.name"),
            Choice("keep", _("keep it, the device will be there later")),
        ],
        facts=why,
        exit_code=DEVICE_UNREADABLE,
        why=_("Check power and wiring; b goes back, also to the adapter and the unit id."),
    )


def _form(id: str, candidates: list[str], values: Values) -> Question[str]:  # noqa: A002
    """Ask which number is right: byte orders as values, since nobody knows theirs by name."""
    notes = [_("the usual way"), _("words swapped"), _("bytes swapped"), _("all swapped")]
    choices = [
        Choice(form, f"{values[form]['v']:24} {note}" if form in values else note)
        for form, note in zip(candidates, notes, strict=False)
    ]
    return menu(
        f"{id}.order",
        _("Which one does the device's display show?"),
        choices,
        default=candidates[0],
        why=_("Makers send the parts of a big number in different order."),
    )


def _tidy(point: Values) -> Values:
    """Leave out what goes without saying."""
    usual: dict[str, Any] = {"scale": 1, "unit": ""}
    return {key: value for key, value in point.items() if value != usual.get(key)}


def _go_on(id: str, name: str, shown: str) -> Steps[bool]:  # noqa: A002
    """Ask whether this is right; tell whether another value follows."""
    word = yield from what_now(
        f"{id}.next",
        _("Is this right?") if shown else _("What next?"),
        [
            Choice("done", _("yes, and that was the last value")),
            Choice("more", _("yes, and there is another value")),
            Back("again", _("read again"), f"{id}.look"),
            Back("change", _("no, change it"), f"{id}.name"),
        ],
        default=None if shown else "done",  # what is compared is not confirmed by Enter alone
        unattended="done",
        facts=f"{name} = {shown or _('not read')}",
        exit_code=DEVICE_UNREADABLE,
        why=_("Compare it with the device's display."),
    )
    return word == "more"
