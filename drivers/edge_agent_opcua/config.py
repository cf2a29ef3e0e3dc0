"""What a configuration says about an OPC UA server and its nodes. Pure; imports no asyncua."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import AfterValidator, Field, field_validator, model_validator

from edge_agent.driver import Address, Duration, Settings
from edge_agent_opcua.parts import Piece
from edge_agent_opcua.parts import parse as parse_part
from edge_agent_opcua.paths import parse as parse_path

DEFAULT_PORT = 4840
"""The port registered for opc.tcp. Source: OPC 10000-6, 7.2 (OPC UA TCP)."""

PKI = "/var/lib/edge-agent/pki"
"""Where the service may write; all connections of a gateway share one identity."""

Security = Literal["encrypt", "sign", "none"]
Policy = Literal[
    "Aes256_Sha256_RsaPss",
    "Aes128_Sha256_RsaOaep",
    "Basic256Sha256",
    "Basic256",
    "Basic128Rsa15",
]
"""The strongest first: the order in which OPC 10000-7 (security policies) replaced them."""
LEGACY: frozenset[str | None] = frozenset({"Basic256", "Basic128Rsa15"})
"""Rest on SHA-1. Source: OPC 10000-7, where both are deprecated since 1.04 (2017)."""
UserKind = Literal["anonymous", "username", "certificate"]


def _whole_path(path: str) -> str:
    if not path.startswith("/"):
        raise ValueError(f"{path!r} depends on where the agent is started: write it from / on")
    return path


WholePath = Annotated[str, AfterValidator(_whole_path)]

NodeName = int | str | UUID | bytes
"""The identifier inside a node id: number, text, GUID or bytes."""

NODE_ID = re.compile(
    r"(?:(?:ns=(?P<index>\d+)|nsu=(?P<uri>[^;]+));)?(?P<name>[isgb]=.+)", re.DOTALL
)
"""A node id as text. Source: OPC 10000-6, 5.3.1.10 (NodeId) and 5.3.1.11 (ExpandedNodeId)."""


class OpcUaSettings(Settings):
    """How to reach one OPC UA server: one session."""

    url: str
    """The server's endpoint, such as `opc.tcp://10.0.0.9:4840`; without a port 4840 is meant."""
    standby_urls: tuple[str, ...] = ()
    """Servers of the same equipment, tried in turn after three failed tries of the one before."""
    security: Security = "encrypt"
    """`encrypt`: signed and encrypted. `sign`: signed only. `none`: neither, anybody may read it.

    Of what the server offers the strongest policy is taken.
    """
    policy: Policy | None = None
    """Take this security policy only."""
    legacy: bool = False
    """Allow Basic256 and Basic128Rsa15 as well, which are broken since 2017."""
    username: str | None = Field(default=None, min_length=1)
    """The user to read as; without it, and without a user certificate, anonymous."""
    password_file: WholePath | None = None
    """File with the user's password, readable by the agent's user alone."""
    user_certificate_file: WholePath | None = None
    """Certificate (PEM or DER) of the user to read as, instead of a password."""
    user_key_file: WholePath | None = None
    """Key (PEM or DER) of that certificate, readable by the agent's user alone."""
    server_name: str | None = Field(default=None, min_length=1)
    """What the server's certificate calls its host, where `url` calls it otherwise."""
    pki: WholePath = PKI
    """Folder of certificates: `own`, `trusted`, `rejected`, `crl`; the agent must own it."""
    timeout: Duration = Field(default=5.0, gt=0)
    """How long to wait for each answer of the server."""
    watch: bool = True
    """Let the server report changes; `false` polls every node every time instead."""
    queue: int = Field(default=50, ge=1, le=10_000)
    """Changes of one node that the server keeps between two reports, at least."""

    @field_validator("url")
    @classmethod
    def _know_the_server(cls, url: str) -> str:
        return _endpoint_url(url)

    @field_validator("standby_urls")
    @classmethod
    def _know_the_others(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_endpoint_url(url) for url in urls)

    @model_validator(mode="after")
    def _agree_on_security(self) -> Self:
        if self.policy is not None and self.security == "none":
            raise ValueError(
                "policy and `security: none` contradict each other: remove one of them"
            )
        if self.policy in LEGACY and not self.legacy:
            raise ValueError(
                f"policy {self.policy} is broken since 2017: write another one, or `legacy: true` "
                "beside it if this server can do no better"
            )
        return self

    @model_validator(mode="after")
    def _know_the_user(self) -> Self:
        if (self.username is None) != (self.password_file is None):
            raise ValueError(
                "username and password_file belong together: write both, or none of them to read "
                "as anonymous"
            )
        if (self.user_certificate_file is None) != (self.user_key_file is None):
            raise ValueError(
                "user_certificate_file and user_key_file belong together: write both, or none"
            )
        if self.username is not None and self.user_certificate_file is not None:
            raise ValueError(
                "a user has either a password or a certificate: remove username and password_file, "
                "or user_certificate_file and user_key_file"
            )
        return self

    @property
    def user(self) -> UserKind:
        """The kind of user it is read as."""
        if self.username is not None:
            return "username"
        return "anonymous" if self.user_certificate_file is None else "certificate"

    def line(self) -> str:
        # Servers allow few sessions, some only one: a second connection takes one for nothing.
        parts = urlsplit(self.url)
        return f"{parts.hostname}:{parts.port}"

    def secret_files(self) -> Mapping[str, Path]:
        named = {"password_file": self.password_file, "user_key_file": self.user_key_file}
        return {key: Path(file) for key, file in named.items() if file is not None}

    def peers(self) -> tuple[str, ...]:
        hosts = (urlsplit(url).hostname for url in (self.url, *self.standby_urls))
        return tuple(host for host in hosts if host is not None)


