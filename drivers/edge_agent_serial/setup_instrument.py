"""How the wizard finds out what an instrument says: it listens, recognises, and asks for a number.

The person never has to know speed, parity or protocol: the number on the display decides.
"""

from collections.abc import Sequence
from typing import Any

from edge_agent.commissioning import (
    DEVICE_UNREADABLE,
    Back,
    Choice,
    Home,
    Look,
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
from edge_agent_serial import library
from edge_agent_serial.setup_asked import ask_instrument
from edge_agent_serial.setup_display import Instrument, other_number, settings_of
from edge_agent_serial.setup_evidence import GENERIC, Reading, lines_in, readings
from edge_agent_serial.setup_expert import typed
from edge_agent_serial.setup_hearing import listen

MOST_OFFERED = 4
CODES = "code-reader"
"""The recipe for lines that are texts, one for each press of a key."""
PRESSED = 30.0
"""Seconds to press a key of the instrument, or to set it to send by itself."""
PRESSES = 3
"""By three lines most families are known."""
UNTRIED = {
    "problem": "",
    "is_silent": False,
    "heard": "12.35\r\n" * 4,
    "line": {},
    "recipes": [],
    "is_clear": True,
    "lines": [],
}
"""What is supposed to be heard where questions are only listed."""


def identify(id: str, way: Values, home: Home) -> Steps[Instrument]:  # noqa: A002
    """Listen and ask until it is known what the instrument says."""
    seen = yield from _listened(id, way, f"{id}.listen", None)
    if seen["problem"]:
        yield from _closed(id, seen["problem"])
    if seen["is_silent"]:
        seen = yield from _silent(id, way)
    if isinstance(seen, Instrument):
        return seen
    return (yield from _heard(id, way, seen, home))


def _listened(id: str, way: Values, at: str, seconds: float | None) -> Steps[Values]:  # noqa: A002
    doing = _("Listening (nothing is sent) ...")
    if seconds:
        doing = _("Listening: press PRINT or SEND {n} times now ...").format(n=PRESSES)
    seen: Values = yield from look(
        Look(
            f"{at}.look",
            doing,
            lambda progress: listen(way, progress, seconds, _pressed if seconds else None),
            untried=UNTRIED,
            lasting=True,
        )
    )
    return {**seen, "at": f"{at}.look"}


def _pressed(heard: bytes) -> bool:
    return lines_in(heard) >= PRESSES


def _closed(id: str, problem: str) -> Steps[None]:  # noqa: A002
    yield from what_now(
        f"{id}.listen.trouble",
        _("The line cannot be listened to. What now?"),
        [
            Back("again", _("try again"), f"{id}.listen.look"),
            Back("change", _("another adapter or address"), f"{id}.transport"),
        ],
        facts=problem,
        exit_code=DEVICE_UNREADABLE,
    )


def _silent(id: str, way: Values) -> Steps[Any]:  # noqa: A002
    """Say that nothing came by itself, and ask what may be tried."""
    choice = yield from what_now(
        f"{id}.silent",
        _("What may be tried?"),
        [
            Choice("press", _("listen again while I press PRINT or SEND")),
            Choice("ask", _("ask the instrument for its number")),
            Back("change", _("another adapter or address"), f"{id}.transport"),
            Choice("typed", _("I type everything (for experts)")),
        ],
        default="press",
        facts=_(
            "Nothing came. Check in this order:\n"
            " 1. Is it on, and its cable in (TX to RX, GND to GND)?\n"
            " 2. Does its menu have continuous sending? Set it so.\n"
            " 3. Some send only when PRINT is pressed, some only\n"
            "    when they are asked."
        ),
        exit_code=DEVICE_UNREADABLE,
        why=_("Listening never disturbs an instrument. Asking is tried only if you say so."),
    )
    if choice == "ask":
        found = yield from ask_instrument(id, way)
        return Instrument(
            found.settings,
            found.field,
            unit=found.unit,
            parameters=found.parameters,
            shown=found.shown,
        )
    if choice == "typed":
        return Instrument((yield from typed(id, way)))
    seen = yield from _listened(id, way, f"{id}.press", PRESSED)
    if seen["problem"] or seen["is_silent"]:
        yield Rewind(f"{id}.silent")
    return {**seen, "pressed": True}


def _heard(id: str, way: Values, seen: Values, home: Home) -> Steps[Instrument]:  # noqa: A002
    """Compare what was heard with the display."""
    heard = seen["heard"].encode("latin-1")
    found = readings(heard, (*seen["recipes"], GENERIC)) if seen["is_clear"] else []
    offered = [one for one in found if one.value][:MOST_OFFERED]
    choice = yield from ask(_compared(id, seen, offered))
    if choice == "again":
        yield Rewind(seen["at"])
    if choice == "typed":
        return Instrument((yield from typed(id, way)))
    if choice == "other":
        return (yield from other_number(id, way, seen, home))
    settings = settings_of(way, seen, choice)
    reading = next((one for one in offered if one.recipe == choice), None)
    if reading is None:
        return Instrument(settings)
    return Instrument(settings, reading.field, unit=reading.unit, shown=_number(reading))


def _compared(id: str, seen: Values, offered: Sequence[Reading]) -> Question[str]:  # noqa: A002
    """Show what was heard, and the number each recipe takes out of it."""
    choices = [Choice(one.recipe, _said(one, several=len(offered) > 1)) for one in offered]
    if seen["is_clear"]:
        text = _("no, the display shows another number")
        learn = _("I type the number on the display; its lines are learnt")
        choices.append(Choice("other", text if offered else learn))
    if seen.get("pressed"):
        choices.append(Choice(CODES, _("the whole line as a text, such as a scanned code")))
    choices += [
        Choice("again", _("listen again")),
        Choice("typed", _("I type everything (for experts)")),
    ]
    words = [choice.word for choice in choices]

    def parse(answer: str) -> str:
        if answer not in words:
            library.load(answer)  # who knows its recipe may name it
        return answer

    return menu(
        f"{id}.recipe",
        _question(offered, is_clear=seen["is_clear"]),
        choices,
        parse=parse,
        default=None if offered else choices[0].word,  # a comparison is nobody's default
        facts="\n".join([_("This was heard last:"), *(f"  {line}" for line in seen["lines"])]),
        remember=False,
        exit_code=DEVICE_UNREADABLE,
        why=_(
            "The number shall be the one on the display, with its point in the right place. Then "
            "speed, format and all the rest are right, too."
        ),
    )


def _question(offered: Sequence[Reading], *, is_clear: bool) -> str:
    if len(offered) == 1:
        text = _("Is {number} what the display shows?")
        return text.format(number=_number(offered[0]))
    if offered:
        return _("Which of these does the display show?")
    if is_clear:
        return _("No known instrument speaks like this. What now?")
    return _("Something is sent, but it cannot be read as text at any usual speed. What now?")


def _number(reading: Reading) -> str:
    return f"{reading.value} {reading.unit}".rstrip()


def _said(reading: Reading, *, several: bool) -> str:
    if several:
        return f"{_number(reading)}   ({_(reading.title)})"
    return _("yes  ({title})").format(title=_(reading.title))
