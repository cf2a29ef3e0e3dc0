"""Finds out which cells one unit has, how many it gives at once, and how fast: gently, and bounded.

Each table is tried at places where makers begin their lists; from what answers it goes on in both
directions until the unit refuses. Only function codes 1-4 are used.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from edge_agent_modbus.pdu import (
    CELLS,
    GATEWAY,
    ILLEGAL_FUNCTION,
    Miss,
    Outcome,
    Refusal,
    Request,
    Table,
)

Ask = Callable[[Request], Awaitable[Outcome]]

STARTS = (0, 100, 256, 512, 1000, 2000, 3000, 4096, 8192, 20480, 30000, 40000, 50000)
"""Offsets where the lists of many makers begin."""

MOST_REQUESTS = 150  # to one table
PAUSE = 0.02  # seconds between requests: a small device has other work as well
_FIRST_BLOCK = {True: 512, False: 125}  # bits, registers; the latter fill an answer (V1.1b3, 6.3)
_LARGEST_HOLE = (1, 2, 4, 8, 16)  # cells that may be missing inside a list
_MOST_SILENT = 3  # unanswered requests in a row, and the table is left


@dataclass(slots=True)
class Cells:
    """What is known about one table of a unit.

    Attributes:
        values: Offset -> what the cell held, 16 bits or one.
        limit: Most cells that the unit gives at once, where that was found out.
        largest: Most cells that it gave at once.
        absent: Why nothing of this table was read; empty if something was.
        is_cut_short: Whether the number of requests ended it.
    """

    table: Table
    values: dict[int, int] = field(default_factory=dict)
    limit: int | None = None
    largest: int = 0
    absent: str = ""
    is_cut_short: bool = False

    @property
    def ranges(self) -> list[tuple[int, int]]:
        """First and last offset of each row of neighbours; between them are holes."""
        found: list[tuple[int, int]] = []
        for offset in sorted(self.values):
            if found and found[-1][1] == offset - 1:
                found[-1] = (found[-1][0], offset)
            else:
                found.append((offset, offset))
        return found


class Surveyor:
    """Looks at the tables of one unit.

    Args:
        ask: How to ask, once.
        unit: Whom.
        pause: Seconds between requests.
        most: Requests to one table.
    """

    def __init__(
        self, ask: Ask, unit: int, pause: float = PAUSE, most: int = MOST_REQUESTS
    ) -> None:
        self._ask, self._unit, self._pause, self._most = ask, unit, pause, most
        self._left = self._silent = self._block = 0
        self._is_absent = False
        self._cells = Cells(Table.HOLDING)
        self.seconds: list[float] = []
        """How long each answer took, refusals included."""

    async def look(self, table: Table) -> Cells:
        """Look at one table.

        Raises:
            ConnectionLost: The link broke.
        """
        self._cells = cells = Cells(table)
        self._is_absent = False
        self._left, self._silent, self._block = self._most, 0, _FIRST_BLOCK[table.of_bits]
        for start in STARTS:
            if self._is_over:
                break
            if start not in cells.values and await self._read(start, 1):
                await self._grow(start + 1, 1)
                await self._grow(start - 1, -1)
        cells.is_cut_short = self._left <= 0
        if cells.values:
            cells.absent = ""
        return cells

    @property
    def _is_over(self) -> bool:
        return self._is_absent or self._left <= 0 or self._silent >= _MOST_SILENT

    async def _grow(self, at: int, step: int) -> None:
        """Go on from here, forwards or backwards, up to the end of the list."""
        while 0 <= at < CELLS and at not in self._cells.values and not self._is_over:
            wanted = self._room(at, step)
            got = await self._most_of(at, step, wanted)
            at += step * got
            if got < wanted:
                at = await self._over_hole(at, step, got)

    def _room(self, at: int, step: int) -> int:
        """Count the cells from here up to the next known one, at most a block."""
        count = 1
        while count < self._block:
            following = at + step * count
            if not 0 <= following < CELLS or following in self._cells.values:
                break
            count += 1
        return count

    async def _most_of(self, at: int, step: int, wanted: int) -> int:
        """Read as many of the cells from here on as the unit gives at once."""
        if await self._read_from(at, step, wanted):
            return wanted
        got, refused = 0, wanted
        while refused - got > 1 and not self._is_over:
            middle = (got + refused) // 2
            if await self._read_from(at, step, middle):
                got = middle
            else:
                refused = middle
        return got

    async def _over_hole(self, at: int, step: int, got: int) -> int:
        """Tell a limit from a hole and a hole from the end; give where to go on, or -1."""
        if got and 0 <= at < CELLS and await self._read(at, 1):
            self._block = self._cells.limit = got  # the cell is there: it was the number of them
            return at + step
        for missing in _LARGEST_HOLE:
            following = at + step * missing
            if following in self._cells.values:
                break
            if 0 <= following < CELLS and not self._is_over and await self._read(following, 1):
                return following + step
        return -1

    async def _read_from(self, at: int, step: int, count: int) -> bool:
        return await self._read(at if step > 0 else at - count + 1, count)

    async def _read(self, first: int, count: int) -> bool:
        """Read these cells and keep what they hold; tell whether they were given."""
        if self._is_over:
            return False
        self._left -= 1
        await asyncio.sleep(self._pause)
        started = asyncio.get_running_loop().time()
        outcome = await self._ask(Request(self._unit, self._cells.table, first, count))
        if isinstance(outcome, Miss):
            self._silent += 1
            self._cells.absent = outcome.detail
            return False
        self._silent = 0
        self.seconds.append(asyncio.get_running_loop().time() - started)
        if isinstance(outcome, Refusal):
            self._refused(outcome)
            return False
        self._keep(first, count, outcome)
        return True

    def _refused(self, refusal: Refusal) -> None:
        self._cells.absent = str(refusal)
        if not self._cells.values and refusal.code in {ILLEGAL_FUNCTION, *GATEWAY}:
            self._is_absent = True  # no other place is worth a request

    def _keep(self, first: int, count: int, data: bytes) -> None:
        cells = self._cells
        cells.largest = max(cells.largest, count)
        for at in range(count):
            if cells.table.of_bits:
                cells.values[first + at] = data[at // 8] >> at % 8 & 1
            else:
                cells.values[first + at] = int.from_bytes(data[2 * at : 2 * at + 2], "big")
