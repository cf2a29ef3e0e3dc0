"""Register lists of Modbus devices: which columns they have, and where the value of a row lives."""

from collections.abc import Hashable, Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar

from edge_agent.driver import Address
from edge_agent.language import _
from edge_agent.lists import (
    MODEL,
    Answers,
    Asked,
    Cells,
    Dialect,
    Place,
    Unclear,
    answered,
    as_cell,
    chosen,
    keys_of,
)
from edge_agent_modbus import list_meaning, list_questions, list_size
from edge_agent_modbus.address import ModbusAddress
from edge_agent_modbus.areas import cell_in
from edge_agent_modbus.layout import KINDS, NOT_NUMBERS, TEXT_ORDERS
from edge_agent_modbus.list_address import Form, Written, table_of, take_apart
from edge_agent_modbus.list_line import Line
from edge_agent_modbus.list_offset import offset_of
from edge_agent_modbus.list_size import clear, is_text, length_of, registers_of, whole
from edge_agent_modbus.list_type import LITTLE, Kind, fitted, kind_of, order_of
from edge_agent_modbus.pdu import Table

_OWN = ("type", "order", "bit", "width", "length", "charset")
"""Keys of an address that have a column of their own, beside the place and the unit."""
_COLUMNS: Mapping[str, Sequence[str]] = {
    "id": ("id", "unit id", "slave", "slave id", "slave address", "station", "station number",
           "device id", "unit number", "站号", "从站", "从站号", "从站地址", "从机地址", "从机",
           "设备地址", "设备号", "仪表地址", "单元号"),
    "function": ("function", "function code", "fc", "func", "table", "area", "region",
                 "register type", "object type", "modbus function", "功能码", "功能", "区域",
                 "寄存器类型", "存储区", "读功能码", "数据区", "寄存器区"),
    "order": ("order", "byte order", "word order", "endian", "endianness", "swap",
              "字节序", "字节顺序", "字序", "大小端", "高低字", "字节排列"),
    "bit": ("bit", "bit number", "bit offset", "bit position", "位", "位号", "位偏移"),
    "width": ("width",),
    "length": ("length",),
    "count": ("count", "quantity", "qty", "number of registers", "no of registers",
              "register count", "words", "word count", "regs",
              "寄存器数", "寄存器数量", "寄存器个数", "字数"),
    "size": ("size", "len", "data length", "data size", "bits", "bytes",
             "长度", "数据长度", "数量", "个数", "位数", "字节数"),
    "charset": ("charset", "encoding", "编码"),
}  # fmt: skip
_PACKED = {"": "BA", "H": "AB", "L": "BA", "E": "A", "D": "B"}  # Neuron's letters for texts
_NEURON = {  # plugin -> letters -> order. Source: Neuron's pages on the two plugins
    "modbus": {"LL": "ABCD", "LB": "BADC", "BL": "CDAB", "BB": "DCBA"},
    "inovance": {"LL": "CDAB", "LB": "DCBA", "BL": "ABCD", "BB": "BADC"},
}
_NOTHING = frozenset({"-", "--"})


