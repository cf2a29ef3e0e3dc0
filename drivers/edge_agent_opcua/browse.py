"""Walks through the address space of a server, for people who choose what to read.

`async with browsing(settings) as browser: async for found in browser.walk(Wish()): ...`
"""

import base64
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from asyncua import Client, ua

from edge_agent.language import _
from edge_agent_opcua import faults, paths
from edge_agent_opcua.channel import Channel
from edge_agent_opcua.config import OpcUaSettings
from edge_agent_opcua.facts import FactFinder, Facts
from edge_agent_opcua.reading import Reader
from edge_agent_opcua.references import OBJECTS, local, referenced
from edge_agent_opcua.services import node_id, status_name

HAS_PROPERTY = node_id(ua.ObjectIds.HasProperty)

Names = tuple[tuple[str, int], ...]
"""Browse names from the Objects folder on, with the numbers of their namespaces."""


class Wish(NamedTuple):
    """What is looked for.

    Attributes:
        start: Browse names to begin at, as `Oven/Zone 1`; empty for the Objects folder.
        contains: Only nodes whose path contains this, whatever the case.
        depth: How many levels.
        most: How many nodes of one level below one node.
        with_standard: Also nodes of namespace 0, which describe the server itself.
    """

    start: str = ""
    contains: str = ""
    depth: int = 10
    most: int = 200
    with_standard: bool = False


@dataclass(frozen=True)
class Found:
    """One node.

    Attributes:
        name: As shown to people.
        depth: 0 where the walk began.
        path: Browse path as an address takes it, from the Objects folder.
        node: Node id as an address takes it.
        facts: Of a variable; None of any other node.
        is_cut: Whether there is more below it than was asked for.
        is_repeated: Whether what is below it was given already, at another place.
    """

    name: str
    depth: int
    path: str
    node: str
    facts: Facts | None = None
    is_cut: bool = False
    is_repeated: bool = False


@asynccontextmanager
async def browsing(settings: OpcUaSettings) -> AsyncIterator["Browser"]:
    """Open a session to browse in, and close it afterwards.

    Raises:
        ConnectionLost: The server cannot be reached, does not let us in, or went away.
    """
    channel = await Channel.open(settings)
    try:
        with _naming_failures(settings):
            reader = await Reader.ready(channel.client)
        yield Browser(settings, channel.client, reader)
    finally:
        await channel.close()


@contextmanager
def _naming_failures(settings: OpcUaSettings) -> Iterator[None]:
    """Turn what can go wrong within a session into words."""
    try:
        yield
    except TimeoutError as error:
        raise faults.silent(settings.url, settings.timeout) from error
    except ua.UaStatusCodeError as error:
        raise faults.ended(settings.url, status_name(error.code)) from error
    except OSError as error:
        raise faults.ended(settings.url, str(error)) from error


