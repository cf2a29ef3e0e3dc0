"""Finds in a configuration what differs from site to site. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from edge_agent.bundle.redaction import is_secret
from edge_agent.config.model import Config, Connection
from edge_agent.config.places import Path as Place
from edge_agent.language import _
from edge_agent.site.template import Kind, Question, leaves

_EXAMPLE_HOST = "192.168.1.10"
_UNIQUE_PORT = "/by-id/"  # a name with the serial number of one adapter in it
_ID = re.compile(r"[^a-z0-9_-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Something that could be asked.

    Attributes:
        rank: The lower, the sooner it is asked.
        id: Of the question.
        value: What stands there now.
        keep: Whether that is the default.
        private: Whether it must not stay in a template.
        places: Where the answer goes, and what is written there; `{}` stands for the question.
    """

    rank: int
    id: str
    kind: Kind
    ask: str
    value: Any
    keep: bool = False
    private: bool = False
    example: str = ""
    places: Mapping[Place, str]

    @property
    def question(self) -> Question:
        """Make the question of it."""
        default = f"file:{self.value}" if self.kind == "secret" else self.value
        return Question(
            ask=self.ask,
            kind=self.kind,
            default=default if self.keep else None,
            example="" if self.keep else self.example,
        )


def everything(document: Mapping[str, Any], config: Config) -> Iterator[Wanted]:
    """Give everything that could be asked about a configuration, as `choosing` ranks it."""
    yield from _agent(document.get("mqtt") or {}, config)
    yield from _broker(document.get("mqtt") or {}, config)
    links = zip(document.get("connections") or (), config.connections, strict=True)
    for index, (link, connection) in enumerate(links):
        place = ("connections", index)
        yield from _settings(link.get("settings") or {}, connection, (*place, "settings"))
        for number, device in enumerate(link.get("devices") or ()):
            yield from _device(device, (*place, "devices", number))


def _agent(mqtt: Mapping[str, Any], config: Config) -> Iterator[Wanted]:
    yield Wanted(
        rank=10,
        id="site",
        kind="site",
        ask=_("Where is this gateway? A short name for the factory:"),
        value=config.agent.site,
        example="factory-1",
        places={("agent", "site"): "{}"},
    )
    name = config.agent.id
    named: dict[Place, str] = {
        ("mqtt", key): str(mqtt[key]).replace(name, "{}")
        for key in ("username", "client_id")
        if _is_named_after(mqtt.get(key), name)
    }
    yield Wanted(
        rank=11,
        id="gateway",
        kind="name",
        ask=_("A name for this gateway, different from all others:"),
        value=name,
        example="gw-01",
        places={("agent", "id"): "{}", **named},
    )


