"""Reads spreadsheets (XLSX, XLS, ODS) with calamine, imported only when there is one."""

import datetime
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edge_agent.language import _
from edge_agent.registers.table import MOST_ROWS, ListUnreadable, Row, Sheet, too_long

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

MOST_CELLS = 2_000_000
MOST_XML = 128 << 20  # bytes of one sheet, unpacked
_PIECE, _LONGEST_TAG = 1 << 20, 1 << 10
_CELL = re.compile(rb'<(?:\w+:)?c\s[^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"')
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
    if _is_too_large(data):
        raise too_long(str(path))
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


def _is_too_large(data: bytes) -> bool:
    """Tell whether an XLSX file has a sheet that calamine must not touch.

    It makes room for every cell up to the last one: a single cell far away takes all memory.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            sheets = [
                one for one in archive.infolist() if one.filename.startswith("xl/worksheets/")
            ]
            return any(_extent(archive, one) > MOST_CELLS for one in sheets)
    except (zipfile.BadZipFile, RuntimeError, zlib.error, EOFError):
        return False  # calamine tells what is wrong with it


def _extent(archive: zipfile.ZipFile, sheet: zipfile.ZipInfo) -> int:
    """Count the cells from the first one to the last one of a sheet; too many if it is too long."""
    columns, rows, read, rest = 0, 0, 0, b""
    with archive.open(sheet) as xml:
        while piece := xml.read(_PIECE):
            read += len(piece)
            if read > MOST_XML:
                return MOST_CELLS + 1
            for letters, number in _CELL.findall(rest + piece):
                columns, rows = max(columns, _column(letters)), max(rows, int(number))
            rest = piece[-_LONGEST_TAG:]
    return columns * rows


def _column(letters: bytes) -> int:
    """Number a column: A is 1, AA is 27."""
    number = 0
    for letter in letters:
        number = 26 * number + letter - ord("A") + 1
    return number


def _sheet(sheet: "CalamineSheet", name: str) -> Sheet:
    height = sheet.total_height
    if height > MOST_ROWS or height * sheet.total_width > MOST_CELLS:
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
