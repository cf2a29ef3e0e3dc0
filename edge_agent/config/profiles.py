"""Device profiles: what one model of equipment has, written once and named by its devices."""

from collections.abc import Callable, Mapping
from typing import Any

from edge_agent.config.findings import Findings
from edge_agent.config.places import Path, Section, section, sections
from edge_agent.config.wording import split
from edge_agent.errors import ProfileUnavailable

Find = Callable[[str], Mapping[str, Any]]
"""Gives the points of a profile, in the form they have in the file, or ProfileUnavailable."""


def find(name: str) -> Mapping[str, Any]:
    """Give the points of the profile of this name.

    Raises:
        ProfileUnavailable: There is none; this version ships no profiles.
    """
    raise ProfileUnavailable(
        f"there is no profile {name!r}, this version ships none; write the points under `points`"
    )


def expand(root: Section, findings: Findings, find: Find = find) -> None:
    """Put the points of profiles into the devices that name one, below what they say themselves."""
    for place, device in _devices(root):
        name = device.get("profile")
        if not isinstance(name, str):
            continue
        try:
            brought = _placed(find(name), device.lines["profile"])
        except ProfileUnavailable as error:
            findings.error((*place, "profile"), *split(str(error)))
            continue
        own = device.get("points")
        if own is not None and not isinstance(own, Section):
            continue  # the shape of the file complains
        device["points"] = _over(brought, section(own))
        device.lines.setdefault("points", device.lines["profile"])


def _devices(root: Section) -> list[tuple[Path, Section]]:
    return [
        (("connections", link, "devices", index), device)
        for link, connection in sections(root.get("connections"))
        for index, device in sections(connection.get("devices"))
    ]


def _placed(values: Mapping[str, Any], line: int) -> Section:
    """Give everything a profile brings the line that names the profile."""
    placed = Section()
    for key, value in values.items():
        placed[key] = _placed(value, line) if isinstance(value, Mapping) else value
        placed.lines[key] = line
    return placed


def _over(brought: Section, own: Section) -> Section:
    """Lay a device's own points over those of its profile, key by key."""
    for key, value in own.items():
        below = brought.get(key)
        if isinstance(below, Section) and isinstance(value, Section):
            brought[key] = _over(below, value)
        else:
            brought[key] = value
        brought.lines[key] = own.lines[key]
    return brought
