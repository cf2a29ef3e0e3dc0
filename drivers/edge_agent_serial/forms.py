"""How bytes at a place of a frame become a number or a text. Pure."""

import math
import re
import struct
from collections.abc import Callable, Mapping
from typing import Any, Literal

Form = Literal[
    "uint", "uintle", "int", "intle", "bcd", "bcdle", "signedbcd", "signedbcdle", "digits",
    "float", "floatle", "ascii", "hex", "hexle", "bcdtext", "bcdtextle", "bits",
]  # fmt: skip


def _bcd(part: bytes) -> int | None:
    digits = part.hex()
    return int(digits) if digits.isdecimal() else None


def _signedbcd(part: bytes) -> int | None:
    """Read digits of which the highest bit is the sign, as in DL/T 645-2007."""
    number = _bcd(bytes((part[0] & 0x7F,)) + part[1:])
    return -number if number is not None and part[0] & 0x80 else number


def _digits(part: bytes) -> int | float | None:
    text = part.decode("latin-1").strip(" \x00")
    if not re.fullmatch(r"[+-]? *\d{1,30}(?:[.,]\d{0,30})?", text, re.ASCII):
        return None
    text = text.replace(" ", "").replace(",", ".")
    return float(text) if "." in text else int(text)


def _float(part: bytes, order: str) -> float | None:
    kind = {4: "f", 8: "d"}.get(len(part))
    value = struct.unpack(order + kind, part)[0] if kind else math.nan
    return value if math.isfinite(value) else None


def _ascii(part: bytes) -> str | None:
    return part.decode("ascii").strip(" \x00") if part.isascii() else None


def _bits(part: bytes) -> str:
    return "".join(f"{byte:08b}"[::-1] for byte in part)


def _bcdtext(part: bytes) -> str | None:
    digits = part.hex()
    return digits if digits.isdecimal() else None


FORMS: Mapping[str, Callable[[bytes], Any]] = {
    "uint": lambda part: int.from_bytes(part, "big"),
    "uintle": lambda part: int.from_bytes(part, "little"),
    "int": lambda part: int.from_bytes(part, "big", signed=True),
    "intle": lambda part: int.from_bytes(part, "little", signed=True),
    "bcd": _bcd,
    "bcdle": lambda part: _bcd(part[::-1]),
    "signedbcd": _signedbcd,
    "signedbcdle": lambda part: _signedbcd(part[::-1]),
    "digits": _digits,
    "float": lambda part: _float(part, ">"),
    "floatle": lambda part: _float(part, "<"),
    "ascii": _ascii,
    "hex": lambda part: part.hex().upper(),
    "hexle": lambda part: part[::-1].hex().upper(),
    "bcdtext": _bcdtext,
    "bcdtextle": lambda part: _bcdtext(part[::-1]),
    "bits": _bits,
}
"""How bytes become a value; None where they are none."""
