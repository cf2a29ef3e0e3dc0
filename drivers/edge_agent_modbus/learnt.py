"""What reading a device has taught: cells it refuses, and how much it gives at once. Pure.

Holes are kept per unit and table as `[offset, cells, exception code]`. A hole of zero cells is a
border across which the device does not read. Limits are the most cells of one request.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from edge_agent.driver import Learnt
from edge_agent_modbus.pdu import CELLS, ILLEGAL_ADDRESS, Request, Table


class Hole(NamedTuple):
    """Cells that must not be asked for together with others."""

    offset: int
    cells: int
    code: int

    @property
    def end(self) -> int:
        """The first offset behind the hole."""
        return self.offset + self.cells

    def touches(self, start: int, end: int) -> bool:
        """Tell whether a request from `start` to before `end` meets the hole, or crosses it."""
        if self.cells == 0:
            return start < self.offset < end
        return self.offset < end and start < self.end


class Knowledge:
    """Holes and limits of one device; read from and written to the agent's `Learnt`."""

    def __init__(self, learnt: Learnt) -> None:
        """Take what was learnt; what cannot be understood is left out and learnt again."""
        self._holes: dict[str, list[Hole]] = {}
        self._limits: dict[str, int] = {}
        self.changed = False
        for key, rows in _mapping(learnt.get("holes")).items():
            self._holes[key] = sorted(_holes(rows))
        for key, limit in _mapping(learnt.get("limits")).items():
            if _is_count(limit) and limit > 0:
                self._limits[key] = limit

    def as_learnt(self) -> Learnt:
        """Give it in the form that the agent keeps."""
        holes = {key: [list(hole) for hole in rows] for key, rows in self._holes.items() if rows}
        return {"holes": holes, "limits": dict(self._limits)}

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing was learnt."""
        return not (self._limits or any(self._holes.values()))

    def limit(self, unit: int, table: Table) -> int:
        """Give the most cells of one request that the device was seen to accept."""
        return self._limits.get(_key(unit, table), table.most)

    def learn_limit(self, unit: int, table: Table, limit: int) -> None:
        """Remember that more cells than these are refused."""
        if limit < self.limit(unit, table):
            self._limits[_key(unit, table)] = limit
            self.changed = True

    def hole_at(self, unit: int, table: Table, offset: int, count: int) -> Hole | None:
        """Find a hole that shares a cell with these."""
        for hole in self._holes.get(_key(unit, table), ()):
            if hole.offset < offset + count and offset < hole.end:
                return hole
        return None

    def is_crossed(self, unit: int, table: Table, offset: int, count: int) -> bool:
        """Tell whether one request for these cells would touch a hole or cross a border."""
        end = offset + count
        return any(hole.touches(offset, end) for hole in self._holes.get(_key(unit, table), ()))

    def learn_hole(self, unit: int, table: Table, hole: Hole) -> None:
        """Remember cells that are refused, or a border."""
        rows = self._holes.setdefault(_key(unit, table), [])
        if hole not in rows:
            rows.append(hole)
            rows.sort()
            self.changed = True

    def learn_parted(self, first: Request, second: Request, code: int, *, single: bool) -> None:
        """Learn why two parts are given but not both at once: too much, a gap, or a border.

        Args:
            first: The first part.
            second: The part behind it.
            code: What the device said when it was asked for both.
            single: Whether each of them is one value, so that it cannot be too much.
        """
        end = first.offset + first.count
        gap = Hole(end, second.offset - end, code)
        if code == ILLEGAL_ADDRESS and (gap.cells or single):
            self.learn_hole(first.unit, first.table, gap)
        else:
            self.learn_limit(first.unit, first.table, max(first.count, second.count))

    def forget(self, request: Request) -> None:
        """What was asked is given after all: no hole, border or limit says otherwise."""
        key = _key(request.unit, request.table)
        start, end = request.offset, request.offset + request.count
        if self._limits.get(key, request.count) < request.count:
            del self._limits[key]
            self.changed = True
        kept: list[Hole] = []
        for hole in self._holes.get(key, ()):
            if hole.touches(start, end):
                kept += _rest(hole, start, end)
                self.changed = True
            else:
                kept.append(hole)
        self._holes[key] = kept


def _rest(hole: Hole, start: int, end: int) -> Iterator[Hole]:
    """Give what remains of a hole on both sides of a range; nothing of a border."""
    if hole.offset < start:
        yield Hole(hole.offset, start - hole.offset, hole.code)
    if end < hole.end:
        yield Hole(end, hole.end - end, hole.code)


def _key(unit: int, table: Table) -> str:
    return f"{unit}/{table}"


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < CELLS


def _holes(rows: Any) -> Iterator[Hole]:
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, list) and len(row) == 3 and all(map(_is_count, row)):
            yield Hole(*row)
