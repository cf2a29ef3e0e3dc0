"""One answer of a device and what it may mean."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from edge_agent.language import _
from edge_agent_modbus.candidates import WINDOW, Candidate, Reading, Shown, candidates
from edge_agent_modbus.interpretation import (
    Interpretation,
    interpretations,
    is_number,
    text_of,
)
from edge_agent_modbus.onceread import Failure, OneDevice, refused
from edge_agent_modbus.pdu import CELLS, Refusal, Request, Table

_FIRST_NUMBER = {Table.COIL: 0, Table.DISCRETE: 1, Table.INPUT: 3, Table.HOLDING: 4}
_BEYOND_JSON = 2**53  # whole numbers that other programs would round. Source: RFC 8259, 6
_SHORT = 9999  # register numbers above this have six digits


@dataclass(slots=True)
class Answered:
    """What a device answered.

    Attributes:
        seconds: From the beginning of the question to the end of the answer.
        looks: The registers around, offset -> 16 bits, once for each look.
    """

    request: Request
    data: bytes
    seconds: float
    looks: list[dict[int, int]] = field(default_factory=list)

    @property
    def registers(self) -> list[tuple[int, int]]:
        """Offset and content of each register."""
        return list(words(self.request.offset, self.data).items())

    @property
    def bits(self) -> list[tuple[int, bool]]:
        """Offset and content of each bit."""
        first = self.request.offset
        return [
            (first + at, bool(self.data[at // 8] >> at % 8 & 1)) for at in range(self.request.count)
        ]

    @property
    def text(self) -> str:
        """The registers as text; nothing if they are none."""
        return text_of(self.data)

    def interpretations(self, kind: str | None, order: str) -> list[Interpretation]:
        """Give every value that the registers may be, without infinities and the like."""
        wanted = (kind,) if kind else ()
        request = self.request
        found = interpretations(request.table, request.offset, self.data, wanted, order)
        return [each for each in found if is_number(each.value)]

    def candidates(self, displays: Sequence[Shown]) -> list[Candidate]:
        """Give what shows these numbers, one for each look."""
        readings = [Reading(look, shown) for look, shown in zip(self.looks, displays, strict=True)]
        return candidates(self.request.table, self.request.offset, readings) if readings else []

    def document(
        self, kind: str | None, order: str, found: Sequence[Candidate] | None
    ) -> dict[str, Any]:
        """Give it as JSON has it.

        Args:
            kind: Only values of this type.
            order: Only values in this order.
            found: What shows the display's number; None if that was not asked.
        """
        request = self.request
        document: dict[str, Any] = {
            "unit": request.unit,
            "table": str(request.table),
            "offset": request.offset,
            "count": request.count,
            "ms": round(1000 * self.seconds, 1),
            "raw": self.data.hex(),
        }
        if request.table.of_bits:
            return document | {"bits": [bit for _, bit in self.bits]}
        values = [_value(each) for each in self.interpretations(kind, order)]
        registers = [word for _, word in self.registers]
        document |= {"registers": registers, "text": self.text, "values": values}
        if found is not None:
            document["candidates"] = [self.address(each) for each in found]
        return document

    def number_of(self, offset: int) -> str:
        """Write an offset as manuals number it."""
        digit, number = _FIRST_NUMBER[self.request.table], offset + 1
        return f"{digit}{number:04}" if number <= _SHORT else f"{digit}{number:05}"

    def address(self, candidate: Candidate) -> dict[str, Any]:
        """Give a candidate as the configuration has a point."""
        address = {
            "unit": self.request.unit,
            "table": str(self.request.table),
            "offset": self.request.offset + candidate.shift,
            "type": candidate.type,
        }
        if candidate.order:
            address["order"] = candidate.order
        return {
            "address": address,
            "scale": candidate.scale,
            "value": candidate.value,
            "also": candidate.also,
        }

    def point(self, candidate: Candidate) -> str:
        """Write a candidate as the configuration has a point, without the unit."""
        offset = self.request.offset + candidate.shift
        address = f"table: {self.request.table}, offset: {offset}, type: {candidate.type}"
        order = f", order: {candidate.order}" if candidate.order else ""
        scale = f", scale: {candidate.scale:g}" if candidate.decade else ""
        return f"address: {{{address}{order}}}{scale}"

    def remark(self, candidate: Candidate) -> str:
        """Say what is special about a candidate."""
        remarks = []
        if candidate.shift:
            earlier = _("one register before the one named")
            later = _("one register behind the one named")
            remarks.append(earlier if candidate.shift < 0 else later)
        if candidate.also:
            remarks.append(_("or {also}, if it can be negative").format(also=candidate.also))
        return "; ".join(remarks)


def _value(each: Interpretation) -> dict[str, Any]:
    value = each.value
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if is_whole and abs(int(value or 0)) > _BEYOND_JSON:
        value = str(value)
    return {
        "offset": each.offset,
        "type": each.type,
        "order": each.order,
        "value": value,
        "sensible": each.is_sensible,
    }


def words(offset: int, data: bytes) -> dict[int, int]:
    """Take registers apart: offset -> 16 bits."""
    return {
        offset + at // 2: int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)
    }


async def read(device: OneDevice, request: Request) -> Answered | Failure:
    """Read once.

    Raises:
        ConnectionLost: The link broke.
    """
    loop = asyncio.get_running_loop()
    started = loop.time()
    outcome = await device.ask(request)
    if isinstance(outcome, Refusal):
        return refused(request, outcome)
    if isinstance(outcome, Failure):
        return outcome
    return Answered(request, outcome, loop.time() - started)


async def look_around(device: OneDevice, answered: "Answered | Failure") -> None:
    """Read the registers around as well, since addresses are often off by one.

    Raises:
        ConnectionLost: The link broke.
    """
    if isinstance(answered, Failure):
        return
    request = answered.request
    first = max(0, request.offset + WINDOW[0])
    last = min(CELLS, request.offset + WINDOW[1])
    whole = Request(request.unit, request.table, first, last - first)
    found: dict[int, int] = {}
    for part in (whole, *_parts(request, whole)):
        if part.offset in found and part.offset + part.count - 1 in found:
            continue
        outcome = await device.ask(part)
        if isinstance(outcome, bytes):
            found |= words(part.offset, outcome)
        if part is whole and found:
            break
    answered.looks.append(found)


def _parts(request: Request, whole: Request) -> Iterator[Request]:
    """Ask for what was asked for at first and for the others one by one, where there are holes."""
    yield request
    for offset in range(whole.offset, whole.offset + whole.count):
        yield Request(request.unit, request.table, offset, 1)
