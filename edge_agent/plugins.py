"""Finds drivers by entry point; imports one only when a configuration asks for it."""

import difflib
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from edge_agent.driver import Driver
from edge_agent.errors import DriverUnavailable

GROUP = "edge_agent.drivers"

AnyDriver = Driver[Any, Any]


def names() -> list[str]:
    """Name the installed drivers, without importing them."""
    return sorted({entry.name for entry in entry_points(group=GROUP)})


def load(name: str) -> type[AnyDriver]:
    """Import the driver of this name.

    Raises:
        DriverUnavailable: There is none, there are two, or something it needs is not installed.
    """
    entry = _only_entry(name)
    try:
        driver = entry.load()
    except ModuleNotFoundError as error:
        raise DriverUnavailable(
            f"driver {name!r} needs the Python package {error.name!r}, which is not installed: "
            f"{_remedy(entry)}"
        ) from error
    except Exception as error:  # what a driver does when it is imported must not end the agent
        raise DriverUnavailable(
            f"driver {name!r} of {_owner(entry)} cannot be imported: "
            f"{type(error).__name__}: {error}; tell those who provide it"
        ) from error
    if not (isinstance(driver, type) and issubclass(driver, Driver)):
        raise DriverUnavailable(
            f"driver {name!r}: {entry.value!r} is no subclass of edge_agent.driver.Driver"
        )
    return driver


def _only_entry(name: str) -> EntryPoint:
    found = tuple(entry_points(group=GROUP, name=name))
    # One installation can be listed twice (editable and wheel metadata side by side).
    if len({entry.value for entry in found}) > 1:
        owners = " and ".join(sorted(_owner(entry) for entry in found))
        raise DriverUnavailable(
            f"driver {name!r} is provided twice, by {owners}: uninstall one of them"
        )
    if not found:
        near = difflib.get_close_matches(name, names(), n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"installed are: {', '.join(names())}"
        raise DriverUnavailable(f"there is no driver {name!r}; {hint}")
    return found[0]


def _remedy(entry: EntryPoint) -> str:
    extras = (entry.dist and entry.dist.metadata.get_all("Provides-Extra")) or []
    if entry.dist and entry.name in extras:
        return f"pip install '{entry.dist.name}[{entry.name}]'"
    return f"install {_owner(entry)} anew"


def _owner(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value
