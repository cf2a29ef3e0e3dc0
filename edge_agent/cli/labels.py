"""What profiles call the points of a configuration, for people who do not read English names."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from edge_agent.language import spoken

if TYPE_CHECKING:
    from edge_agent.config import Connection
    from edge_agent.config.library import Library
    from edge_agent.config.model import Point

Labels = dict[tuple[str, str], str]
"""Device and point -> what the point is called."""


def labels(connections: "Iterable[Connection]", folder: Path) -> Labels:
    """Give the labels in the language that is spoken; none in English, since names are English.

    Args:
        connections: With the devices and points that are shown.
        folder: That of the configuration, which may have profiles of its own.
    """
    if spoken() == "en":
        return {}
    from edge_agent.config.library import Library

    library = Library(folder)
    return {
        (device.name, point.name): label
        for connection in connections
        for device in connection.devices
        for point in device.points
        if (label := _label(library, connection.driver, device.profile, point))
    }


def _label(library: "Library", driver: str, profile: str, point: "Point") -> str:
    theirs = library.load(driver, profile).points.get(point.name) if profile else None
    if theirs is None or point.label not in ("", theirs.label.en):
        return point.label
    return theirs.label.zh


def labels_in(config: Path) -> Labels:
    """Give those of a configuration file; none of one that cannot be loaded."""
    if spoken() == "en":
        return {}
    from edge_agent.config import load
    from edge_agent.errors import EdgeAgentError

    try:
        return labels(load(config).connections, config.parent)
    except EdgeAgentError:
        return {}


def named(known: Labels, device: str, point: str) -> str:
    """Give a point's name, and what it is called."""
    return f"{point} {known.get((device, point), '')}".rstrip()
