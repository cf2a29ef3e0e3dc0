"""Rows that read the same, share a name, or reach into each other. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from edge_agent.driver import Address
from edge_agent.language import _
from edge_agent.registers.dialect import Answers, Asked, Choice, Dialect
from edge_agent.registers.listed import Listed
from edge_agent.registers.naming import LONGEST, slug, unique

TWINS = "duplicates"
"""The question what becomes of several rows that read the same address."""
REFUSE, KEEP = "refuse", "keep"


def question(rows: Sequence[Listed]) -> Asked | None:
    """Ask what becomes of rows with different names that read the same address."""
    found = [row.row for row, _first in _twins(rows) if not _is_copy(row, _first)]
    if not found:
        return None
    return Asked(
        TWINS,
        _("Several rows read the same address. What becomes of the later ones?"),
        (
            Choice(REFUSE, _("they are refused, since one of the two is mostly a mistake")),
            Choice(KEEP, _("they are kept, the list means it")),
        ),
        REFUSE,
        rows=found,
    )


def apart(rows: Sequence[Listed], answers: Answers) -> list[Listed]:
    """Refuse rows that read the same as an earlier one, and give the others names of their own."""
    earlier = {row.row: first for row, first in _twins(rows)}
    names: set[tuple[str, str]] = set()
    found = []
    for row in rows:
        first = earlier.get(row.row)
        if first is not None and (_is_copy(row, first) or answers.get(TWINS) != KEEP):
            found.append(_refused(row, first))
        else:
            found.append(row if row.code else _named_apart(row, names))
    return found


def _twins(rows: Sequence[Listed]) -> Iterator[tuple[Listed, Listed]]:
    """Give each row that reads the same address as an earlier one, and that one."""
    seen: dict[tuple[str, str], Listed] = {}
    for row in rows:
        if row.code:
            continue
        key = (row.device, repr(sorted(row.point["address"].items(), key=str)))
        first = seen.setdefault(key, row)
        if first is not row:
            yield row, first


def _is_copy(row: Listed, first: Listed) -> bool:
    return row.name == first.name and row.point == first.point


def _refused(row: Listed, first: Listed) -> Listed:
    if _is_copy(row, first):
        reason = _("says the same as row {row}").format(row=first.row)
    else:
        reason = _(
            "reads the same address as row {row} ({name}): correct one of them, or answer "
            "duplicates=keep"
        ).format(row=first.row, name=first.name)
    return replace(row, point={}, notes=(), code="duplicate", reason=reason)


def _named_apart(row: Listed, names: set[tuple[str, str]]) -> Listed:
    name = row.name
    if (row.device, name) in names:
        name = f"{slug(row.cells.get('group', ''))}_{name}".strip("_")[:LONGEST]
        name = unique(name, lambda one: (row.device, one) in names)
    names.add((row.device, name))
    if name == row.name:
        return row
    note = _("named {name}, since {taken} is taken").format(name=name, taken=row.name)
    return replace(row, name=name, notes=(*row.notes, note))


def doubts(rows: Sequence[Listed], dialect: Dialect) -> list[Listed]:
    """Tell of values that share some of their cells but not all."""
    reached: dict[tuple[str, object, int], tuple[int, int, int]] = {}
    found = []
    for row in rows:
        extent = dialect.extent(_address(row, dialect)) if not row.code else None
        other = _overlapped(row, extent, reached) if extent else 0
        if other:
            note = _("shares registers with row {row}: is the type of one of them wrong?")
            row = replace(row, notes=(*row.notes, note.format(row=other)))  # noqa: PLW2901
        found.append(row)
    return found


def _address(row: Listed, dialect: Dialect) -> Address:
    return dialect.address_type.model_validate(dict(row.point["address"]))


def _overlapped(
    row: Listed,
    extent: tuple[object, int, int],
    reached: dict[tuple[str, object, int], tuple[int, int, int]],
) -> int:
    """Take note of the cells of a value; give the number of a row that has others in common."""
    of, first, last = extent
    hit = 0
    for cell in range(first, last + 1):
        known = reached.setdefault((row.device, of, cell), (first, last, row.row))
        if known[:2] != (first, last):
            hit = known[2]
    return hit
