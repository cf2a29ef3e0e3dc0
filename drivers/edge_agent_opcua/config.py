"""What a configuration says about an OPC UA server and its nodes. Pure; imports no asyncua."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, Self
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import Field, field_validator, model_validator

from edge_agent.driver import Address, Duration, Settings

DEFAULT_PORT = 4840
"""The port registered for opc.tcp. Source: OPC 10000-6, 7.2 (OPC UA TCP)."""

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
    security: Literal["none"]
    """`none`: neither signed nor encrypted. It must be written down, since it is a decision."""
    username: str | None = None
    """Not built yet: a user needs an encrypted connection."""
    password_file: str | None = None
    """Not built yet: a password needs an encrypted connection."""
    timeout: Duration = Field(default=5.0, gt=0)
    """How long to wait for the server: to connect, and per 500 nodes of one read."""

    @field_validator("url")
    @classmethod
    def _know_the_server(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme != "opc.tcp" or not parts.hostname:
            raise ValueError(f"{url!r} is no OPC UA endpoint: write opc.tcp://HOST:PORT")
        if "@" in parts.netloc:
            raise ValueError(
                "a user or password does not belong in the url: remove what is before @"
            )
        if parts.port:
            return url
        return parts._replace(netloc=f"{parts.netloc.rstrip(':')}:{DEFAULT_PORT}").geturl()

    @field_validator("security", mode="before")
    @classmethod
    def _only_none(cls, security: object) -> object:
        if security != "none":
            raise ValueError(
                f"security {security!r} is not built yet: write `security: none` if this network "
                "may read what the server says, else wait for a version that encrypts"
            )
        return security

    @model_validator(mode="after")
    def _keep_passwords_off_the_wire(self) -> Self:
        if self.username is not None or self.password_file is not None:
            raise ValueError(
                "username and password_file need an encrypted connection, which is not built yet: "
                "with security none the password would cross the network readable; remove them "
                "and let the server admit anonymous readers"
            )
        return self

    def line(self) -> str:
        # Servers allow few sessions, some only one: a second connection takes one for nothing.
        parts = urlsplit(self.url)
        return f"{parts.hostname}:{parts.port}"


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

    @model_validator(mode="before")
    @classmethod
    def _take_apart(cls, given: Any) -> Any:
        if not isinstance(given, Mapping) or not isinstance(given.get("at"), str):
            return given
        found = NODE_ID.fullmatch(given["at"].strip())
        if found is None:
            raise ValueError(
                f"{given['at']!r} names no node: write s=TEXT, i=NUMBER, g=GUID or b=BASE64, with "
                "nsu=NAMESPACE-URI; before it where the device names no namespace"
            )
        if found["uri"] is not None:
            return {**given, "at": found["name"], "namespace": found["uri"]}
        if found["index"] is not None:
            index = int(found["index"])
            name = f"ns={index};{found['name']}" if index else found["name"]
            return {**given, "at": name, "namespace": ""}
        return {**given, "at": found["name"]}

    @model_validator(mode="after")
    def _name_a_node(self) -> Self:
        self.name()
        return self

    def index(self) -> int:
        """Give the number of the namespace where `at` names it so; 0 otherwise."""
        return int(self._parsed()["index"] or 0)

    def name(self) -> NodeName:
        """Give the identifier as a number, text, GUID or bytes.

        Raises:
            ValueError: It is not what its letter promises.
        """
        kind, _, text = self._parsed()["name"].partition("=")
        return _READERS[kind](text)

    def _parsed(self) -> re.Match[str]:
        found = NODE_ID.fullmatch(self.at)
        if found is None:
            raise ValueError(f"{self.at!r} names no node")
        return found

    def __str__(self) -> str:
        return f"nsu={self.namespace};{self.at}" if self.namespace else self.at


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
