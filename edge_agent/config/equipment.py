"""Lets each connection's driver check what only it understands: its settings and addresses."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from edge_agent import plugins
from edge_agent.config.findings import Complaint, Findings
from edge_agent.config.places import Path, Section, section, sections
from edge_agent.config.scalars import shown
from edge_agent.config.verdict import Verdict, bug, judge
from edge_agent.config.wording import Words, split
from edge_agent.driver import Address, Settings
from edge_agent.errors import DriverUnavailable
from edge_agent.language import _
from edge_agent.plugins import AnyDriver


class Wire(NamedTuple):
    """What a driver made of one connection: its settings, and for each device point -> address."""

    settings: Settings
    addresses: list[dict[str, Address]]


class Equipment:
    """Checks the connections of one file. Imports the drivers it names, opens nothing."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._drivers: dict[str, type[AnyDriver] | DriverUnavailable] = {}
        self._lines: dict[str, int] = {}
        self._written_keys: dict[frozenset[str], set[str]] = {}

    def wires(self, root: Section) -> list[Wire | None]:
        """Check every connection; None stands where its driver or settings are not known."""
        return [
            self._wire(connection, ("connections", index))
            for index, connection in sections(root.get("connections"))
        ]

    def _wire(self, connection: Section, path: Path) -> Wire | None:
        driver = self._driver(connection.get("driver"), path)
        if driver is None:
            return None
        settings = self._settings(driver, connection, path)
        # Addresses are checked all the same where something else is wrong with the settings.
        addresses = [
            self._addresses(driver, settings.rest, device, (*path, "devices", index))
            for index, device in sections(connection.get("devices"))
        ]
        return Wire(settings.checked, addresses) if settings.checked else None

    def _driver(self, name: Any, path: Path) -> type[AnyDriver] | None:
        if not isinstance(name, str) or not name:
            return None  # the shape of the file complains
        if name not in self._drivers:
            self._drivers[name] = _load(name)
        driver = self._drivers[name]
        if isinstance(driver, DriverUnavailable):
            self._findings.error((*path, "driver"), *split(str(driver)))
            return None
        return driver

    def _settings(self, driver: type[AnyDriver], link: Section, path: Path) -> Verdict[Settings]:
        value = link.get("settings")
        value = {} if value is None else value
        place = (*path, "settings")
        verdict = judge(driver.settings_type, value)
        for inside, words in verdict.wrong:
            self._findings.error((*place, *inside), *words)
        if verdict.checked is not None:
            self._claim_line(self._line(verdict.checked, place), path)
        return verdict

    def _line(self, settings: Settings, place: Path) -> str | None:
        try:
            return settings.line()
        except Exception as error:  # noqa: BLE001 - the driver's own code
            self._findings.error(place, *bug(error)[1])
            return None

    def _claim_line(self, line: str | None, path: Path) -> None:
        """Two connections on one line would disturb each other."""
        index = path[1]
        if line is None or not isinstance(index, int):
            return
        first = self._lines.setdefault(line, index)
        if first != index:
            self._findings.error(
                (*path, "settings"),
                _("uses the line {line} of connections[{first}]").format(line=line, first=first),
                _(
                    "put these devices under connections[{first}]: one line is one connection"
                ).format(first=first),
            )

    def _addresses(
        self, driver: type[AnyDriver], settings: Settings | None, device: Section, path: Path
    ) -> dict[str, Address]:
        shared = device.get("address")
        if shared is not None and not isinstance(shared, Section):
            message = _("must be keys with values, not {shared}").format(shared=shown(shared))
            self._findings.error((*path, "address"), message, _("text can only stand at a point"))
        checker = _Addresses(driver, settings, section(shared), path, self._findings)
        points = {
            name: point
            for name, point in section(device.get("points")).items()
            if isinstance(point, Section)
        }
        found = {
            name: checker.address(point.get("address"), name) for name, point in points.items()
        }
        for name, address in found.items():
            if address is not None and _is_text_for_a_number(points[name], address):
                self._findings.error(
                    (*path, "points", name, "no_value"),
                    _("is text, and {address} is a number").format(address=address),
                    _("write numbers without quotes, such as [32767, 65535]"),
                )
        return {
            name: self._lighter(address) for name, address in found.items() if address is not None
        }

    def _lighter(self, address: Address) -> Address:
        """Let addresses share pydantic's note of which keys were written: 700 bytes of each."""
        keys = address.model_fields_set
        shared = self._written_keys.setdefault(frozenset(keys), keys)
        object.__setattr__(address, "__pydantic_fields_set__", shared)  # the model is frozen
        return address


class _Addresses:
    """Checks the addresses of one device."""

    def __init__(
        self,
        driver: type[AnyDriver],
        settings: Settings | None,
        shared: Section,
        device: Path,
        findings: Findings,
    ) -> None:
        self._driver = driver
        self._settings = settings
        self._model: type[Address] = driver.address_type
        self._shared = shared
        self._device = device
        self._findings = findings

    def address(self, written: Any, point: str) -> Address | None:
        """Merge a point's address over its device's, and let the driver's type check it."""
        path = (*self._device, "points", point, "address")
        own = _as_mapping(written)
        if own is None:
            message = _("must be keys with values, text or a whole number, not {written}").format(
                written=shown(written)
            )
            self._findings.error(path, message, _("put text in quotes"))
            return None
        address, wrong = self._checked(own)
        for inside, words in wrong:
            is_refused_text = inside == ("at",) and "at" not in self._model.model_fields
            self._findings.error(
                self._place(inside, written, path),
                *(self._no_text() if is_refused_text else words),
            )
        return address

    def _checked(self, own: Mapping[str, Any]) -> tuple[Address | None, Sequence[Complaint]]:
        """Let the driver check an address by itself, and then together with the settings."""
        try:
            merged = self._model.merged(self._shared, own)
            address, _, wrong = judge(self._model, merged, whole=False)
            if address is None or self._settings is None:
                return address, wrong
            faults = self._driver.faults(self._settings, address)
            address = address if faults else self._driver.completed(self._settings, address)
        except Exception as error:  # noqa: BLE001 - the driver's own code
            return None, [bug(error)]
        return address, [((key,) if key else (), split(why)) for key, why in faults.items()]

    def _no_text(self) -> Words:
        return _("this driver knows no addresses as text"), (
            _("write keys with values; known here: {known}").format(
                known=", ".join(self._model.model_fields)
            )
        )

    def _place(self, inside: Path, written: Any, path: Path) -> Path:
        """Say whose key it is: the point's own, the device's, or one that neither has."""
        key = next(iter(inside), "")
        is_own = isinstance(written, Section) and key in written
        if key in self._shared and not is_own:
            return (*self._device, "address", *inside)
        is_text = not isinstance(written, Section | None)
        return path if is_text else (*path, *inside)


def _as_mapping(written: Any) -> Mapping[str, Any] | None:
    """Read an address: keys and values, nothing at all, or text, which goes below the key `at`."""
    if written is None:
        return {}
    if isinstance(written, Section):
        return written
    if isinstance(written, str | int) and not isinstance(written, bool):
        return {"at": written}
    return None


def _is_text_for_a_number(point: Section, address: Address) -> bool:
    """Tell whether a value that means none is a text, which a number never equals."""
    written = point.get("no_value")
    codes = written if isinstance(written, list) else [written]
    is_number = address.value_type().startswith(("int", "uint", "float"))
    return is_number and any(isinstance(code, str) for code in codes)


def _load(name: str) -> type[AnyDriver] | DriverUnavailable:
    try:
        return plugins.load(name)
    except DriverUnavailable as unavailable:
        return unavailable
