"""What the wizard asks about instruments that speak lines of text: scales, gauges, counters."""

import re

from edge_agent.language import _
from edge_agent.setup.draft import Values, address_of, settings_of
from edge_agent.setup.meaning import to_host, whole
from edge_agent.setup.modbus_link import baud, parity, serial_port
from edge_agent.setup.question import Choice, Question, Steps, ask, menu, valid

# The first number of a line, with its sign. A number it does not wholly understand, such as
# 1,234.5, matches nothing, because a wrong value is worse than none.
FIRST_NUMBER = r"[^0-9+-]*(?P<value>[+-]? *[0-9]+(?:[.,][0-9]+)?)(?:[^0-9.,].*)?"
FIRST = "first-number"


def text_link(id: str) -> Steps[Values]:  # noqa: A002 - the word of Question
    """Ask where the instrument is, whether it speaks by itself, and what a line looks like."""
    settings = yield from _way(id)
    settings |= yield from _mode(id, settings)
    pattern = yield from ask(
        Question(
            id=f"{id}.pattern",
            text=_("Which part of a line is wanted? Choose, or type a regular expression."),
            parse=valid(lambda text: settings_of("serial", {**settings, "pattern": _full(text)})),
            choices=(Choice(FIRST, _("the first number in it, such as 12.35 in: ST,+12.35 kg")),),
            default=FIRST,
            why=_("An expression describes the whole line and names fields: (?P<weight>...)."),
        )
    )
    return {**settings, "pattern": _full(pattern)}


def text_point(id: str, device_address: Values, settings: Values) -> Steps[Values]:  # noqa: A002
    """Ask which field a value is, where the pattern names several."""
    fields = list(re.compile(settings["pattern"]).groupindex)
    if len(fields) == 1:
        return {"field": fields[0]}
    field = yield from ask(
        menu(
            f"{id}.field",
            _("Which field of the line is it?"),
            [Choice(field, field) for field in fields],
            parse=valid(lambda field: address_of("serial", {**device_address, "field": field})),
            why=_("These are the names in the expression for the line."),
        )
    )
    return {"field": field}


def _full(pattern: str) -> str:
    return FIRST_NUMBER if pattern == FIRST else pattern


def _way(id: str) -> Steps[Values]:  # noqa: A002
    transport = yield from ask(
        menu(
            f"{id}.transport",
            _("How is the instrument connected?"),
            [
                Choice("serial", _("to a serial port of this gateway")),
                Choice("tcp", _("to the network, directly or by a converter")),
            ],
            default="serial",
        )
    )
    if transport == "serial":
        port = yield from ask(serial_port(id))
        speed = int((yield from ask(baud(id))))
        check = yield from ask(parity(id))
        return {"transport": transport, "port": port, "baud": speed, "parity": check}
    host = yield from ask(
        Question(
            id=f"{id}.host",
            text=_("Its address in the network?"),
            parse=to_host,
            example="192.168.1.10",
        )
    )
    number = yield from ask(
        Question(id=f"{id}.port", text=_("Its port?"), parse=whole(1, 65535), example="4001")
    )
    return {"transport": transport, "host": host, "port": number}


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
        return settings_of("serial", {**trial, "request": request})

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
