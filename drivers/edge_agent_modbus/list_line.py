"""What questions about a register list look at in one row. Pure."""

from typing import NamedTuple

from edge_agent_modbus.list_address import Written
from edge_agent_modbus.list_type import Kind
from edge_agent_modbus.pdu import Table


class Line(NamedTuple):
    """What the questions look at in one row."""

    row: int
    written: Written
    table: Table | None
    kind: Kind | None
    order: str
    is_bit: bool
    registers: int | None
