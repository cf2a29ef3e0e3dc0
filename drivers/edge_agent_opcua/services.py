"""What every module that talks to a server needs of asyncua: node values, read as they are sent."""

from typing import Any

from asyncua import Client, ua

from edge_agent.language import _
from edge_agent_opcua.address import NodeName


def node_id(name: NodeName, index: int = 0) -> ua.NodeId:
    """Name a node in the namespace of this number."""
    return ua.NodeId(name, index)  # type: ignore[arg-type] # it wants its own kinds of int and str


def item(name: NodeName, index: int = 0) -> ua.ReadValueId:
    """Name the value of a node, in the namespace of this number."""
    return ua.ReadValueId(NodeId=node_id(name, index), AttributeId=ua.AttributeIds.Value)


async def read(client: Client, items: list[ua.ReadValueId]) -> list[ua.DataValue]:
    """Read in one request: one value per item, in order, each with its own status and times.

    Raises:
        OSError: The connection is gone, or the server does not answer in time (TimeoutError).
        ua.UaError: The server refuses the request as a whole, or answers something else.
    """
    parameters = ua.ReadParameters(TimestampsToReturn=ua.TimestampsToReturn.Both, NodesToRead=items)
    values = await client.uaclient.read(parameters)
    if len(values) != len(items):
        raise ua.UaError(
            _("the server sent {values} values for {items} nodes").format(
                values=len(values), items=len(items)
            )
        )
    return values


def plain(found: ua.DataValue) -> Any:
    """Give the value inside, without language; None where there is none."""
    value = found.Value.Value if found.Value else None
    return value.Text if isinstance(value, ua.LocalizedText) else value


def status_name(status: int) -> str:
    """Name a status code, such as `BadNodeIdUnknown 0x80340000`."""
    kind: str = ua.status_codes.get_name_and_doc(status & 0xFFFF0000)[0]
    return f"{kind} 0x{status:08X}"
