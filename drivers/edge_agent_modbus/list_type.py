"""Types and byte orders as register lists write them, in English and Chinese. Pure."""

import re
import unicodedata
from dataclasses import dataclass

from edge_agent.language import _
from edge_agent.lists import Unclear
from edge_agent_modbus.layout import KINDS, NUMBER_ORDERS, letters

LITTLE = "little"
"""Stands for an order that is only called little endian, which makers mean in two ways."""

_FIXED = {
    "bool": "bool", "boolean": "bool", "bit": "bool", "coil": "bool", "布尔": "bool",
    "布尔型": "bool", "布尔量": "bool", "位": "bool", "开关量": "bool", "开关": "bool",
    "digital": "bool", "short": "int16", "int16": "int16", "s16": "int16", "i16": "int16",
    "signed16": "int16", "sint16": "int16", "int16s": "int16", "signedshort": "int16",
    "短整型": "int16", "短整数": "int16", "有符号短整型": "int16", "16位有符号": "int16",
    "有符号16位": "int16", "16位有符号整数": "int16", "有符号16位整数": "int16",
    "16位整数": "int16", "16bitsigned": "int16", "signed16bit": "int16", "word": "uint16",
    "uint16": "uint16", "u16": "uint16", "unsigned16": "uint16", "ushort": "uint16",
    "unsignedshort": "uint16", "int16u": "uint16", "字": "uint16", "单字": "uint16",
    "无符号短整型": "uint16", "16位无符号": "uint16", "无符号16位": "uint16",
    "16位无符号整数": "uint16", "无符号16位整数": "uint16", "16bitunsigned": "uint16",
    "unsigned16bit": "uint16", "16bit": "uint16", "long": "int32", "int32": "int32",
    "s32": "int32", "i32": "int32", "dint": "int32", "signed32": "int32", "sint32": "int32",
    "longint": "int32", "signedlong": "int32", "长整型": "int32", "长整数": "int32",
    "双整数": "int32", "双整型": "int32", "32位有符号": "int32", "有符号32位": "int32",
    "32位有符号整数": "int32", "有符号32位整数": "int32", "32位整数": "int32", "dword": "uint32",
    "doubleword": "uint32", "uint32": "uint32", "u32": "uint32", "udint": "uint32",
    "unsigned32": "uint32", "ulong": "uint32", "unsignedlong": "uint32", "int32u": "uint32",
    "双字": "uint32", "无符号长整型": "uint32", "32位无符号": "uint32", "无符号32位": "uint32",
    "32位无符号整数": "uint32", "无符号32位整数": "uint32", "float": "float32",
    "float32": "float32", "real": "float32", "single": "float32", "f32": "float32",
    "ieee754": "float32", "real32": "float32", "浮点": "float32", "浮点数": "float32",
    "浮点型": "float32", "单精度": "float32", "单精度浮点": "float32", "单精度浮点数": "float32",
    "单精度浮点型": "float32", "32位浮点": "float32", "32位浮点数": "float32",
    "32位浮点型": "float32", "floatingpoint": "float32", "实数": "float32", "float4": "float32",
    "double": "float64", "float64": "float64", "lreal": "float64", "f64": "float64",
    "real64": "float64", "双精度": "float64", "双精度浮点": "float64", "双精度浮点数": "float64",
    "双精度浮点型": "float64", "64位浮点": "float64", "64位浮点数": "float64", "int64": "int64",
    "s64": "int64", "i64": "int64", "lint": "int64", "longlong": "int64", "64位有符号": "int64",
    "有符号64位": "int64", "64位整数": "int64", "uint64": "uint64", "u64": "uint64",
    "ulint": "uint64", "lword": "uint64", "qword": "uint64", "unsigned64": "uint64",
    "64位无符号": "uint64", "无符号64位": "uint64", "string": "string", "str": "string",
    "ascii": "string", "char": "string", "text": "string", "字符串": "string", "字符": "string",
    "文本": "string", "bcd": "bcd16", "bcd16": "bcd16", "bcd码": "bcd16", "bcd32": "bcd32",
}  # fmt: skip
# Words that say the sign but not the size: signed -> types by registers.
_SIGNED = {1: "int16", 2: "int32", 4: "int64"}
_UNSIGNED = {1: "uint16", 2: "uint32", 4: "uint64"}
_BY_SIZE = {
    "int": _SIGNED, "integer": _SIGNED, "signed": _SIGNED, "signedint": _SIGNED, "整型": _SIGNED,
    "整数": _SIGNED, "有符号": _SIGNED, "有符号整数": _SIGNED, "有符号整型": _SIGNED,
    "有符号数": _SIGNED, "uint": _UNSIGNED, "unsigned": _UNSIGNED, "unsignedint": _UNSIGNED,
    "unsignedinteger": _UNSIGNED, "无符号": _UNSIGNED, "无符号整数": _UNSIGNED,
    "无符号整型": _UNSIGNED, "无符号数": _UNSIGNED,
}  # fmt: skip
_HALVES = frozenset({"byte", "字节", "int8", "uint8", "sint", "usint", "i8", "u8"})
_ORDER_WORDS = {
    "bigendian": "ABCD", "big": "ABCD", "be": "ABCD", "大端": "ABCD", "大端模式": "ABCD",
    "高字在前": "ABCD", "高字节在前": "ABCD", "高位在前": "ABCD", "高在前": "ABCD", "msb": "ABCD",
    "msbfirst": "ABCD", "highwordfirst": "ABCD", "hilo": "ABCD", "highfirst": "ABCD",
    "normal": "ABCD", "none": "ABCD", "noswap": "ABCD", "modbus": "ABCD", "低字在前": "CDAB",
    "lowwordfirst": "CDAB", "wordswap": "CDAB", "swapped": "CDAB", "wordswapped": "CDAB",
    "swapword": "CDAB", "大端字交换": "CDAB", "字交换": "CDAB", "littleendianbyteswap": "CDAB",
    "bigendianwordswap": "CDAB", "midlittleendian": "CDAB", "byteswap": "BADC",
    "bigendianbyteswap": "BADC", "byteswapped": "BADC", "字节交换": "BADC", "swapbyte": "BADC",
    "大端字节交换": "BADC", "小端字节交换": "CDAB", "midbigendian": "BADC", "littleendian": LITTLE,
    "little": LITTLE, "le": LITTLE, "小端": LITTLE, "小端模式": LITTLE, "低位在前": LITTLE,
    "低字节在前": LITTLE, "lsb": LITTLE, "lsbfirst": LITTLE, "lohi": LITTLE, "lowfirst": LITTLE,
    "低在前": LITTLE,
}  # fmt: skip
_LETTERS = re.compile(r"(?:[a-h]{4}|[a-h]{6}|[a-h]{8})")
_IN_TYPE = re.compile(r"(?<![a-z])([a-d]{2} ?[a-d]{2}|[a-h]{8})(?![a-z])")


