"""The expert's way: speed, request and a regular expression for the line are typed."""

from edge_agent.commissioning import (
    Choice,
    Question,
    Steps,
    Values,
    _,
    ask,
    baud,
    checked,
    menu,
    parity,
    valid,
)
from edge_agent_serial.config import SerialSettings

# The first number of a line, with its sign. A number it does not wholly understand, such as
# 1,234.5, matches nothing, because a wrong value is worse than none.
FIRST_NUMBER = r"[^0-9+-]*(?P<value>[+-]? *[0-9]+(?:[.,][0-9]+)?)(?:[^0-9.,].*)?"
FIRST = "first-number"


def typed(id: str, way: Values) -> Steps[Values]:  # noqa: A002 - the word of Question
    """Ask for everything; give the settings of the connection."""
    settings = dict(way)
    if way["transport"] == "serial":
        settings["baud"] = int((yield from ask(baud(id))))
        settings["parity"] = yield from ask(parity(id))
    settings |= yield from _mode(id, settings)
    pattern = yield from ask(
        Question(
            id=f"{id}.pattern",
            text=_("Which part of a line is wanted? Choose, or type a regular expression."),
            parse=valid(lambda text: checked(SerialSettings, {**settings, "pattern": _full(text)})),
            choices=(Choice(FIRST, _("the first number in it, such as 12.35 in: ST,+12.35 kg")),),
            default=FIRST,
            why=_("An expression describes the whole line and names fields: (?P<weight>...)."),
        )
    )
    return {**settings, "pattern": _full(pattern)}


def _full(pattern: str) -> str:
    return FIRST_NUMBER if pattern == FIRST else pattern


def _mode(id: str, settings: Values) -> Steps[Values]:  # noqa: A002
    mode = yield from ask(
        menu(
            f"{id}.mode",
            _("Does it send by itself, or only when it is asked?"),
            [Choice("stream", _("by itself")), Choice("poll", _("when it is asked"))],
            default="stream",
            why=_("Scales often have a menu for it: continuous, or on request."),
        )
    )
    if mode == "stream":
        return {"mode": mode}

    def check(request: str) -> object:
        trial = {**settings, "mode": mode, "effect": "read", "pattern": FIRST_NUMBER}
        return checked(SerialSettings, {**trial, "request": request})

    request = yield from ask(
        Question(
            id=f"{id}.request",
            text=_("What is sent to ask for a value?"),
            parse=valid(check),
            example=r"SI\r\n",
            why=_(r"The manual's command for reading; \r\n stands for the end of a line."),
        )
    )
    effect = yield from ask(
        menu(
            f"{id}.effect",
            _("This is sent to the machine again and again. It must not change anything."),
            [Choice("read", _("I am sure: it only reads"))],
            why=_("This program never changes machines. Press b to type another request."),
            example="read",
        )
    )
    return {"mode": mode, "request": request, "effect": effect}
