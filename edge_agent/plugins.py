"""Finds drivers by entry point; imports one only when a configuration asks for it.

What looks at the metadata of installed packages is imported when that is done: it takes 1.5 MB,
and the daemon's drivers were found by the process that loaded its configuration.
"""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from edge_agent.driver import Driver
from edge_agent.errors import DriverUnavailable
from edge_agent.language import _

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "edge_agent.drivers"

AnyDriver = Driver[Any, Any]

_found: dict[str, type[AnyDriver]] = {}


def names() -> list[str]:
    """Name the installed drivers, without importing them."""
    from importlib.metadata import entry_points  # noqa: PLC0415 - see above

    return sorted({entry.name for entry in entry_points(group=GROUP)})


def modules(drivers: Collection[str]) -> list[str]:
    """Name the modules of these drivers, as far as they are installed; imports none."""
    from importlib.metadata import entry_points  # noqa: PLC0415 - see above

    return [entry.module for entry in entry_points(group=GROUP) if entry.name in drivers]


def know(found: Mapping[str, type[AnyDriver]]) -> None:
    """Take drivers that were found for this process, so that `load` need not look for them."""
    _found.update(found)


def load(name: str) -> type[AnyDriver]:
    """Import the driver of this name.

    Raises:
        DriverUnavailable: There is none, there are two, or something it needs is not installed.
    """
    return _found.get(name) or _load(_only_entry(name))


def _load(entry: "EntryPoint") -> type[AnyDriver]:
    name = entry.name
    try:
        driver = entry.load()
    except ModuleNotFoundError as error:
        raise DriverUnavailable(
            _(
                "driver {name!r} needs the Python package {error_name!r}, which is not "
                "installed: {entry}"
            ).format(name=name, error_name=error.name, entry=_remedy(entry))
        ) from error
    except Exception as error:  # what a driver does when it is imported must not end the agent
        raise DriverUnavailable(
            _(
                "driver {name!r} of {entry} cannot be imported: {kind}: {error}; tell "
                "those who provide it"
            ).format(name=name, entry=_owner(entry), kind=type(error).__name__, error=error)
        ) from error
    if not (isinstance(driver, type) and issubclass(driver, Driver)):
        raise DriverUnavailable(
            _("driver {name!r}: {value!r} is no subclass of edge_agent.driver.Driver").format(
                name=name, value=entry.value
            )
        )
    return driver


def _only_entry(name: str) -> "EntryPoint":
    from importlib.metadata import entry_points  # noqa: PLC0415 - see above

    found = tuple(entry_points(group=GROUP, name=name))
    # One installation can be listed twice (editable and wheel metadata side by side).
    if len({entry.value for entry in found}) > 1:
        owners = _(" and ").join(sorted(_owner(entry) for entry in found))
        raise DriverUnavailable(
            _("driver {name!r} is provided twice, by {owners}: uninstall one of them").format(
                name=name, owners=owners
            )
        )
    if not found:
        import difflib  # noqa: PLC0415 - for a mistake only

        near = difflib.get_close_matches(name, names(), n=1)
        hint = (
            _("did you mean {near!r}?").format(near=near[0])
            if near
            else _("installed are: {names}").format(names=", ".join(names()))
        )
        raise DriverUnavailable(
            _("there is no driver {name!r}; {hint}").format(name=name, hint=hint)
        )
    return found[0]


def _remedy(entry: "EntryPoint") -> str:
    extras = (entry.dist and entry.dist.metadata.get_all("Provides-Extra")) or []
    if entry.dist and entry.name in extras:
        return f"pip install '{entry.dist.name}[{entry.name}]'"
    return _("install {entry} anew").format(entry=_owner(entry))


def _owner(entry: "EntryPoint") -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value
