"""Takes values of asyncua apart into plain Python: numbers, text, times, bytes, lists and dicts."""

import dataclasses
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from asyncua import ua

from edge_agent.language import _

AS_THEY_ARE = frozenset({bool, int, float, str, bytes, datetime, type(None)})


class Undecoded(Exception):  # noqa: N818 - named after what it is
    """Inside is a structure of a type that is not known here (yet).

    Attributes:
        encoding: The node that stands for the structure's type and encoding.
    """

    def __init__(self, encoding: ua.NodeId) -> None:
        super().__init__(
            _("a structure of the type {node}, which is not described").format(
                node=encoding.to_string()
            )
        )
        self.encoding = encoding


Decode = Callable[[ua.ExtensionObject], Any]
"""Takes a structure apart that asyncua does not know. Raises `Undecoded`."""


def plain(value: Any, decode: Decode) -> Any:
    """Give a value without anything of asyncua: a structure becomes a dict, an array a list.

    Raises:
        Undecoded: As of `decode`.
    """
    if type(value) in AS_THEY_ARE:
        return value
    if isinstance(value, ua.ExtensionObject):
        return None if value.Body is None and value.TypeId.Identifier == 0 else decode(value)
    for kind, turn in _TURNS.items():
        if isinstance(value, kind):
            return turn(value)
    return _plain_inside(value, decode)


def _plain_inside(value: Any, decode: Decode) -> Any:
    if isinstance(value, list | tuple):
        return [plain(inner, decode) for inner in value]
    if isinstance(value, ua.Variant | ua.DataValue):
        return plain(value.Value, decode)
    if dataclasses.is_dataclass(value):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return {name: plain(inner, decode) for name, inner in fields.items()}
    return value


# Kinds of which the standard says how they are written as text. Source: OPC 10000-6, 5.1.
_TURNS: Mapping[type, Callable[[Any], Any]] = {
    bool: bool,
    Enum: lambda value: value.value,
    int: int,
    float: float,
    str: str,
    bytes: bytes,
    datetime: lambda value: value,
    UUID: str,
    ua.LocalizedText: lambda value: value.Text,
    ua.QualifiedName: lambda value: value.Name,
    ua.NodeId: lambda value: value.to_string(),
    ua.StatusCode: lambda value: value.name,
}
