"""Says what a configuration means on the wire: every point's address, and how busy each line is.

Drivers are asked for their plans, which is pure: nothing is opened.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from edge_agent import plugins
from edge_agent.config.model import Connection, Device
from edge_agent.driver import Address
from edge_agent.plugins import AnyDriver


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


def explain(connection: Connection) -> Line:
    """Explain one connection; imports its driver and opens nothing."""
    driver = plugins.load(connection.driver)(connection.settings)
    busy = sum(_busy(driver, device) for device in connection.devices)
    return Line(
        connection.name,
        connection.driver,
        connection.settings.line() or "",
        busy or None,
        [point for device in connection.devices for point in _points(device)],
    )


def _busy(driver: AnyDriver, device: Device) -> float:
    """Points of one device with one interval are read together."""
    groups: defaultdict[float, list[Address]] = defaultdict(list)
    for point in device.points:
        groups[point.every].append(point.address)
    return sum(driver.plan(group, {}).cost / every for every, group in groups.items())


def _points(device: Device) -> Iterator[WirePoint]:
    for point in device.points:
        yield WirePoint(device.name, point.name, str(point.address), point.every)