def _is_named_after(value: Any, name: str) -> bool:
    """Tell whether a text follows from the gateway's name, such as `edge-gw-01`."""
    return isinstance(value, str) and bool(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", value))


def _broker(mqtt: Mapping[str, Any], config: Config) -> Iterator[Wanted]:
    if "url" in mqtt:
        yield Wanted(
            rank=20,
            id="broker",
            kind="broker",
            ask=_("Where do the readings go? The MQTT broker's address:"),
            value=mqtt["url"],
            keep=True,
            places={("mqtt", "url"): "{}"},
        )
    if "username" in mqtt and not _is_named_after(mqtt["username"], config.agent.id):
        ask = _("User name at the broker?")
        yield _user("broker_username", 30, ask, mqtt["username"], ("mqtt", "username"))
    if "client_id" in mqtt and not _is_named_after(mqtt["client_id"], config.agent.id):
        ask = _("MQTT client id, different from all others at the broker?")
        yield _user("broker_client_id", 31, ask, mqtt["client_id"], ("mqtt", "client_id"))
    for key, ask in (
        ("password_file", _("Password for the broker? (or file:/PATH, where it is)")),
        ("key_file", _("Where is the private key for the broker? (file:/PATH)")),
    ):
        if key in mqtt:
            name = key.removesuffix("_file")
            yield _secret(f"broker_{name}", 40, ask, mqtt[key], ("mqtt", key))


def _user(name: str, rank: int, ask: str, value: Any, place: Place) -> Wanted:
    return Wanted(
        rank=rank, id=name, kind="text", ask=ask, value=value, private=True, places={place: "{}"}
    )


def _secret(name: str, rank: int, ask: str, value: Any, place: Place) -> Wanted:
    return Wanted(
        rank=rank, id=name, kind="secret", ask=ask, value=value, keep=True, places={place: "{}"}
    )


def _settings(
    settings: Mapping[str, Any], connection: Connection, place: Place
) -> Iterator[Wanted]:
    secret = connection.settings.secret_files()
    peers = connection.settings.peers() or ()
    for inside, value in leaves(settings):
        spot = _Spot(connection.name, inside, value, (*place, *inside))
        if inside[-1] in secret:
            ask = _("Secret of {link}? ({key}; or file:/PATH, where it is)").format(
                key=spot.key, link=spot.link
            )
            yield _secret(spot.id, 61, ask, value, spot.place)
        elif is_secret(spot.key) or spot.key.endswith("username"):
            ask = _("{key} of {link}?").format(key=spot.key, link=spot.link)
            yield _user(spot.id, 60, ask, value, spot.place)
        else:
            yield from _where(spot, peers)


@dataclass(frozen=True, slots=True)
class _Spot:
    """One value of a connection's settings, and its place within the file."""

    link: str
    inside: Place
    value: Any
    place: Place

    @property
    def key(self) -> str:
        return next(str(part) for part in reversed(self.inside) if isinstance(part, str))

    @property
    def id(self) -> str:
        return _named(self.link, *self.inside)


def _where(spot: _Spot, peers: Iterable[str]) -> Iterator[Wanted]:
    """Ask for what tells where equipment is: a host, a URL, a serial port, a port of a host."""
    text = str(spot.value)
    ask = _("Where is {link}? ({key})").format(link=spot.link, key=spot.key)
    host = next((peer for peer in peers if peer.lower() in text.lower()), "")
    kind: Kind
    if text.startswith("/dev/"):
        kind, keep, example = "path", _UNIQUE_PORT not in text, "/dev/ttyUSB0"
    elif host and "://" in text:
        kind, keep, example = "url", False, _elsewhere(text)
    elif host and isinstance(spot.value, str):
        kind, keep, example = "host", False, _EXAMPLE_HOST
    elif spot.key == "port" and isinstance(spot.value, int):
        kind, keep, example = "number", True, ""
    else:
        return
    yield Wanted(
        rank=90 if kind == "number" else 50,
        id=spot.id,
        kind=kind,
        ask=ask,
        value=spot.value,
        keep=keep,
        example=example,
        places={spot.place: "{}"},
    )


def _elsewhere(url: str) -> str:
    """Give a URL like this one without telling the host."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{_EXAMPLE_HOST}{port}"


def _device(device: Mapping[str, Any], place: Place) -> Iterator[Wanted]:
    name = device["name"]
    for key, value in (device.get("parameters") or {}).items():
        yield Wanted(
            rank=70,
            id=_named(name, key),
            kind="ratio",
            ask=_("{key} of {device}? See its label.").format(key=key, device=name),
            value=value,
            example="600/5",
            places={(*place, "parameters", key): "{}"},
        )
    for inside, value in leaves(device.get("address") or {}):
        if isinstance(value, int) and not isinstance(value, bool):
            yield Wanted(
                rank=80,
                id=_named(name, *inside),
                kind="number",
                ask=_("{key} of {device}?").format(key=inside[-1], device=name),
                value=value,
                keep=True,
                places={(*place, "address", *inside): "{}"},
            )


def _named(*parts: Any) -> str:
    return _ID.sub("-", "_".join(str(part).lower() for part in parts))
