"""Names for chosen values, proposed from their browse names, and how people change them. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from edge_agent.commissioning import Values, _, to_name, to_unit
from edge_agent_opcua.choice import LONGEST, slug
from edge_agent_opcua.paths import names

CHANGE = re.compile(r"(?P<number>[0-9]+)\s*=\s*(?P<name>[^,\s]*)\s*(?:,\s*(?P<unit>\S*))?")
DEEPEST = 3
"""Steps of a path that go into a name, at most."""
NUMBERED = re.compile(r"[iI]=")


def proposed(rows: Sequence[Values]) -> list[str]:
    """Give each value a name: its own, with those of its folders where two would be the same."""
    depth, given = 1, [_named(row, 1) for row in rows]
    while depth < DEEPEST and (doubled := _doubled(given)):
        depth += 1
        given = [
            _named(row, depth) if name in doubled else name
            for row, name in zip(rows, given, strict=True)
        ]
    return _numbered(given)


def _named(row: Values, depth: int) -> str:
    steps = names(row["path"]) or [row["name"]]
    return slug(f"{' '.join(steps[-depth:])} {row['part']}", "value")


def _doubled(given: Iterable[str]) -> set[str]:
    return {name for name, times in Counter(given).items() if times > 1}


def _numbered(proposals: Sequence[str]) -> list[str]:
    """Count names that are the same nevertheless."""
    given: list[str] = []
    for name in proposals:
        unique, number = name, 1
        while unique in given:
            number += 1
            unique = f"{name[: LONGEST - 5]}_{number}"
        given.append(unique)
    return given


def changed(text: str, named: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Change a name or unit as typed: `2=oil_temperature`, `2=oil_temperature,Cel`, `2=,bar`.

    Args:
        text: What was typed.
        named: Name and unit of each value.

    Raises:
        ValueError: It does not do; the message is a sentence.
    """
    found = CHANGE.fullmatch(text.strip())
    if found is None or not 1 <= int(found["number"]) <= len(named):
        raise ValueError(_("Write the number and the name, such as 2=oil_temperature."))
    place = int(found["number"]) - 1
    name, unit = named[place]
    if found["name"]:
        name = to_name(found["name"])
        if name in {other for at, (other, _unit) in enumerate(named) if at != place}:
            raise ValueError(_("{name} is already used; choose another name.").format(name=name))
    if found["unit"] is not None:
        unit = to_unit(found["unit"]) if found["unit"] else ""
    return [*named[:place], (name, unit), *named[place + 1 :]]


def as_point(row: Values, unit: str) -> Values:
    """Write a value as the configuration has it.

    A node that is named by a number gets its path as well, since controllers number nodes anew at
    a download; then the path leads.
    """
    address: Values = {"at": row["address"]}
    if NUMBERED.match(row["address"].rpartition(";")[2]) and row["path"]:
        address["path"] = row["path"]
    if row["part"]:
        address["part"] = row["part"]
    point: Values = {"address": address if len(address) > 1 else address["at"]}
    return {**point, "unit": unit} if unit else point


def device_name(rows: Sequence[Values], server: str) -> str:
    """Propose a name for the device: the folder all values share, else the server's."""
    folders = [names(row["path"])[:-1] for row in rows]
    shared = ""
    for steps in zip(*folders, strict=False):
        if len(set(steps)) > 1:
            break
        shared = steps[0]
    return slug(shared or server, "plc").replace("_", "-")
