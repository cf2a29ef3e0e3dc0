"""Where one value lives on an OPC UA server: a node, and a part of its value. Pure; no asyncua."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any, Self
from uuid import UUID

from pydantic import field_validator, model_validator

from edge_agent.driver import Address, Duration
from edge_agent.language import _
from edge_agent_opcua.parts import Piece
from edge_agent_opcua.parts import parse as parse_part
from edge_agent_opcua.paths import parse as parse_path

NodeName = int | str | UUID | bytes
"""The identifier inside a node id: number, text, GUID or bytes."""

NODE_ID = re.compile(
    r"(?:(?:ns=(?P<index>\d+)|nsu=(?P<uri>[^;]+));)?(?P<name>[isgb]=.+)", re.DOTALL
)
"""A node id as text. Source: OPC 10000-6, 5.3.1.10 (NodeId) and 5.3.1.11 (ExpandedNodeId)."""


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
                _(
                    "{part} is several values and a point has one: write one element, such "
                    "as [{start}], or `text: true` beside it to have them as JSON"
                ).format(part=self.part, start=pieces[-1].start)
            )
        return self

    def pieces(self) -> tuple[Piece, ...]:
        """Give the part of the value that is wanted, taken apart; empty for all of it."""
        return parse_part(self.part)

    @property
    def is_numbered(self) -> bool:
        """Tell whether the node is named by a number, which may be another node's tomorrow."""
        return _parsed(self.at)["name"].startswith("i=")

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
            _(
                "{at!r} names no node: write s=TEXT, i=NUMBER, g=GUID or b=BASE64, with "
                "nsu=NAMESPACE-URI; before it where the device names no namespace"
            ).format(at=at)
        )
    return found


def _name(node: re.Match[str]) -> NodeName:
    kind, _, text = node["name"].partition("=")
    return _READERS[kind](text)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 2**32):
        raise ValueError(
            _("i={text} is no node number: write a whole number below 4294967296").format(text=text)
        )
    return int(text)


def _guid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise ValueError(
            _("g={text} is no GUID: write one like 72962b91-fa75-4ae6-8d28-b404dc7daf63").format(
                text=text
            )
        ) from error


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(_("b={text} is not base64").format(text=text)) from error


_READERS: Mapping[str, Callable[[str], NodeName]] = {
    "i": _number,
    "s": str,
    "g": _guid,
    "b": _bytes,
}
