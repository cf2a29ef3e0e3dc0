"""What the wizard asks about one value of a device, until its number is right on the screen."""

from typing import Any, NamedTuple

from edge_agent.language import _
from edge_agent.setup.draft import Values
from edge_agent.setup.kinds import Kind
from edge_agent.setup.live import complaint, read_points
from edge_agent.setup.meaning import new_name, to_factor, to_unit
from edge_agent.setup.modbus import NOT_NUMBERS, orders
from edge_agent.setup.question import (
    Choice,
    Look,
    Question,
    Rewind,
    Steps,
    ask,
    look,
    menu,
    optional,
)

DEVICE_UNREADABLE = 4  # the published exit code


class Place(NamedTuple):
    """Where in the configuration a point will stand."""

    kind: Kind
    connection: Values
    device: Values


def points(id: str, place: Place) -> Steps[None]:  # noqa: A002 - the word of Question
    """Ask for a device's values one by one; each is read at once."""
    number, more = 1, True
    while more:
        more = yield from _point(f"{id}.point.{number}", place)
        number += 1


def _point(id: str, place: Place) -> Steps[bool]:  # noqa: A002
    """Ask for one value and add it to the device; tell whether another one follows."""
    known: Values = place.device["points"]
    name = yield from ask(_name(id, place, known))
    shared, settings = place.device["address"], place.connection["settings"]
    point: Values = {"address": (yield from place.kind.point(id, shared, settings))}
    if point["address"].get("type") not in NOT_NUMBERS and "bit" not in point["address"]:
        point |= yield from _meaning(id, place.kind)
    tried = _candidates(point)
    seen = yield from look(_reading(id, place, name, tried))
    usual = next(iter(tried))
    why = complaint(seen, usual)
    if why:
        yield from _trouble(id, why)
    order = (yield from ask(_order(id, list(tried), seen["values"]))) if len(tried) > 1 else usual
    known[name] = _tidy(point if order == usual else tried[order])
    value = _("not read") if why else seen["values"][order]["v"]
    return (yield from _go_on(id, f"{name} = {value} {point.get('unit', '')}".rstrip(), why))


def _candidates(point: Values) -> Values:
    """Give the ways in which the value's bytes may be meant, the usual one first."""
    address = point["address"]
    usual, *others = orders(address) or ("",)
    return {usual: point} | {
        order: {**point, "address": {**address, "order": order}} for order in others
    }


def _name(id: str, place: Place, known: Values) -> Question[str]:  # noqa: A002
    return Question(
        id=f"{id}.name",
        text=_("Value {number} of {device}: its name?").format(
            number=len(known) + 1, device=place.device["name"]
        ),
        parse=new_name(known),
        example="oil_temperature",
        why=_("Readings are sent under this name. Small letters, digits, - and _."),
    )


def _meaning(id: str, kind: Kind) -> Steps[Values]:  # noqa: A002
    """Ask for scale and unit; a demo's and an OPC UA server's numbers need no scale."""
    point: Values = {}
    if kind.driver == "modbus":
        point["scale"] = yield from ask(
            Question(
                id=f"{id}.scale",
                text=_("Multiply the number by?"),
                parse=to_factor,
                default="1",
                why=_("If the manual says 0.1 °C or 1/10, the factor is 0.1."),
            )
        )
    point["unit"] = yield from ask(
        Question(
            id=f"{id}.unit",
            text=_("Its unit? Choose, or type another one."),
            parse=optional(to_unit),
            choices=_common_units(),
            default="",
            why=_("Units are UCUM codes, such as m3/h or mm."),
        )
    )
    return point


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


def _reading(id: str, place: Place, name: str, tried: Values) -> Look:  # noqa: A002
    return Look(
        f"{id}.look",
        _("Reading {name} from {device} ...").format(name=name, device=place.device["name"]),
        lambda: read_points(place.connection, place.device, tried),
        untried={"why": "", "values": {order: {"ok": True, "v": "", "why": ""} for order in tried}},
    )


def _trouble(id: str, why: str) -> Steps[None]:  # noqa: A002
    choice = yield from ask(
        menu(
            f"{id}.trouble",
            _("This value could not be read. What now?"),
            [
                Choice("again", _("read again")),
                Choice("change", _("change what I typed for this value")),
                Choice("keep", _("keep it, the device will be there later")),
            ],
            default="again",
            facts=why,
            remember=False,
            exit_code=DEVICE_UNREADABLE,
            why=_("Check power and wiring; b goes back, also to the adapter and the unit id."),
        )
    )
    if choice != "keep":
        yield Rewind(f"{id}.look" if choice == "again" else f"{id}.name")


def _order(id: str, candidates: list[str], values: Values) -> Question[str]:  # noqa: A002
    """Ask which number is right: byte orders as values, since nobody knows theirs by name."""
    notes = [_("the usual way"), _("words swapped"), _("bytes swapped"), _("all swapped")]
    choices = [
        Choice(order, f"{values[order]['v']:24} {note}" if order in values else note)
        for order, note in zip(candidates, notes, strict=True)
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


def _go_on(id: str, facts: str, why: str) -> Steps[bool]:  # noqa: A002
    choice = yield from ask(
        menu(
            f"{id}.next",
            _("What next?") if why else _("Is this right?"),
            [
                Choice("done", _("yes, and that was the last value")),
                Choice("more", _("yes, and there is another value")),
                Choice("again", _("read again")),
                Choice("change", _("no, change it")),
            ],
            default="done",
            facts=facts,
            remember=False,
            exit_code=DEVICE_UNREADABLE,
            why=_("Compare it with the device's display."),
        )
    )
    if choice in {"again", "change"}:
        yield Rewind(f"{id}.look" if choice == "again" else f"{id}.name")
    return choice == "more"
