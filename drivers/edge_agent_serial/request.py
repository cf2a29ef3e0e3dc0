"""What may be sent to an instrument: questions only. Pure.

The text of a request is the user's, so two fences keep it a question: an alphabet in which binary
protocols cannot be written, and a list of commands known to change something.
"""

import re
from collections.abc import Sequence

LONGEST = 64
"""Bytes; a question to an instrument is a few letters."""

_ESCAPE = re.compile(r"\\(?:(?P<hex>x[0-9A-Fa-f]{2})|(?P<letter>[rntabfv\\]))|\\")
_LETTERS = {"r": "\r", "n": "\n", "t": "\t", "\\": "\\", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}

# printable ASCII, CR, LF, tab, and what starts or ends a question: STX ETX EOT ENQ ESC
_SAYABLE = re.compile(r"[\x20-\x7e\r\n\t\x02\x03\x04\x05\x1b]*")

_WORDS_THAT_CHANGE: Sequence[tuple[str, str]] = (
    # Mettler Toledo MT-SICS
    (r"T|TI|TC|TAC|TA\s.+", "tares the scale (MT-SICS, A&D)"),
    (r"Z|ZI|ZC|ZERO.*", "zeroes the scale (MT-SICS, A&D)"),
    (r"@", "resets the instrument (MT-SICS)"),
    (r"TARE.*|TR|PT.*", "tares the scale"),
    (
        r"(D\s.+|DW|K(MN)?(\s.*)?|PWR.*|C\d.*|M\d+\s.+)",
        "changes a setting of the instrument (MT-SICS)",
    ),
    # A&D
    (r"R|C|CAL.*|EXC|OFF|ON|P|PRT", "operates a key of the instrument (A&D)"),
    # Sartorius SBI: ESC and one letter
    (r"\x1b[TUVZWSOKLMN].*", "operates a key of the scale (Sartorius SBI)"),
    (r"\x1bf.*", "operates a key of the scale (Sartorius SBI)"),
    # SCPI: what has no question mark sets something
    (r"\*(RST|CLS|SAV|RCL|TRG|ESE|SRE)\b.*", "changes the instrument (SCPI)"),
    (r"\??E\d.*", "writes a macro variable (Haas)"),
    # Modbus ASCII, functions that write
    (r":[0-9A-F]{2}(05|06|0F|10|15|16|17).*", "is a Modbus request that writes"),
    # Omron Host Link, Mitsubishi computer link
    (r"@\d\d(W|SC|KS|KR|RP|FK).*", "writes to the controller (Host Link)"),
    (r"\x05[0-9A-F]{4}(BW|WW|BT|WT|RR|RS|GW).*", "writes to the controller (computer link)"),
)


def unescape(text: str) -> str:
    r"""Replace `\r`, `\n`, `\x1b` and the like by what they stand for.

    Raises:
        ValueError: A backslash stands before something else.
    """

    def replace(found: re.Match[str]) -> str:
        if found["hex"]:
            return chr(int(found["hex"][1:], 16))
        if found["letter"]:
            return _LETTERS[found["letter"]]
        raise ValueError(rf"{text!r}: after a backslash write r, n, t, x and two digits, or \\")

    return _ESCAPE.sub(replace, text)


def objection(request: str) -> str | None:
    """Say why this request must not be sent; None if nothing is known against it."""
    if not request.strip():
        return "the request is empty"
    if len(request) > LONGEST:
        return f"the request is longer than {LONGEST} characters, which no question is"
    if not _SAYABLE.fullmatch(request):
        return "the request holds bytes that no question in text needs"
    lines = re.split(r"[\r\n\x03\x04]+", request)
    return next((found for line in lines if (found := _change(line.strip(" \t\x02")))), None)


def _change(line: str) -> str | None:
    for words, effect in _WORDS_THAT_CHANGE:
        if re.fullmatch(words, line, re.IGNORECASE | re.DOTALL):
            return f"{line!r} {effect}, and this agent only reads"
    return None
