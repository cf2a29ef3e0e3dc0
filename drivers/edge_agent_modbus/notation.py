"""Register addresses as manuals and people write them. Pure.

Two families, and confusing them is off by one and still looks plausible, so nothing is guessed:
numbers of five or six digits are register numbers and count from 1 (`40108`, `400108`); a table
with a colon, or hexadecimal, is an offset as on the wire and counts from 0 (`holding:107`,
`0x006B`).
"""

import re

from edge_agent.language import _
from edge_agent_modbus.pdu import CELLS, Table

_LEADING_DIGIT = {"0": Table.COIL, "1": Table.DISCRETE, "3": Table.INPUT, "4": Table.HOLDING}
_NUMBER = re.compile(r"([0-9])([0-9]{4,5})")
_WIRE = re.compile(r"(coil|discrete|input|holding):(0x[0-9a-fA-F]{1,4}|[0-9]{1,5})")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]{1,4}")
_SHORT = re.compile(r"[0-9]{1,4}")


def parse(written: object) -> tuple[Table, int]:
    """Read an address; give its table and its offset on the wire.

    Args:
        written: Text, or a number as YAML gives it; one with an attribute `text` was written in
            another way than Python would write it (`0x006B`, `00001`), and that way counts.

    Raises:
        ValueError: It means nothing, or it could mean two things; the message says what to write.
    """
    text = _as_text(written)
    if wire := _WIRE.fullmatch(text):
        return Table(wire[1]), _within(int(wire[2], 0) if "x" in wire[2] else int(wire[2]), text)
    if _HEXADECIMAL.fullmatch(text):
        return Table.HOLDING, int(text, 16)
    if number := _NUMBER.fullmatch(text):
        return _numbered(number[1], int(number[2]), text)
    if _SHORT.fullmatch(text):
        raise ValueError(_which_is_meant(int(text)))
    raise ValueError(
        _(
            "{text!r} is no Modbus address: write a register number of five or six "
            'digits as in the manual ("40108"), or a table and an offset counted '
            "from 0 (holding:107)"
        ).format(text=text)
    )


def _as_text(written: object) -> str:
    if isinstance(written, bool) or not isinstance(written, int | str):
        return repr(written)
    return str(getattr(written, "text", written)).strip()


def _numbered(digit: str, number: int, text: str) -> tuple[Table, int]:
    if digit not in _LEADING_DIGIT:
        raise ValueError(
            _(
                "{text!r} is no register number: the first digit must be 0 (coil), 1 "
                "(discrete input), 3 (input register) or 4 (holding register)"
            ).format(text=text)
        )
    if number == 0:
        raise ValueError(
            _(
                "{text!r} does not exist: register numbers count from 1, so the first is "
                "{digits}1; for an offset counted from 0 write {leading_digit}:0"
            ).format(text=text, digits=text[:-1], leading_digit=_LEADING_DIGIT[digit])
        )
    return _LEADING_DIGIT[digit], _within(number - 1, text)


def _within(offset: int, text: str) -> int:
    if offset >= CELLS:
        raise ValueError(
            _("{text!r} lies behind the last offset, {cells} (0xFFFF)").format(
                text=text, cells=CELLS - 1
            )
        )
    return offset


def _which_is_meant(number: int) -> str:
    by_number = _('"{number}" if it is register {register} of a manual that counts from 1').format(
        number=40000 + number, register=number
    )
    choices = _("holding:{number} if it is the offset on the wire, counted from 0").format(
        number=number
    )
    if number:
        choices = _("{by_number}, or {choices}").format(by_number=by_number, choices=choices)
    return _("{number} alone does not say what is meant: write {choices}").format(
        number=number, choices=choices
    )
