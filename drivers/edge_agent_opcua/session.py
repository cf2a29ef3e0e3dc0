"""One session with one OPC UA server. The only module that imports asyncua; its types stay here.

asyncua's client would reconnect, watch and recreate by itself; its steps are called one by one
instead, so that the poller alone decides about another try.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Sequence
from typing import Any

from asyncua import Client, ua

from edge_agent.driver import ConnectionLost, Sample, Why, bad
from edge_agent_opcua import faults
from edge_agent_opcua.config import NodeName, OpcUaAddress
from edge_agent_opcua.values import milliseconds, to_sample

CHUNK = 500
"""Nodes per request, unless the server allows fewer (OperationLimits, MaxNodesPerRead)."""
SESSION_TIMEOUT_MS = 60_000
"""A session that could not be closed (power cut) blocks the server no longer than this."""
CLOSE_PATIENCE = 1.0
"""Seconds a server gets to answer CloseSession; a dead one must not delay the next try."""

NAMESPACES = ua.ObjectIds.Server_NamespaceArray
MOST_NODES = ua.ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerRead
STATE = ua.ObjectIds.Server_ServerStatus_State

_TOO_MUCH = (
    ua.uaerrors.BadTooManyOperations,
    ua.uaerrors.BadRequestTooLarge,
    ua.uaerrors.BadResponseTooLarge,
    ua.uaerrors.BadEncodingLimitsExceeded,
    ua.uaerrors.BadTcpMessageTooLarge,
)


class Session:
    """A session, from CreateSession to CloseSession, and what the server said in it."""

    def __init__(self, url: str, timeout: float) -> None:
        self._url = url
        self._timeout = timeout
        self._client: Client | None = None
        self._alive: asyncio.Task[None] | None = None
        self._chunk = CHUNK
        self._namespaces: dict[str, int] = {}
        # Node ids hold namespace numbers, which are valid in this session only.
        self._items: dict[OpcUaAddress, ua.ReadValueId | None] = {}

    async def open(self) -> None:
        """Connect, open a channel and a session, and ask for namespaces and limits.

        Raises:
            ConnectionLost: One of these failed; nothing stays open.
        """
        # What asyncua complains about is raised to us; to log it too would say everything twice.
        logging.getLogger("asyncua").setLevel(logging.CRITICAL + 1)
        try:
            await self._open()
        except BaseException:
            await self.close()
            raise

    async def _open(self) -> None:
        try:
            self._client = client = self._make_client()
            await client.connect_socket()
            await client.send_hello()
            await client.open_secure_channel()
            await client.create_session()
            await client.activate_session()
            await self._ask_server(client)
        except OSError as error:
            raise ConnectionLost(faults.unreachable(self._url, error, self._timeout)) from error
        except ua.UaStatusCodeError as error:
            raise ConnectionLost(
                faults.refused(self._url, error.code, _status_name(error.code))
            ) from error
        except (ua.UaError, AssertionError) as error:
            raise ConnectionLost(faults.strange(self._url, error)) from error
        self._alive = asyncio.create_task(self._keep_alive(client))

    def _make_client(self) -> Client:
        client = Client(self._url, timeout=self._timeout)
        host = socket.gethostname()
        client.name = "edge-agent"
        client.description = f"edge-{host}"  # becomes the session's name on the server
        client.application_uri = f"urn:{host}:edge-agent"
        client.product_uri = "urn:edge-agent"
        client.session_timeout = SESSION_TIMEOUT_MS
        return client

    async def _ask_server(self, client: Client) -> None:
        namespaces, most_nodes = await _read(client, [_item(NAMESPACES), _item(MOST_NODES)])
        self._namespaces = {uri: index for index, uri in enumerate(_plain(namespaces) or ())}
        self._chunk = min(CHUNK, _plain(most_nodes) or CHUNK)  # 0 means that there is no limit

    async def read(self, addresses: Sequence[OpcUaAddress]) -> list[Sample]:
        """Read nodes: one sample per address, in order.

        Raises:
            ConnectionLost: The session is over.
        """
        client = self._client
        if client is None:
            raise ConnectionLost(faults.ended(self._url, "it was closed"))
        items = [self._item_of(address) for address in addresses]
        known = [item for item in items if item is not None]
        try:
            samples = iter(await self._read_known(client, known))
        except TimeoutError as error:
            raise ConnectionLost(faults.silent(self._url, self._timeout)) from error
        except OSError as error:
            raise ConnectionLost(faults.ended(self._url, str(error))) from error
        except ua.UaStatusCodeError as error:
            raise ConnectionLost(faults.ended(self._url, _status_name(error.code))) from error
        return [
            self._no_namespace(address) if item is None else next(samples)
            for address, item in zip(addresses, items, strict=True)
        ]

    async def _read_known(self, client: Client, items: list[ua.ReadValueId]) -> list[Sample]:
        samples: list[Sample] = []
        while len(samples) < len(items):
            chunk = items[len(samples) : len(samples) + self._chunk]
            samples += await self._read_chunk(client, chunk)
        return samples

    async def _read_chunk(self, client: Client, chunk: list[ua.ReadValueId]) -> list[Sample]:
        """Read nodes in one request, or in halves where that is too much or cannot be decoded."""
        try:
            return [_sample(value) for value in await _read(client, chunk)]
        except _TOO_MUCH as error:
            self._chunk = max(1, len(chunk) // 2)
            flaw = bad(Why.DEVICE_BAD, f"too much for the server: {_status_name(error.code)}")
        except (OSError, ua.UaStatusCodeError):
            raise
        # asyncua's decoder lets out whatever went wrong inside: any exception here means that
        # the answer holds a value that it cannot take apart.
        except Exception as error:  # noqa: BLE001
            flaw = bad(Why.DECODE_ERROR, f"the value cannot be decoded: {error!r}")
        if len(chunk) == 1:
            return [flaw]
        half = len(chunk) // 2
        first = await self._read_chunk(client, chunk[:half])
        return first + await self._read_chunk(client, chunk[half:])

    def _item_of(self, address: OpcUaAddress) -> ua.ReadValueId | None:
        if address not in self._items:
            named = bool(address.namespace)
            index = self._namespaces.get(address.namespace) if named else address.index()
            self._items[address] = None if index is None else _item(address.name(), index)
        return self._items[address]

    def _no_namespace(self, address: OpcUaAddress) -> Sample:
        has = ", ".join(self._namespaces)
        return bad(Why.REFUSED, f"the server has no namespace {address.namespace!r}; it has: {has}")

    async def _keep_alive(self, client: Client) -> None:
        """Keep session and channel valid between slow polls; the next read notices the end."""
        loop = asyncio.get_running_loop()
        lifetime = client.secure_channel_timeout / 1000
        pause = min(client.session_timeout / 3000, lifetime / 4)
        renewed = loop.time()
        with contextlib.suppress(OSError, ua.UaError, AssertionError):
            while True:
                await asyncio.sleep(pause)
                await _read(client, [_item(STATE)])
                # Renew after 75 % at the latest. Source: OPC 10000-4, 5.5.2.1.
                if loop.time() - renewed >= lifetime / 2:
                    await client.open_secure_channel(renew=True)
                    client.uaclient.revolve_security_token()
                    renewed = loop.time()
        client.disconnect_socket()

    async def close(self) -> None:
        """Close session, channel and connection, as far as they are open."""
        client, self._client = self._client, None
        if client is None:
            return
        if self._alive is not None:
            self._alive.cancel()
            await asyncio.gather(self._alive, return_exceptions=True)
        # Whatever goes wrong now, the link is given up; the server ends the session by timeout.
        with contextlib.suppress(OSError, ua.UaError):
            async with asyncio.timeout(CLOSE_PATIENCE):
                await client.close_session()
            await client.close_secure_channel()
        client.disconnect_socket()
        await asyncio.sleep(0)  # the transport closes its socket in the loop's next round


def _item(name: NodeName, index: int = 0) -> ua.ReadValueId:
    node = ua.NodeId(name, index)  # type: ignore[arg-type] # it wants its own kinds of int and str
    return ua.ReadValueId(NodeId=node, AttributeId=ua.AttributeIds.Value)


async def _read(client: Client, items: list[ua.ReadValueId]) -> list[ua.DataValue]:
    parameters = ua.ReadParameters(TimestampsToReturn=ua.TimestampsToReturn.Both, NodesToRead=items)
    values = await client.uaclient.read(parameters)
    if len(values) != len(items):
        raise ua.UaError(f"the server sent {len(values)} values for {len(items)} nodes")
    return values


def _plain(found: ua.DataValue) -> Any:
    value = found.Value.Value if found.Value else None
    return value.Text if isinstance(value, ua.LocalizedText) else value


def _sample(found: ua.DataValue) -> Sample:
    status = found.StatusCode.value if found.StatusCode else 0
    time = milliseconds(found.SourceTimestamp) or milliseconds(found.ServerTimestamp)
    return to_sample(_plain(found), status, _status_name(status) if status else "", time)


def _status_name(status: int) -> str:
    kind: str = ua.status_codes.get_name_and_doc(status & 0xFFFF0000)[0]
    return f"{kind} 0x{status:08X}"
