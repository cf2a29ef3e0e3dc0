"""Which reading of the registers shows the number that a display shows. Pure.

Byte order, type, scale and an address that is off by one cannot be told from registers alone; one
number from the device's own display tells nearly always. Every way to read the registers is tried,
and those that give the number are ranked: what fits better comes first, then what devices do more
often.
"""

import itertools
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from edge_agent.language import _
from edge_agent_modbus.address import ModbusAddress
from edge_agent_modbus.decode import compile_decoder
from edge_agent_modbus.layout import KINDS, NUMBER_ORDERS
from edge_agent_modbus.pdu import CELLS, Table

WINDOW = (-1, 5)
"""Registers around the one asked for that are looked at: from, and up to without."""

_SHIFTS = (0, -1, 1)
_UNSIGNED = {"int16": "uint16", "int32": "uint32", "int64": "uint64"}
_TYPES = ("uint16", "int16", "float32", "uint32", "int32", "float64", "uint64", "int64")
_DECADES = range(-6, 5)
_DRIFT = 0.02  # of the number: so much may have changed between display and reading
_ROUNDED, _CUT, _DRIFTED = 0.0, 1.0, 20.0  # how badly a number fits

# What it takes to believe something unusual; only the order of sums matters. Estimated from the
# register lists of some 90 devices: seven values in eight are high word first, swapped bytes occur
# in a few, and counters and powers of 64 bits in one device of ten.
_SHIFTED = {0: 0.0, -1: 3.0, 1: 3.2}  # that a manual counts from 1 is the commoner mistake
_WIDER = {1: 0.0, 2: 0.3, 4: 0.4}
_ORDERED = (0.0, 0.7, 2.5, 2.0, 2.5, 2.5)  # by the place in NUMBER_ORDERS
_KILO = 1.5  # a float in another unit than the display's
_ODD_FLOAT = 4.0
_FINER, _COARSER = 1.5, 3.0  # a whole number with more, or fewer, digits than the display shows
_ROW_OF_WIDE = 3.4  # taken off where the neighbours are small numbers in wide registers as well
_SMALL = 0x10000
_NUMBER = re.compile(r"[-+]?[0-9]+([.,][0-9]+)?")
_IN_GROUPS = re.compile(r"[-+]?[0-9]{1,3}(,[0-9]{3})+\.[0-9]+")  # only with a point it is certain


@dataclass(frozen=True, slots=True)
class Shown:
    """What a display shows.

    Attributes:
        number: The number.
        decimals: Digits behind the point.
    """

    number: float
    decimals: int

    @property
    def last_place(self) -> float:
        """What one step of its last digit is worth."""
        return float(Decimal(1).scaleb(-self.decimals))


def parse_shown(text: str) -> Shown:
    """Read a number as displays show it: `231.4`, `231,4`, `7 912`, `-0.5`.

    Raises:
        ValueError: It is none.
    """
    plain = text.strip().replace("−", "-").replace("'", "")
    plain = re.sub(r"(?<=[0-9]) (?=[0-9]{3})", "", plain)
    if _IN_GROUPS.fullmatch(plain):
        plain = plain.replace(",", "")
    if not _NUMBER.fullmatch(plain):
        raise ValueError(
            _("{text!r} is no number as a display shows it: write one like 231.4").format(text=text)
        )
    number = plain.replace(",", ".")
    return Shown(float(number), len(number.partition(".")[2]))


@dataclass(frozen=True, slots=True)
class Reading:
    """Registers, and what the display showed meanwhile.

    Attributes:
        registers: Offset -> its 16 bits; what the device refuses is missing.
    """

    registers: Mapping[int, int]
    shown: Shown


@dataclass(frozen=True, slots=True)
class Candidate:
    """A way to read the registers that gives the number.

    Attributes:
        shift: Registers from the one asked for; not 0 where the address was off by one.
        type: What the registers hold.
        also: The signed type that would give the same, as long as the value is not negative.
        order: Of its bytes; empty for one register.
        decade: The value is multiplied by ten to the power of this.
        value: What it gives, multiplied.
        doubt: Less is better.
    """

    shift: int
    type: str
    also: str
    order: str
    decade: int
    value: float
    doubt: float

    @property
    def scale(self) -> float:
        """What to write as the point's `scale`."""
        return float(Decimal(1).scaleb(self.decade))

    @property
    def types(self) -> tuple[str, ...]:
        """The types that it may be."""
        return (self.type, self.also) if self.also else (self.type,)


def candidates(table: Table, asked: int, readings: Sequence[Reading]) -> list[Candidate]:
    """Give every way to read the registers that shows all the numbers, the likeliest first.

    Args:
        table: Of registers.
        asked: The offset that is believed to be right.
        readings: One, or several of different times.
    """
    found = [
        candidate
        for address, shift in _addresses(table, asked)
        for candidate in _of_address(address, shift, readings)
    ]
    return sorted(_without_twins(found), key=lambda candidate: candidate.doubt)


