"""The device of a configuration that a list is for."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from edge_agent.config import yamlfile
from edge_agent.config.loading import parse
from edge_agent.config.model import Connection
from edge_agent.errors import ConfigInvalid
from edge_agent.language import _
from edge_agent.registers.listed import Listed, RegisterList
from edge_agent.registers.live import read_numbers
from edge_agent.registers.splice import NoPlace, with_device, with_points
from edge_agent.registers.table import ListUnreadable
from edge_agent.versions import Versions


def target_of(config: Path, written: str) -> "Target":
    """Find `CONNECTION` or `CONNECTION/DEVICE` of a configuration.

    Raises:
        ListUnreadable: The file has mistakes, or has no such connection.
    """
    try:
        text = config.read_bytes().decode()  # its line ends stay as they are
        document = yamlfile.parse(text).root
        found = parse(text, config.parent)
        if found.config is None:
            raise ConfigInvalid(found.errors, str(config))
    except (OSError, UnicodeDecodeError, ConfigInvalid) as error:
        raise ListUnreadable(str(error)) from error
    name, _slash, device = written.partition("/")
    for link, section in zip(found.config.connections, document["connections"], strict=True):
        if link.name == name:
            return Target(config, text, link, section, device)
    there = ", ".join(link.name for link in found.config.connections)
    raise ListUnreadable(
        _("{config} has no connection {name!r}; there are: {there}").format(
            config=config, name=name, there=there
        )
    )


class Target:
    """A connection of a configuration, and perhaps one device of it.

    Args:
        text: Of the file.
        link: The connection, checked.
        section: The same as it stands in the file.
        device: Name of the device; empty where the list names them.
    """

    def __init__(
        self, config: Path, text: str, link: Connection, section: Mapping[str, Any], device: str
    ) -> None:
        self._config, self._text, self._link, self._section = config, text, link, section
        self._device = device

    @property
    def driver(self) -> str:
        """Whose addresses it has."""
        return self._link.driver

    @cached_property
    def _known(self) -> dict[str, Mapping[str, Any]]:
        return {device["name"]: device for device in self._section["devices"]}

    def read(self, bodies: Sequence[Mapping[str, Any]]) -> list[float | None]:
        """Read points from the device once, as `read_numbers` does.

        Raises:
            ListUnreadable: There is no such device, or it does not answer.
        """
        device = self._known.get(self._device, {} if self._device else None)
        if device is None:
            raise ListUnreadable(_("name the device to read from: --into CONNECTION/DEVICE"))
        return read_numbers(self._link, device.get("address") or {}, bodies)

    def add(self, found: RegisterList, address: Mapping[str, Any]) -> dict[str, Any]:
        """Add the points to the file; the one before is kept.

        Args:
            found: The list, nothing of it open.
            address: Keys of the address of a device that is not there yet.

        Returns:
            `written`, `added` (points) and `kept`, if anything changed.

        Raises:
            NoPlace: They cannot be added, since the file would have mistakes, or others.
            ListUnreadable: A point of that name is there and says something else.
        """
        text, added = self._text, 0
        for block in self._blocks(found):
            text, more = self._with(text, block, found, address)
            added += more
        if text == self._text:
            return {"written": str(self._config), "added": 0, "kept": None}
        self._check(text)
        versions = Versions(self._config)
        with versions.locked():
            if versions.present() != self._text.encode():
                raise NoPlace(_("{file} was changed meanwhile: run it again").format(
                    file=self._config))  # fmt: skip
            kept = versions.keep()
            versions.put(text.encode())
        return {"written": str(self._config), "added": added, "kept": kept and str(kept.path)}

    def _blocks(self, found: RegisterList) -> list[dict[str, Any]]:
        """Give the devices of the list with the names that they have here."""
        blocks = found.blocks()
        if not self._device:
            if any(block["name"] == "NAME" for block in blocks):
                raise ListUnreadable(
                    _("the list names no device: write --into {connection}/DEVICE").format(
                        connection=self._link.name
                    )
                )
            return blocks
        if len(blocks) > 1:
            raise ListUnreadable(
                _("the list has {n} devices: write --into {connection}").format(
                    n=len(blocks), connection=self._link.name
                )
            )
        return [{**block, "name": self._device} for block in blocks]

    def _with(
        self, text: str, block: Mapping[str, Any], found: RegisterList, address: Mapping[str, Any]
    ) -> tuple[str, int]:
        name = block["name"]
        if name not in self._known:
            return with_device(text, self._link.name, _new(block, found, address)), len(
                block["points"]
            )
        present = self._known[name].get("points") or {}
        points = self._points(block, self._known[name].get("address") or {})
        clashes = [
            point for point in points if point in present and present[point] != points[point]
        ]
        if clashes:
            raise ListUnreadable(self._clash(name, clashes, found.used))
        new = {point: body for point, body in points.items() if point not in present}
        return (with_points(text, self._link.name, name, new) if new else text), len(new)

    @staticmethod
    def _points(block: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
        """Give points without what their device says for all of them; it must be the same."""
        points: dict[str, Any] = {}
        for name, body in block["points"].items():
            address = {**block.get("address", {}), **body["address"]}
            for key, value in address.items():
                if shared.get(key, value) != value:
                    message = _("{name}: the list says {key} {value}, and the device has {other}")
                    raise ListUnreadable(
                        message.format(name=name, key=key, value=value, other=shared[key])
                    )
            own = {key: value for key, value in address.items() if key not in shared}
            points[name] = {**body, "address": own}
        return points

    @staticmethod
    def _clash(device: str, clashes: Sequence[str], rows: Sequence[Listed]) -> str:
        told = ", ".join(f"{row.name} ({row.row})" for row in rows if row.name in clashes)
        return _(
            "{device} has points of the same name that say something else: {points}; rename them "
            "in the list, or delete them in the file first"
        ).format(device=device, points=told)

    def _check(self, text: str) -> None:
        found = parse(text, self._config.parent)
        if found.config is None:
            raise NoPlace(
                _("nothing was written, the file would have mistakes: {why}").format(
                    why=ConfigInvalid(found.errors)
                )
            )


def _new(
    block: Mapping[str, Any], found: RegisterList, address: Mapping[str, Any]
) -> dict[str, Any]:
    """Give a device that is not there yet; which one it is on its line must be said."""
    unsaid = [key for key in found.unsaid if key not in address]
    if unsaid:
        raise ListUnreadable(
            _(
                "{device} is not there yet, and the list does not say its {key}: write "
                "--address {key}=..."
            ).format(device=block["name"], key=unsaid[0])
        )
    first = {key: block[key] for key in ("name", "label") if key in block}
    shared = {**block.get("address", {}), **address}
    return first | ({"address": shared} if shared else {}) | {"points": block["points"]}
