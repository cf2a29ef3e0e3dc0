"""Which register a written address means, once it is known where the list counts from. Pure."""

from collections.abc import Callable, Mapping

from edge_agent.language import _
from edge_agent.lists import Answers, Unclear, answered
from edge_agent_modbus.list_address import LEADING, Form, Written, is_book_number
from edge_agent_modbus.pdu import CELLS, Table

NUMBERS, HEX, PREFIXED, ZERO_X = "numbers", "hex", "prefixed", "0x"
"""Questions about numbers: plain ones, 0x1000, 4x0001, and 0x0001 beside 4x0001."""
REGISTERS, BITS = "table", "bits"
"""Questions where a list does not name the table."""
FROM_0, FROM_1 = "0", "1"
WIRE, REGISTER, BOOK, BOOK_0, HEXADECIMAL = "wire", "register", "book", "book-0", "hex"


def offset_of(
    written: Written, table: Table | None, answers: Answers, *, is_bit: bool
) -> tuple[Table, int]:
    """Give the table and the offset on the wire.

    Args:
        written: Any address but a cell of a controller.
        table: What the row says besides.
        answers: To the questions.
        is_bit: Whether the value is a single bit, and no bit of a register.

    Raises:
        Unclear: An answer is missing, or the row contradicts itself.
    """
    named, offset = _READERS[written.form](written, answers)
    if named is not None and table not in (None, named):
        raise Unclear("address", _("the address means the {named} table, and the list says {table}")
                      .format(named=named, table=table))  # fmt: skip
    found = named or table or Table(answered(BITS if is_bit else REGISTERS, answers))
    if not 0 <= offset < CELLS:
        raise Unclear("address", _("{digits} does not exist where counting begins at 1").format(
            digits=written.digits) if offset < 0 else _("{digits} lies behind the last, 65535")
            .format(digits=written.digits))  # fmt: skip
    return found, offset


def _of_wire(written: Written, _answers: Answers) -> tuple[Table | None, int]:
    return written.table, written.number


def _of_number(written: Written, answers: Answers) -> tuple[Table | None, int]:
    way = answered(NUMBERS, answers)
    if way == HEXADECIMAL:
        return None, int(written.digits, 16)
    if written.form is Form.LETTERS:
        raise Unclear("address", _("{digits!r} is no decimal number").format(digits=written.digits))
    if way in {BOOK, BOOK_0}:
        if not is_book_number(written.digits):
            raise Unclear("address", _("{digits} is no register number like 40001").format(
                digits=written.digits))  # fmt: skip
        return LEADING[written.digits[0]], int(written.digits[1:]) - (way == BOOK)
    return None, written.number - (way == REGISTER)


def _of_hexadecimal(written: Written, answers: Answers) -> tuple[Table | None, int]:
    if written.is_0x and answers.get(ZERO_X) == Table.COIL:
        return Table.COIL, int(written.digits) - int(answered(PREFIXED, answers))
    return None, written.number - int(answered(HEX, answers))


def _of_prefixed(written: Written, answers: Answers) -> tuple[Table | None, int]:
    return written.table, written.number - int(answered(PREFIXED, answers))


_READERS: Mapping[Form, Callable[[Written, Answers], tuple[Table | None, int]]] = {
    Form.WIRE: _of_wire,
    Form.NUMBER: _of_number,
    Form.LETTERS: _of_number,
    Form.HEXADECIMAL: _of_hexadecimal,
    Form.PREFIXED: _of_prefixed,
}