@dataclass(frozen=True, slots=True)
class Kind:
    """A type as a list writes it.

    Attributes:
        name: As in the configuration.
        order: Where the type names one too, as in `Float CDAB`; else empty.
        is_sized: Whether the list itself says how many registers the value has.
    """

    name: str
    order: str = ""
    is_sized: bool = True


def kind_of(text: str, registers: int | None) -> Kind:
    """Read a type.

    Args:
        text: As written.
        registers: How many the list says that the value has, if it does.

    Raises:
        Unclear: It is not known, or contradicts the number of registers.
    """
    if text in KINDS:
        return _sized(Kind(text), text, registers)
    plain = _plain(text)
    found = _IN_TYPE.search(plain)
    order = found[1].replace(" ", "").upper() if found and _is_order(found[1]) else ""
    word = _word(plain.replace(found[1], " ") if found and order else plain)
    if word in _BY_SIZE:
        by_size = _BY_SIZE[word]
        if (registers or 1) not in by_size:
            raise _contradiction(text, registers)
        return Kind(by_size[registers or 1], order, is_sized=registers is not None)
    if word in _HALVES:
        raise Unclear("type", _(
            "{text!r} is half a register: write uint8h or uint8l, int8h or int8l, for the high "
            "or the low byte"
        ).format(text=text))  # fmt: skip
    name = _FIXED.get(word) or (word if word in KINDS else "")
    if not name:
        raise Unclear("type", _("the type {text!r} is not known").format(text=text))
    return _sized(Kind(name, order), text, registers)


def _sized(kind: Kind, text: str, registers: int | None) -> Kind:
    wanted = KINDS[kind.name].registers
    if kind.name == "bcd16" and registers == 2:
        return Kind("bcd32", kind.order)
    if registers is not None and wanted and registers != wanted and kind.name != "bool":
        raise _contradiction(text, registers)
    return kind


def _contradiction(text: str, registers: int | None) -> Unclear:
    return Unclear("type", _("{text!r} does not have {n} registers, as the list says").format(
        text=text, n=registers))  # fmt: skip


def order_of(text: str) -> str:
    """Read a byte order: `CDAB`, `3412`, `AB CD`, `3-4-1-2`, `word swap`, `高字在前`.

    Returns:
        Letters; `little` where it is only called so; nothing where it is empty.

    Raises:
        Unclear: It is not known.
    """
    plain = _plain(text)
    tight = re.sub(r"[ \-_,.]", "", plain)
    if tight in {"", "/"}:
        return ""
    as_letters = str(letters(tight)).lower()
    if _LETTERS.fullmatch(as_letters) and _is_order(as_letters):
        return as_letters.upper()
    if tight in {"a", "b", "ab", "ba"}:  # of texts
        return tight.upper()
    word = _word(plain)
    if word in _ORDER_WORDS:
        return _ORDER_WORDS[word]
    found = _IN_TYPE.search(plain)
    if found and _is_order(found[1]):
        return found[1].replace(" ", "").upper()
    raise Unclear("order", _("the byte order {text!r} is not known").format(text=text))


def fitted(order: str, registers: int) -> str:
    """Give an order of 32 bits for values of this many registers; empty where they have none."""
    orders, usual = NUMBER_ORDERS.get(registers, ()), NUMBER_ORDERS[2]
    if order in orders or not orders:
        return order if orders else ""
    return orders[usual.index(order)] if order in usual else order


def _is_order(text: str) -> bool:
    tight = text.replace(" ", "").upper()
    return any(tight in orders for orders in NUMBER_ORDERS.values())


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).lower().split())


def _word(plain: str) -> str:
    """Leave nothing but letters and digits."""
    return re.sub(r"[^0-9a-z\u3400-\u9fff]", "", plain)
