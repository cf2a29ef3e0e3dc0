"""What a server says about its own data types: names of enumerations, fields of structures.

asyncua can load a server's types too, but into one register of the whole process, by the number of
their namespace: two servers, or one after a restart, would be decoded with each other's types. So
types stay here, with their session.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from asyncua import Client, ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import from_binary, unpack_uatype

from edge_agent.language import _
from edge_agent_opcua.content import Undecoded, plain
from edge_agent_opcua.limits import Limits, in_requests
from edge_agent_opcua.references import follow, local, referenced
from edge_agent_opcua.services import node_id, read

STRUCTURE = node_id(22)
ENUMERATION = node_id(29)
LAST_BUILT_IN = 25
"""Data types up to this number are the built-in types. Source: OPC 10000-6, 5.1.2."""
DEEPEST = 20
"""Supertypes, or structures inside each other, beyond which a server's types go in a circle."""

_UNIONS = (ua.StructureType.Union, ua.StructureType.UnionWithSubtypedValues)

Read = Callable[[Buffer], Any]
"""Takes one value from the front of bytes."""


@dataclass(frozen=True)
class Field:
    """One field of a structure: name, whether it may be missing, dimensions, how it is read."""

    name: str
    is_optional: bool
    rank: int
    read: Read


class DataTypes:
    """The types of one session, as far as they were asked for."""

    def __init__(self, client: Client, limits: Limits) -> None:
        self._client = client
        self._limits = limits
        self._by_encoding: dict[ua.NodeId, Read | str] = {}
        self._by_type: dict[ua.NodeId, Read] = {}

    def decode(self, found: ua.ExtensionObject) -> Any:
        """Take a structure apart into a dict.

        Raises:
            Undecoded: Its type has not been learnt; `learn` it.
            ValueError: It is not as its type says, or the server does not describe its type.
        """
        reader = self._by_encoding.get(found.TypeId)
        if reader is None:
            raise Undecoded(found.TypeId)
        if isinstance(reader, str):
            raise ValueError(reader)  # noqa: TRY004 - the value is what cannot be decoded
        buffer = Buffer(found.Body or b"")
        value = reader(buffer)
        if len(buffer):
            raise ValueError(
                _("the structure is {buffer} bytes longer than its type says").format(
                    buffer=len(buffer)
                )
            )
        return value

    async def learn(self, encoding: ua.NodeId) -> None:
        """Ask the server for the type behind an encoding; a failure is kept for this session.

        Raises:
            OSError, ua.UaStatusCodeError: The session is over.
        """
        try:
            described = await self._above(encoding, ua.ObjectIds.HasEncoding)
            if described is None:
                raise ValueError(_("the server does not say which type it is"))
            self._by_encoding[encoding] = await self._reader(described, 0)
        except ValueError as error:
            name = encoding.to_string()
            self._by_encoding[encoding] = _(
                "a structure of the type {name} is not read: {error}"
            ).format(name=name, error=error)

    async def _reader(self, data_type: ua.NodeId, depth: int) -> Read:
        if depth > DEEPEST:
            raise ValueError(_("its types go in a circle"))
        if data_type not in self._by_type:
            self._by_type[data_type] = await self._make_reader(data_type, depth)
        return self._by_type[data_type]

    async def _make_reader(self, data_type: ua.NodeId, depth: int) -> Read:
        if _is_built_in(data_type):
            return self._built_in(data_type)
        known = ua.extension_objects_by_datatype.get(data_type)
        if known is not None and data_type.NamespaceIndex == 0:
            return lambda buffer: plain(from_binary(known, buffer), self.decode)
        base = await self._base(data_type)
        if base == ENUMERATION:
            return self._built_in(node_id(ua.ObjectIds.Int32))
        if base != STRUCTURE:
            return self._built_in(base)
        return await self._structure(await self._definition(data_type), depth)

    def _built_in(self, data_type: ua.NodeId) -> Read:
        kind = ua.VariantType(int(data_type.Identifier))
        return lambda buffer: plain(unpack_uatype(kind, buffer), self.decode)

    async def _base(self, data_type: ua.NodeId) -> ua.NodeId:
        """Give the built-in type, Enumeration or Structure that a type is made from."""
        above = data_type
        for _level in range(DEEPEST):
            found = await self._above(above, ua.ObjectIds.HasSubtype)
            if found is None:
                break
            if found == ENUMERATION or _is_built_in(found):
                return found
            above = found
        raise ValueError(
            _("the server does not say what {node} is made from").format(node=data_type.to_string())
        )

    async def _above(self, node: ua.NodeId, kind: int) -> ua.NodeId | None:
        (found,) = await referenced(self._client, self._limits, [node], kind, inverse=True)
        return local(found[0].NodeId) if found else None

    async def _definition(self, data_type: ua.NodeId) -> ua.StructureDefinition:
        found = await self._attribute(data_type, ua.AttributeIds.DataTypeDefinition)
        if not isinstance(found, ua.StructureDefinition):
            raise ValueError(  # noqa: TRY004 - the answer is what is wrong
                _("the server has no DataTypeDefinition of {node}").format(
                    node=data_type.to_string()
                )
            )
        return found

    async def _structure(self, definition: ua.StructureDefinition, depth: int) -> Read:
        fields = [
            Field(
                str(field.Name),
                bool(field.IsOptional),
                field.ValueRank,
                await self._reader(field.DataType, depth + 1),
            )
            for field in definition.Fields
        ]
        if definition.StructureType in _UNIONS:
            return lambda buffer: _read_union(fields, buffer)
        if definition.StructureType == ua.StructureType.StructureWithOptionalFields:
            return lambda buffer: _read_fields(fields, buffer, _number(buffer))
        if definition.StructureType != ua.StructureType.Structure:
            raise ValueError(_("structures with fields of changing type are not built"))
        plain_fields = [Field(f.name, is_optional=False, rank=f.rank, read=f.read) for f in fields]
        return lambda buffer: _read_fields(plain_fields, buffer, 0)

    async def names(self, node: ua.NodeId) -> Mapping[int, str]:
        """Give the names of an enumeration's values for a variable; empty if it has none.

        Raises:
            OSError, ua.UaStatusCodeError: The session is over.
        """
        data_type = await self._attribute(node, ua.AttributeIds.DataType)
        if isinstance(data_type, ua.NodeId):
            found = await self._attribute(data_type, ua.AttributeIds.DataTypeDefinition)
            if isinstance(found, ua.EnumDefinition):
                return {field.Value: str(field.Name) for field in found.Fields}
        # Older servers, and variables that have states without an enumeration: properties.
        # Source: OPC 10000-3, 5.8.3 (EnumStrings, EnumValues); OPC 10000-8, 5.3.3.4.
        holders = [node, data_type] if isinstance(data_type, ua.NodeId) else [node]
        for holder in holders:
            for name in ("EnumValues", "EnumStrings"):
                if names := await self._listed(holder, name):
                    return names
        return {}

    async def _listed(self, holder: ua.NodeId, name: str) -> dict[int, str]:
        (node,) = await follow(self._client, self._limits, [(holder, ((name, 0),))])
        value = None if node is None else await self._attribute(node, ua.AttributeIds.Value)
        if not isinstance(value, list):
            return {}
        return {
            getattr(entry, "Value", number): str(getattr(entry, "DisplayName", entry).Text)
            for number, entry in enumerate(value)
        }

    async def _attribute(self, node: ua.NodeId, attribute: ua.AttributeIds) -> Any:
        wanted = ua.ReadValueId(NodeId=node, AttributeId=attribute)
        (found,) = await in_requests(
            lambda items: read(self._client, list(items)),
            [wanted],
            self._limits.read,
            lambda _: ua.DataValue(),
        )
        return found.Value.Value if found.Value else None


