"""Browse paths as text: `Oven/Temperature`, from the Objects folder on. Pure; imports no asyncua.

A step is a browse name. Without more it is of the namespace of the node that the path leads to;
`0:Name` is of namespace 0, `nsu=URI;Name` of any other. `&` takes the character behind it as it
stands, as in `nsu=http:&/&/maker.example;Oven`.

Source: OPC 10000-4, A.2 (RelativePath), but for the URIs, since numbers change with a restart.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from edge_agent.language import _

STEP = re.compile(r"((?:&.|[^&/])+)(/|\Z)", re.DOTALL)
ESCAPED = re.compile(r"&(.)", re.DOTALL)
SPECIAL = re.compile(r"([&/])")


class Step(NamedTuple):
    """One browse name; `namespace` is None for that of the node, else its URI or number."""

    name: str
    namespace: str | int | None = None


def parse(path: str) -> tuple[Step, ...]:
    """Take a path apart.

    Raises:
        ValueError: It has an empty step, or `&` with nothing behind it.
    """
    steps: list[Step] = []
    place, more = 0, True
    while more:
        found = STEP.match(path, place)
        if found is None:
            raise ValueError(
                _(
                    "{path!r} is no path: write browse names from the Objects folder on, "
                    "such as A/B"
                ).format(path=path)
            )
        steps.append(_step(found[1]))
        place, more = found.end(), found[2] == "/"
    return tuple(steps)


def names(path: str) -> list[str]:
    """Give the browse names of a path alone, as people know them; of an empty path none."""
    return [step.name for step in parse(path)] if path else []


def _step(text: str) -> Step:
    if text.startswith("nsu=") and ";" in text:
        uri, _, name = text.removeprefix("nsu=").partition(";")
        return Step(_plain(name), _plain(uri))
    number, colon, name = text.partition(":")
    if colon and number.isascii() and number.isdigit():
        return Step(_plain(name), int(number))
    return Step(_plain(text))


def _plain(text: str) -> str:
    return ESCAPED.sub(r"\1", text)


def write(names: Iterable[tuple[str, int]], namespaces: Sequence[str], own: int) -> str:
    """Write a path down so that it is right in every session.

    Args:
        names: Browse names with the numbers of their namespaces now.
        namespaces: The URIs of the numbers.
        own: The namespace of the node that the path leads to.
    """
    return "/".join(_written(name, index, namespaces, own) for name, index in names)


def _written(name: str, index: int, namespaces: Sequence[str], own: int) -> str:
    escaped = _escaped(name)
    if index == own:
        # What only looks like a number of a namespace, or like a URI, must not be taken for one.
        return f"&{escaped}" if _step(escaped).namespace is not None else escaped
    if index == 0:
        return f"0:{escaped}"
    return f"nsu={_escaped(namespaces[index])};{escaped}"


def _escaped(text: str) -> str:
    return SPECIAL.sub(r"&\1", text)
