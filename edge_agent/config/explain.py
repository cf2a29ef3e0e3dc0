"""Says what a configuration means on the wire: every point's address, and how busy each line is.

Drivers are asked for their plans, which is pure: nothing is opened.
"""

from collections.abc import Iterator
from typing import NamedTuple

from edge_agent import plugins
from edge_agent.config.experience import NO_EXPERIENCE, Experience
from edge_agent.config.feasibility import demands
from edge_agent.config.model import Connection, Device


class WirePoint(NamedTuple):
    """Where one point lives and how often it is read (seconds)."""

    device: str
    point: str
    address: str
    every: float


class Line(NamedTuple):
    """One connection on the wire.

    Attributes:
        line: The physical line; empty where connections share none.
        busy: Share of the time in which the line is occupied if every device answers as it should;
            None where the driver does not know what a read costs.
        points: In the order of the file.
    """

    connection: str
    driver: str
    line: str
    busy: float | None
    points: list[WirePoint]


def explain(connection: Connection, known: Experience = NO_EXPERIENCE) -> Line:
    """Explain one connection; imports its driver and opens nothing."""
    driver = plugins.load(connection.driver)(connection.settings)
    busy = sum(demand.share for demand in demands(connection, driver, known))
    return Line(
        connection.name,
        connection.driver,
        connection.settings.line() or "",
        busy or None,
        [point for device in connection.devices for point in _points(device)],
    )


def _points(device: Device) -> Iterator[WirePoint]:
    for point in device.points:
        yield WirePoint(device.name, point.name, str(point.address), point.every)
