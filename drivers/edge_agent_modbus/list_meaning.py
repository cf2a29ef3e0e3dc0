"""What a register list leaves open about types and byte orders. Pure."""

from collections.abc import Sequence

from edge_agent.language import _
from edge_agent.lists import Asked, Choice
from edge_agent_modbus.layout import KINDS
from edge_agent_modbus.list_address import Form
from edge_agent_modbus.list_line import Line
from edge_agent_modbus.list_type import LITTLE
from edge_agent_modbus.pdu import Table

ORDER, LITTLE_ENDIAN, WIDE, INT, NEURON = "order", "little_endian", "wide", "int", "neuron"
ASKS = (ORDER, LITTLE_ENDIAN, WIDE, INT, NEURON)
"""Everything that may be asked here."""
_ORDERS = ("ABCD", "CDAB", "BADC", "DCBA")


def of(lines: Sequence[Line]) -> list[Asked]:
    """Ask what the rows leave open about the meaning of their registers.

    Args:
        lines: The rows whose address was understood.
    """
    asked = [
        _neuron([one.row for one in lines if len(one.written.endian) == 2]),
        _little([one.row for one in lines if one.order == LITTLE]),
        _wide([one.row for one in lines if one.kind is None and one.registers == 2]),
        _int(lines),
        _order([one.row for one in lines if _needs_order(one)]),
    ]
    return [one for one in asked if one is not None]


def _neuron(rows: Sequence[int]) -> Asked | None:
    if not rows:
        return None
    choices = (
        Choice("modbus", _("Modbus TCP or RTU, where #LL is ABCD")),
        Choice("inovance", _("Inovance Modbus TCP, where #LL is CDAB")),
    )
    why = _("#LL, #LB, #BL and #BB mean different byte orders in them.")
    return Asked(NEURON, _("The list is Neuron's. Of which plugin?"), choices, why=why, rows=rows)


def _little(rows: Sequence[int]) -> Asked | None:
    if not rows:
        return None
    choices = (
        Choice("CDAB", _("the low word first, each word as usual (CDAB)")),
        Choice("DCBA", _("all bytes the other way round (DCBA)")),
    )
    text = _("What does the list call little endian?")
    return Asked(LITTLE_ENDIAN, text, choices, why=_("Makers use it for both."), rows=rows)


def _wide(rows: Sequence[int]) -> Asked | None:
    if not rows:
        return None
    choices = [Choice(kind, kind) for kind in ("float32", "uint32", "int32")]
    text = _("Values of two registers have no type in the list. What are they?")
    return Asked(WIDE, text, choices, rows=rows)


def _int(lines: Sequence[Line]) -> Asked | None:
    """Ask how long an int is, unless one of them has a neighbour in the very next register."""
    found = [line for line in lines if line.kind is not None and not line.kind.is_sized]
    if not found:
        return None
    choices = (Choice("16", _("16 bits, one register")), Choice("32", _("32 bits, two registers")))
    text = _("The list has whole numbers without their size. How long are they?")
    has_next = _has_next(found, lines)
    why = _("a value stands in the very next register") if has_next else ""
    return Asked(INT, text, choices, "16" if has_next else None, why, [line.row for line in found])


def _has_next(found: Sequence[Line], lines: Sequence[Line]) -> bool:
    def place(line: Line, further: int) -> tuple[Form, Table | None, Table | None, int]:
        return line.written.form, line.written.table, line.table, line.written.number + further

    numbered = [line for line in lines if line.written.form is not Form.CELL]
    there = {place(line, 0) for line in numbered}
    return any(place(one, 1) in there for one in found if one.written.form is not Form.CELL)


def _order(rows: Sequence[int]) -> Asked | None:
    if not rows:
        return None
    choices = [Choice(order, order) for order in _ORDERS]
    text = _("The list names no byte order for long numbers. Which one is it?")
    why = _("ABCD is what the Modbus specification means.")
    return Asked(ORDER, text, choices, _ORDERS[0], why, rows)


def _needs_order(line: Line) -> bool:
    if line.order or line.written.endian or line.written.bit is not None:
        return False
    return KINDS[line.kind.name].registers > 1 if line.kind else line.registers == 2
