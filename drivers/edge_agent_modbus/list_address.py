"""Addresses as register lists write them, taken apart without guessing where they count from. Pure.

Forms: `40001` `400001`, `4096`, `0x1000` `1000H`, `4x0001` `4:100`, `holding:107`, `D100`, and
Neuron's `1!400001.5#BL`; a bit behind a point, the last register behind a dash.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from edge_agent.language import _
from edge_agent.lists import Unclear
from edge_agent_modbus.pdu import Table

LEADING = {"0": Table.COIL, "1": Table.DISCRETE, "3": Table.INPUT, "4": Table.HOLDING}
"""The first digit of a register number. Source: V1.1b3, 4.3, and the manuals of Modicon."""
FUNCTIONS = {1: Table.COIL, 2: Table.DISCRETE, 3: Table.HOLDING, 4: Table.INPUT}


class Form(StrEnum):
    """How an address is written, which decides what is left open about it."""

    WIRE = "wire"  # holding:107, counts from 0
    NUMBER = "number"  # digits only
    LETTERS = "letters"  # hexadecimal digits without a sign, such as 00A0
    HEXADECIMAL = "hexadecimal"  # 0x1000, 1000H
    PREFIXED = "prefixed"  # 4x0001, 4:100
    CELL = "cell"  # D100, X17: the words of a controller's program


@dataclass(frozen=True, slots=True)
class Written:
    """An address as it is written.

    Attributes:
        digits: The number, or the cell.
        table: Where the address itself names it; of `PREFIXED` and `WIRE`.
        last: The number behind a dash, in the same form; empty if there is none.
        endian: Neuron's letters for the byte order, such as `BL`.
        length: Characters of a text, in Neuron's form.
        packing: Neuron's letter for how characters lie in registers.
        is_0x: Whether it is `0x` and decimal digits, which are the first coils to some.
    """

    form: Form
    digits: str
    table: Table | None = None
    unit: int | None = None
    bit: int | None = None
    last: str = ""
    endian: str = ""
    length: int | None = None
    packing: str = ""
    is_0x: bool = False

    @property
    def number(self) -> int:
        """The number as digits say; of a cell there is none."""
        is_hex = self.form in {Form.HEXADECIMAL, Form.LETTERS}
        return int(self.digits, 16 if is_hex else 10)


_NEURON = re.compile(
    r"(?:(?P<unit>\d{1,3})!)?(?P<rest>[^#!]+?)(?:#(?P<endian>[BL]{1,2}))?"
    r"(?:\.(?P<length>\d{1,3})(?P<packing>[HLDE]))?"
)
_SIEMENS = re.compile(r"DB\d+[.,] ?(DB)?[XBWD]?\d+(\.\d+)?", re.IGNORECASE)
_WIRE = re.compile(r"(coil|discrete|input|holding):(0x[0-9a-f]{1,4}|\d{1,5})", re.IGNORECASE)
_PREFIXED = re.compile(r"([134])[x](?: ?[-_: ] ?)?(\d{1,5})|([0134]):(\d{1,5})", re.IGNORECASE)
_HEXADECIMAL = re.compile(r"(?:0x|&h|16#|\$)([0-9a-f]{1,4})|([0-9][0-9a-f]{0,4})h", re.IGNORECASE)
_LETTERS = re.compile(r"(?=.*[a-f])[0-9][0-9a-f]{1,3}|[a-f][0-9a-f]*[a-f][0-9a-f]*", re.IGNORECASE)
_CELL = re.compile(r"%?[a-z]{1,4}\d[0-9a-f]*(\.\d{1,2})?", re.IGNORECASE)
_BIT = re.compile(r"(.*?)(?:\.|[ :]?(?:bit|位) ?)(\d{1,2})", re.IGNORECASE)
_RANGE = re.compile(r"(.+?) ?(?:-|~|–|—|\.\.|至|到|/) ?(.+)")
_LAST_BIT = 15


def take_apart(text: str) -> Written:
    """Read an address.

    Raises:
        Unclear: It is in no known form, or of another protocol.
    """
    plain = " ".join(unicodedata.normalize("NFKC", text).split())
    if _SIEMENS.fullmatch(plain):
        raise Unclear("address", _(
            "{text!r} is a place in the program of a Siemens S7, of which Modbus knows nothing: "
            "ask who programmed it for the register, or read the controller over OPC UA"
        ).format(text=text))  # fmt: skip
    if "!" in plain or "#" in plain:
        return _of_neuron(plain, text)
    return _plain(plain) or _with_bit(plain) or _of_range(plain) or _refuse(text)


def _refuse(text: str) -> Written:
    raise Unclear("address", _("{text!r} is no address that is known here").format(text=text))


def _plain(text: str) -> Written | None:
    """Read an address that is nothing but one."""
    if wire := _WIRE.fullmatch(text):
        return Written(Form.WIRE, str(int(wire[2], 16 if "x" in wire[2].lower() else 10)),
                       Table(wire[1].lower()))  # fmt: skip
    if prefixed := _PREFIXED.fullmatch(text):
        digit, number = (prefixed[1], prefixed[2]) if prefixed[1] else (prefixed[3], prefixed[4])
        return Written(Form.PREFIXED, number, LEADING[digit])
    if hexadecimal := _HEXADECIMAL.fullmatch(text):
        digits = hexadecimal[1] or hexadecimal[2]
        is_0x = text.lower().startswith("0x") and digits.isdecimal()
        return Written(Form.HEXADECIMAL, digits, is_0x=is_0x)
    if text.isascii() and text.isdecimal() and len(text) <= 6:
        return Written(Form.NUMBER, text)
    if _LETTERS.fullmatch(text):
        return Written(Form.LETTERS, text)
    return Written(Form.CELL, text.upper()) if _CELL.fullmatch(text) else None


def _with_bit(text: str) -> Written | None:
    found = _BIT.fullmatch(text)
    whole = _plain(found[1]) if found else None
    if found is None or whole is None:
        return None
    if int(found[2]) > _LAST_BIT:
        raise Unclear("address", _("{text!r}: a register has bits 0 to 15").format(text=text))
    return replace(whole, bit=int(found[2]))


def _of_range(text: str) -> Written | None:
    """Read `40001-40002`: the first register, and the last."""
    found = _RANGE.fullmatch(text)
    first, last = (_plain(found[1]), _plain(found[2])) if found else (None, None)
    if first is None or last is None or Form.CELL in {first.form, last.form}:
        return None
    return replace(first, last=last.digits) if first.form is last.form else None


def _of_neuron(text: str, written: str) -> Written:
    """Read an address of Neuron. Source: Neuron's pages on Modbus TCP and Inovance Modbus TCP."""
    found = _NEURON.fullmatch(text)
    if found is None:
        return _refuse(written)
    place = _plain(found["rest"]) or _with_length(found["rest"]) or _with_bit(found["rest"])
    if place is None or (found["unit"] and int(found["unit"]) > 255):
        return _refuse(written)
    return replace(
        place,
        unit=int(found["unit"]) if found["unit"] else None,
        endian=found["endian"] or "",
        length=int(found["length"]) if found["length"] else place.length,
        packing=found["packing"] or place.packing,
    )


