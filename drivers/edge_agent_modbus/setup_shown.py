"""Which register shows the number that is on a device's display.

Nobody is asked for type, byte order or table: registers around the written address are read, and
what shows the display's number is it.
"""

from collections.abc import Sequence

from edge_agent.commissioning import (
    DEVICE_UNREADABLE,
    Back,
    Choice,
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
    what_now,
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

_LISTED = 6
_NOTHING = "none"


def matched(id: str, link: Link, unit: int, number: int) -> Steps[Way]:  # noqa: A002
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
    yield from what_now(
        f"{id}.trouble",
        _("Nothing could be read there. What now?"),
        [
            Back("again", _("read again"), f"{id}.look"),
            Back("change", _("another register"), f"{id}.address"),
        ],
        default="change",
        facts=seen["why"],
        exit_code=DEVICE_UNREADABLE,
        why=_("A device refuses registers that it does not have."),
    )


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
    yield from what_now(
        f"{id}.nothing",
        _("Nothing there shows that number. What now?"),
        [
            Back("shown", _("look at the display again"), f"{id}.shown"),
            Back("address", _("another register"), f"{id}.address"),
        ],
        default="address",
        facts=bytes_told(seen),
        exit_code=DEVICE_UNREADABLE,
        why=_(
            "One register before and behind were looked at as well. The display may show "
            "another phase, a sum, or another unit."
        ),
    )


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
