"""Where something stands in the file: its path, written as people read it, and its line."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

Path = tuple[str | int, ...]
"""Keys and list positions from the top of the file, such as `("connections", 0, "name")`."""

_PLAIN_KEY = re.compile(r"[\w-]+")


class Section(dict[str, Any]):
    """A mapping that knows the line of each of its keys."""

    __slots__ = ("lines",)

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[str | int, int] = {}


class Items(list[Any]):
    """A list that knows the line of each of its items."""

    __slots__ = ("lines",)

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[int] = []


def written(path: Iterable[str | int]) -> str:
    """Write a path like `connections[0].devices[1].points.oil_temperature.address`."""
    return "".join(_step(part) for part in path).removeprefix(".")


def _step(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    return f".{part}" if _PLAIN_KEY.fullmatch(part) else f"[{part!r}]"


def line_of(root: Any, path: Iterable[str | int]) -> int:
    """Give the line of this path, or of the deepest part of it that is in the file."""
    line = 1
    for part in path:
        if not exists(root, part):
            break
        line = int(root.lines[part])
        root = root[part]
    return line


def exists(parent: Any, part: str | int) -> bool:
    """Tell whether there is such a key or list item."""
    if isinstance(parent, dict):
        return part in parent
    return isinstance(parent, list) and isinstance(part, int) and part < len(parent)


def sections(items: Any) -> Iterator[tuple[int, Section]]:
    """Give the mappings in a list of the file, with their positions; other things are skipped."""
    for index, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, Section):
            yield index, item


def section(value: Any) -> Section:
    """Give a mapping of the file; an empty one where the file has none."""
    return value if isinstance(value, Section) else Section()
