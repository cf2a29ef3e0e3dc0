"""Where Modbus devices may be, as it is written on the command line. Pure."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from pydantic import ValidationError

from edge_agent.language import _, later
from edge_agent_modbus.config import TCP_PORT, ModbusSettings
from edge_agent_modbus.discovery import LineSetting

MOST_HOSTS = 4096
_NETWORK_SCHEMES = ("tcp", "rtu-over-tcp", "ascii-over-tcp")
_LINE_KEYS = ("baud", "parity", "stop_bits", "data_bits", "transport")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_FORMS = later(
    "a serial port (/dev/ttyUSB0 or "
    "serial:///dev/ttyUSB0?baud=9600&parity=even), an address (10.0.0.5 or "
    "tcp://10.0.0.5:502) or a network (192.168.10.0/24)"
)


@dataclass(frozen=True, slots=True)
class Line:
    """A serial port.

    Attributes:
        written: Settings that were given with it; empty if none.
    """

    port: str
    written: tuple[tuple[str, str], ...] = ()

    @property
    def setting(self) -> LineSetting | None:
        """How the line is set, if that was given."""
        if not self.written:
            return None
        settings = self.settings()
        return LineSetting(settings.baud or 0, settings.parity, settings.stop_bits)

    @property
    def is_ascii(self) -> bool:
        """Tell whether Modbus ASCII was asked for."""
        return dict(self.written).get("transport") == "ascii"

    def settings(self) -> ModbusSettings:
        """Give the driver's settings.

        Raises:
            ValueError: They are not complete, or do not fit; the message is for people.
        """
        given: dict[str, Any] = {"transport": "rtu", "port": self.port, **dict(self.written)}
        if "stop_bits" in given:
            given["stop_bits"] = _whole("stop_bits", given["stop_bits"])
        if "data_bits" in given:
            given["data_bits"] = _whole("data_bits", given["data_bits"])
        if "baud" not in given:
            raise ValueError(
                _(
                    "{port} needs its speed: write serial://{port}?baud=9600 (and "
                    "&parity=even); `edge-agent scan {port}` finds it"
                ).format(port=self.port)
            )
        given["baud"] = _whole("baud", given["baud"])
        return validated(given)

    def __str__(self) -> str:
        return self.port


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address in the network.

    Attributes:
        transport: How frames are carried there; None if that was not said.
    """

    host: str
    port: int = TCP_PORT
    transport: str | None = None

    def settings(self) -> ModbusSettings:
        """Give the driver's settings; Modbus TCP unless said otherwise."""
        given = {"transport": self.transport or "tcp", "host": self.host, "port": self.port}
        return validated(given)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Subnet:
    """All addresses of a network."""

    network: ipaddress.IPv4Network
    port: int = TCP_PORT

    @property
    def endpoints(self) -> list[Endpoint]:
        """Every address that a host may have."""
        return [Endpoint(str(address), self.port) for address in self.network.hosts()]

    def __str__(self) -> str:
        return str(self.network)


Target = Line | Endpoint | Subnet


def parse_target(text: str) -> Target:
    """Read a target.

    Raises:
        ValueError: It is none; the message says what to write.
    """
    if text.startswith("/"):
        return Line(text)
    if "://" in text:
        return _url(text)
    if "/" in text:
        return _subnet(text)
    return _endpoint(urlsplit(f"//{_bracketed(text)}"), text, None)


def _url(text: str) -> Target:
    parts = urlsplit(text)
    if parts.scheme == "serial":
        return _line(parts, text)
    if parts.scheme in _NETWORK_SCHEMES:
        return _endpoint(parts, text, parts.scheme)
    schemes = ", ".join(f"{scheme}://" for scheme in ("serial", *_NETWORK_SCHEMES))
    raise ValueError(
        _("{text!r} begins with {scheme}://, but only {schemes} are known").format(
            text=text, scheme=parts.scheme, schemes=schemes
        )
    )


def _line(parts: SplitResult, text: str) -> Line:
    if parts.netloc or len(parts.path) < 2:
        raise ValueError(
            _("{text!r} names no serial port: write three slashes, serial:///dev/ttyUSB0").format(
                text=text
            )
        )
    written = parse_qsl(parts.query, keep_blank_values=True)
    for key, _value in written:
        if key not in _LINE_KEYS:
            raise ValueError(
                _("{text!r}: {key!r} is no setting of a line; there are {line_keys}").format(
                    text=text, key=key, line_keys=", ".join(_LINE_KEYS)
                )
            )
    if written and "baud" not in dict(written):
        raise ValueError(_("{text!r} gives settings but no speed: add baud=9600").format(text=text))
    line = Line(unquote(parts.path), tuple(written))
    if written:
        line.settings()
    return line


def _endpoint(parts: SplitResult, text: str, transport: str | None) -> Endpoint:
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(_("{text!r} has no port from 1 to 65535").format(text=text)) from None
    is_more = bool(parts.path or parts.query or parts.fragment or parts.username)
    if is_more or not host or not (_HOST.fullmatch(host) or _is_address(host)):
        raise ValueError(
            _("{text!r} is nothing to look at: write {forms}").format(text=text, forms=_(_FORMS))
        )
    if port == 0:
        raise ValueError(_("{text!r} has no port from 1 to 65535").format(text=text))
    return Endpoint(host, TCP_PORT if port is None else port, transport)


def _subnet(text: str) -> Subnet:
    try:
        network = ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        raise ValueError(
            _("{text!r} is nothing to look at: write {forms}").format(text=text, forms=_(_FORMS))
        ) from None
    if network.num_addresses > MOST_HOSTS:
        raise ValueError(
            _(
                "{text} has {addresses} addresses, at most {most_hosts} are searched "
                "at once: write a part of it, such as {network}/24"
            ).format(
                text=text,
                addresses=network.num_addresses,
                most_hosts=MOST_HOSTS,
                network=network.network_address,
            )
        )
    return Subnet(network)


def _bracketed(text: str) -> str:
    return f"[{text}]" if _is_address(text) and ":" in text else text


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _whole(key: str, text: object) -> int:
    if not (isinstance(text, str) and text.isascii() and text.isdigit()):
        raise ValueError(_("{key}={text} is no whole number").format(key=key, text=text))
    return int(text)


def validated(given: dict[str, Any]) -> ModbusSettings:
    """Give settings; raises ValueError with one sentence for people."""
    try:
        return ModbusSettings.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        message = first["msg"].removeprefix("Value error, ")
        raise ValueError(f"{place}: {message}" if place else message) from None
