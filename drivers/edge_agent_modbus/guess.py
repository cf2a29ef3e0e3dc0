"""In which order a unit's registers seem to hold decimal numbers. Pure.

Only floats tell: bytes in a wrong order give numbers that nobody measures. Whole numbers look
sensible in any order, so nothing is guessed from them.
"""

import math
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from edge_agent_modbus.layout import NUMBER_ORDERS

_LEAST, _MOST = 1e-3, 1e7  # what people measure lies between
_ENOUGH = 3  # different numbers
_SHARE = 0.8  # of all pairs that are not zero
_AHEAD = 2.0  # times the second best
_EXAMPLES = 4


@dataclass(frozen=True, slots=True)
class Guess:
    """Decimal numbers of 32 bits, as they are read in one order.

    Attributes:
        numbers: Offset -> number, all of them.
        share: How many of the pairs of registers that are not zero are sensible so.
    """

    order: str
    numbers: Mapping[int, float]
    share: float

    @property
    def examples(self) -> list[tuple[int, float]]:
        """The first of them."""
        return list(self.numbers.items())[:_EXAMPLES]


def guess(values: Mapping[int, int]) -> list[Guess]:
    """Look for decimal numbers in each row of neighbouring registers; the surest first.

    Args:
        values: Offset -> 16 bits.
    """
    found = [best for row in _rows(values) if (best := _best(row)) is not None]
    return sorted(found, key=lambda one: -len(one.numbers))


def _rows(values: Mapping[int, int]) -> Iterator[dict[int, int]]:
    row: dict[int, int] = {}
    for offset in sorted(values):
        if row and offset - 1 not in row:
            yield row
            row = {}
        row[offset] = values[offset]
    if row:
        yield row


def _best(row: Mapping[int, int]) -> Guess | None:
    """Read a row from its beginning on, where a number mostly begins, else from the next register.

    Words in the other order, and read from one register further on, give nearly the same numbers.
    """
    for first in (min(row), min(row) + 1):
        tried = [_read(row, order, first) for order in NUMBER_ORDERS[2]]
        best, second, *_ = sorted(tried, key=_different, reverse=True)
        is_clear = _different(best) >= max(_ENOUGH, _AHEAD * _different(second))
        if is_clear and best.share >= _SHARE:
            return best
    return None


def _different(one: Guess) -> int:
    return len(set(one.numbers.values()))


def _read(row: Mapping[int, int], order: str, first: int) -> Guess:
    pairs = {
        at: row[at].to_bytes(2, "big") + row[at + 1].to_bytes(2, "big")
        for at in range(first, max(row), 2)
    }
    known = {at: _number(data, order) for at, data in pairs.items() if any(data)}
    numbers = {at: number for at, number in known.items() if _is_sensible(number)}
    return Guess(order, numbers, len(numbers) / len(known) if known else 0.0)


def _number(data: bytes, order: str) -> float:
    plain = bytes(data[order.index(letter)] for letter in "ABCD")
    return float(struct.unpack(">f", plain)[0])


def _is_sensible(number: float) -> bool:
    return math.isfinite(number) and _LEAST <= abs(number) < _MOST
