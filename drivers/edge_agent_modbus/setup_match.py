"""How a display's number is found in the registers around a written address (S9).

Table, type, order and factor are found out; nobody is asked for them.
"""

import asyncio
import re
import time
from collections.abc import Sequence

from edge_agent.commissioning import Values, _
from edge_agent.driver import ConnectionLost
from edge_agent_modbus.candidates import Candidate, Reading, Shown, candidates
from edge_agent_modbus.notation import parse
from edge_agent_modbus.onceread import Failure, OneDevice, refused
from edge_agent_modbus.pdu import Refusal, Request, Table
from edge_agent_modbus.reading import Answered, look_around
from edge_agent_modbus.target import validated

Places = tuple[tuple[Table, int], ...]
"""Where a value may be: tables and offsets."""

SHORT_NUMBER = re.compile(r"[0-9]{1,4}")
_FEW = 4  # digits; shorter numbers fit to many ways of reading registers
_CLOSE = 2.0  # of doubt: what is behind the best by less may be it as well
_REGISTERS = (Table.HOLDING, Table.INPUT)


class Way:
    """One way to read a value: where, and how."""

    def __init__(self, table: Table, asked: int, candidate: Candidate) -> None:
        self.table, self.asked, self.candidate = table, asked, candidate
        self.offset = asked + candidate.shift
        self.at: int | None = None  # when it was read, ms since 1970 UTC
        self.shown = ""  # its value, with as many digits as the display has
        self.typed = ""  # what somebody saw on the display

    def address(self, *, is_signed: bool) -> Values:
        """Give it as the configuration has an address.

        Args:
            is_signed: The value can be below 0, where the registers leave that open.
        """
        one = self.candidate
        kind = one.also if is_signed else one.type
        address = {"table": str(self.table), "offset": self.offset, "type": kind}
        return {**address, "order": one.order} if one.order else address

    @property
    def word(self) -> str:
        """Give it as answers files do."""
        one = self.candidate
        order = f"/{one.order}" if one.order else ""
        return f"{self.table}:{self.offset}/{one.type}{order}/{one.scale:g}"


SUPPOSED = Way(Table.HOLDING, 0, Candidate(0, "uint16", "int16", "", 0, 0.0, 0.0))
"""Stands for a way where nothing is tried."""


def places_of(answer: str) -> Places:
    """Read where a value may be: tables and offsets, each with its neighbours.

    A short number does not say in which table; both are looked at.
    """
    if SHORT_NUMBER.fullmatch(answer):
        return tuple((table, int(answer)) for table in _REGISTERS)
    table, offset = parse(answer)
    if table.of_bits:
        raise ValueError(_("That is a single bit, and no display shows it as a number."))
    if answer.lower().startswith("0x"):
        return tuple((each, offset) for each in _REGISTERS)
    return ((table, offset),)


def registers_around(settings: Values, unit: int, places: Places) -> Values:
    """Read what lies around these places once. Blocks.

    Returns:
        `tables`: table -> offset -> 16 bits; `why` there is nothing, if so; `at`, when that was, ms
        since 1970 UTC.
    """
    try:
        seen = asyncio.run(_read_around(settings, unit, places))
    except ConnectionLost as error:
        return {"why": str(error), "tables": {}}
    return {**seen, "at": time.time_ns() // 1_000_000}


async def _read_around(settings: Values, unit: int, places: Places) -> Values:
    tables: dict[str, dict[str, int]] = {}
    why = ""
    async with OneDevice(validated(settings), str(settings.get("port"))) as device:
        for table, offset in places:
            answered = Answered(Request(unit, table, offset, 1), b"", 0.0)
            await look_around(device, answered)
            tables[str(table)] = {str(at): word for at, word in answered.looks[0].items()}
            if not answered.looks[0]:
                why = _why_not(answered.request, await device.ask(answered.request))
    return {"why": "" if any(tables.values()) else why, "tables": tables}


def _why_not(request: Request, outcome: bytes | Refusal | Failure) -> str:
    if isinstance(outcome, Refusal):
        outcome = refused(request, outcome)
    return outcome.message if isinstance(outcome, Failure) else ""


def ranked(places: Places, looks: Sequence[Values], displays: Sequence[Shown]) -> list[Way]:
    """Give every way in which the registers show these numbers, the likeliest first."""
    found = []
    for table, asked in places:
        readings = [
            Reading(_words(seen, table), shown) for seen, shown in zip(looks, displays, strict=True)
        ]
        found += [Way(table, asked, one) for one in candidates(table, asked, readings)]
    return sorted(found, key=lambda way: way.candidate.doubt)


def _words(seen: Values, table: Table) -> dict[int, int]:
    return {int(at): word for at, word in seen["tables"].get(str(table), {}).items()}


def is_open(found: Sequence[Way], shown: Shown) -> bool:
    """Tell whether a short number leaves open which of several ways it is."""
    if not found:
        return False
    digits = len(f"{abs(shown.number):.{shown.decimals}f}".replace(".", "").lstrip("0"))
    best = found[0].candidate.doubt
    close = [way for way in found if way.candidate.doubt - best < _CLOSE]
    return digits < _FEW and len(close) > 1


def bytes_told(seen: Values) -> str:
    """Show the registers that were read, as they came."""
    lines = []
    for table, words in seen["tables"].items():
        if words:
            first = min(map(int, words))
            told = " ".join(f"{words[str(at)]:04x}" for at in sorted(map(int, words)))
            names = {"holding": _("holding registers"), "input": _("input registers")}
            lines.append(
                _("{table} from {first}: {told}").format(table=names[table], first=first, told=told)
            )
    return "\n".join(lines)


def remark(way: Way) -> str:
    """Say what is special, in words of the display and the list."""
    one = way.candidate
    kind = _("decimal number") if one.type.startswith("float") else _("whole number")
    place = {-1: _("one register earlier"), 1: _("one register later")}.get(one.shift, "")
    table = _("input registers") if way.table is Table.INPUT else ""
    factor = "" if one.decade == 0 else f"x {one.scale:g}"
    return ", ".join(part for part in (f"{kind} {factor}".rstrip(), place, table) if part)
