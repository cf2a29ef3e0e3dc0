"""From the data bytes of one answer to values: compiled once when planned, cheap when run. Pure.

All numbers of a block whose byte order `struct` can express are unpacked by one `struct.Struct`
with pad bytes (a *lane*); neighbouring float32 cost about 15 ns each so, 500 ns each one by one.
"""

import itertools
import struct
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from edge_agent.driver import Flaw, Quality, Value
from edge_agent_modbus.address import ModbusAddress
from edge_agent_modbus.conversion import conversion_of
from edge_agent_modbus.layout import KINDS, REGULAR, Regular
from edge_agent_modbus.undecodable import Undecodable
from edge_agent_modbus.values import Finish, finish_of, number_of

Decoded = tuple[Sequence[Value], Mapping[int, Flaw]]
"""One value per address, and index -> flaw for those that hold nothing their type can mean."""

Decode = Callable[[bytes], Decoded]

_NO_FLAWS: Mapping[int, Flaw] = {}
_PLAIN = REGULAR[""]


def compile_decoder(offset: int, count: int, addresses: Sequence[ModbusAddress]) -> Decode:
    """Make the function that decodes an answer of `count` cells from `offset`.

    Args:
        offset: The first cell of the answer.
        count: How many cells it holds.
        addresses: What is wanted, in ascending order of offset, all of one table.
    """
    if addresses[0].table.of_bits:
        return BitDecoder([address.offset - offset for address in addresses])
    return RegisterDecoder(offset, count, addresses)


_BITS_OF = tuple(tuple(bool(byte >> bit & 1) for bit in range(8)) for byte in range(256))


class BitDecoder:
    """Picks bits; the lowest bit of the first byte is the first cell. Source: V1.1b3, 6.1."""

    __slots__ = ("_places",)

    def __init__(self, places: Sequence[int]) -> None:
        self._places = tuple(places)

    def __call__(self, data: bytes) -> Decoded:
        flat = [bit for byte in data for bit in _BITS_OF[byte]]
        return [flat[place] for place in self._places], _NO_FLAWS


@dataclass(frozen=True, slots=True)
class _Cut:
    """Which bytes of the answer one address needs, and how they are unpacked."""

    start: int
    code: str
    regular: Regular

    @property
    def end(self) -> int:
        return self.start + struct.calcsize(f">{self.code}")


@dataclass(slots=True)
class _Lane:
    """Cuts that one `struct.Struct` can do: one byte order, none overlapping another."""

    regular: Regular
    cuts: dict[_Cut, int] = field(default_factory=dict)
    end: int = 0

    def takes(self, cut: _Cut) -> bool:
        """Tell whether the cut is here already or fits behind the others."""
        return self.regular == cut.regular and (cut in self.cuts or cut.start >= self.end)

    def place(self, cut: _Cut) -> int:
        """Give the cut's position among what the lane unpacks."""
        self.end = max(self.end, cut.end)
        return self.cuts.setdefault(cut, len(self.cuts))

    def compile(self, size: int) -> tuple[Callable[[bytes], tuple[Any, ...]], bool]:
        parts, at = [], 0
        for cut in self.cuts:
            parts += ["x"] * (cut.start - at) + [cut.code]
            at = cut.end
        parts += ["x"] * (size - at)
        return struct.Struct(self.regular.endian + _folded(parts)).unpack, self.regular.swapped


def _folded(codes: Iterable[str]) -> str:
    """Write equal neighbours with a count: `struct` keeps 32 bytes for each word it is given."""
    words = []
    for code, same in itertools.groupby(codes):
        count = len(list(same))
        words.append(f"{count}{code}" if len(code) == 1 else code * count)
    return "".join(words)


class RegisterDecoder:
    """Unpacks lanes, picks what each address wants, and finishes what `struct` cannot do."""

    __slots__ = ("_finishers", "_lanes", "_picks")

    def __init__(self, offset: int, count: int, addresses: Sequence[ModbusAddress]) -> None:
        lanes: list[_Lane] = []
        spots: list[tuple[int, int]] = []
        finishers: list[tuple[int, Finish]] = []
        for index, address in enumerate(addresses):
            cut, finish = _cut(address, 2 * (address.offset - offset))
            spots.append(_spot(lanes, cut))
            if finish is not None:
                finishers.append((index, finish))
        starts = _running_totals(len(lane.cuts) for lane in lanes)
        picks = [starts[lane] + place for lane, place in spots]
        self._lanes = [lane.compile(2 * count) for lane in lanes]
        self._picks = None if picks == list(range(len(picks))) else picks
        self._finishers = finishers

    def __call__(self, data: bytes) -> Decoded:
        flat: list[Any] = []
        for unpack, swapped in self._lanes:
            flat += unpack(_swap(data) if swapped else data)
        values = flat if self._picks is None else [flat[place] for place in self._picks]
        return values, self._finish(values) if self._finishers else _NO_FLAWS

    def _finish(self, values: list[Any]) -> Mapping[int, Flaw]:
        flaws = {}
        for index, finish in self._finishers:
            try:
                values[index] = finish(values[index])
            except Undecodable as error:
                values[index] = None
                flaws[index] = Flaw(Quality.BAD, error.why, str(error))
        return flaws


def _cut(address: ModbusAddress, start: int) -> tuple[_Cut, Finish | None]:
    code = KINDS[address.type].code
    regular = REGULAR.get(address.byte_order)
    finish = finish_of(address)
    if code and regular:
        cut = _Cut(start, code, regular)
    else:
        cut = _Cut(start, f"{2 * address.cells}s", _PLAIN)
        finish = finish or number_of(address)
    return cut, _converting(address, finish)


def _converting(address: ModbusAddress, finish: Finish | None) -> Finish | None:
    """Add what happens to the raw value, if anything does."""
    if not address.no_value and address.map is None:
        return finish
    convert = conversion_of(address.codes, address.map)
    return convert if finish is None else lambda cut: convert(finish(cut))


def _spot(lanes: list[_Lane], cut: _Cut) -> tuple[int, int]:
    for number, lane in enumerate(lanes):
        if lane.takes(cut):
            return number, lane.place(cut)
    lanes.append(_Lane(cut.regular))
    return len(lanes) - 1, lanes[-1].place(cut)


def _running_totals(sizes: Iterable[int]) -> list[int]:
    totals = [0]
    for size in sizes:
        totals.append(totals[-1] + size)
    return totals


def _swap(data: bytes) -> bytes:
    """Swap the two bytes of every register."""
    words = array("H", data)
    words.byteswap()
    return words.tobytes()
