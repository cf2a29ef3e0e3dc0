"""Keys that stand one level too high: beside `address` or `settings` instead of inside it."""

from collections.abc import Container, Mapping
from typing import Any

from edge_agent import plugins
from edge_agent.config.places import Path, Section
from edge_agent.config.scalars import shown
from edge_agent.config.shape import ConnectionShape, DeviceShape, PointShape, Shape
from edge_agent.errors import DriverUnavailable
from edge_agent.language import _

# Length of a key's path -> what has keys there, and where the driver's own keys belong.
_LEVELS: Mapping[int, tuple[type[Shape], str]] = {
    3: (ConnectionShape, "settings"),  # connections[0].KEY
    5: (DeviceShape, "address"),  # connections[0].devices[0].KEY
    7: (PointShape, "address"),  # connections[0].devices[0].points.NAME.KEY
}


def advice(root: Section, place: Path) -> str:
    """Say where a key belongs that is not known at its place; empty where it is known nowhere."""
    if len(place) not in _LEVELS:
        return ""
    shape, home = _LEVELS[len(place)]
    key = str(place[-1])
    if key in shape.model_fields:
        return ""
    steps: list[Any] = [root]
    for part in place[:-1]:
        steps.append(steps[-1][part])
    if key not in _keys(steps[2].get("driver"), home):
        return ""
    return _("it belongs in `{home}`: write `{home}: {{{inside}}}`").format(
        home=home, inside=_inside(steps[-1], home, key)
    )


def _keys(driver: object, home: str) -> Container[str]:
    """Name the keys that a driver's settings or addresses have."""
    try:
        found = plugins.load(str(driver))
    except DriverUnavailable:
        return ()
    kind = found.settings_type if home == "settings" else found.address_type
    return kind.model_fields


def _inside(holder: Section, home: str, key: str) -> str:
    """Write the key where it belongs, beside an address as text if there is one."""
    there, value = holder.get(home), holder[key]
    beside = f"at: {shown(there)}, " if isinstance(there, str | int) else ""
    written = shown(value).strip("'") if isinstance(value, str | int | float) else "..."
    return f"{beside}{key}: {written}"
