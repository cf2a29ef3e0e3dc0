"""Rows to choose points from: one per single value, with names that a configuration takes. Pure."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from edge_agent.command import exact, shown
from edge_agent.driver import Quality, Sample, Value
from edge_agent_opcua.parts import parts_of
from edge_agent_opcua.paths import names
from edge_agent_opcua.values import to_sample

if TYPE_CHECKING:
    from edge_agent_opcua.browse import Found

_NAMES = ("device", "point", "label")
_WHERE = ("address", "part", "path")
COLUMNS = (*_NAMES, *_WHERE, "type", "unit", "access", "value", "quality")
"""Columns of the rows; `address`, `part` and `path` are the keys of an address."""
LONGEST = 64
"""Characters that a name in a configuration may have."""
TO_NAMES = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")


class Namer:
    """Gives names that are unique within their device."""

    def __init__(self) -> None:
        self._given: set[tuple[str, str]] = set()

    def name(self, device: str, text: str) -> str:
        """Make a name of a text: `OilTemperature [2]` becomes `oil_temperature_2`."""
        plain = slug(text, "point")
        name, number = plain, 1
        while (device, name) in self._given:
            number += 1
            name = f"{plain[: LONGEST - 5]}_{number}"
        self._given.add((device, name))
        return name


def slug(text: str, otherwise: str) -> str:
    """Make a name that a configuration takes; `otherwise` where no letter of it can be used."""
    words = NOT_IN_NAMES.sub("_", TO_NAMES.sub("_", text).lower()).strip("_")
    return words[:LONGEST] or otherwise


def rows(found: "Found", namer: Namer, most: int) -> Iterator[dict[str, Any]]:
    """Give a row per single value of a variable: of an array and a structure one per part.

    Args:
        found: A node; one that is no variable has no rows.
        namer: Knows the names given so far.
        most: Rows of one variable at most.
    """
    facts = found.facts
    if facts is None:
        return
    *above, own = names(found.path)
    device = slug(above[-1] if above else "", "device")
    for part, value in parts_of(facts.content, most):
        sample = _of_part(value, facts.now) if part else facts.now
        yield {
            "device": device,
            "point": namer.name(device, f"{own} {part}"),
            "label": f"{found.name} {part}".strip(),
            "address": found.node,
            "part": part,
            "path": found.path,
            "type": facts.type,
            "unit": facts.unit,
            "access": facts.access,
            "value": _cell(sample.value),
            "quality": sample.flaw.quality.name.lower() if sample.flaw else "good",
        }


def _cell(value: Value) -> Value:
    """Write a truth value as the tree does."""
    return "" if value is None else shown(value) if isinstance(value, bool) else value


def _of_part(value: Any, whole: Sample) -> Sample:
    """Make the sample of a part; it is no better than the whole."""
    if whole.flaw is None:
        return to_sample(value, 0, "", None)
    is_bad = whole.flaw.quality is Quality.BAD
    return whole if is_bad else to_sample(value, 0, "", None)._replace(flaw=whole.flaw)


def row_of(found: "Found") -> dict[str, Any]:
    """Give one node as a JSON document."""
    row: dict[str, Any] = {"name": found.name, "depth": found.depth, "path": found.path}
    row |= {"node": found.node, "more": found.is_cut, "repeated": found.is_repeated}
    if found.facts is not None:
        facts, flaw = found.facts, found.facts.now.flaw
        row |= {"type": facts.type, "access": facts.access, "unit": facts.unit}
        row |= {"v": exact(facts.now.value)}
        if flaw is not None:
            row |= {"q": flaw.quality.name.lower(), "why": flaw.why, "detail": flaw.detail}
    return row
