"""Where one value lives in a Modbus device."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from edge_agent.driver import Address
from edge_agent.language import _
from edge_agent_modbus.conversion import Exponent, Map, Number, Whole
from edge_agent_modbus.layout import (
    KINDS,
    NOT_NUMBERS,
    NUMBER_ORDERS,
    TEXT_ORDERS,
    TypeName,
    letters,
    orders_of,
)
from edge_agent_modbus.notation import parse
from edge_agent_modbus.pdu import CELLS, Table

_ORDERS = frozenset(order for orders in NUMBER_ORDERS.values() for order in orders) | {*TEXT_ORDERS}
_SIGNED = re.compile("int([0-9]+)[hl]?")
_OF_REGISTERS = ("order", "bit", "width", "length", "exponent", "map", "no_value")  # and of no coil
_LONGEST_TEXT = 250  # 125 registers, the most that fit into one answer (V1.1b3, 6.3)


def _known(order: str) -> str:
    """Refuse letters that are no order of anything; which fits is seen with the whole address."""
    if order and order not in _ORDERS:
        orders = NUMBER_ORDERS.get(len(order) // 2) or NUMBER_ORDERS[2]
        message = _("{order!r} is no order of bytes: write one of {orders}")
        raise ValueError(message.format(order=order, orders=", ".join(orders)))
    return order


class ModbusAddress(Address):
    """Where a value lives: unit, table, offset as on the wire, and what its registers mean.

    Offsets count from 0. What a manual writes as register 40108 is offset 107 of the holding
    table, and may be written so: `{at: "40108"}`. Source: MODBUS Application Protocol V1.1b3, 4.4.
    """

    unit: Annotated[Whole, Field(ge=0, le=255)] = 1
    """Unit identifier (slave address), 0-255; on serial lines 1-247."""
    table: Table = Table.HOLDING
    """coil, discrete, input or holding."""
    offset: Annotated[Whole, Field(ge=0, le=CELLS - 1)]
    """First register or bit, counted from 0 as on the wire."""
    type: TypeName = "uint16"
    """What the registers hold; bool for coils and discrete inputs."""
    order: Annotated[str, AfterValidator(_known)] = ""
    """Bytes as received: ABCD (default), CDAB, BADC, DCBA, or eight letters for 64 bits."""
    bit: Annotated[Whole, Field(ge=0, le=15)] | None = None
    """Take one bit of a register, 0 is the lowest; the value is a bool."""
    width: Annotated[Whole, Field(ge=1, le=16)] | None = None
    """Take this many bits from `bit` upwards as a number."""
    length: Annotated[Whole, Field(ge=1, le=_LONGEST_TEXT)] | None = None
    """Bytes (mostly characters) of a string, bytes of `bytes`, registers of a mod10k."""
    charset: Literal["ascii", "latin-1", "gbk", "utf-8"] = "latin-1"
    """How the bytes of a string are characters."""
    exponent: Exponent | None = None
    """Where a power of ten stands by which the value is multiplied (SunSpec's scale factor): as
    text such as "40085" or holding:84, or with a type of its own: {offset: 84, type: int8l}."""
    map: Map | None = None
    """A straight line from raw to measured: {raw: [0, 4095], to: [0, 10]}; `clamp`, `loop`."""
    no_value: tuple[Whole | Number, ...] = ()
    """Raw numbers that mean none, compared before `exponent` and `map`; those of the point count
    too. 0x8000 of an int16 may be written so."""

    @model_validator(mode="before")
    @classmethod
    def _take_apart(cls, data: Any) -> Any:
        """Replace the text form by table and offset, and fill in the type that goes without."""
        if not isinstance(data, dict):
            return data
        data = dict(data)
        if "at" in data:
            _place(data, *parse(data.pop("at")))
        if "order" in data:
            data["order"] = letters(data["order"])
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
            self._check_conversion()
        if self.offset + self.cells > CELLS:
            raise ValueError(
                _("{type} at offset {offset} reaches behind the last, 65535").format(
                    type=self.type, offset=self.offset
                )
            )
        return self

    def _check_bit_table(self) -> None:
        if self.type != "bool":
            raise ValueError(
                _(
                    "a {table} is one bit and has no type {type}: leave the type out, or "
                    "write table: holding or table: input"
                ).format(table=self.table, type=self.type)
            )
        for key in _OF_REGISTERS:
            if getattr(self, key) not in ("", None, ()):
                raise ValueError(
                    _("a {table} is one bit and has no {key}: leave it out").format(
                        table=self.table, key=key
                    )
                )

    def _check_length(self) -> None:
        needed = KINDS[self.type].registers == 0
        if needed and self.length is None:
            unit = "registers" if self.type == "mod10k" else "characters"
            raise ValueError(
                _("a {type} needs `length`, its number of {unit}").format(type=self.type, unit=unit)
            )
        if not needed and self.length is not None:
            raise ValueError(
                _("a {type} has a fixed size: leave `length` out").format(type=self.type)
            )
        if self.type == "mod10k" and self.length not in {2, 3, 4}:
            raise ValueError(_("a mod10k has 2, 3 or 4 registers: write that as `length`"))

    def _check_bits(self) -> None:
        if self.width is not None and self.bit is None:
            raise ValueError(_("`width` needs `bit`, the lowest bit of the field"))
        if self.bit is None:
            return
        wanted = "bool" if self.width is None else "uint16"
        if self.type != wanted:
            raise ValueError(
                _("with `bit` the type is {wanted}, not {type}: leave it out").format(
                    wanted=wanted, type=self.type
                )
            )
        if self.bit + (self.width or 1) > 16:
            raise ValueError(f"bits {self.bit} to {self.bit + (self.width or 1) - 1}: 15 is last")

    def _check_order(self) -> None:
        orders = orders_of(self.type, self.cells)
        if not self.order or self.order in orders:
            return
        if not orders:
            raise ValueError(
                _(
                    "a {type} at {table}:{offset} has no byte order to choose: leave `order` "
                    "out; it belongs to the values of two and more registers"
                ).format(type=self.type, table=self.table, offset=self.offset)
            )
        raise ValueError(
            _("order {order} does not fit a {type}: write one of {orders}").format(
                order=self.order, type=self.type, orders=", ".join(orders)
            )
        )

    def _check_conversion(self) -> None:
        if self.charset != "latin-1" and self.type != "string":
            raise ValueError(
                _("a {type} has no charset: leave `charset` out").format(type=self.type)
            )
        for key in ("exponent", "map", "no_value"):
            if getattr(self, key) and self.type in NOT_NUMBERS:
                raise ValueError(
                    _("a {type} is no number and has no {key}: leave it out").format(
                        type=self.type, key=key
                    )
                )
        if self.exponent and self.map:
            raise ValueError(_("`exponent` and `map` exclude each other: leave one out"))

    @classmethod
    def merged(cls, device: Mapping[str, Any], point: Mapping[str, Any]) -> dict[str, Any]:
        """Merge as every address is; but a device's order counts only where it can.

        A meter that sends its 32-bit values low word first may have 16-bit values, bits and texts.
        """
        both = {**device, **point}
        if "order" in device and "order" not in point and not _has_order(both):
            del both["order"]
        return both

    def without(self, codes: Sequence[float | str]) -> "ModbusAddress | None":
        """Look for the codes among the raw numbers, where the agent cannot see them any more."""
        if self.type in NOT_NUMBERS or self.table.of_bits:
            return None
        numbers = tuple(code for code in codes if not isinstance(code, str))
        return self.model_copy(update={"no_value": (*self.no_value, *numbers)})

    @property
    def codes(self) -> frozenset[float]:
        """The raw numbers that mean none; 0x8000 is -32768 where the type has a sign."""
        codes = frozenset(self.no_value)
        signed = _SIGNED.fullmatch(self.type)
        if signed is None:
            return codes
        bits = int(signed[1])
        return codes | {code - (1 << bits) for code in codes if code >= 1 << (bits - 1)}

    @property
    def exponent_address(self) -> "ModbusAddress | None":
        """Where the exponent stands, if the value has one."""
        if self.exponent is None:
            return None
        table = self.exponent.table or self.table
        return ModbusAddress(
            unit=self.unit, table=table, offset=self.exponent.offset, type=self.exponent.type
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
        return "float64" if self.exponent or self.map else self.type

    def __str__(self) -> str:
        words = [f"unit {self.unit} {self.table}:{self.offset} {self.type}"]
        if self.length is not None:
            words.append(f"x{self.length}")
        charset = "" if self.charset == "latin-1" else self.charset
        words.extend(word for word in (self.order, charset) if word)
        if self.bit is not None:
            last = self.bit + (self.width or 1) - 1
            words.append(f"bit {self.bit}" if last == self.bit else f"bits {self.bit}-{last}")
        if self.exponent is not None:
            table = self.exponent.table or self.table
            kind = "" if self.exponent.type == "int16" else f" {self.exponent.type}"
            words.append(f"x 10^{table}:{self.exponent.offset}{kind}")
        if self.map is not None:
            words.append(f"({self.map})")
        return " ".join(words)


def _has_order(data: Mapping[str, Any]) -> bool:
    """Tell whether a value written like this has the order, or nothing has.

    An order that does not exist is left to the check of the whole address.
    """
    order, kind = letters(data["order"]), data.get("type", "uint16")
    if order not in _ORDERS or kind not in KINDS:
        return True
    registers = data.get("length") if kind == "mod10k" else KINDS[kind].registers
    return order in orders_of(kind, registers if isinstance(registers, int) else 0)


def _place(data: dict[str, Any], table: Table, offset: int) -> None:
    """Put what the text form says beside the other keys, unless they contradict it."""
    if "offset" in data:
        raise ValueError(_("the address is given twice, as text and as `offset`: leave one out"))
    if data.get("table", table) != table:
        raise ValueError(
            _(
                "the text means the {table} table, `table` says {said}: leave `table` "
                "out, or write {said}:{offset} if offset {offset} of that table is "
                "meant"
            ).format(table=table, said=data["table"], offset=offset)
        )
    data.update(table=table, offset=offset)