def _is_built_in(data_type: ua.NodeId) -> bool:
    number = data_type.Identifier
    return data_type.NamespaceIndex == 0 and isinstance(number, int) and 0 < number <= LAST_BUILT_IN


def _number(buffer: Buffer) -> int:
    return int(unpack_uatype(ua.VariantType.UInt32, buffer))


def _read_fields(fields: list[Field], buffer: Buffer, mask: int) -> dict[str, Any]:
    """Read a structure's fields. Source: OPC 10000-6, 5.2.6 and 5.2.7 (encoding mask)."""
    value: dict[str, Any] = {}
    bit = 1
    for field in fields:
        if field.is_optional:
            is_there = mask & bit
            bit <<= 1
            if not is_there:
                value[field.name] = None
                continue
        value[field.name] = _read_field(field, buffer)
    return value


def _read_union(fields: list[Field], buffer: Buffer) -> dict[str, Any]:
    """Read a union: only the field that its switch names. Source: OPC 10000-6, 5.2.8."""
    switch = _number(buffer)
    if switch == 0:
        return {}
    if switch > len(fields):
        raise ValueError(_("the union has no field {switch}").format(switch=switch))
    field = fields[switch - 1]
    return {field.name: _read_field(field, buffer)}


def _read_field(field: Field, buffer: Buffer) -> Any:
    if field.rank < 1:
        return field.read(buffer)
    if field.rank == 1:
        return _read_array(field.read, buffer)
    # More dimensions: their lengths, then all elements. Source: OPC 10000-6, 5.2.5.
    lengths = _read_array(lambda front: unpack_uatype(ua.VariantType.Int32, front), buffer) or []
    return _read_matrix(field.read, lengths, buffer)


def _read_array(one: Read, buffer: Buffer) -> list[Any] | None:
    length = unpack_uatype(ua.VariantType.Int32, buffer)
    return None if length < 0 else [one(buffer) for _ in range(length)]


def _read_matrix(one: Read, lengths: list[int], buffer: Buffer) -> Any:
    if not lengths:
        return one(buffer)
    return [_read_matrix(one, lengths[1:], buffer) for _ in range(lengths[0])]
