"""How values lie in registers: their types, widths, and the orders in which bytes arrive. Pure.

An order names the bytes of the big-endian value in the order in which they are received: `CDAB`
is a 32-bit value whose low word comes first.
"""

from dataclasses import dataclass
from typing import Literal, get_args

TypeName = Literal[
    "bool",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "uint64",
    "float32",
    "float64",
    "string",
    "float16",
    "int8h",
    "uint8h",
    "int8l",
    "uint8l",
    "int16_sm",
    "uint24",
    "int24",
    "uint48",
    "int48",
    "bcd16",
    "bcd32",
    "mod10k",
    "bytes",
    "time_unix",
    "time_bcd",
    "time_iec",
    "time_s7",
]


@dataclass(frozen=True, slots=True)
class Kind:
    """What a type occupies.

    Attributes:
        registers: How many registers; 0 where the address's `length` decides.
        code: What the `struct` module calls it; empty where a function of `values` is needed.
    """

    registers: int
    code: str = ""


KINDS: dict[str, Kind] = {
    "bool": Kind(1, "H"),
    "int16": Kind(1, "h"),
    "uint16": Kind(1, "H"),
    "int32": Kind(2, "i"),
    "uint32": Kind(2, "I"),
    "int64": Kind(4, "q"),
    "uint64": Kind(4, "Q"),
    "float32": Kind(2, "f"),
    "float64": Kind(4, "d"),
    "string": Kind(0),
    "float16": Kind(1, "e"),
    "int8h": Kind(1, "bx"),
    "uint8h": Kind(1, "Bx"),
    "int8l": Kind(1, "xb"),
    "uint8l": Kind(1, "xB"),
    "int16_sm": Kind(1),
    "uint24": Kind(2),
    "int24": Kind(2),
    "uint48": Kind(3),
    "int48": Kind(3),
    "bcd16": Kind(1),
    "bcd32": Kind(2),
    "mod10k": Kind(0),
    "bytes": Kind(0),
    "time_unix": Kind(2, "I"),
    "time_bcd": Kind(3),
    "time_iec": Kind(4),
    "time_s7": Kind(4),
}
assert KINDS.keys() == set(get_args(TypeName))  # noqa: S101 - checked once, when imported

NOT_NUMBERS = frozenset({"bool", "string", "bytes", "time_unix", "time_bcd", "time_iec", "time_s7"})
"""Types whose values cannot be calculated with."""

NUMBER_ORDERS: dict[int, tuple[str, ...]] = {
    1: (),
    2: ("ABCD", "CDAB", "BADC", "DCBA"),
    3: ("ABCDEF", "EFCDAB", "BADCFE", "FEDCBA"),
    4: ("ABCDEFGH", "GHEFCDAB", "BADCFEHG", "HGFEDCBA", "CDABGHEF", "EFGHABCD"),
}
"""Registers -> orders that exist; the first is what the specification means (V1.1b3, 4.2)."""

TEXT_ORDERS = ("AB", "BA", "A", "B")
"""Two characters a register, the same swapped, one in the high byte only, one in the low only."""


@dataclass(frozen=True, slots=True)
class Regular:
    """An order that `struct` can do, after the bytes of each register were swapped if `swapped`."""

    endian: str
    swapped: bool


REGULAR: dict[str, Regular] = {
    "": Regular(">", swapped=False),
    "ABCD": Regular(">", swapped=False),
    "DCBA": Regular("<", swapped=False),
    "BADC": Regular(">", swapped=True),
    "CDAB": Regular("<", swapped=True),
    "ABCDEFGH": Regular(">", swapped=False),
    "HGFEDCBA": Regular("<", swapped=False),
    "BADCFEHG": Regular(">", swapped=True),
    "GHEFCDAB": Regular("<", swapped=True),
}


_DIGITS = str.maketrans("12345678", "ABCDEFGH")


def letters(order: object) -> object:
    """Turn an order in digits, as some tools write it (3412, 78563412), into letters (CDAB)."""
    if isinstance(order, bool) or not isinstance(order, int | str):
        return order
    written = str(order)
    return written.translate(_DIGITS) if written.isdecimal() else order


def orders_of(type_name: str, registers: int) -> tuple[str, ...]:
    """Name the orders that a value of this type and width can have; none for a single register."""
    if type_name == "string":
        return TEXT_ORDERS
    return () if type_name == "bytes" else NUMBER_ORDERS.get(registers, ())
