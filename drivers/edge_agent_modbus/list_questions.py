"""What a register list leaves open about places: where it counts from, and in which table. Pure.

A number that could mean two registers is never guessed: the list itself settles it, such as by a
register 0, or it is asked once for all rows.
"""

from collections.abc import Mapping, Sequence

from edge_agent.language import _
from edge_agent.lists import MODEL, Answers, Asked, Choice
from edge_agent_modbus.list_address import LEADING, Form, Written, is_book_number
from edge_agent_modbus.list_line import Line
from edge_agent_modbus.list_offset import (
    BITS,
    BOOK,
    BOOK_0,
    FROM_0,
    FROM_1,
    HEX,
    HEXADECIMAL,
    NUMBERS,
    PREFIXED,
    REGISTER,
    REGISTERS,
    WIRE,
    ZERO_X,
)
from edge_agent_modbus.pdu import Table

ASKS = (NUMBERS, HEX, PREFIXED, ZERO_X, REGISTERS, BITS)
"""Everything that may be asked here, beside the model."""
_WITHOUT_TABLE = frozenset({Form.NUMBER, Form.LETTERS, Form.HEXADECIMAL})


def of(lines: Sequence[Line], hints: Mapping[str, str], answers: Answers) -> list[Asked]:
    """Ask what the rows leave open.

    Args:
        lines: The rows whose address was understood.
        hints: What stands beside the headers.
        answers: Those given so far.
    """
    numbers = _numbers(_in(lines, Form.NUMBER, Form.LETTERS), hints.get("address", ""))
    way = answers.get(NUMBERS, numbers.default if numbers else None)
    without_table = [line for line in lines if _lacks_table(line, is_book=way in {BOOK, BOOK_0})]
    asked = [
        _model([one.row for one in lines if one.written.form is Form.CELL]),
        numbers,
        _hexadecimal(_in(lines, Form.HEXADECIMAL)),
        _prefixed([*_in(lines, Form.PREFIXED), *_like_prefixed(lines)]),
        _zero_x(_like_prefixed(lines)),
        _tables([line.row for line in without_table if not _is_single_bit(line)]),
        _bits([line.row for line in without_table if _is_single_bit(line)]),
    ]
    return [one for one in asked if one is not None]


def _in(lines: Sequence[Line], *forms: Form) -> list[Line]:
    return [line for line in lines if line.written.form in forms]


def _numbers(lines: Sequence[Line], hint: str) -> Asked | None:
    """Ask what plain numbers mean, unless the list shows it."""
    if not lines:
        return None
    way, why = _shown_way(lines, hint)
    choices = (
        Choice(BOOK, _("register numbers: 40001 is the first holding register, 30001 input")),
        Choice(BOOK_0, _("register numbers that begin at 40000: that is the first one")),
        Choice(WIRE, _("addresses that count from 0, as on the wire")),
        Choice(REGISTER, _("numbers that count from 1: 1 is the first register")),
        Choice(HEXADECIMAL, _("hexadecimal addresses that count from 0")),
    )
    text = _("What do numbers such as {example} mean?").format(example=lines[0].written.digits)
    return Asked(NUMBERS, text, choices, way, why, _rows(lines))


def _shown_way(lines: Sequence[Line], hint: str) -> tuple[str | None, str]:
    """Tell what the numbers mean as far as the list itself shows it, and by what."""
    written = [line.written for line in lines]
    if any(one.form is Form.LETTERS for one in written):
        return HEXADECIMAL, _("some of them have the letters A to F")
    hinted = next((way for way, words in _HINTS if any(word in hint for word in words)), None)
    if hinted:
        return hinted, _("the header says so: {hint}").format(hint=hint)
    if _is_book(lines):
        if any(int(one.digits[1:]) == 0 for one in written):
            return BOOK_0, _("the list has a register {n}").format(n=_lowest(written))
        return BOOK, ""
    if 0 in (one.number for one in written):
        return WIRE, _("the list has an address 0")
    return None, _("Makers count from 0 or from 1; one too far still looks like a value.")


_HINTS = (
    (HEXADECIMAL, ("hex", "16进制", "十六进制", "0x")),
    (WIRE, ("0-based", "zero", "base 0", "from 0", "从0", "0开始")),
    (REGISTER, ("1-based", "base 1", "from 1", "从1", "1开始")),
)


