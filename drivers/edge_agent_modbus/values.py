"""Values that `struct` cannot make: text, times, decimal codes, odd widths and orders. Pure.

Each function takes what was cut out of an answer and gives the value, or raises `Undecodable`.
"""

import struct
from collections.abc import Callable
from functools import partial
from typing import Any

from edge_agent.driver import Value
from edge_agent.language import _
from edge_agent_modbus.address import ModbusAddress
from edge_agent_modbus.layout import KINDS
from edge_agent_modbus.times import TIMES, unix
from edge_agent_modbus.undecodable import Undecodable

Finish = Callable[[Any], Value]


def finish_of(address: ModbusAddress) -> Finish | None:
    """Choose what turns the cut-out into the value; None where it already is the value."""
    if address.bit is not None:
        return partial(_bits, address.bit, address.width)
    if address.type == "bool":
        return bool
    if address.type == "string":
        return partial(_text, address.byte_order, address.length or 0, address.charset)
    if address.type == "bytes":
        return partial(_hexadecimal, address.length or 0)
    return unix if address.type == "time_unix" else None


def number_of(address: ModbusAddress) -> Finish:
    """Choose what makes a number out of bytes whose order or type `struct` does not know."""
    letters = sorted(address.byte_order) or ["A", "B"]
    order = address.byte_order or "AB"
    places = tuple(order.index(letter) for letter in letters)
    return partial(_number, places, _from_big_endian(address.type))


def _from_big_endian(type_name: str) -> Callable[[bytes], Value]:
    if code := KINDS[type_name].code:
        return partial(_unpacked, struct.Struct(f">{code}"))
    if type_name in _SPECIAL:
        return _SPECIAL[type_name]
    bits = int(type_name.lstrip("uint"))
    return partial(_integer, bits, type_name.startswith("int"))


def _number(places: tuple[int, ...], convert: Callable[[bytes], Value], data: bytes) -> Value:
    return convert(bytes([data[place] for place in places]))


def _unpacked(shape: struct.Struct, data: bytes) -> Value:
    value: int | float = shape.unpack(data)[0]
    return value


def _integer(bits: int, signed: bool, data: bytes) -> int:
    """Take the lowest bits of a big-endian integer; the registers may be wider than the value."""
    value = int.from_bytes(data, "big") & ((1 << bits) - 1)
    return value - (1 << bits) if signed and value >> (bits - 1) else value


def _sign_magnitude(data: bytes) -> int:
    """Read a sign bit and a magnitude, as some old drives and power meters have it."""
    value = int.from_bytes(data, "big")
    return -(value & 0x7FFF) if value & 0x8000 else value


def _decimal_code(data: bytes) -> int:
    """Read binary coded decimals: four bits a digit."""
    digits = data.hex()
    if not digits.isdecimal():
        raise Undecodable(_("0x{digits} is no binary coded decimal").format(digits=digits))
    return int(digits)


def _mod10k(data: bytes) -> int:
    """Read registers of 0 to 9999 each, four decimal digits a register, highest first."""
    total = 0
    for (word,) in struct.iter_unpack(">H", data):
        if word > 9999:
            raise Undecodable(
                _("register value {word} is above 9999, so this is no mod10k").format(word=word)
            )
        total = total * 10_000 + word
    return total


_SPECIAL: dict[str, Callable[[bytes], Value]] = {
    "int16_sm": _sign_magnitude,
    "bcd16": _decimal_code,
    "bcd32": _decimal_code,
    "mod10k": _mod10k,
    **TIMES,
}


def _bits(bit: int, width: int | None, register: int) -> bool | int:
    field = register >> bit
    return bool(field & 1) if width is None else field & ((1 << width) - 1)


def _text(order: str, length: int, charset: str, data: bytes) -> str:
    """Read characters up to the first NUL, without blanks around them."""
    if order == "A":
        data = data[0::2]
    elif order == "B":
        data = data[1::2]
    elif order == "BA":
        data = b"".join(data[at + 1 : at + 2] + data[at : at + 1] for at in range(0, len(data), 2))
    text = data[:length].split(b"\0", 1)[0]
    try:
        return text.decode(charset).strip()
    except UnicodeDecodeError:
        raise Undecodable(
            _("0x{text} is no text in {charset}: check `charset`").format(
                text=text.hex(), charset=charset
            )
        ) from None


def _hexadecimal(length: int, data: bytes) -> str:
    return data[:length].hex()
