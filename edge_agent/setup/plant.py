"""What has been set up so far: links, with the devices on each. Pure, no I/O."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import NamedTuple

from edge_agent.setup.draft import Values, line_of
from edge_agent.setup.kind import Kind, Link
from edge_agent.setup.meaning import NAME

NUMBERED = re.compile(r"(.+)-([0-9]+)")


class Line(NamedTuple):
    """A link and the kind of equipment that hangs on it."""

    kind: Kind
    link: Link

    def as_connection(self) -> Values:
        """Write it as in the configuration file."""
        return {
            "name": self.link.name,
            "driver": self.kind.driver,
            "settings": self.link.settings,
            "devices": self.link.devices,
        }


@dataclass(slots=True)
class Plant:
    """All of it.

    Attributes:
        lines: In the order in which they were set up.
        compared: Device -> `at` (ms since 1970 UTC) and `values` (point -> value as it was shown),
            for those that somebody compared with their displays.
        attended: Whether a person answers, who can look at displays.
    """

    lines: list[Line] = field(default_factory=list)
    compared: dict[str, Values] = field(default_factory=dict)
    attended: bool = True

    @property
    def devices(self) -> list[tuple[Line, Values]]:
        """Every device with its line."""
        return [(line, device) for line in self.lines for device in line.link.devices]

    def names(self) -> set[str]:
        """Name the devices; each may occur once."""
        return {device["name"] for _line, device in self.devices}

    def connections(self) -> list[Values]:
        """Write the links as in the configuration file."""
        return [line.as_connection() for line in self.lines]

    def add(self, kind: Kind, link: Link) -> Line:
        """Add a link and give it its name."""
        numbers = {line.link.name for line in self.lines}
        number = 1
        while f"{kind.word}-{number}" in numbers:
            number += 1
        link.name = f"{kind.word}-{number}"
        link.memory["site"] = [line.link.settings for line in self.lines]
        self.lines.append(Line(kind, link))
        return self.lines[-1]

    def same_line(self, kind: Kind, link: Link) -> Line | None:
        """Find the line that is physically the same."""
        wanted = line_of(kind.driver, link.settings)
        for line in self.lines:
            known = line_of(line.kind.driver, line.link.settings)
            if wanted is not None and wanted == known:
                return line
        return None


def new_one(name: str, taken: Collection[str]) -> str:
    """Make a proposed name one that is not used yet: `press` or `press-1` becomes `press-2`.

    Empty where nothing like a name was proposed.
    """
    proposal = re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-_")[:56]
    if not NAME.fullmatch(proposal) or proposal not in taken:
        return proposal
    numbered = NUMBERED.fullmatch(proposal)
    stem, number = (numbered[1], int(numbered[2])) if numbered else (proposal, 1)
    while f"{stem}-{number}" in taken or number == 1:
        number += 1
    return f"{stem}-{number}"