def _is_book(lines: Sequence[Line]) -> bool:
    """Tell whether all are register numbers like 40001, and the tables named mostly agree."""
    digits = [line.written.digits for line in lines]
    contradicted = sum(
        line.table not in {None, LEADING.get(line.written.digits[0])} for line in lines
    )
    return all(map(is_book_number, digits)) and 3 * contradicted <= len(lines)


def _lowest(written: Sequence[Written]) -> str:
    return min(written, key=lambda one: int(one.digits[1:])).digits


def _hexadecimal(lines: Sequence[Line]) -> Asked | None:
    text = _("Do hexadecimal addresses in the list count from 0 or from 1?")
    return _base(HEX, text, lines, FROM_0)


def _prefixed(lines: Sequence[Line]) -> Asked | None:
    if not lines:
        return None
    text = _("Is {example} counted from 0 or from 1?").format(example=_prefixed_example(lines[0]))
    numbers = [line.written for line in lines]
    if any(one.number == 0 for one in numbers):
        return _base(PREFIXED, text, lines, FROM_0, _("the list has an address 0"))
    is_of_book = all(len(one.digits) > 3 and one.digits.startswith("0") for one in numbers)
    return _base(PREFIXED, text, lines, FROM_1 if is_of_book else None)


def _like_prefixed(lines: Sequence[Line]) -> list[Line]:
    """Give rows like 0x0001 in a list with 4x0001 as well, where coil 1 may be meant by them."""
    if not _in(lines, Form.PREFIXED):
        return []
    rows = _in(lines, Form.HEXADECIMAL)
    return [one for one in rows if one.written.is_0x and one.table in (None, Table.COIL)]


def _zero_x(lines: Sequence[Line]) -> Asked | None:
    if not lines:
        return None
    text = _("What does 0x{digits} mean in a list that also has addresses like 4x0001?")
    choices = (
        Choice("coil", _("a coil, as 4x is a holding register")),
        Choice(HEXADECIMAL, _("a hexadecimal address")),
    )
    return Asked(ZERO_X, text.format(digits=lines[0].written.digits), choices, rows=_rows(lines))


def _prefixed_example(line: Line) -> str:
    digit = next(digit for digit, table in LEADING.items() if table is line.written.table)
    return f"{digit}x{line.written.digits}"


def _base(
    id: str,  # noqa: A002 - the word of Asked
    text: str,
    lines: Sequence[Line],
    default: str | None,
    why: str = "",
) -> Asked | None:
    if not lines:
        return None
    choices = (
        Choice(FROM_0, _("from 0: 0 is the first")),
        Choice(FROM_1, _("from 1: 1 is the first")),
    )
    return Asked(id, text, choices, default, why, _rows(lines))


def _tables(rows: Sequence[int]) -> Asked | None:
    if not rows:
        return None
    choices = (
        Choice("holding", _("holding registers (function 3)")),
        Choice("input", _("input registers (function 4)")),
    )
    text = _("The list does not say which registers. Which are they?")
    return Asked(REGISTERS, text, choices, rows=rows)


def _bits(rows: Sequence[int]) -> Asked | None:
    if not rows:
        return None
    choices = (
        Choice("coil", _("coils, such as outputs (function 1)")),
        Choice("discrete", _("discrete inputs (function 2)")),
        Choice("holding", _("whole holding registers that are 0 or not (function 3)")),
    )
    return Asked(
        BITS, _("The list does not say where its switches are. Where?"), choices, rows=rows
    )


def _lacks_table(line: Line, *, is_book: bool) -> bool:
    if line.table is not None or line.written.form not in _WITHOUT_TABLE:
        return False
    return not (is_book and line.written.form is Form.NUMBER)


def _is_single_bit(line: Line) -> bool:
    return line.is_bit and line.written.bit is None


def _model(rows: Sequence[int]) -> Asked | None:
    if not rows:
        return None
    text = _("The list has cells of a controller's program. Of which model?")
    return Asked(MODEL, text, (), why=_("Each model keeps them elsewhere."), rows=rows)


def _rows(lines: Sequence[Line]) -> list[int]:
    return [line.row for line in lines]
