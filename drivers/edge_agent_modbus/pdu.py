"""Requests that read, and what comes back for them. Pure.

The only way to make bytes for a device is `Request`, and its function code comes from the table it
reads: 1, 2, 3 or 4. No encoder for any other function exists in this package, but for those of
`services`, which read too. pymodbus, which has encoders for writes, is therefore not imported at
run time (nor are its 10 MB).

Source of the formats: MODBUS Application Protocol V1.1b3, chapters 4.1, 6.1-6.4 and 7.
"""

import struct
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from edge_agent.driver import Why
from edge_agent.language import _, later


class Table(StrEnum):
    """The four tables of a Modbus device. Source: V1.1b3, 4.3 (data model)."""

    COIL = "coil"
    DISCRETE = "discrete"
    INPUT = "input"
    HOLDING = "holding"

    @property
    def of_bits(self) -> bool:
        """Tell whether its cells are single bits; otherwise they are registers of 16 bits."""
        return self in {Table.COIL, Table.DISCRETE}

    @property
    def most(self) -> int:
        """Most cells that fit into one answer. Source: V1.1b3, 6.1-6.4."""
        return 2000 if self.of_bits else 125


# Read coils, read discrete inputs, read holding registers, read input registers (V1.1b3, 6.1-6.4).
FUNCTIONS = {Table.COIL: 1, Table.DISCRETE: 2, Table.HOLDING: 3, Table.INPUT: 4}

CELLS = 0x10000
"""Cells that a table can address: offsets are 16 bits."""

_REQUEST = struct.Struct(">BHH")
_EXCEPTION = 0x80


@dataclass(frozen=True, slots=True)
class Request:
    """Ask one unit for neighbouring cells of one table.

    Attributes:
        function: Function code on the wire, 1-4.
        size: Data bytes in the right answer.
        pdu: The five bytes of the request, without unit and checksum.
    """

    unit: int
    table: Table
    offset: int
    count: int
    function: int = field(init=False)
    size: int = field(init=False)
    pdu: bytes = field(init=False)

    def __post_init__(self) -> None:
        if not (0 < self.count <= self.table.most and 0 <= self.offset <= CELLS - self.count):
            raise ValueError(
                _("no request can read {count} cells from offset {offset}").format(
                    count=self.count, offset=self.offset
                )
            )
        function = FUNCTIONS[self.table]
        size = (self.count + 7) // 8 if self.table.of_bits else 2 * self.count
        object.__setattr__(self, "function", function)
        object.__setattr__(self, "size", size)
        object.__setattr__(self, "pdu", _REQUEST.pack(function, self.offset, self.count))

    @property
    def shape(self) -> tuple[int, int]:
        """What an answer shows of its request, beside the unit: function and number of bytes."""
        return self.function, self.size

    def wider(self, before: int, behind: int) -> "Request | None":
        """Ask for the same cells and so many more on each side; None if that is impossible."""
        offset, count = self.offset - before, self.count + before + behind
        if not (0 <= offset <= CELLS - count and count <= self.table.most):
            return None
        return Request(self.unit, self.table, offset, count)

    def __str__(self) -> str:
        return _("unit {unit} {table}:{offset} x{count}").format(
            unit=self.unit, table=self.table, offset=self.offset, count=self.count
        )


class Refusal(NamedTuple):
    """The device answered that it will not: an exception answer."""

    code: int

    def __str__(self) -> str:
        return _("exception {code}: {meaning}").format(
            code=self.code, meaning=_(EXCEPTIONS.get(self.code, "")) or _of_maker(self.code)
        )


class Miss(NamedTuple):
    """No answer came that could be used."""

    why: Why
    detail: str


class Barred(Miss):
    """Nothing was asked, since an old answer could be taken for the new one; parts may be asked."""

    __slots__ = ()


Answer = bytes | Refusal
Outcome = bytes | Refusal | Miss

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3
BUSY = frozenset({5, 6})
GATEWAY = frozenset({0x0A, 0x0B})

# Source: V1.1b3, chapter 7.
EXCEPTIONS = {
    1: later("illegal function, the device does not have this table"),
    2: later("illegal data address"),
    3: later("illegal data value"),
    4: later("the device has failed"),
    5: later("acknowledged, the device is busy"),
    6: later("the device is busy"),
    7: later("negative acknowledge"),
    8: later("memory parity error"),
    0x0A: later("the gateway has no path to the device"),
    0x0B: later("the device behind the gateway does not answer"),
}

# What serial gateways of ICP DAS and others built like them say. Nothing is learnt from any such
# code, and the next poll asks again. Source: their table of Modbus error codes.
_OF_GATEWAYS = {
    0x41: later("invalid message"),
    0x42: later("wrong message length"),
    0x43: later("wrong checksum"),
    0x4B: later("data timeout"),
}


def _of_maker(code: int) -> str:
    """Say what a code may mean that the specification does not know."""
    meaning = _OF_GATEWAYS.get(code)
    if meaning is None:
        return _(
            "a code of its maker (0x{code:02X}), see its manual; asked again at the next poll"
        ).format(code=code)
    return _("{meaning} behind the gateway (0x{code:02X}); asked again at the next poll").format(
        meaning=_(meaning), code=code
    )


def match(request: Request, pdu: bytes) -> Answer | None:
    """Take the data bytes, or the refusal, out of a PDU that answers this request.

    Returns:
        None if function code or byte count are not those of the request: then it is the answer to
        something else, or no proper one, and never a value.
    """
    function = request.function
    if len(pdu) == 2 and pdu[0] == function | _EXCEPTION:
        return Refusal(pdu[1])
    if len(pdu) == request.size + 2 and pdu[0] == function and pdu[1] == request.size:
        return bytes(pdu[2:])
    return None
