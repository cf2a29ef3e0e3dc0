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


def line_of(driver: str, values: Mapping[str, Any]) -> str | None:
    """Name the physical line that settings lead to, although they may not be complete yet."""
    model = _loaded(driver).settings_type
    try:
        return checked(model, values).line()
    except ValueError:
        return model.model_construct(**values).line()


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
    driver: str, settings: Mapping[str, Any], device_address: Mapping[str, Any], points: Values
) -> Connection:
    """Make a connection with one device and these points only, to try them live.

    Raises:
        ValueError: The configuration would not have it; a sentence.
    """
    made = tuple(_point(driver, device_address, name, point) for name, point in points.items())
    device = Device(name="device", points=made)
    return Connection("wizard", driver, settings_of(driver, settings), (device,))


def _point(
    driver: str, device_address: Mapping[str, Any], name: str, point: Mapping[str, Any]
) -> Point:
    address = address_of(driver, merged(device_address, point["address"]))
    return Point(name, address, unit=point.get("unit", ""), scale=point.get("scale", 1))


def merged(device_address: Mapping[str, Any], address: str | Mapping[str, Any]) -> Values:
    """Complete a point's address by its device's, as the configuration does."""
    own = {"at": address} if isinstance(address, str) else address
    return {**device_address, **own}
