"""Turns addresses into samples within one session; reading and watching both go through here."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

from asyncua import Client, ua

from edge_agent.driver import Flaw, Quality, Sample, Why, bad
from edge_agent.language import _
from edge_agent_opcua.address import OpcUaAddress
from edge_agent_opcua.clocks import Clocks
from edge_agent_opcua.content import AS_THEY_ARE, Undecoded, plain
from edge_agent_opcua.datatypes import DataTypes
from edge_agent_opcua.limits import TOO_MUCH, Limits, in_requests
from edge_agent_opcua.nodes import Nodes, Paths
from edge_agent_opcua.notification import Said
from edge_agent_opcua.services import item, read, status_name
from edge_agent_opcua.values import (
    BAD_NODE_ID_UNKNOWN,
    SEVERITY_SHIFT,
    UNCERTAIN,
    WHOLE,
    Form,
    milliseconds,
    to_sample,
)

NAMESPACES = ua.ObjectIds.Server_NamespaceArray
CLOCK = ua.ObjectIds.Server_ServerStatus_CurrentTime
LISTEN_AGAIN = 60.0
"""Seconds after which the server's clock is looked at again."""
MOST_TYPES = 20
"""Types of structures learnt for one value before it is given up."""


class Reader:
    """What one session needs to turn addresses into samples.

    Attributes:
        limits: How much the server takes in one request.
        nodes: Where the addresses are; only those that were settled.
    """

    def __init__(self, client: Client, limits: Limits, namespaces: Sequence[str]) -> None:
        self.limits = limits
        self.nodes = Nodes(client, limits, namespaces)
        self._client = client
        self._types = DataTypes(client, limits)
        self._clocks = Clocks()
        self._heard = 0.0
        self._forms: dict[str, Form] = {}  # address as text -> what is wanted, if not all of it

    @classmethod
    async def ready(cls, client: Client) -> "Reader":
        """Ask the server for what is needed before the first read.

        Raises:
            OSError, ua.UaStatusCodeError: The session is over.
        """
        limits = await Limits.ask(client)
        (namespaces,) = await read(client, [item(NAMESPACES)])
        reader = cls(client, limits, (namespaces.Value and namespaces.Value.Value) or ())
        await reader.listen()
        return reader

    async def listen(self) -> None:
        """Look at the server's clock.

        Raises:
            OSError, ua.UaStatusCodeError: The session is over.
        """
        (found,) = await read(self._client, [item(CLOCK)])
        servers = milliseconds(found.Value.Value) if found.Value else None
        if servers is not None:
            self._clocks.hear(servers, _now())
        self._heard = asyncio.get_running_loop().time()

    async def settle(self, addresses: Sequence[OpcUaAddress], learnt: Paths) -> None:
        """Find the nodes of addresses, and what their values mean; quick where that is done.

        Raises:
            OSError, ua.UaStatusCodeError: The session is over.
        """
        await self.nodes.settle(addresses, learnt, asyncio.get_running_loop().time())
        for address in addresses:
            if not (address.part or address.text) or str(address) in self._forms:
                continue
            node = self.nodes.place(address).node
            if node is not None:
                self._forms[str(address)] = await self._form(address, node)

    async def _form(self, address: OpcUaAddress, node: ua.NodeId) -> Form:
        names: Mapping[int, str] = {}
        if address.text and not address.part:
            names = await self._types.names(node)
        return Form(address.pieces(), address.text, names)

    async def read(self, addresses: Sequence[OpcUaAddress], learnt: Paths) -> list[Sample]:
        """Read nodes: one sample per address, in order; each node is asked for once.

        Raises:
            OSError, ua.UaStatusCodeError: The session is over.
        """
        await self.settle(addresses, learnt)
        if asyncio.get_running_loop().time() - self._heard >= LISTEN_AGAIN:
            await self.listen()
        places = [self.nodes.place(address) for address in addresses]
        wanted = list(dict.fromkeys(place.node for place in places if place.node is not None))
        answers = dict(zip(wanted, await self.values(wanted), strict=True))
        samples = []
        for address, place in zip(addresses, places, strict=True):
            if place.node is None:
                samples.append(bad(Why.REFUSED, place.trouble))
                continue
            found = answers[place.node]
            samples.append(
                found if isinstance(found, Sample) else await self.sample(address, found)
            )
        return samples

    async def values(self, nodes: Sequence[ua.NodeId]) -> list[ua.DataValue | Sample]:
        """Read nodes: one value per node, as it was sent; one that cannot be decoded is bad.

        Raises:
            OSError, ua.UaStatusCodeError: The session is over.
        """
        wanted = [ua.ReadValueId(NodeId=n, AttributeId=ua.AttributeIds.Value) for n in nodes]

        async def ask(part: Sequence[ua.ReadValueId]) -> Sequence[ua.DataValue | Sample]:
            return await read(self._client, list(part))

        return await in_requests(ask, wanted, self.limits.read, _unread)

    async def sample(self, address: OpcUaAddress, found: ua.DataValue) -> Sample:
        """Turn a value of a settled address into a sample; asks only for types not known yet.

        Raises:
            OSError, ua.UaStatusCodeError: The session is over.
        """
        return await self.learned(str(address), _said(found))

    async def learned(self, address: str, said: Said) -> Sample:
        """Do as `told` does, and ask for types not known yet.

        Raises:
            OSError, ua.UaStatusCodeError: The session is over.
        """
        for _round in range(MOST_TYPES):
            try:
                return self.told(address, said)
            except Undecoded as error:
                await self._types.learn(error.encoding)
        return bad(Why.DECODE_ERROR, _("the structure has too many types inside"))

    async def content(self, found: ua.DataValue) -> Any:
        """Give the plain value inside, with lists for arrays and dicts for structures.

        Raises:
            OSError, ua.UaStatusCodeError: The session is over.
            ValueError: It cannot be decoded.
        """
        for _round in range(MOST_TYPES):
            try:
                return self._plain(found.Value.Value if found.Value else None)
            except Undecoded as error:
                await self._types.learn(error.encoding)
        raise ValueError(_("the structure has too many types inside"))

    def _plain(self, value: Any) -> Any:
        try:
            if isinstance(value, Exception):
                raise value
            return plain(value, self._types.decode)
        except Undecoded:
            raise
        # Types are the server's own words, turned into classes: bytes that are not what their type
        # says can make those fail in any way. It costs this one value, which is then bad.
        except Exception as error:
            raise ValueError(_("it cannot be decoded: {error}").format(error=error)) from error

    def told(self, address: str, said: Said) -> Sample:
        """Turn what was said about a settled address, given as text, into a sample.

        Raises:
            Undecoded: A type has to be learnt before.
        """
        value, status, source, server = said
        source = source or server
        if status and status & 0xFFFF0000 == BAD_NODE_ID_UNKNOWN:
            self.nodes.note_unknown(address)
        if type(value) not in AS_THEY_ARE and status >> SEVERITY_SHIFT <= UNCERTAIN:
            try:
                value = self._plain(value)
            except ValueError as error:
                return bad(Why.DECODE_ERROR, str(error))._replace(time=source)
        name = status_name(status) if status else ""
        sample = to_sample(value, status, name, source, self._forms.get(address, WHOLE))
        if source is None or sample.flaw is not None:
            return sample
        return self._judged(address, sample, source, server)

    def _judged(self, address: str, sample: Sample, source: int, server: int | None) -> Sample:
        """Flag a good value whose time cannot be right."""
        why = self._clocks.why_off(address, source, server, _now())
        if not why:
            return sample
        return sample._replace(flaw=Flaw(Quality.UNCERTAIN, Why.CLOCK_SKEW, why))


def _said(found: ua.DataValue) -> Said:
    return Said(
        found.Value.Value if found.Value else None,
        found.StatusCode.value if found.StatusCode else 0,
        milliseconds(found.SourceTimestamp),
        milliseconds(found.ServerTimestamp),
    )


def _now() -> int:
    return time.time_ns() // 1_000_000


def _unread(error: Exception) -> Sample:
    if isinstance(error, TOO_MUCH):
        return bad(
            Why.DEVICE_BAD,
            _("too much for the server: {code}").format(code=status_name(error.code)),
        )
    return bad(Why.DECODE_ERROR, _("the value cannot be decoded: {error!r}").format(error=error))
