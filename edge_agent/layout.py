"""Plain text on a terminal: cell widths, wrapping, aligned columns. Pure.

Widths are counted in terminal cells, of which a Chinese character takes two; `len` and `str.ljust`
do not know that.
"""

import re
import struct
import unicodedata
from collections.abc import Iterable, Sequence

from edge_agent.language import _

SCREEN_WIDTH = 60

# Chinese breaks between any two signs, but no line ends with what opens or begins with what closes.
# Source: Requirements for Chinese Text Layout (W3C), 3.1.1.
_OPENS, _CLOSES = "（《“‘【", "，。、；：？！）》”’】…"
_UNBROKEN = re.compile(
    rf"[{_OPENS}]*(?:[\u2e80-\uffef]|[^\u2e80-\uffef{_OPENS}{_CLOSES}]+)[{_CLOSES}]*|."
)


def width(text: str) -> int:
    """Count the terminal cells of a text. Source: Unicode Standard Annex 11 (East Asian Width)."""
    return sum(_cells(character) for character in text)


def _cells(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, cells: int, mark: str = "") -> str:
    """Cut off what goes beyond so many cells; the mark, if any, stands for it."""
    if width(text) <= cells:
        return text
    while width(text) > cells - width(mark):
        text = text[:-1]
    return text + mark


def wrap(text: str, columns: int = SCREEN_WIDTH, indent: str = "") -> list[str]:
    """Break a text into lines of at most so many cells; lines that are there stay apart.

    What has no space and is too long is broken where the line ends.

    Args:
        text: One or more paragraphs.
        columns: Cells of a line.
        indent: Put before every line of a paragraph but its first.
    """
    lines: list[str] = []
    for paragraph in text.splitlines() or [""]:
        fits = width(paragraph) <= columns
        lines += [paragraph] if fits else _wrap_paragraph(paragraph, columns, indent)
    return lines


def _wrap_paragraph(paragraph: str, columns: int, indent: str) -> list[str]:
    start = paragraph[: len(paragraph) - len(paragraph.lstrip(" "))]
    lines, line = [], start
    for before, piece in _pieces(paragraph.strip(), columns - width(indent + start)):
        space = "" if line in {start, indent + start} else before
        if width(line + space + piece) > columns and line.strip():
            lines.append(line)
            line, space = indent + start, ""
        line += space + piece
    return [*lines, line]


def _pieces(text: str, columns: int) -> Iterable[tuple[str, str]]:
    """Give what may stand on a line of its own, each with the space before it."""
    for word in text.split():
        space = " "
        for part in _UNBROKEN.findall(word):
            rest = part
            while width(rest) > columns:
                cut = _fitting(rest, columns)
                yield space, rest[:cut]
                rest, space = rest[cut:], ""
            yield space, rest
            space = ""


def _fitting(text: str, columns: int) -> int:
    cells = 0
    for index, character in enumerate(text):
        cells += _cells(character)
        if cells > columns:
            return max(index, 1)
    return len(text)


def columns(rows: Sequence[Sequence[str]], right: Iterable[int] = ()) -> list[str]:
    """Align cells in columns two spaces apart.

    Args:
        rows: Equally long rows.
        right: Columns that are aligned to the right, as numbers are.
    """
    if not rows:
        return []
    widths = [max(width(cell) for cell in column) for column in zip(*rows, strict=True)]
    to_right = set(right)
    return ["  ".join(_aligned(row, widths, to_right)).rstrip() for row in rows]


def padded(text: str, cells: int) -> str:
    """Fill a text with spaces up to so many cells."""
    return text + " " * (cells - width(text))


def _aligned(row: Sequence[str], widths: Sequence[int], right: set[int]) -> Iterable[str]:
    for index, cell in enumerate(row):
        filled = padded(cell, widths[index])
        yield filled[len(cell) :] + cell if index in right else filled


def printable(text: str) -> str:
    """Replace control characters, which a device's text may hold and a terminal would obey."""
    return "".join("?" if unicodedata.category(each) == "Cc" else each for each in text)


def shown(value: bool | float | str | None) -> str:
    """Write a value for people: no value as `--`, and a number with the digits it has.

    A 32 bit float gets the fewest digits that tell it from its neighbours, since 231.4 read from
    a device is 231.39999389648438 in 64 bits. Of others ten digits are enough for people.
    """
    if value is None:
        return "--"
    if isinstance(value, bool):
        return _("on") if value else _("off")
    return _shortest(value) if isinstance(value, float) else printable(str(value))


def people_say(unit: str) -> str:
    """Write a unit of measure as displays do, from its UCUM code."""
    return {"Cel": "°C", "kW.h": "kWh", "kvar.h": "kvarh", "V.A": "VA", "1/min": "rpm",
            "[ppm]": "ppm", "deg": "°", "m3": "m³", "m3/h": "m³/h"}.get(unit, unit)  # fmt: skip


def _shortest(value: float) -> str:
    if _as_float32(value) == value:
        for digits in range(6, 10):  # nine always suffice. Source: IEEE 754-2008, 5.12.2
            text = f"{value:.{digits}g}"
            if _as_float32(float(text)) == value:
                return text
    exact = repr(value)
    return exact if len(exact) <= 12 else f"{value:.10g}"


def _as_float32(value: float) -> float | None:
    try:
        return float(struct.unpack("<f", struct.pack("<f", value))[0])
    except OverflowError:
        return None