class Browser:
    """Walks through one server.

    Attributes:
        is_cut: Whether there was more where the last walk began than was asked for.
    """

    def __init__(self, settings: OpcUaSettings, client: Client, reader: Reader) -> None:
        self.is_cut = False
        self._settings = settings
        self._client = client
        self._reader = reader
        self._facts = FactFinder(client, reader)

    async def walk(self, wish: Wish) -> AsyncIterator[Found]:
        """Give nodes in the order of the tree, as they are found.

        Raises:
            LookupError: There is nothing at the path to start at.
            ConnectionLost: The session is over.
        """
        with _naming_failures(self._settings):
            start, names = await self._start(wish.start)
            walk = _Walk(wish, {start})
            (below,) = await self._below([start], walk)
            self.is_cut = walk.is_cut(below)
            async for found in self._walk(below, names, walk, 0):
                if wish.contains.casefold() in found.path.casefold():
                    yield found

    async def _start(self, path: str) -> tuple[ua.NodeId, Names]:
        """Go down by browse names, in whatever namespace they are."""
        node, names = OBJECTS, Names()
        for step in paths.parse(path) if path else ():
            (below,) = await referenced(self._client, self._reader.limits, [node])
            there = [one for one in below if one.BrowseName.Name == step.name]
            if not there:
                raise LookupError(
                    _("the server has nothing at {path}: there is no {name}").format(
                        path=path, name=step.name
                    )
                )
            node = local(there[0].NodeId)
            names = (*names, _name(there[0]))
        return node, names

    async def _below(
        self, nodes: Sequence[ua.NodeId], walk: "_Walk"
    ) -> list[list[ua.ReferenceDescription]]:
        limits = self._reader.limits
        return await referenced(self._client, limits, nodes, enough=walk.is_cut)

    async def _walk(
        self,
        below: Sequence[ua.ReferenceDescription],
        names: Names,
        walk: "_Walk",
        depth: int,
    ) -> AsyncIterator[Found]:
        shown = walk.wanted(below)[: walk.wish.most]
        nodes = [local(one.NodeId) for one in shown]
        inside = await self._below(nodes, walk) if nodes else []
        facts = await self._facts_of(shown, inside)
        ends = depth + 1 >= walk.wish.depth
        for one, node, around in zip(shown, nodes, inside, strict=True):
            its_names, below_it = (*names, _name(one)), walk.wanted(around)
            repeated = node in walk.seen
            walk.seen.add(node)
            yield Found(
                name=one.DisplayName.Text or one.BrowseName.Name or "",
                depth=depth,
                path=paths.write(its_names, self._reader.nodes.namespaces, node.NamespaceIndex),
                node=self._written(node),
                facts=facts.get(node),
                is_cut=bool(below_it) if ends else walk.is_cut(around),
                is_repeated=repeated and bool(below_it),
            )
            if below_it and not repeated and not ends:
                async for found in self._walk(around, its_names, walk, depth + 1):
                    yield found

    async def _facts_of(
        self,
        shown: Sequence[ua.ReferenceDescription],
        inside: Sequence[Sequence[ua.ReferenceDescription]],
    ) -> Mapping[ua.NodeId, Facts]:
        variables = {
            local(one.NodeId): _property(around, "EngineeringUnits")
            for one, around in zip(shown, inside, strict=True)
            if one.NodeClass == ua.NodeClass.Variable
        }
        found = await self._facts.facts(list(variables.items())) if variables else []
        return dict(zip(variables, found, strict=True))

    def _written(self, node: ua.NodeId) -> str:
        identifier = node.Identifier
        if isinstance(identifier, bytes):
            text = f"b={base64.b64encode(identifier).decode()}"
        elif isinstance(identifier, int | str):
            text = f"{'i' if isinstance(identifier, int) else 's'}={identifier}"
        else:
            text = f"g={identifier}"
        if node.NamespaceIndex == 0:
            return text
        return f"nsu={self._reader.nodes.namespaces[node.NamespaceIndex]};{text}"


@dataclass
class _Walk:
    """One walk: what is wanted, and where it has been."""

    wish: Wish
    seen: set[ua.NodeId]

    def wanted(self, below: Sequence[ua.ReferenceDescription]) -> list[ua.ReferenceDescription]:
        """Keep objects and variables of this server, but no properties of others."""
        return [one for one in below if self._is_wanted(one)]

    def is_cut(self, below: Sequence[ua.ReferenceDescription]) -> bool:
        """Tell whether there are more of these than are wanted."""
        return len(self.wanted(below)) > self.wish.most

    def _is_wanted(self, one: ua.ReferenceDescription) -> bool:
        if one.ReferenceTypeId == HAS_PROPERTY or getattr(one.NodeId, "ServerIndex", 0):
            return False
        if one.NodeClass not in {ua.NodeClass.Object, ua.NodeClass.Variable}:
            return False
        return self.wish.with_standard or one.NodeId.NamespaceIndex != 0


def _name(one: ua.ReferenceDescription) -> tuple[str, int]:
    return one.BrowseName.Name or "", one.BrowseName.NamespaceIndex


def _property(references: Sequence[ua.ReferenceDescription], name: str) -> ua.NodeId:
    """Give the property of this name; the null node id, which has no value, if there is none."""
    for one in references:
        if one.ReferenceTypeId == HAS_PROPERTY and one.BrowseName.Name == name:
            return local(one.NodeId)
    return ua.NodeId()
