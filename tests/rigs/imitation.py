"""A device that has what a profile says of a model: its registers, and values as they are measured.

Independent of what recognises it: the values are typical ones of a running machine, and types are
laid into registers here.
"""

import struct

from edge_agent.config.profile import Profile, Sign
from tests.rigs import writes

_TYPICAL = {
    "V": 231.4, "A": 12.08, "mA": 11.2, "W": 2790.0, "kW": 7.9, "var": 410.0, "V.A": 2820.0,
    "kW.h": 18442.6, "kvar.h": 1204.2, "Hz": 49.98, "Cel": 41.5, "%": 48.0, "1/min": 1440.0,
    "deg": 12.0, "kPa": 420.0, "h": 1234.0, "m3": 812.5, "m3/h": 4.2, "m/s": 1.1, "[ppm]": 612.0,
    "N.m": 14.0, "s": 36.0,
}  # fmt: skip
_BY_NAME = {
    "power_factor": 0.97, "battery_voltage": 26.1, "dc_voltage": 26.4, "ai_": 6.2,
    "dc_bus_voltage": 540.0, "co2": 612.0, "humidity": 48.0, "temperature": 23.4,
}  # fmt: skip
_CODES = {
    "int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "int64": ">q", "uint64": ">Q",
    "float32": ">f", "float64": ">d",
}  # fmt: skip
_TABLES = {1: "coil", 2: "discrete", 3: "holding", 4: "input"}


class Imitation:
    """Answers PDUs as this model would.

    Args:
        profile: The model.
        lenient: Whether cells that it does not have are 0, as with many makers, or refused.

    Attributes:
        writes: PDUs that do not read: there must be none.
        asked: Function codes of all that was asked.
    """

    def __init__(self, profile: Profile, lenient: bool = False) -> None:
        self._lenient = lenient
        self._cells: dict[tuple[str, int], int] = {}
        self.writes: list[bytes] = []
        self.asked: list[int] = []
        for number, (name, point) in enumerate(profile.points.items()):
            value = (_measured(name, point.unit, number) - point.add) / point.scale
            self._lay(point.address, value)
        for sign in profile.recognise:
            self._show(sign)

    def _show(self, sign: Sign) -> None:
        if sign.begins:
            self._lay(sign.address, sign.begins)
        elif sign.one_of:
            self._lay(sign.address, sign.one_of[-1])
        else:
            low, high = sign.range or (0, 0)
            value = 231.4 if low == 80 else (low + high) / 2
            self._lay(sign.address, value / sign.scale)

    def _lay(self, address: dict, value: float | str) -> None:
        table, offset = address.get("table", "holding"), address["offset"]
        if table in {"coil", "discrete"}:
            self._cells[table, offset] = offset % 3 == 0
            return
        for at, word in enumerate(_words(address, value)):
            self._cells[table, offset + at] = word

    def answer(self, pdu: bytes) -> bytes:
        function = pdu[0]
        self.asked.append(function)
        table = _TABLES.get(function)
        if table is None:
            if not writes.check(pdu, "an imitated device"):
                self.writes.append(pdu)
            return bytes((function | 0x80, 1))
        offset, count = struct.unpack(">HH", pdu[1:])
        if not any(known == table for known, _ in self._cells):
            return bytes((function | 0x80, 1))
        cells = [self._cells.get((table, at)) for at in range(offset, offset + count)]
        if None in cells and not self._lenient:
            return bytes((function | 0x80, 2))
        values = [int(cell or 0) for cell in cells]
        return bytes((function,)) + (_bits(values) if function <= 2 else _registers(values))


def _measured(name: str, unit: str, number: int) -> float:
    for begin, value in _BY_NAME.items():
        if name.startswith(begin):
            return value
    return _TYPICAL.get(unit, 1.0) * (1 + number % 5 / 500)


def _words(address: dict, value: float | str) -> list[int]:
    kind = address.get("type", "uint16")
    if isinstance(value, str):
        data = value.encode().ljust(address["length"], b"\0")
    elif kind in _CODES:
        code = _CODES[kind]
        data = struct.pack(code, value if kind.startswith("float") else _fitting(kind, value))
    else:
        data = struct.pack(">H", int(value) & 0xFFFF)
        if "length" in address:
            data = data.rjust(address["length"], b"\0")
    order = address.get("order")
    if order and len(order) == len(data):
        data = bytes(data["ABCDEFGH".index(letter)] for letter in order)
    return [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]


def _fitting(kind: str, value: float) -> int:
    bits = int(kind.lstrip("uint")) - (not kind.startswith("u"))
    return min(round(value), 2**bits - 1)


def _registers(values: list[int]) -> bytes:
    return struct.pack(f">B{len(values)}H", 2 * len(values), *values)


def _bits(values: list[int]) -> bytes:
    data = bytearray((len(values) + 7) // 8)
    for at, value in enumerate(values):
        data[at // 8] |= value << at % 8
    return bytes((len(data),)) + bytes(data)
