"""Where the cells of a controller's program lie (`D100`, `X17`), by a profile's areas. Pure."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from edge_agent.language import _
from edge_agent.lists import Area, Unclear
from edge_agent_modbus.pdu import Table

_PLACE = re.compile(r"%?([A-Z]+)([0-9][0-9A-F]*(?:\.[0-9]{1,2})?)")


class Cell(NamedTuple):
    """Where a cell lies; `bit` of a register, where one is named."""

    table: Table
    offset: int
    bit: int | None = None


def cell_in(areas: Sequence[Area], text: str, *, of_bits: bool | None, table: Table | None) -> Cell:
    """Find a cell.

    Args:
        areas: Of a profile.
        text: Such as `D100`, `X17`, `D100.5`, `%MW3`.
        of_bits: Whether a bit is wanted, or a register; None if the list does not say.
        table: The table that the list names, if it does.

    Raises:
        Unclear: There is no such cell, or there are two.
    """
    found = _PLACE.fullmatch(text.upper())
    named = [one for one in areas if found and one.name.lstrip("%").upper() == found[1]]
    if found is None or not named:
        names = ", ".join(dict.fromkeys(one.name for one in areas))
        raise Unclear("address", _("{text!r} is none of the areas of this model: {names}").format(
            text=text, names=names))  # fmt: skip
    cells = dict.fromkeys(cell for one in named for cell in _within(one, found[2]))
    if not cells:
        raise Unclear("address", _missing(text, named))
    fitting = [cell for cell in cells if _fits(cell, of_bits, table)]
    if len(fitting) != 1:
        raise Unclear("address", _several(text, fitting or list(cells)))
    return fitting[0]


def _fits(cell: Cell, of_bits: bool | None, table: Table | None) -> bool:
    if table is not None:
        return cell.table is table
    is_bit = cell.table.of_bits or cell.bit is not None
    return of_bits is None or is_bit == of_bits


def _within(area: Area, digits: str) -> Iterator[Cell]:
    """Give the cell of these digits, if it is one of the area's."""
    table = Table(area.table)
    count = _COUNTS.get(area.counts)
    digits, bit = (digits, None) if count is not _decimal else _parted(digits)
    if count is None or (bit is not None and table.of_bits):
        return
    at, first, last = (
        count(one) for one in (digits, _bare(area, area.first), _bare(area, area.last))
    )
    if at is not None and first is not None and last is not None and first <= at <= last:
        yield Cell(table, area.offset + at - first, bit)


def _parted(digits: str) -> tuple[str, int | None]:
    """Part a register from a bit of it: `100.5`."""
    whole, point, bit = digits.partition(".")
    return whole, int(bit) if point and int(bit) < 16 else None


def _bare(area: Area, cell: str) -> str:
    return cell.upper().removeprefix(area.name.upper())


def _decimal(digits: str) -> int | None:
    return int(digits) if digits.isdecimal() else None


def _octal(digits: str) -> int | None:
    return int(digits, 8) if re.fullmatch("[0-7]+", digits) else None


def _word_and_hexadecimal(digits: str) -> int | None:
    """Read `12A`: word 12, bit 10. Source: Panasonic's FP series manuals, relay numbering."""
    word, bit = digits[:-1] or "0", digits[-1:]
    return 16 * int(word) + int(bit, 16) if word.isdecimal() and bit else None


def _byte_and_octal(digits: str) -> int | None:
    """Read `3.5`: byte 3, bit 5."""
    found = re.fullmatch(r"([0-9]+)\.([0-7])", digits)
    return 8 * int(found[1]) + int(found[2]) if found else None


def _even_byte(digits: str) -> int | None:
    """Read `6`: bytes 6 and 7, which are the fourth register."""
    return int(digits) // 2 if digits.isdecimal() and int(digits) % 2 == 0 else None


_COUNTS: Mapping[str, Callable[[str], int | None]] = {
    "decimal": _decimal,
    "octal": _octal,
    "words in decimal, then one hexadecimal digit for the bit": _word_and_hexadecimal,
    "bytes, then one octal digit for the bit": _byte_and_octal,
    "bytes, two to a register": _even_byte,
}
"""How cells are counted, in the words of profiles -> how to read that."""


def _missing(text: str, areas: Sequence[Area]) -> str:
    spans = ", ".join(f"{one.name} {one.first} to {one.last} ({one.counts})" for one in areas)
    return _("{text!r} does not exist; there are {spans}").format(text=text, spans=spans)


def _several(text: str, cells: Sequence[Cell]) -> str:
    places = ", ".join(f"{cell.table}:{cell.offset}" for cell in cells)
    return _(
        "{text!r} may be {places}: the list needs a column that says which, such as a function "
        "code or a type"
    ).format(text=text, places=places)
