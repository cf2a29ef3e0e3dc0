"""Where one value lives in a Modbus device."""

from typing import Annotated, Any

from pydantic import Field, model_validator

from edge_agent.driver import Address
from edge_agent_modbus.layout import KINDS, NUMBER_ORDERS, TypeName, orders_of
from edge_agent_modbus.notation import parse
from edge_agent_modbus.pdu import CELLS, Table

_LONGEST_TEXT = 250  # 125 registers, the most that fit into one answer (V1.1b3, 6.3)


class ModbusAddress(Address):
    """Where a value lives: unit, table, offset as on the wire, and what its registers mean.

    Offsets count from 0. What a manual writes as register 40108 is offset 107 of the holding
    table, and may be written so: `{at: "40108"}`. Source: MODBUS Application Protocol V1.1b3, 4.4.
    """

    unit: Annotated[int, Field(ge=0, le=255)] = 1
    """Unit identifier (slave address), 0-255; on serial lines 1-247."""
    table: Table = Table.HOLDING
    """coil, discrete, input or holding."""
    offset: Annotated[int, Field(ge=0, le=CELLS - 1)]
    """First register or bit, counted from 0 as on the wire."""
    type: TypeName = "uint16"
    """What the registers hold; bool for coils and discrete inputs."""
    order: str = ""
    """Bytes as received: ABCD (default), CDAB, BADC, DCBA, or eight letters for 64 bits."""
    bit: Annotated[int, Field(ge=0, le=15)] | None = None
    """Take one bit of a register, 0 is the lowest; the value is a bool."""
    width: Annotated[int, Field(ge=1, le=16)] | None = None
    """Take this many bits from `bit` upwards as a number."""
    length: Annotated[int, Field(ge=1, le=_LONGEST_TEXT)] | None = None
    """Characters of a string, bytes of `bytes`, registers of a mod10k."""

    @model_validator(mode="before")
    @classmethod
    def _take_apart(cls, data: Any) -> Any:
        """Replace the text form by table and offset, and fill in the type that goes without."""
        if not isinstance(data, dict):
            return data
        data = dict(data)
        if "at" in data:
            _place(data, *parse(data.pop("at")))
        if "type" not in data and data.get("table") in {Table.COIL, Table.DISCRETE}:
            data["type"] = "bool"
        if "type" not in data and data.get("bit") is not None and data.get("width") is None:
            data["type"] = "bool"
        return data

    @model_validator(mode="after")
    def _fits_together(self) -> "ModbusAddress":
        if self.table.of_bits:
            self._check_bit_table()
        else:
            self._check_length()
            self._check_bits()
            self._check_order()
        if self.offset + self.cells > CELLS:
            raise ValueError(f"{self.type} at offset {self.offset} reaches behind the last, 65535")
        return self

    def _check_bit_table(self) -> None:
        if self.type != "bool":
            raise ValueError(
                f"a {self.table} is one bit and has no type {self.type}: leave the type out, or "
                "write table: holding or table: input"
            )
        for key in ("order", "bit", "width", "length"):
            if getattr(self, key) not in {"", None}:
                raise ValueError(f"a {self.table} is one bit and has no {key}: leave it out")

    def _check_length(self) -> None:
        needed = KINDS[self.type].registers == 0
        if needed and self.length is None:
            unit = "registers" if self.type == "mod10k" else "characters"
            raise ValueError(f"a {self.type} needs `length`, its number of {unit}")
        if not needed and self.length is not None:
            raise ValueError(f"a {self.type} has a fixed size: leave `length` out")
        if self.type == "mod10k" and self.length not in {2, 3, 4}:
            raise ValueError("a mod10k has 2, 3 or 4 registers: write that as `length`")

    def _check_bits(self) -> None:
        if self.width is not None and self.bit is None:
            raise ValueError("`width` needs `bit`, the lowest bit of the field")
        if self.bit is None:
            return
        wanted = "bool" if self.width is None else "uint16"
        if self.type != wanted:
            raise ValueError(f"with `bit` the type is {wanted}, not {self.type}: leave it out")
        if self.bit + (self.width or 1) > 16:
            raise ValueError(f"bits {self.bit} to {self.bit + (self.width or 1) - 1}: 15 is last")

    def _check_order(self) -> None:
        orders = orders_of(self.type, self.cells)
        if not self.order or self.order in orders:
            return
        if not orders:
            raise ValueError(
                f"a {self.type} at {self.table}:{self.offset} has no byte order to choose: leave "
                "`order` out; it belongs to the values of two and more registers"
            )
        raise ValueError(
            f"order {self.order} does not fit a {self.type}: write one of {', '.join(orders)}"
        )

    @property
    def cells(self) -> int:
        """How many registers (or bits, in a table of bits) the value occupies."""
        length = self.length or 1
        if self.type == "mod10k" or (self.type == "string" and self.order in {"A", "B"}):
            return length
        return KINDS[self.type].registers or (length + 1) // 2

    @property
    def byte_order(self) -> str:
        """The order of the value's bytes; empty for numbers of one register."""
        if self.order or self.type == "bytes":
            return self.order
        if self.type == "string":
            return "AB"
        return next(iter(NUMBER_ORDERS.get(self.cells, ())), "")

    def value_type(self) -> str:
        return self.type

    def __str__(self) -> str:
        words = [f"unit {self.unit} {self.table}:{self.offset} {self.type}"]
        if self.length is not None:
            words.append(f"x{self.length}")
        if self.order:
            words.append(self.order)
        if self.bit is not None:
            last = self.bit + (self.width or 1) - 1
            words.append(f"bit {self.bit}" if last == self.bit else f"bits {self.bit}-{last}")
        return " ".join(words)


def _place(data: dict[str, Any], table: Table, offset: int) -> None:
    """Put what the text form says beside the other keys, unless they contradict it."""
    if "offset" in data:
        raise ValueError("the address is given twice, as text and as `offset`: leave one out")
    if data.get("table", table) != table:
        raise ValueError(
            f"the text means the {table} table, `table` says {data['table']}: leave `table` out, "
            f"or write {data['table']}:{offset} if offset {offset} of that table is meant"
        )
    data.update(table=table, offset=offset)
