"""Reads a list's file into rows of texts that keep their numbers.

CSV comes in the encodings and separators that offices use. Knows nothing of what cells mean.
"""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from edge_agent.errors import EdgeAgentError
from edge_agent.language import _, refusal

MOST_BYTES = 32 << 20
MOST_ROWS = 50_000
SPREADSHEETS = frozenset({".xlsx", ".xlsm", ".xls", ".ods"})

_RISKY = re.compile(r"'*[-=+@\t\r]")  # Source: OWASP, CSV Injection
_SIGNED = re.compile(r"[-+][0-9]+([.,][0-9]+)?")
_SEPARATORS = ",;\t"
_SAMPLE = 200
"""Rows by which a separator is judged."""
# UTF-8 comes first: it hardly ever fits by chance. GB18030 contains GB2312 and GBK.
_ENCODINGS = ("utf-8", "gb18030")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class ListUnreadable(EdgeAgentError):  # noqa: N818 - named after what happened
    """A register list cannot be read as a whole; the message says why and what to do."""


class Row(NamedTuple):
    """One row; `number` is what the spreadsheet shows beside it, counted from 1."""

    number: int
    cells: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing stands in it."""
        return not any(self.cells)


class Sheet(NamedTuple):
    """Rows that belong together; a CSV file has one sheet without a name."""

    name: str
    rows: Sequence[Row]


def read_sheets(path: Path) -> list[Sheet]:
    """Read a file.

    Raises:
        ListUnreadable: It is missing, too large, in an unknown form, or damaged.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ListUnreadable(
                _("{path} is too large for a register list: keep the sheet with the list only")
                .format(path=path)
            )  # fmt: skip
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise ListUnreadable(
            _("there is no file {path}; check its name, or give the whole path").format(path=path)
        ) from error
    except OSError as error:
        raise ListUnreadable(
            _("{path} cannot be read: {why}").format(path=path, why=refusal(error))
        ) from error
    if path.suffix.lower() in SPREADSHEETS or data.startswith(b"PK\x03\x04"):
        from edge_agent.registers.spreadsheet import read_spreadsheet  # noqa: PLC0415 - heavy

        return read_spreadsheet(path, data)
    return [Sheet("", read_csv(data, str(path)))]


def read_csv(data: bytes, name: str) -> list[Row]:
    """Read rows separated by commas, semicolons or tabs, whichever makes a table of them.

    Raises:
        ListUnreadable: It is no text, or has too many rows.
    """
    text = _decoded(data, name)
    best = max((list(_rows(text, mark, name)) for mark in _SEPARATORS), key=_tableness)
    return without_a_word_for_excel(best)


def without_a_word_for_excel(rows: list[Row]) -> list[Row]:
    """Leave out a first line `sep=;`, which tells Excel the separator and no one else anything."""
    is_word = rows and rows[0].cells and rows[0].cells[0].lower().startswith("sep=")
    return rows[1:] if is_word else rows


def _decoded(data: bytes, name: str) -> str:
    marked = [encoding for mark, encoding in _MARKS if data.startswith(mark)]
    for encoding in marked or _ENCODINGS:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise ListUnreadable(
        _("{name} is no text: save the list as CSV (UTF-8 or GB18030) or as XLSX").format(name=name)
    )


def _rows(text: str, separator: str, name: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        for number, cells in enumerate(reader, 1):
            if number > MOST_ROWS:
                raise too_long(name)
            yield Row(number, tuple(map(_text_of, cells)))
    except csv.Error as error:
        raise ListUnreadable(
            _("{name} is damaged after row {row}: {why}").format(
                name=name, row=reader.line_num, why=error
            )
        ) from error


def harmless(text: str) -> str:
    """Write a cell that no spreadsheet takes for a formula: with a `'` before it, where it must.

    Lists come from anywhere, and a formula in a cell could send what stands in the others.
    """
    is_risky = _RISKY.match(text) and not _SIGNED.fullmatch(text)
    return f"'{text}" if is_risky else text


def _text_of(cell: str) -> str:
    """Read a cell, and take away what `harmless`, or Excel itself, has put before it."""
    text = cell.strip()
    return text[1:] if text.startswith("'") and _RISKY.match(text) else text


def too_long(name: str) -> ListUnreadable:
    """Say that nobody's register list is that long."""
    return ListUnreadable(
        _("{name} has more than {most} rows: keep those of the list only").format(
            name=name, most=MOST_ROWS
        )
    )


def _tableness(rows: Sequence[Row]) -> int:
    """Tell how much rows look like a table: many of them equally wide, and wide."""
    widths = Counter(len(row.cells) for row in rows[:_SAMPLE])
    return max((count * (width - 1) for width, count in widths.items()), default=0)
