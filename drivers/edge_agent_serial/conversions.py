"""What a raw value becomes: a number, a text, a yes or no. Pure.

Each function gives None for what it cannot be.
"""

import struct
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Literal

from edge_agent_serial.expression import Scalar
from edge_agent_serial.numbers import to_int, to_number

Type = Literal["number", "int", "bool", "text", "float"]

GROUPS = {"bytes": 2, "words": 4}
"""Hex digits of what may come lowest first."""


def turned(digits: str, group: str) -> str | None:
    """Turn groups of hex digits around, so that `0100` in bytes is `0001`."""
    size = GROUPS[group]
    if len(digits) % size or not all(digit in "0123456789ABCDEFabcdef" for digit in digits):
        return None
    return "".join(digits[at : at + size] for at in range(len(digits) - size, -1, -size)).upper()


def times(value: float, factor: float) -> float:
    """Multiply as on paper, so that 3 * 0.1 is 0.3."""
    return float(Decimal(repr(float(value))) * Decimal(repr(float(factor))))


def _bool(value: Scalar, base: int) -> Scalar:
    if isinstance(value, bool):
        return value
    number = value if isinstance(value, int) else to_int(str(value), base)
    return {0: False, 1: True}.get(number) if number is not None else None


def _int(value: Scalar, base: int) -> Scalar:
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return to_int(str(value), base)


def _number(value: Scalar, base: int) -> Scalar:
    if isinstance(value, int | float):
        return float(value)
    return to_number(str(value))


def _text(value: Scalar, base: int) -> Scalar:
    return str(value).strip()


def _float(value: Scalar, base: int) -> Scalar:
    """Read 8 or 16 hex digits, high digit first, as IEEE 754."""
    kind = {8: ">f", 16: ">d"}.get(len(str(value)))
    if kind is None or to_int(str(value), 16) is None:
        return None
    number: float = struct.unpack(kind, bytes.fromhex(str(value)))[0]
    return number


CONVERSIONS: Mapping[str, Callable[[Scalar, int], Scalar]] = {
    "number": _number,
    "int": _int,
    "bool": _bool,
    "text": _text,
    "float": _float,
}
"""Type -> how a value and the base of its digits become one."""
