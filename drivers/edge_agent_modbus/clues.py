"""What single values say for or against a profile: how surprising it is to read them. Pure.

Bits: 1 is what a coin tells. A voltage where a profile has its voltage is worth some bits; a name
plate is worth more than all plausible values together.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from edge_agent_modbus.address import ModbusAddress
from edge_agent_modbus.decode import compile_decoder
from edge_agent_modbus.pdu import Request, Table

if TYPE_CHECKING:
    from edge_agent.command import Sign

PLATE = 40.0  # what a register or the unit itself says of its model
ABSENT = -4.0  # a point that is refused: smaller models of a family lack some
ODD = -5.0  # a value that nobody measures
ODD_SIGN = -9.0  # the same where all models of the family have something plausible
NOTHING = -2.0  # a sign that is 0 or not a number: a phase may be without voltage

_EXPONENTS = {"float16": 30, "float32": 254, "float64": 2046}  # powers of two; IEEE 754-2008, 3.6


class Notes:
    """What was read of a unit so far: registers, and what it refuses to give."""

    def __init__(self) -> None:
        self.values: dict[tuple[Table, int], int] = {}
        self._refused: dict[Table, list[tuple[int, int]]] = {}
        self._absent: set[Table] = set()

    def keep(self, request: Request, data: bytes) -> None:
        """Note an answer."""
        for at in range(request.count):
            if request.table.of_bits:
                value = data[at // 8] >> at % 8 & 1
            else:
                value = int.from_bytes(data[2 * at : 2 * at + 2], "big")
            self.values[request.table, request.offset + at] = value

    def refuse(self, request: Request) -> None:
        """Note that these cells are not given together."""
        self._refused.setdefault(request.table, []).append(
            (request.offset, request.offset + request.count)
        )

    def lacks(self, table: Table) -> None:
        """Note that the unit has no such table."""
        self._absent.add(table)

    def data(self, address: ModbusAddress) -> bytes | None:
        """Give the bytes of a value; None if they were not read."""
        cells = range(address.offset, address.offset + address.cells)
        words = [self.values.get((address.table, cell)) for cell in cells]
        if None in words:
            return None
        if address.table.of_bits:
            return bytes([words[0] or 0])
        return b"".join((word or 0).to_bytes(2, "big") for word in words)

    def is_refused(self, address: ModbusAddress) -> bool:
        """Tell whether the unit does not give a value, as far as that is known.

        A block that is refused says nothing of one that is a part of it.
        """
        first, last = address.offset, address.offset + address.cells
        refused = self._refused.get(address.table, ())
        return address.table in self._absent or any(
            first <= begin and end <= last for begin, end in refused
        )

    def knows(self, address: ModbusAddress) -> bool:
        """Tell whether there is nothing to ask any more."""
        return self.is_refused(address) or self.data(address) is not None


class Presence(NamedTuple):
    """Bits that it is worth that a value is there: one that is not 0, and a 0."""

    something: float = 0.0
    nothing: float = 0.0


UNKNOWN = Presence()


@dataclass(frozen=True)
class Clue:
    """One value by which a profile is weighed.

    Attributes:
        sign: The profile's own sign; None for one of its points.
        low: Of what is plausible, in engineering units.
        point: The profile's name for it, if it is one of its points.
    """

    address: ModbusAddress
    scale: float
    low: float = 0.0
    high: float = 0.0
    sign: "Sign | None" = None
    point: str = ""

    @property
    def names_the_model(self) -> bool:
        """Tell whether the value is the model's and no other's."""
        return self.sign is not None and self.sign.range is None

    @cached_property
    def worth(self) -> float:
        """Bits that a plausible value is worth.

        Registers hold small numbers more often than large ones: all powers of two are taken for
        equally likely, so a wide range is worth little and one of a float much.
        """
        if self.address.table.of_bits or not self.high:
            return 0.0
        powers = _EXPONENTS.get(self.address.type) or 16 * self.address.cells
        return max(0.0, -math.log2(min(1.0, math.log2(self.high / self.low) / powers)))

    def bits(self, notes: Notes, there: Presence = UNKNOWN) -> float | None:
        """Weigh what was read: above 0 speaks for the profile; -inf excludes it; None if unread.

        Args:
            notes: What was read.
            there: Bits that it is worth that a value is there at all.
        """
        if notes.is_refused(self.address):
            return -math.inf if self.sign else ABSENT
        data = notes.data(self.address)
        if data is None:
            return None
        value = _decoded(self.address, data)
        if self.names_the_model:
            return PLATE if self._is_named(value) else -math.inf
        if isinstance(value, bool | str) or not self.high:
            return there.something if any(data) else there.nothing
        return self._bits_of_number(value, there)

    def number(self, notes: Notes) -> float | None:
        """Give a plausible number that was read, in engineering units."""
        data = notes.data(self.address)
        value = None if data is None else _decoded(self.address, data)
        if value is None or isinstance(value, bool | str) or not math.isfinite(value):
            return None
        number = float(value * self.scale)
        return number if self.low <= abs(number) <= self.high else None

    def _bits_of_number(self, value: float | None, there: Presence) -> float:
        if value is None or not math.isfinite(value) or value == 0:
            return NOTHING if self.sign else there.nothing
        if self.low <= abs(value * self.scale) <= self.high:
            return self.worth + there.something
        return ODD_SIGN if self.sign else ODD

    def _is_named(self, value: object) -> bool:
        assert self.sign is not None  # noqa: S101 - only asked of signs
        if self.sign.begins:
            return isinstance(value, str) and value.startswith(self.sign.begins)
        return value in self.sign.one_of


def _decoded(address: ModbusAddress, data: bytes) -> float | str | bool | None:
    values, flaws = compile_decoder(address.offset, address.cells, [address])(data)
    value = values[0]
    return value if not flaws and isinstance(value, int | float | str | bool) else None
