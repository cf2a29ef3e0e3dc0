"""The configuration while it is being asked for: plain values as in the file. Pure, no I/O.

`checked` asks the driver's own models whether settings and addresses do, so that the wizard and
`check` can never disagree.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from edge_agent import plugins
from edge_agent.config.model import Connection, Device, Point
from edge_agent.driver import Address, Settings
from edge_agent.errors import DriverUnavailable

Values = dict[str, Any]
M = TypeVar("M", bound=BaseModel)


def settings_of(driver: str, values: Mapping[str, Any]) -> Settings:
    """Make a driver's settings.

    Raises:
        ValueError: They do not do, or the driver is not installed; a sentence.
    """
    return checked(_loaded(driver).settings_type, values)


def address_of(driver: str, values: Mapping[str, Any]) -> Address:
    """Make a driver's address.

    Raises:
        ValueError: It does not do, or the driver is not installed; a sentence.
    """
    return checked(_loaded(driver).address_type, values)


def _loaded(driver: str) -> type[plugins.AnyDriver]:
    try:
        return plugins.load(driver)
    except DriverUnavailable as error:
        raise ValueError(str(error)) from error


def checked(model: type[M], values: Mapping[str, Any]) -> M:
    """Validate values; what is wrong comes as one sentence, without pydantic's decorations."""
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        message = first["msg"].removeprefix("Value error, ")
        place = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{place}: {message}" if place else message) from error


def connection_of(
    connection: Mapping[str, Any], device: Mapping[str, Any], points: Values
) -> Connection:
    """Make a connection with one device and these points only, to try them live.

    Args:
        connection: As in the file; its devices do not matter.
        device: As in the file; its points do not matter.
        points: Name -> point as in the file, its address complete or a text.
    """
    driver = connection["driver"]
    settings = settings_of(driver, connection["settings"])
    made = tuple(_point(driver, device, name, point) for name, point in points.items())
    device_made = Device(name=device["name"], points=made)
    return Connection(connection["name"], driver, settings, (device_made,))


def _point(driver: str, device: Mapping[str, Any], name: str, point: Mapping[str, Any]) -> Point:
    address = address_of(driver, merged(device.get("address", {}), point["address"]))
    return Point(name, address, unit=point.get("unit", ""), scale=point.get("scale", 1))


def merged(device_address: Mapping[str, Any], address: str | Mapping[str, Any]) -> Values:
    """Complete a point's address by its device's, as the configuration does."""
    own = {"at": address} if isinstance(address, str) else address
    return {**device_address, **own}


def same_line(document: Mapping[str, Any], driver: str, settings: Values) -> Values | None:
    """Find the connection that uses the same physical line already."""
    line = settings_of(driver, settings).line()
    for connection in document["connections"]:
        known = settings_of(connection["driver"], connection["settings"]).line()
        if line is not None and line == known:
            found: Values = connection
            return found
    return None


def device_names(document: Mapping[str, Any]) -> set[str]:
    """Name the devices so far; each may occur once."""
    return {
        device["name"] for connection in document["connections"] for device in connection["devices"]
    }
