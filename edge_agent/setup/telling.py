"""Values as people know them: by the label of the profile in their language, with display units."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from edge_agent.config.library import Library
from edge_agent.config.model import Config, Connection, Device, Point
from edge_agent.errors import ProfileUnavailable
from edge_agent.layout import people_say, shown
from edge_agent.model import Value
from edge_agent.setup.profile_choice import in_words


class Named(NamedTuple):
    """A point, and what people call it."""

    device: str
    point: Point
    label: str


def named_points(config: Config, folder: Path) -> list[Named]:
    """List every point of a configuration with its label.

    Args:
        config: The configuration.
        folder: Where it is, since profiles of one's own are beside it.
    """
    library = Library(folder)
    return [
        Named(device.name, point, labels.get(point.name) or point.label or point.name)
        for connection in config.connections
        for device in connection.devices
        for labels in (_labels(connection, device, library),)
        for point in device.points
    ]


def _labels(connection: Connection, device: Device, library: Library) -> Mapping[str, str]:
    if not device.profile:
        return {}
    try:
        profile = library.load(connection.driver, device.profile)
    except ProfileUnavailable:
        return {}
    return {name: in_words(point.label) for name, point in profile.points.items()}


def first_values(
    points: Iterable[Named], values: Mapping[tuple[str, str], Value]
) -> dict[str, str]:
    """Give, for each device that has one, its first value: `Voltage L1 231.4 V`."""
    found: dict[str, str] = {}
    for device, point, label in points:
        value = values.get((device, point.name))
        if value is not None and device not in found:
            found[device] = f"{label} {shown(value)} {people_say(point.unit)}".rstrip()
    return found
