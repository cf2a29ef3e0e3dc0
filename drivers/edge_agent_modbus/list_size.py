"""How large values are, by what a list says: registers, bytes, bits, or a span of addresses. Pure.

A column that is only called length may count any of these. Where types of a known size do not show
which, it is asked once.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from edge_agent.language import _
from edge_agent.lists import Answers, Asked, Cells, Choice, Unclear, answered
from edge_agent_modbus.layout import KINDS
from edge_agent_modbus.list_address import Form, Written
from edge_agent_modbus.list_type import Kind, kind_of

T = TypeVar("T")

SIZE = "size"
"""The question what a column counts that is only called length."""
_PER_REGISTER = {"registers": 1, "bytes": 2, "bits": 16}
_HINTS = {
    "registers": ("reg", "word", "寄存器", "字数"),
    "bytes": ("byte", "字节"),
    "bits": ("bit", "位"),
}
Hints = Mapping[str, str]


def question(rows: Sequence[tuple[int, Cells]], hints: Hints) -> Asked | None:
    """Ask what the column counts, unless its header or types of a known size show it."""
    sized = [(number, cells, size) for number, cells in rows if (size := _size(cells)) is not None]
    if not sized or _hinted(hints):
        return None
    ways = [set(_fitting(cells, size)) for _number, cells, size in sized]
    shown = set(_PER_REGISTER).intersection(*(each for each in ways if each))
    is_shown = len(shown) == 1 and any(ways)
    choices = (
        Choice("registers", _("registers")),
        Choice("bytes", _("bytes, two to a register")),
        Choice("bits", _("bits, sixteen to a register")),
    )
    text = _("What does the length count that the list gives?")
    why = _("types of a known size show it") if is_shown else ""
    default = shown.pop() if is_shown else None
    return Asked(SIZE, text, choices, default, why, [number for number, _cells, _size in sized])


def registers_of(cells: Cells, written: Written, hints: Hints, answers: Answers) -> int | None:
    """Give how many registers the list says that a value has; None if it does not say it."""
    if "count" in cells:
        in_bytes = any(word in hints.get("count", "") for word in _HINTS["bytes"])
        return whole(cells, "count") if not in_bytes else (whole(cells, "count") + 1) // 2
    size = _size(cells)
    if size is None:
        return between(written)
    per = _PER_REGISTER[_hinted(hints) or answered(SIZE, answers)]
    return -(-size // per)


def length_of(cells: Cells, written: Written, hints: Hints, answers: Answers) -> dict[str, int]:
    """Give how many characters a text has, or registers a number of that kind."""
    if written.length is not None or (written.bit is not None and written.unit is not None):
        return {"length": written.length or written.bit or 0}  # as Neuron writes it
    if "length" in cells and SIZE not in answers and not _hinted(hints):
        return {"length": whole(cells, "length")}
    said = cells.get("size") or cells.get("length")
    if said is None:
        registers = registers_of(cells, written, hints, answers)
        return {"length": 2 * registers} if registers else {}
    per = _PER_REGISTER[_hinted(hints) or answered(SIZE, answers)]
    return {"length": 2 * (numeral(said) or 0) // per}


def is_text(cells: Cells) -> bool:
    """Tell whether a row's type has the size that the list says."""
    kind = clear(lambda text: kind_of(text, None), cells.get("type", ""))
    return kind is not None and KINDS[kind.name].registers == 0


def between(written: Written) -> int | None:
    """Give how many registers a span has; None where the address is none."""
    if not written.last:
        return None
    last = int(written.last, 16 if written.form in {Form.HEXADECIMAL, Form.LETTERS} else 10)
    return last - written.number + 1 if last >= written.number else None


def clear(reads: Callable[[str], T], text: str) -> T | None:
    """Read a text; None where it is unclear."""
    try:
        return reads(text)
    except Unclear:
        return None


def whole(cells: Cells, column: str) -> int:
    """Read a whole number.

    Raises:
        Unclear: It is none.
    """
    number = numeral(cells[column])
    if number is None:
        message = _("{column} is {text!r}, which is no whole number")
        raise Unclear("value", message.format(column=column, text=cells[column]))
    return number


def numeral(text: str | None) -> int | None:
    """Read a whole number, decimal or with 0x; None if it is none."""
    try:
        return int(text, 0) if text else None
    except ValueError:
        return int(text) if text and text.isdecimal() else None


def _size(cells: Cells) -> int | None:
    """Give what a column says that is only called length; of texts it means characters."""
    said = cells.get("size") or (None if is_text(cells) else cells.get("length"))
    return numeral(said)


def _hinted(hints: Hints) -> str:
    hint = hints.get("size", "") + hints.get("length", "")
    return next((way for way, words in _HINTS.items() if any(word in hint for word in words)), "")


def _fitting(cells: Cells, size: int) -> Iterator[str]:
    """Give what the number may count, where the type has one size and no other."""
    kind: Kind | None = clear(lambda text: kind_of(text, None), cells.get("type", ""))
    registers = KINDS[kind.name].registers if kind and kind.is_sized and kind.name != "bool" else 0
    for way, per in _PER_REGISTER.items():
        if registers and size == registers * per:
            yield way