def _with_length(text: str) -> Written | None:
    """Read `400001.10H`: a text of ten characters; without a letter it may be a bit as well."""
    found = re.fullmatch(r"(\d{5,6})\.(\d{1,3})([HLDE]?)", text)
    if found is None or (int(found[2]) <= _LAST_BIT and not found[3]):
        return None
    return Written(Form.NUMBER, found[1], length=int(found[2]), packing=found[3])


def is_book_number(digits: str) -> bool:
    """Tell whether digits can be a register number as manuals write it: `40001`, `400001`."""
    return len(digits) in {5, 6} and digits[0] in LEADING


def table_of(function: str) -> Table | None:
    """Read what a list says about the table: `03`, `03/06`, `4x`, `holding`, `保持寄存器`.

    Returns:
        None where the column is empty.

    Raises:
        Unclear: It says nothing known, or nothing that reads.
    """
    text = unicodedata.normalize("NFKC", function).lower().strip()
    if not text or text in {"-", "--"}:
        return None
    if region := re.fullmatch(r"([0134])x+", text):
        return LEADING[region[1]]
    for table, words in _NAMES:
        if any(word in text for word in words):
            return table
    codes = [int(code, 16) for code in re.findall(r"(?:0x|fc|f)?([0-9a-f]{1,2})h?", text)]
    reading = [FUNCTIONS[code] for code in codes if code in FUNCTIONS]
    if reading and len(set(reading)) == 1:
        return reading[0]
    raise Unclear("address", _not_reading(function, codes, reading))


_NAMES: Sequence[tuple[Table, tuple[str, ...]]] = (
    (Table.HOLDING, ("holding", "保持")),
    (Table.INPUT, ("input reg", "inputreg", "输入寄存")),
    (Table.DISCRETE, ("discrete", "离散", "input status", "contact")),
    (Table.COIL, ("coil", "线圈")),
    (Table.INPUT, ("input",)),
)
_WRITES = frozenset({0x05, 0x06, 0x0F, 0x10})


def _not_reading(function: str, codes: Sequence[int], reading: Sequence[Table]) -> str:
    if not reading and codes and _WRITES.issuperset(codes):
        return _("function {function!r} only writes, so there is nothing to read").format(
            function=function
        )
    return _("{function!r} names no table: write 1, 2, 3 or 4, or coil, discrete, input, holding"
             ).format(function=function)  # fmt: skip
