"""Reads spreadsheets (XLSX, XLS, ODS) with calamine, imported only when there is one."""

import datetime
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edge_agent.language import _
from edge_agent.registers.table import ListUnreadable, Row, Sheet, too_long

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

MOST_CELLS = 2_000_000
_DIGITS = 15  # what a spreadsheet itself keeps of a number


def read_spreadsheet(path: Path, data: bytes) -> list[Sheet]:
    """Give the visible sheets that have anything in them.

    Raises:
        ListUnreadable: calamine is not installed, or the file is damaged, locked or too large.
    """
    try:
        from python_calamine import (  # noqa: PLC0415 - not needed for CSV, and an extra
            CalamineError,
            CalamineWorkbook,
            SheetVisibleEnum,
        )
    except ImportError as error:
        raise ListUnreadable(
            _(
                "{path}: spreadsheets need the Python package python-calamine: save the list as "
                "CSV, or pip install 'edge-agent[lists]'"
            ).format(path=path)
        ) from error
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        visible = [
            each.name
            for each in book.sheets_metadata
            if each.visible == SheetVisibleEnum.Visible and each.name in book.sheet_names
        ]
        sheets = [_sheet(book.get_sheet_by_name(name), f"{path} {name!r}") for name in visible]
    except (CalamineError, ValueError, OSError) as error:
        raise ListUnreadable(
            _(
                "{path} is no spreadsheet that can be read ({why}): is it protected by a "
                "password? Save it anew, or as CSV"
            ).format(path=path, why=error)
        ) from error
    return [sheet for sheet in sheets if any(not row.is_empty for row in sheet.rows)]


def _sheet(sheet: "CalamineSheet", name: str) -> Sheet:
    if sheet.total_height * sheet.total_width > MOST_CELLS:
        raise too_long(name)
    cells = [[_text(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
    for (top, left), (bottom, _right) in sheet.merged_cell_ranges or ():
        _fill_down(cells, top, bottom, left)
    return Sheet(sheet.name, [Row(number, tuple(row)) for number, row in enumerate(cells, 1)])


def _fill_down(cells: Sequence[list[str]], top: int, bottom: int, column: int) -> None:
    """Give every row of cells that were merged into one what stands there once for all of them."""
    for row in _of(cells, top + 1, bottom + 1):
        if column < len(row):
            row[column] = cells[top][column]


def _of(cells: Sequence[list[str]], first: int, end: int) -> Iterator[list[str]]:
    yield from cells[first:end]


def _text(cell: object) -> str:
    """Write a cell as people see it; a date, which is never meant here, so that it is noticed."""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else f"{cell:.{_DIGITS}g}"
    if isinstance(cell, datetime.date | datetime.time):
        return cell.isoformat()
    return str(cell).strip()
