"""What may be sent to an instrument: questions only. Pure.

Each protocol family has a list of the questions it knows; whatever else would be sent is refused,
with the effect it would have where that is known. A request of no named family is text, and is
held back by an alphabet in which binary protocols cannot be written and by a list of words that
change something in any family. The check is made when a recipe or configuration is read, and again
on the very bytes that are about to be sent.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple, get_args

from edge_agent.language import _, later
from edge_agent_serial import binaries
from edge_agent_serial.part import written

LONGEST = 64
"""Bytes of a request in text; a question to an instrument is a few letters."""

Family = Literal[
    "text", "mt-sics", "and", "sbi", "mitutoyo", "haas", "shdr", "keyence", "iec62056", "fx-link",
    "fx-programming", "host-link", "compoway", "mewtocol", "dlt645", "ppi", "mbus", "aibus",
    "mc-1e", "mc-3e",
]  # fmt: skip
"""The families whose questions are known; `text` for all others."""

# printable ASCII, CR, LF, tab, and what starts or ends a question: STX ETX EOT ENQ ESC
_SAYABLE = re.compile(rb"[\x20-\x7e\r\n\t\x02\x03\x04\x05\x1b]*")

_Words = Sequence[tuple[str, str]]

_VERBS = (
    "RUN|START|STOP|HALT|ABORT|RESET|RST|REBOOT|INIT|TRIG|TRIGGER|SET|WRITE|WRT|SAVE|STORE|PRESET|"
    "CLEAR|CLR|ERASE|DELETE|DEL|FORMAT|MOVE|JOG|HOME|ENABLE|DISABLE|OPEN|CLOSE|SWITCH|RELAY|OUTP|"
    "OUTPUT|CONF|CONFIG|CONFIGURE|PROG|PROGRAM|ADJUST"
)
"""Words with which a command begins."""

_WORDS_THAT_CHANGE: _Words = (
    # Mettler Toledo MT-SICS
    (r"T|TI|TC|TAC|TA\s.+", later("tares the scale (MT-SICS, A&D)")),
    (r"Z|ZI|ZC|ZERO.*", later("zeroes the scale (MT-SICS, A&D)")),
    (r"@", later("resets the instrument (MT-SICS)")),
    (r"TARE.*|TR|PT.*", later("tares the scale")),
    (
        r"(D\s.+|DW|K(MN)?(\s.*)?|PWR.*|C\d.*|M\d+\s.+)",
        later("changes a setting of the instrument (MT-SICS)"),
    ),
    # A&D
    (r"R|C|CAL.*|EXC|OFF|ON|P|PRT", later("operates a key of the instrument (A&D)")),
    # Sartorius SBI: ESC and one letter
    (r"\x1b[TUVZWSOKLMN].*", later("operates a key of the scale (Sartorius SBI)")),
    (r"\x1bf.*", later("operates a key of the scale (Sartorius SBI)")),
    # SCPI: what has no question mark sets something
    (r"\*(RST|CLS|SAV|RCL|TRG|ESE|SRE)\b.*", later("changes the instrument (SCPI)")),
    (
        r"[:*]?[A-Z]+\d*(:[A-Z]+\d*)+(\s[^?]*)?",
        later("sets something (SCPI, without a question mark)"),
    ),
    # what many instruments call it, of whatever family
    (rf":?({_VERBS})\d*([^A-Z0-9?][^?]*)?", later("commands the instrument")),
    (r":?(SETP|SP|OUT|VOLT|CURR|FREQ|POW)[A-Z]*\d*\s+[^?]+", later("sets something")),
    (r":?\w+\s*:?=\s*[-+.\d]+", later("sets something")),
    (r"\??E\d.*", later("writes a macro variable (Haas)")),
    # Modbus ASCII, functions that write
    (r":[0-9A-F]{2}(05|06|0F|10|15|16|17).*", later("is a Modbus request that writes")),
    # Omron Host Link, Mitsubishi computer link and programming port, Panasonic MEWTOCOL
    (r"@\d\d(W|SC|KS|KR|KC|RP|FK|XZ|\*\*).*", later("writes to the controller (Host Link)")),
    (
        r"\x05[0-9A-F]{4}(BW|WW|QW|BT|WT|RR|RS|GW).*",
        later("writes to the controller (computer link)"),
    ),
    (r"(1[0-9A-F]{8,}|[78][0-9A-F]{4})", later("writes to the controller (programming port)")),
    (r"%[0-9E]{2}#(W|M|S|RM).*", later("writes to the controller (MEWTOCOL)")),
    # Omron CompoWay/F: node, sub-address, 0, then what is done
    (r"\d{4}0(0102|0113|3005).*", later("writes to the controller (CompoWay/F)")),
    # Keyence KV
    (r"(WR|WRS|WRE|ST|STS|RS|RSS|M[01]|ER)\b.*", later("writes to the controller (Keyence)")),
)


class _Talk(NamedTuple):
    """A family that speaks in text: its questions as a whole, and what other words would do."""

    questions: str
    others: _Words = ()


_TALK: Mapping[str, _Talk] = {
    # Mettler Toledo, MT-SICS reference manual: levels 0 and 1
    "mt-sics": _Talk(r"(S|SI|SIR|SIX1|TA|I[0-5])\r?\n", _WORDS_THAT_CHANGE),
    # A&D: EK-L, GC and GX manuals, commands
    "and": _Talk(r"(Q|S|SI|SIR|\?(ID|SN|TN|PT|HI|LO))\r?\n", _WORDS_THAT_CHANGE),
    # Sartorius: Entris II and Master series, SBI commands
    "sbi": _Talk(r"\x1b(P|x[12]_)(\r\n?)?", _WORDS_THAT_CHANGE),
    # Mitutoyo: IT-007R sends on any key, MUX-10 by channel; ID-H by GA and number
    "mitutoyo": _Talk(
        r"([1-9]|GA\d\d)(\r\n?|\n)?", ((r"C[A-Z]\d*.*|D[HSP].*", later("sets the gauge")),)
    ),
    # Haas: machine data collection, Q commands; E writes a macro variable
    "haas": _Talk(r"\?Q\d{3}( \d{1,5})?\r\n?", _WORDS_THAT_CHANGE),
    # MTConnect SHDR: the adapter's heartbeat
    "shdr": _Talk(r"\* PING\r?\n"),
    # Keyence KV, host link
    "keyence": _Talk(
        r"(\?K|RD [A-Z]{0,3}\d{1,6}(\.[USDLH])?|RDS [A-Z]{0,3}\d{1,6}(\.[USDLH])? \d{1,4})\r",
        _WORDS_THAT_CHANGE,
    ),
    # IEC 62056-21, mode C: sign on, acknowledge with read-out (Y = 0), break
    "iec62056": _Talk(
        r"/\?[0-9A-Za-z ]{0,32}!\r\n|\x060[0-9A-I]0\r\n|\x01B0\x03q",
        (
            (r"\x060[0-9A-I]1", later("asks for programming mode (IEC 62056-21)")),
            (r"\x01(W\d|P\d|E\d).*", later("writes to the meter (IEC 62056-21)")),
        ),
    ),
    # Mitsubishi MELSEC communication protocol, 1C frame; also the acknowledgement of an answer
    "fx-link": _Talk(
        r"\x05[0-9A-F]{4}(BR|WR|QR|TT|PC)[0-9A-F][0-9A-Z]{0,32}(\r\n)?|\x06[0-9A-F]{4}(\r\n)?",
        (
            *_WORDS_THAT_CHANGE,
            (r"\x05[0-9A-F]{4}R[RS].*", later("starts or stops the controller (computer link)")),
        ),
    ),
    # Mitsubishi MELSEC-FX programming port: command 0 reads; ENQ asks who is there
    "fx-programming": _Talk(
        r"\x020[0-9A-F]{6}\x03[0-9A-F]{2}|\x05",
        ((r"\x02?[1-9A-F].*", later("writes to or forces the controller (programming port)")),),
    ),
    # Omron Host Link, C mode; a lone CR asks for the next part of a long answer
    "host-link": _Talk(
        r"@\d\d(RR|RL|RH|RC|RG|RD|RJ|MS|MM|TS)[0-9A-Z]{0,40}[0-9A-F]{2}\*\r|\r", _WORDS_THAT_CHANGE
    ),
    # Omron CompoWay/F: read variable area, attributes, status. Source: E5xC Communications Manual
    # (H175), 2-2; 0102 and 0113 write, 3005 operates, 0104 reads and is not needed
    "compoway": _Talk(
        r"\x02\d{4}0(0101[0-9A-F]{12}|0503|0601)\x03[\x00-\xff]",
        ((r"\x02?\d{4}0.*", later("is none of the questions of CompoWay/F (0101, 0503, 0601)")),),
    ),
    # Panasonic MEWTOCOL-COM
    "mewtocol": _Talk(
        r"%[0-9]{2}#(RCS|RCP|RCC|RD|RS|RK|RT)[0-9A-Z]{0,40}([0-9A-F]{2}|\*\*)\r", _WORDS_THAT_CHANGE
    ),
}

_BINARIES: Mapping[str, Callable[[bytes], str | None]] = {
    "dlt645": binaries.dlt645,
    "ppi": binaries.ppi,
    "mbus": binaries.mbus,
    "aibus": binaries.aibus,
    "mc-1e": binaries.mc_1e,
    "mc-3e": binaries.mc_3e,
}


def objection(data: bytes | str, family: str | None = None, deny: Sequence[str] = ()) -> str | None:
    """Say why these bytes must not be sent; None if they are a question.

    Args:
        data: What would be sent.
        family: One of `Family`; None is `text`.
        deny: Further regular expressions, on the bytes as latin-1 text, of what is forbidden.
    """
    if isinstance(data, str):
        try:
            data = data.encode("latin-1")
        except UnicodeEncodeError:
            return _("the request holds characters that are no bytes")
    if not data:
        return _("the request is empty")
    return _forbidden(data, deny) or _changing(data, family or "text")


def _forbidden(data: bytes, deny: Sequence[str]) -> str | None:
    text = data.decode("latin-1")
    found = next((pattern for pattern in deny if re.search(pattern, text, re.DOTALL)), None)
    return (
        _("{data!r} is forbidden by the recipe ({found})").format(data=written(data), found=found)
        if found
        else None
    )


def _changing(data: bytes, family: str) -> str | None:
    if (binary := _BINARIES.get(family)) is not None:
        effect = binary(data)
        return (
            _("{data!r} {effect}, and this agent only reads").format(
                data=written(data), effect=effect
            )
            if effect
            else None
        )
    if (talk := _TALK.get(family)) is not None:
        return _talk(data, talk, family)
    return _text(data)


def _talk(data: bytes, talk: _Talk, family: str) -> str | None:
    text = data.decode("latin-1")
    if re.fullmatch(talk.questions, text, re.DOTALL):
        return None
    if reason := _changes(text, talk.others):
        return reason
    return _("{data!r} is none of the questions known for {family}, so it is not sent").format(
        data=written(data), family=family
    )


def _text(data: bytes) -> str | None:
    if not data.strip():
        return _("the request is empty")
    if len(data) > LONGEST:
        return _("the request is longer than {longest} characters, which no question is").format(
            longest=LONGEST
        )
    if not _SAYABLE.fullmatch(data):
        return _(
            "the request holds bytes that no question in text needs; for a binary "
            "protocol write its family: {family}"
        ).format(family=", ".join(get_args(Family)))
    return _changes(data.decode("latin-1"), _WORDS_THAT_CHANGE)


def _changes(text: str, words: _Words) -> str | None:
    lines = re.split(r"[\r\n\x03\x04;]+", text)
    return next((found for line in lines if (found := _change(line.strip(" \t\x02"), words))), None)


def _change(line: str, words: _Words) -> str | None:
    for pattern, effect in words:
        if re.fullmatch(pattern, line, re.IGNORECASE | re.DOTALL):
            return _("{line!r} {effect}, and this agent only reads").format(
                line=line, effect=_(effect)
            )
    return None
