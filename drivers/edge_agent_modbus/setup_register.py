"""Values of a device that is in no list: told by the number on its display (S9).

Nobody is asked for type, byte order or table: registers around the written address are read, and
what shows the display's number is it. Names and units only people know.
"""

from collections.abc import Sequence
from typing import NamedTuple

from edge_agent.commissioning import (
    Choice,
    Draft,
    Link,
    Look,
    Progress,
    Question,
    Rewind,
    Steps,
    Values,
    _,
    ask,
    look,
    menu,
    new_name,
    people_say,
    unit_question,
)
from edge_agent_modbus.candidates import Shown, parse_shown
from edge_agent_modbus.setup_match import (
    SUPPOSED,
    Places,
    Way,
    bytes_told,
    is_open,
    places_of,
    ranked,
    registers_around,
    remark,
)

DEVICE_UNREADABLE = 4  # the published exit code
_LISTED = 6
_NOTHING = "none"
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
    way = yield from _matched(id, link, unit, len(known) + 1)
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


def _matched(id: str, link: Link, unit: int, number: int) -> Steps[Way]:  # noqa: A002
    """Ask where a value is and what the display shows; give the way that shows the same."""
    places = yield from ask(_where(id))
    text = yield from ask(_display(id, number))
    first = yield from _looked(f"{id}.look", link, unit, places)
    yield from _unless_read(id, first)
    shown = parse_shown(text)
    found = ranked(places, [first], [shown])
    if first.get("supposed"):  # nothing is tried, the questions are only listed
        yield from ask(_second_display(id, found))
        yield from ask(Question(id=f"{id}.which", text="", parse=str, default=""))
        return SUPPOSED
    if is_open(found, shown):
        again = yield from ask(_second_display(id, found))
        if again:
            second = yield from _looked(f"{id}.look.2", link, unit, places)
            found = ranked(places, [first, second], [shown, parse_shown(again)]) or found
    if not found:
        yield from _no_match(id, first)
    chosen = yield from ask(_which(id, found, first, shown))
    if chosen == _NOTHING:
        yield Rewind(f"{id}.shown")
    way = next(each for each in found if each.word == chosen)
    way.at, way.shown, way.typed = first["at"], _digits(way, shown), text.strip()
    return way


def _where(id: str) -> Question[Places]:  # noqa: A002
    return Question(
        id=f"{id}.address",
        text=_("Which register holds the value, as the maker's list has it?"),
        parse=places_of,
        example="40108",
        why=_(
            "Examples: 40108, 30001, 107, 0x006B. The list is in the device's manual. Registers "
            "beside it are looked at as well, since lists count from 0 or from 1."
        ),
    )


def _display(id: str, number: int) -> Question[str]:  # noqa: A002
    return Question(
        id=f"{id}.shown",
        text=_("Value {number}: what number does the device's display show for it now?").format(
            number=number
        ),
        parse=_to_shown,
        example="231.4",
        why=_(
            "Type it as it stands there, with all its digits. The more digits, the surer. If the "
            "display shows it at no time, any other instrument does that shows the same."
        ),
    )


def _to_shown(answer: str) -> str:
    parse_shown(answer)
    return answer


def _looked(look_id: str, link: Link, unit: int, places: Places) -> Steps[Values]:
    def run(_progress: Progress) -> Values:
        return registers_around(link.settings, unit, places)

    untried: Values = {"why": "", "tables": {}, "supposed": True}
    seen: Values = yield from look(Look(look_id, _("Reading the registers ..."), run, untried))
    return seen


def _unless_read(id: str, seen: Values) -> Steps[None]:  # noqa: A002
    if not seen["why"]:
        return
    choice = yield from ask(
        menu(
            f"{id}.trouble",
            _("Nothing could be read there. What now?"),
            [Choice("again", _("read again")), Choice("change", _("another register"))],
            default="change",
            facts=seen["why"],
            remember=False,
            exit_code=DEVICE_UNREADABLE,
            why=_("A device refuses registers that it does not have."),
        )
    )
    yield Rewind(f"{id}.look" if choice == "again" else f"{id}.address")


def _second_display(id: str, found: Sequence[Way]) -> Question[str]:  # noqa: A002
    return Question(
        id=f"{id}.shown.2",
        text=_("Wait until the number changes, then type what the display shows (- to skip):"),
        parse=lambda answer: "" if answer in {"", "-"} else _to_shown(answer),
        default="-",
        facts=_("A number with so few digits fits {n} ways to read the registers.").format(
            n=len(found)
        ),
        why=_("A second number, of another moment, mostly leaves one way only."),
    )


def _no_match(id: str, seen: Values) -> Steps[None]:  # noqa: A002
    choice = yield from ask(
        menu(
            f"{id}.nothing",
            _("Nothing there shows that number. What now?"),
            [
                Choice("shown", _("look at the display again")),
                Choice("address", _("another register")),
            ],
            default="address",
            facts=bytes_told(seen),
            remember=False,
            exit_code=DEVICE_UNREADABLE,
            why=_(
                "One register before and behind were looked at as well. The display may show "
                "another phase, a sum, or another unit."
            ),
        )
    )
    yield Rewind(f"{id}.{choice}")


def _which(id: str, found: Sequence[Way], seen: Values, shown: Shown) -> Question[str]:  # noqa: A002
    # What looks alike cannot be told apart by anybody: the likelier one is shown.
    texts: dict[str, Way] = {}
    for way in found:
        texts.setdefault(f"{_digits(way, shown):14} {remark(way)}".rstrip(), way)
    choices = [Choice(way.word, text) for text, way in [*texts.items()][:_LISTED]]
    exact = [way for way in texts.values() if _is_it(way, shown)]
    choices.append(Choice(_NOTHING, _("none of these")))
    return menu(
        f"{id}.which",
        _shows_it(list(texts.values()), shown),
        choices,
        # one of several that show it, or one that only nearly does, is not taken by Enter alone
        default=found[0].word if exact == [found[0]] else None,
        example=choices[0].word,
        facts=bytes_told(seen),
        remember=False,
        why=_("If two show the same now, take the first, and compare again tomorrow."),
    )


def _shows_it(ways: Sequence[Way], shown: Shown) -> str:
    if not any(_is_it(way, shown) for way in ways):
        return _("Not that number, but one near it: has it changed? Which one is it?")
    if len(ways) == 1:
        return _("This shows the number. Is it right?")
    return _("These show the number, the likeliest first. Which one?")


def _is_it(way: Way, shown: Shown) -> bool:
    return _digits(way, shown) == f"{shown.number:.{shown.decimals}f}"


def _digits(way: Way, shown: Shown) -> str:
    """Write a value with as many digits as the display has."""
    return f"{way.candidate.value:.{shown.decimals}f}"


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
    choice = yield from ask(
        menu(
            f"{id}.next",
            _("Another value of this device?"),
            [
                Choice("done", _("no, that was the last one")),
                Choice("more", _("yes")),
                Choice("change", _("no, this one is wrong: change it")),
            ],
            default="done",
            facts=f"{name} = {shown or _('not read')}",
            remember=False,
            why=_("Compare it with the device's display."),
        )
    )
    if choice == "change":
        yield Rewind(f"{id}.address")
    return choice == "more"