class ModbusLists(Dialect):
    """Lists of registers."""

    asks: ClassVar[Sequence[str]] = (
        list_size.SIZE,
        *list_questions.ASKS,
        *list_meaning.ASKS,
    )
    shared: ClassVar[Sequence[str]] = ("unit",)

    @property
    def columns(self) -> Mapping[str, Sequence[str]]:
        return _COLUMNS

    def questions(self, rows: Sequence[tuple[int, Cells]], answers: Answers) -> Sequence[Asked]:
        size = list_size.question(rows, self.hints)
        sizes = [size] if size else []
        given = chosen(sizes, answers)
        found = (self._line(number, cells, given) for number, cells in rows)
        lines = [line for line in found if line is not None]
        places = list_questions.of(lines, self.hints, answers)
        return [*sizes, *places, *list_meaning.of(lines)]

    def _line(self, number: int, cells: Cells, answers: Answers) -> Line | None:
        """Take apart what the questions look at; what is unclear asks nothing."""
        written = clear(take_apart, cells.get("address", ""))
        if written is None:
            return None
        text = cells.get("type", "")
        registers, kind = None, None  # of values whose size is open no more is asked yet
        with suppress(Unclear):
            registers = self._registers(cells, written, answers)
            kind = kind_of(text, registers)
        order = clear(order_of, cells.get("order", "")) or (kind.order if kind else "")
        table = clear(table_of, cells.get("function", ""))
        is_bit = (kind is not None and kind.name == "bool") or written.bit is not None
        return Line(number, written, table, kind, order, is_bit, registers)

    def _registers(self, cells: Cells, written: Written, answers: Answers) -> int | None:
        return None if is_text(cells) else registers_of(cells, written, self.hints, answers)

    def place(self, cells: Cells, answers: Answers) -> Place:
        keys = keys_of(cells)
        if "address" not in cells:
            return Place(keys)
        written, table = take_apart(cells["address"]), table_of(cells.get("function", ""))
        kind = _kind(cells, self._registers(cells, written, answers), written, answers)
        bit = None if is_text(cells) else _bit(cells, written)
        place, offset, bit = self._where(written, table, kind, bit, answers)
        address: dict[str, Any] = {"table": str(place), "offset": offset}
        address |= _unit(cells, written)
        notes: list[str] = []
        if place.of_bits or bit is not None:
            address |= _of_bits(cells, kind, bit, is_cell=place.of_bits)
        else:
            address |= self._meaning(cells, written, kind, answers)
            if kind is None:
                notes.append(_("taken as uint16, since the list names no type"))
        return Place(address | keys, notes)

    def _where(
        self,
        written: Written,
        table: Table | None,
        kind: Kind | None,
        bit: int | None,
        answers: Answers,
    ) -> tuple[Table, int, int | None]:
        if written.form is Form.CELL:
            if not self.areas:
                answered(MODEL, answers)
            of_bits = (kind.name == "bool" and bit is None) if kind else None
            cell = cell_in(self.areas, written.digits, of_bits=of_bits, table=table)
            return cell.table, cell.offset, cell.bit if bit is None else bit
        is_bit = bool(kind and kind.name == "bool") and bit is None
        return (*offset_of(written, table, answers, is_bit=is_bit), bit)

    def _meaning(
        self, cells: Cells, written: Written, kind: Kind | None, answers: Answers
    ) -> dict[str, Any]:
        """Give type, order and length of what lies in registers."""
        name = kind.name if kind else "uint16"
        found: dict[str, Any] = {"type": name}
        found |= {key: cells[key] for key in ("charset",) if key in cells}
        found |= {key: whole(cells, key) for key in ("width",) if key in cells}
        if KINDS[name].registers == 0:
            found |= length_of(cells, written, self.hints, answers)
        order = _order(cells, written, kind, answers)
        if name == "string":
            return found | ({"order": order} if order in TEXT_ORDERS else {})
        registers = KINDS[name].registers or found.get("length", 0) * (name == "mod10k")
        if order[:2] not in {"", "AB", "CD"} and registers == 1 and name not in NOT_NUMBERS:
            raise Unclear("order", _("the two bytes of a single register cannot be swapped here"))
        fitting = fitted(order, registers)
        is_said = "order" in cells or fitting != fitted("ABCD", registers)
        return found | ({"order": fitting} if fitting and is_said else {})

    def extent(self, address: Address) -> tuple[Hashable, int, int] | None:
        assert isinstance(address, ModbusAddress)  # noqa: S101 - made by this dialect
        of = (address.unit, address.table)
        return of, address.offset, address.offset + address.cells - 1

    def keys(self, address: Address) -> dict[str, Any]:
        found = super().keys(address)
        assert isinstance(address, ModbusAddress)  # noqa: S101 - made by this dialect
        always = {"unit": address.unit, "table": str(address.table), "type": address.type}
        return always | found

    def written(self, address: Mapping[str, Any]) -> dict[str, str]:
        rest = dict(address)
        cells = {"address": f"{rest.pop('table', 'holding')}:{rest.pop('offset')}"}
        if "unit" in rest:
            cells["id"] = str(rest.pop("unit"))
        cells |= {key: str(rest.pop(key)) for key in _OWN if rest.get(key) not in (None, "")}
        return cells | {f"address.{key}": as_cell(value) for key, value in rest.items()}


def _kind(cells: Cells, registers: int | None, written: Written, answers: Answers) -> Kind | None:
    """Give the type; None where nobody says one and a single register is meant."""
    if cells.get("type", "-") not in _NOTHING:
        kind = kind_of(cells["type"], registers)
        if kind.is_sized:
            return kind
        return kind_of(cells["type"], int(answered(list_meaning.INT, answers)) // 16)
    if written.length is not None:
        return Kind("string")
    if registers in {None, 1} or written.bit is not None or "bit" in cells:
        return None
    if registers != 2:
        raise Unclear("type", _("the list names no type for {n} registers").format(n=registers))
    return Kind(answered(list_meaning.WIDE, answers))


def _of_bits(cells: Cells, kind: Kind | None, bit: int | None, *, is_cell: bool) -> dict[str, Any]:
    """Give which bit is meant, with all that the row says, so that contradictions are seen.

    Args:
        cells: The row.
        kind: Its type.
        bit: Of a register.
        is_cell: Whether it is a cell of one bit, and no register.
    """
    if is_cell and kind is not None and kind.name != "bool":
        message = _("coils and discrete inputs are single bits, not {type}")
        raise Unclear("type", message.format(type=kind.name))
    found: dict[str, Any] = {} if bit is None else {"bit": bit}
    if "width" in cells:
        found["width"] = whole(cells, "width")
    if kind is not None and kind.name != "bool":
        found["type"] = kind.name
    return found


def _bit(cells: Cells, written: Written) -> int | None:
    return whole(cells, "bit") if cells.get("bit", "-") not in _NOTHING else written.bit


def _unit(cells: Cells, written: Written) -> dict[str, int]:
    if "id" in cells:
        found = whole(cells, "id")
        if written.unit not in (None, found):
            raise Unclear("address", _("the address and the column id name different stations"))
        return {"unit": found}
    return {} if written.unit is None else {"unit": written.unit}


def _order(cells: Cells, written: Written, kind: Kind | None, answers: Answers) -> str:
    """Give the byte order as of 32 bits: what the row says, else what was answered."""
    if len(written.endian) == 2:
        return _NEURON[answered(list_meaning.NEURON, answers)][written.endian]
    if written.endian == "B":
        return "BADC"
    if kind is not None and kind.name == "string" and written.unit is not None:
        return _PACKED[written.packing]
    order = order_of(cells.get("order", "")) or (kind.order if kind else "")
    if order == LITTLE:
        return answered(list_meaning.LITTLE_ENDIAN, answers)
    if not order and list_meaning.NEURON in answers:
        return _NEURON[answers[list_meaning.NEURON]]["LL"]
    return order or answers.get(list_meaning.ORDER, "")
