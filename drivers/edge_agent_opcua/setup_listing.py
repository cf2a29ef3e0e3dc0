"""Lines of nodes on a screen, and what people type to choose among them. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from edge_agent.command import cut, width
from edge_agent.commissioning import Values, _
from edge_agent_opcua.paths import names

PAGE = 10
"""Lines of nodes on one screen of 20 lines."""
NAME, VALUE = 31, 23
"""Cells of the two columns; number, mark and blanks are the other six of sixty."""
SEPARATORS = re.compile(r"[,;\s、]+")
SPAN = re.compile(r"([0-9]+)(?:-([0-9]+))?")


def key(row: Mapping[str, Any]) -> str:
    """Give what tells a value from all others of the server."""
    return f"{row['address']} {row['part']}"


def pages(rows: Sequence[Any]) -> int:
    """Count the screens that rows fill; at least one."""
    return max(1, -(-len(rows) // PAGE))


def lines(rows: Sequence[Values], page: int, chosen: Mapping[str, Any], below: str) -> list[str]:
    """Write one screen of nodes, numbered over all screens.

    Args:
        rows: All of them.
        page: Which screen, from 0 on.
        chosen: Those that are chosen, by their `key`.
        below: Where the rows hang; left out of their names.
    """
    first = page * PAGE
    return [
        _line(number, row, chosen, below)
        for number, row in enumerate(rows[first : first + PAGE], first + 1)
    ]


def _line(number: int, row: Values, chosen: Mapping[str, Any], below: str) -> str:
    if row["kind"] == "folder":
        return f"{number:3}  {clip(row['name'], NAME - 3)} ..."
    mark = "*" if key(row) in chosen else " "
    name = clip(name_of(row, below), NAME)
    return f"{number:3}{mark} {name}{' ' * (NAME - width(name))} {_value(row)}".rstrip()


def _value(row: Values) -> str:
    if not row["ok"]:
        return _("cannot be read")
    return clip(f"{row['value']} {row['unit']}".rstrip(), VALUE, keep_end=False)


def name_of(row: Values, below: str) -> str:
    """Name a value; one that hangs further down with the folders between."""
    between = names(row["path"])[len(names(below)) : -1]
    return "/".join([*between, row["name"]])


def clip(text: str, cells: int, *, keep_end: bool = True) -> str:
    """Shorten a text to so many cells; two dots stand for what is left out."""
    if not keep_end or width(text) <= cells:
        return cut(text, cells, "..")
    while width(text) > cells - 2:
        text = text[1:]
    return f"..{text}"


def numbers(text: str, highest: int) -> list[int] | None:
    """Read numbers and ranges such as `3,5,8-12`; None if it is something else, such as a name.

    Raises:
        ValueError: A number is none of the list.
    """
    words = [word for word in SEPARATORS.split(text.strip()) if word]
    spans = [SPAN.fullmatch(word) for word in words]
    if not words or not all(spans):
        return None
    found: list[int] = []
    for span in filter(None, spans):
        first, last = int(span[1]), int(span[2] or span[1])
        if not 1 <= first <= last <= highest:
            raise ValueError(
                _("{number} is not in the list; write numbers from 1 to {highest}.").format(
                    number=span[0], highest=highest
                )
            )
        found += range(first, last + 1)
    return list(dict.fromkeys(found))
