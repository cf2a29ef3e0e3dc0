"""What is worth knowing of variables before one is chosen: type, access, unit and value now."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from asyncua import Client, ua

from edge_agent.driver import Sample, Why, bad
from edge_agent_opcua.limits import in_requests
from edge_agent_opcua.reading import Reader
from edge_agent_opcua.services import read, status_name
from edge_agent_opcua.units import unit_of
from edge_agent_opcua.values import WHOLE, Form, to_sample

READABLE, WRITABLE = 1, 2
"""Bits of UserAccessLevel. Source: OPC 10000-3, 8.57 (AccessLevelType)."""
AS_TEXT = Form(as_text=True)

_ATTRIBUTES = (
    ua.AttributeIds.DataType,
    ua.AttributeIds.ValueRank,
    ua.AttributeIds.UserAccessLevel,
    ua.AttributeIds.Value,
)


@dataclass(frozen=True)
class Facts:
    """What is to be said about a variable.

    Attributes:
        type: Such as `Double` or `Double[4]`.
        access: `read`, `read/write`, `write` or `none`; empty if the server does not say.
        unit: In UCUM, else as its maker writes it; empty where there is none.
        content: The value as it is, with lists for arrays and dicts for structures.
        now: The value as a reading would have it, an array or structure as JSON.
    """

    type: str = ""
    access: str = ""
    unit: str = ""
    content: Any = None
    now: Sample = field(default_factory=lambda: bad(Why.NO_VALUE))


class FactFinder:
    """Asks for facts, of any number of variables at once."""

    def __init__(self, client: Client, reader: Reader) -> None:
        self._client = client
        self._reader = reader
        self._type_names: dict[ua.NodeId, str] = {}

    async def facts(self, variables: Sequence[tuple[ua.NodeId, ua.NodeId]]) -> list[Facts]:
        """Give facts, one per variable, in order.

        Args:
            variables: Each with the node that holds its unit; the null node id if none does.

        Raises:
            OSError, ua.UaStatusCodeError: The session is over.
        """
        wanted: list[ua.ReadValueId] = []
        for variable, unit in variables:
            wanted += [ua.ReadValueId(NodeId=variable, AttributeId=each) for each in _ATTRIBUTES]
            wanted.append(ua.ReadValueId(NodeId=unit, AttributeId=ua.AttributeIds.Value))
        answers = iter(await self._read(wanted))
        return [await self._facts(*(next(answers) for _ in range(5))) for _ in variables]

    async def _facts(
        self,
        data_type: ua.DataValue,
        rank: ua.DataValue,
        access: ua.DataValue,
        value: ua.DataValue,
        unit: ua.DataValue,
    ) -> Facts:
        return Facts(
            type=await self._type(_inside(data_type)) + _lengths(_inside(value), _inside(rank)),
            access=_access(_inside(access)),
            unit=unit_of(await self._content(unit)),
            content=await self._content(value),
            now=await self._now(value),
        )

    async def _read(self, wanted: Sequence[ua.ReadValueId]) -> list[ua.DataValue]:
        async def ask(part: Sequence[ua.ReadValueId]) -> list[ua.DataValue]:
            return await read(self._client, list(part))

        undecodable = ua.DataValue(
            StatusCode=ua.StatusCode(ua.UInt32(ua.StatusCodes.BadDecodingError))
        )
        limit = self._reader.limits.read
        return await in_requests(ask, wanted, limit, lambda _: undecodable)

    async def _content(self, found: ua.DataValue) -> Any:
        try:
            return await self._reader.content(found)
        except ValueError:
            return None

    async def _now(self, found: ua.DataValue) -> Sample:
        try:
            value = await self._reader.content(found)
        except ValueError as error:
            return bad(Why.DECODE_ERROR, str(error))
        status = found.StatusCode.value if found.StatusCode else 0
        form = AS_TEXT if isinstance(value, list | dict) else WHOLE
        return to_sample(value, status, status_name(status) if status else "", None, form)

    async def _type(self, data_type: Any) -> str:
        if not isinstance(data_type, ua.NodeId):
            return ""
        if data_type not in self._type_names:
            name = ua.AttributeIds.BrowseName
            (found,) = await self._read([ua.ReadValueId(NodeId=data_type, AttributeId=name)])
            plain = await self._content(found)
            self._type_names[data_type] = str(plain or data_type.to_string())
        return self._type_names[data_type]


def _lengths(value: Any, rank: Any) -> str:
    """Give `[4]` or `[2][3]` of an array, `[]` where its length is not known."""
    lengths = ""
    while isinstance(value, list):
        lengths += f"[{len(value)}]"
        value = value[0] if value else None
    return "[]" if not lengths and isinstance(rank, int) and rank >= 0 else lengths


def _access(level: Any) -> str:
    if not isinstance(level, int):
        return ""
    can = [word for bit, word in ((READABLE, "read"), (WRITABLE, "write")) if level & bit]
    return "/".join(can) or "none"


def _inside(found: ua.DataValue) -> Any:
    return found.Value.Value if found.Value else None