def _addresses(table: Table, asked: int) -> Iterator[tuple[ModbusAddress, int]]:
    for shift, kind in itertools.product(_SHIFTS, _TYPES):
        width = KINDS[kind].registers
        offset = asked + shift
        if offset < 0 or offset + width > CELLS:
            continue
        for order in NUMBER_ORDERS[width] or ("",):
            yield ModbusAddress(table=table, offset=offset, type=kind, order=order), shift


def _of_address(
    address: ModbusAddress, shift: int, readings: Sequence[Reading]
) -> Iterator[Candidate]:
    values = [_value(address, reading.registers) for reading in readings]
    known = [value for value in values if value is not None and math.isfinite(value)]
    if len(known) < len(readings) or not known:
        return
    for decade in _decades(known[0], readings[0].shown):
        scaled = [_scaled(value, decade) for value in known]
        misfits = [_misfit(s, reading.shown) for s, reading in zip(scaled, readings, strict=True)]
        if None in misfits:
            continue
        doubt = sum(misfit for misfit in misfits if misfit is not None)
        doubt += _surprise(address, shift, decade, readings[0].shown)
        doubt -= _in_a_row(address, readings[0].registers)
        yield Candidate(shift, address.type, "", address.order, decade, scaled[0], doubt)


def _value(address: ModbusAddress, registers: Mapping[int, int]) -> float | None:
    cells = range(address.offset, address.offset + address.cells)
    if not all(cell in registers for cell in cells):
        return None
    data = b"".join(registers[cell].to_bytes(2, "big") for cell in cells)
    values, flaws = compile_decoder(address.offset, address.cells, [address])(data)
    value = values[0]
    return value if not flaws and isinstance(value, int | float) else None


def _decades(value: float, shown: Shown) -> Iterable[int]:
    """Give the powers of ten that may lead from a value to what is shown."""
    ratio = abs(shown.number / value) if value else 0.0
    if not ratio or math.isinf(ratio):
        return (0,)
    exact = math.log10(ratio)
    return [decade for decade in {math.floor(exact), math.ceil(exact)} if decade in _DECADES]


def _in_a_row(address: ModbusAddress, registers: Mapping[int, int]) -> float:
    """Tell how much the neighbours speak for a whole number in several registers.

    Small ones leave a register of zeros each, and look like those of one register themselves.
    """
    if address.cells == 1 or address.type.startswith("float"):
        return 0.0
    places = (address.offset + side * address.cells for side in (-1, 0, 1))
    row = [
        _value(address.model_copy(update={"offset": place}), registers)
        for place in places
        if 0 <= place <= CELLS - address.cells
    ]
    known = [abs(value) for value in row if value is not None]
    is_row = len(known) > 1 and all(0 < value < _SMALL for value in known)
    return _ROW_OF_WIDE if is_row else 0.0


def _scaled(value: float, decade: int) -> float:
    return value * 10.0**decade if decade >= 0 else value / 10.0**-decade


def _misfit(value: float, shown: Shown) -> float | None:
    """Tell how badly a value fits to what is shown; None if not at all."""
    away = abs(value - shown.number) / shown.last_place
    if away <= 0.5 + 1e-6:
        return _ROUNDED
    if away < 1 and abs(value) >= abs(shown.number):
        return _CUT
    part = abs(value - shown.number) / abs(shown.number) if shown.number else math.inf
    return _DRIFTED + 100 * part if part <= _DRIFT else None


def _surprise(address: ModbusAddress, shift: int, decade: int, shown: Shown) -> float:
    """Tell how unusual this way to read the registers is."""
    orders = NUMBER_ORDERS[address.cells]
    ordered = _ORDERED[orders.index(address.order)] if address.order else 0.0
    usual = _WIDER[address.cells] + ordered + _SHIFTED[shift]
    if address.type.startswith("float"):
        return usual + (0.0 if decade == 0 else _KILO if abs(decade) == 3 else _ODD_FLOAT)
    finer = -shown.decimals - decade  # decades that the register has below the display's last digit
    return usual + (0.5 if finer == 0 else 0.5 + (_FINER if finer > 0 else _COARSER))


def _without_twins(found: Iterable[Candidate]) -> Iterator[Candidate]:
    """Join what the unsigned and the signed type give alike."""
    kept: dict[tuple[int, str, str, int], Candidate] = {}
    for each in found:
        twin = kept.get((each.shift, _UNSIGNED.get(each.type, ""), each.order, each.decade))
        if twin is not None and twin.value == each.value:
            kept[twin.shift, twin.type, twin.order, twin.decade] = _joined(twin, each.type)
        else:
            kept[each.shift, each.type, each.order, each.decade] = each
    yield from kept.values()


def _joined(one: Candidate, also: str) -> Candidate:
    return Candidate(one.shift, one.type, also, one.order, one.decade, one.value, one.doubt)
