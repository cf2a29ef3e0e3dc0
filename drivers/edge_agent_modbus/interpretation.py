"""Everything that registers may mean, as values side by side. Pure."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edge_agent.driver import Value
from edge_agent_modbus.address import ModbusAddress
from edge_agent_modbus.decode import compile_decoder
from edge_agent_modbus.layout import KINDS, NUMBER_ORDERS
from edge_agent_modbus.pdu import Table

USUAL = ("uint16", "int16", "float32", "uint32", "int32", "float64", "uint64", "int64")
SPECIAL = ("bcd16", "bcd32", "time_unix")
SINGLE = tuple(kind for kind, of in KINDS.items() if of.registers)
"""Types of a fixed size, which can be asked for by name."""

ORDERS = frozenset(order for orders in NUMBER_ORDERS.values() for order in orders)
"""Orders that can be asked for by name."""

_LEAST, _MOST = 1e-4, 1e9  # between these lies what people measure
_MOST_WHOLE = 10**12
_READABLE = 0.8  # of the characters of a text


@dataclass(frozen=True, slots=True)
class Interpretation:
    """What the registers from an offset on are worth, read in one way.

    Attributes:
        order: Of the bytes; empty for a single register.
        is_sensible: Whether something that people measure has such a value.
    """

    offset: int
    type: str
    order: str
    value: Value
    is_sensible: bool


def interpretations(
    table: Table, offset: int, data: bytes, types: Sequence[str] = (), order: str = ""
) -> Iterator[Interpretation]:
    """Read registers in every way, from the first on and then side by side.

    Args:
        table: Holding or input.
        offset: Of the first register.
        data: Two bytes a register, as they came.
        types: Only these; else the usual ones, and special ones where they are sensible.
        order: Only this one, of values of more than one register.
    """
    registers = len(data) // 2
    special = () if types else SPECIAL
    for kind in types or (*USUAL, *SPECIAL):
        width = KINDS[kind].registers
        only = order or (NUMBER_ORDERS[width][0] if width > 1 and kind in special else "")
        for at in range(0, registers - width + 1, width):
            for each in _in_orders(table, offset + at, kind, data[2 * at :], only):
                if types or kind in USUAL or each.is_sensible:
                    yield each


def _in_orders(
    table: Table, offset: int, kind: str, data: bytes, wanted: str
) -> Iterator[Interpretation]:
    width = KINDS[kind].registers
    for order in NUMBER_ORDERS[width] or ("",):
        if wanted and order and order != wanted:
            continue
        address = ModbusAddress(table=table, offset=offset, type=kind, order=order)
        values, flaws = compile_decoder(offset, width, [address])(data[: 2 * width])
        if not flaws:
            yield Interpretation(offset, kind, order, values[0], _is_sensible(kind, values[0]))


def _is_sensible(kind: str, value: Value) -> bool:
    if isinstance(value, float):
        return value == 0 or _LEAST <= abs(value) < _MOST
    if kind in {"int16", "int32", "int64"}:  # else it is what the unsigned type says
        return isinstance(value, int) and -_MOST_WHOLE < value < 0
    if kind == "time_unix":
        return isinstance(value, str) and "2000" <= value[:4] < "2100"
    return not isinstance(value, int) or value < _MOST_WHOLE


def is_number(value: Value) -> bool:
    """Tell whether JSON can hold it."""
    return not isinstance(value, float) or math.isfinite(value)


def text_of(data: bytes) -> str:
    """Read the bytes as text, in the order in which they came or with each pair swapped.

    Returns:
        Nothing if most of it is no text.
    """
    swapped = b"".join(data[at + 1 : at + 2] + data[at : at + 1] for at in range(0, len(data), 2))
    for way in (data, swapped):
        plain = way.rstrip(b"\0 ")
        readable = sum(32 <= byte < 127 for byte in plain)
        if len(plain) > 1 and readable >= _READABLE * len(plain):
            return "".join(chr(byte) if 32 <= byte < 127 else "." for byte in plain)
    return ""