def _endpoint_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "opc.tcp" or not parts.hostname:
        raise ValueError(f"{url!r} is no OPC UA endpoint: write opc.tcp://HOST:PORT")
    if "@" in parts.netloc:
        raise ValueError("a user or password does not belong in the url: remove what is before @")
    if parts.port:
        return url
    return parts._replace(netloc=f"{parts.netloc.rstrip(':')}:{DEFAULT_PORT}").geturl()


class OpcUaAddress(Address):
    """Where a value lives: a node, named in a namespace.

    As text: `nsu=http://maker.example/oven;s=Oven.Temperature`. A device's address may name the
    `namespace` once; its points then need only `s=Oven.Temperature`. `ns=2;s=...` works too, but
    a server may number its namespaces differently after a restart.
    """

    at: str
    """The node: `s=` text, `i=` number, `g=` GUID, `b=` base64; before it `nsu=URI;` or `ns=N;`."""
    namespace: str = ""
    """URI of the namespace; empty means namespace 0, or the number in `at`."""
    path: str = ""
    """Browse names from the Objects folder to the node, as `Oven/Temperature`, if `at` fails.

    Where `at` is a number, which controllers give anew at a download, the path leads.
    """
    part: str = ""
    """One element or field of the value: `[3]`, `[1][2]`, `Limits.High`; `[2:5]` with `text`."""
    text: bool = False
    """An enumeration's name instead of its number; an array or structure as JSON."""
    watch: bool = True
    """`false` polls this node, where the server is better not asked to watch it."""
    sampling: Duration | None = None
    """How often the server looks for a change, half of `every` if left out; 0: as it can."""

    @model_validator(mode="before")
    @classmethod
    def _take_apart(cls, given: Any) -> Any:
        if not isinstance(given, Mapping) or not isinstance(given.get("at"), str):
            return given
        found = NODE_ID.fullmatch(given["at"].strip())
        if found is None:
            return given  # the check of `at` complains
        if found["uri"] is not None:
            return {**given, "at": found["name"], "namespace": found["uri"]}
        if found["index"] is not None:
            index = int(found["index"])
            name = f"ns={index};{found['name']}" if index else found["name"]
            return {**given, "at": name, "namespace": ""}
        return {**given, "at": found["name"]}

    @field_validator("at")
    @classmethod
    def _name_a_node(cls, at: str) -> str:
        _name(_parsed(at))
        return at

    @field_validator("path")
    @classmethod
    def _follow_the_path(cls, path: str) -> str:
        if path:
            parse_path(path)
        return path

    @model_validator(mode="after")
    def _take_one_value(self) -> Self:
        pieces = self.pieces()
        if pieces and isinstance(pieces[-1], slice) and not self.text:
            raise ValueError(
                f"{self.part} is several values and a point has one: write one element, such as "
                f"[{pieces[-1].start}], or `text: true` beside it to have them as JSON"
            )
        return self

    def pieces(self) -> tuple[Piece, ...]:
        """Give the part of the value that is wanted, taken apart; empty for all of it."""
        return parse_part(self.part)

    def index(self) -> int:
        """Give the number of the namespace where `at` names it so; 0 otherwise."""
        return int(_parsed(self.at)["index"] or 0)

    def name(self) -> NodeName:
        """Give the identifier as a number, text, GUID or bytes.

        Raises:
            ValueError: It is not what its letter promises.
        """
        return _name(_parsed(self.at))

    def node(self) -> str:
        """Give the node as text."""
        return f"nsu={self.namespace};{self.at}" if self.namespace else self.at

    def value_type(self) -> str:
        return "string" if self.text else ""

    def __str__(self) -> str:
        words = [self.node()]
        if self.path:
            words.append(f"by the path {self.path}")
        if self.part:
            words.append(self.part)
        if self.text:
            words.append("as text")
        if not self.watch:
            words.append("polled")
        if self.sampling is not None:
            words.append(f"sampled every {self.sampling:g} s")
        return " ".join(words)


def _parsed(at: str) -> re.Match[str]:
    found = NODE_ID.fullmatch(at)
    if found is None:
        raise ValueError(
            f"{at!r} names no node: write s=TEXT, i=NUMBER, g=GUID or b=BASE64, with "
            "nsu=NAMESPACE-URI; before it where the device names no namespace"
        )
    return found


def _name(node: re.Match[str]) -> NodeName:
    kind, _, text = node["name"].partition("=")
    return _READERS[kind](text)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 2**32):
        raise ValueError(f"i={text} is no node number: write a whole number below 4294967296")
    return int(text)


def _guid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise ValueError(
            f"g={text} is no GUID: write one like 72962b91-fa75-4ae6-8d28-b404dc7daf63"
        ) from error


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"b={text} is not base64") from error


_READERS: Mapping[str, Callable[[str], NodeName]] = {
    "i": _number,
    "s": str,
    "g": _guid,
    "b": _bytes,
}
