"""Says what a configuration means on the wire: every point's address, and how busy each line is.

Drivers are asked for their plans, which is pure: nothing is opened.
"""

from collections.abc import Container, Iterator
from typing import NamedTuple

from edge_agent import plugins
from edge_agent.config.experience import NO_EXPERIENCE, Experience
from edge_agent.config.feasibility import demands
from edge_agent.config.library import Library
from edge_agent.config.model import Connection, Device


class WirePoint(NamedTuple):
    """Where one point lives, how often it is read (seconds), and the profile that has it if any."""

    device: str
    point: str
    address: str
    every: float
    profile: str = ""


class UsedProfile(NamedTuple):
    """A profile that devices of one connection name, and whether its values want comparing."""

    profile: str
    title: str
    unverified: bool


class Line(NamedTuple):
    """One connection on the wire.

    Attributes:
        line: The physical line; empty where connections share none.
        busy: Share of the time in which the line is occupied if every device answers as it should;
            None where the driver does not know what a read costs.
        points: In the order of the file.
        profiles: Those that its devices name.
    """

    connection: str
    driver: str
    line: str
    busy: float | None
    points: list[WirePoint]
    profiles: list[UsedProfile]


def explain(
    connection: Connection, known: Experience = NO_EXPERIENCE, library: Library | None = None
) -> Line:
    """Explain one connection; imports its driver and opens nothing."""
    driver = plugins.load(connection.driver)(connection.settings)
    busy = sum(demand.share for demand in demands(connection, driver, known))
    library = library or Library()
    profiles = {
        device.profile: library.load(connection.driver, device.profile)
        for device in connection.devices
        if device.profile
    }
    return Line(
        connection.name,
        connection.driver,
        connection.settings.line() or "",
        busy or None,
        [
            point
            for device in connection.devices
            for point in _points(device, profiles[device.profile].points if device.profile else ())
        ],
        [UsedProfile(name, one.title, one.is_unverified) for name, one in profiles.items()],
    )


def _points(device: Device, of_profile: Container[str]) -> Iterator[WirePoint]:
    for point in device.points:
        profile = device.profile if point.name in of_profile else ""
        yield WirePoint(device.name, point.name, str(point.address), point.every, profile)
