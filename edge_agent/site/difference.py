"""Says in words how one configuration differs from another: per device and point. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from edge_agent.bundle.redaction import is_secret
from edge_agent.config.model import Config, Connection, Deadband, Device
from edge_agent.driver import Address, Settings
from edge_agent.language import _

MOST_ALIKE = 3  # points of a device at which the same key changes, told one by one


class _Named(Protocol):
    @property
    def name(self) -> str: ...


T = TypeVar("T")
N = TypeVar("N", bound=_Named)


class Difference(NamedTuple):
    """One thing that is different.

    Attributes:
        where: A device, `device.point`, a connection, or a part of the file such as `mqtt`.
        what: What it is, a sentence without its subject.
    """

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def differences(old: Config, new: Config) -> list[Difference]:
    """Say what changes from one configuration to another."""
    found: list[Difference] = []
    for part in ("agent", "mqtt", "buffer", "metrics"):
        found += _fields(part, getattr(old, part), getattr(new, part))
    before, after = _by_name(old.connections), _by_name(new.connections)
    found += _one_sided(before, after, _("a connection that is no more"), _("a new connection"))
    for name, link in _both(before, after):
        found += _connection(name, *link)
    found += _devices(old, new)
    return found


def _by_name(things: Iterable[N]) -> dict[str, N]:
    return {one.name: one for one in things}


def _both(before: Mapping[str, T], after: Mapping[str, T]) -> Iterator[tuple[str, tuple[T, T]]]:
    yield from ((name, (before[name], after[name])) for name in after if name in before)


def _one_sided(
    before: Mapping[str, T], after: Mapping[str, T], gone: str, new: str, within: str = ""
) -> Iterator[Difference]:
    yield from (Difference(within + name, gone) for name in before if name not in after)
    yield from (Difference(within + name, new) for name in after if name not in before)


def _connection(name: str, old: Connection, new: Connection) -> Iterator[Difference]:
    if old.driver != new.driver:
        yield _change(name, "driver", old.driver, new.driver)
    else:
        yield from _values(name, _told(old.settings), _told(new.settings))


def _devices(old: Config, new: Config) -> Iterator[Difference]:
    before, after = dict(_placed(old)), dict(_placed(new))
    yield from _one_sided(before, after, _("a device that is no more"), _("a new device"))
    for name, ((link, device), (other_link, other)) in _both(before, after):
        if link != other_link:
            yield _change(name, _("connection"), link, other_link)
        yield from _values(
            name,
            {"label": device.label, "profile": device.profile},
            {"label": other.label, "profile": other.profile},
        )
        yield from _points(name, device, other)


def _placed(config: Config) -> Iterator[tuple[str, tuple[str, Device]]]:
    for connection in config.connections:
        yield from ((device.name, (connection.name, device)) for device in connection.devices)


def _points(device: str, old: Device, new: Device) -> Iterator[Difference]:
    before, after = _by_name(old.points), _by_name(new.points)
    gone, added = _("a point that is no more"), _("a new point")
    yield from _one_sided(before, after, gone, added, within=f"{device}.")
    changed: dict[str, list[Difference]] = {}
    for name, (point, other) in _both(before, after):
        for key, difference in _changes(f"{device}.{name}", _told(point), _told(other)):
            changed.setdefault(key, []).append(difference)
    for same in changed.values():
        yield from same if len(same) <= MOST_ALIKE else [_summary(device, same)]


def _summary(device: str, same: list[Difference]) -> Difference:
    """Say once what changes at many points, as where the address of their device does."""
    what = _("at {n} points, such as {example}").format(n=len(same), example=same[0])
    return Difference(device, what)


def _fields(where: str, old: Any, new: Any) -> Iterator[Difference]:
    yield from _values(where, _told(old), _told(new))


def _values(where: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    yield from (difference for _key, difference in _changes(where, old, new))


def _changes(
    where: str, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[tuple[str, Difference]]:
    for key in dict.fromkeys([*old, *new]):
        if old.get(key) != new.get(key):
            yield key, _change(where, key, old.get(key), new.get(key))


def _change(where: str, key: str, old: Any, new: Any) -> Difference:
    if is_secret(key):
        return Difference(where, _("{key} changes").format(key=key))
    told = _written(old), _written(new)
    if told[0] == told[1]:  # what people read does not tell them apart
        told = repr(old), repr(new)
    what = _("{key} changes from {old} to {new}")
    return Difference(where, what.format(key=key, old=told[0], new=told[1]))


def _told(thing: Any) -> dict[str, Any]:
    """Give the fields of a part of the configuration."""
    if isinstance(thing, Settings):
        return thing.model_dump()
    return {one.name: getattr(thing, one.name) for one in fields(thing) if one.name != "name"}


_WRITERS: dict[type, Callable[[Any], str]] = {
    bool: lambda value: str(value).lower(),
    float: lambda value: f"{value:g}",
    Path: str,
    Address: str,
    Deadband: lambda value: f"{value.size:g}{'%' if value.percent else ''}",
    tuple: lambda value: ", ".join(map(_written, value)) or _("nothing"),
}


def _written(value: Any) -> str:
    if value is None or value == "":
        return _("nothing")
    for kind, write in _WRITERS.items():
        if isinstance(value, kind):
            return write(value)
    return str(value)
