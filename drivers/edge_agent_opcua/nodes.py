"""Finds the node that an address means, anew in every session: numbers of namespaces may change.

A number as identifier (`i=1042`) is what controllers give anew at each download, and then it may
be the number of another node. So the browse path of such a node is learnt, or taken from the
configuration, and leads: the node is the one that hangs where the path says.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from asyncua import Client, ua

from edge_agent.language import _
from edge_agent_opcua import paths
from edge_agent_opcua.address import OpcUaAddress
from edge_agent_opcua.limits import Limits, in_requests
from edge_agent_opcua.references import OBJECTS, follow, local, referenced
from edge_agent_opcua.services import node_id, read

LOOK_AGAIN = 30.0
"""Seconds after which a node that was not there is looked for again."""
LEARNT_AT_ONCE = 500
"""Nodes whose paths are learnt in one go, so that a read does not wait long for it."""
DEEPEST = 20
"""A node deeper than this has a path that nobody can write down."""

Paths = Mapping[str, str]
"""A node as text -> its browse path; empty where the server does not tell it."""


class Place(NamedTuple):
    """Where an address is in this session; `trouble` says why it is nowhere."""

    node: ua.NodeId | None
    trouble: str = ""


class Nodes:
    """The nodes of one session."""

    def __init__(self, client: Client, limits: Limits, namespaces: Sequence[str]) -> None:
        self.namespaces = list(namespaces)
        self._client = client
        self._limits = limits
        self._numbers = {uri: number for number, uri in enumerate(namespaces)}
        self._followed: dict[str, Place] = {}  # address as text -> where its path leads
        self._missing: dict[str, float] = {}  # looked for without success, and when

    def place(self, address: OpcUaAddress) -> Place:
        """Give where a settled address is: where its path led, else where its name says.

        What a name says is worked out anew each time. It is asked for seldom, and ten thousand
        node ids would take 3 MB.
        """
        return self._followed.get(str(address)) or self._named(address)

    async def settle(self, addresses: Iterable[OpcUaAddress], learnt: Paths, now: float) -> None:
        """Find the nodes of these addresses, as far as that is not done.

        Args:
            addresses: Any number.
            learnt: What `learn` told in this or earlier sessions.
            now: Seconds of any clock that never jumps.

        Raises:
            OSError, ua.UaStatusCodeError: The session is over.
        """
        followed: list[tuple[OpcUaAddress, ua.NodeId, str]] = []
        for address in dict.fromkeys(addresses):
            path = address.path or (learnt.get(address.node(), "") if learnt else "")
            if not path:
                self._missing.pop(str(address), None)
                continue
            if not self._is_due(str(address), now):
                continue
            node = self._named(address).node
            if node is not None and (_can_be_renumbered(node) or str(address) in self._missing):
                followed.append((address, node, path))
        if followed:
            await self._follow(followed, now)

    def _is_due(self, address: str, now: float) -> bool:
        since = self._missing.get(address)
        return address not in self._followed if since is None else now - since >= LOOK_AGAIN

    def _named(self, address: OpcUaAddress) -> Place:
        number = self._numbers.get(address.namespace) if address.namespace else address.index()
        if number is None:
            return Place(None, self._no_namespace(address))
        return Place(node_id(address.name(), number))

    def _no_namespace(self, address: OpcUaAddress) -> str:
        has = ", ".join(self.namespaces)
        return _("the server has no namespace {namespace!r}; it has: {has}").format(
            namespace=address.namespace, has=has
        )

    async def _follow(
        self, followed: Sequence[tuple[OpcUaAddress, ua.NodeId, str]], now: float
    ) -> None:
        ways = [(OBJECTS, self._names(path, node)) for _, node, path in followed]
        try:
            found = await follow(self._client, self._limits, ways)
        except (ua.uaerrors.BadServiceUnsupported, ua.uaerrors.BadNotSupported):
            self._followed |= {str(address): Place(node) for address, node, _ in followed}
            return
        for (address, node, path), target in zip(followed, found, strict=True):
            if target is not None:
                self._followed[str(address)] = Place(target)
                self._missing.pop(str(address), None)
            else:
                self._followed[str(address)] = _unfollowed(address, node, path)
                self._missing[str(address)] = now

    def _names(self, path: str, node: ua.NodeId) -> tuple[tuple[str, int], ...]:
        return tuple((step.name, self._number(step, node)) for step in paths.parse(path))

    def _number(self, step: paths.Step, node: ua.NodeId) -> int:
        if step.namespace is None:
            return int(node.NamespaceIndex)
        if isinstance(step.namespace, int):
            return step.namespace
        return self._numbers.get(step.namespace, 0xFFFF)  # no server has so many: nothing is found

    def note_unknown(self, address: str) -> None:
        """Take note that the server does not know a node: its path is tried next."""
        self._missing.setdefault(address, -LOOK_AGAIN)

    async def learn(self, addresses: Iterable[OpcUaAddress], learnt: Paths) -> dict[str, str]:
        """Ask for paths not known yet, some at once; give the new ones, empty if there is none.

        Raises:
            OSError, ua.UaStatusCodeError: The session is over.
        """
        wanted: dict[str, ua.NodeId] = {}
        for address in addresses:
            if address.path or not address.is_numbered or address.node() in learnt:
                continue
            node = self.place(address).node
            if node is None or not _can_be_renumbered(node) or str(address) in self._missing:
                continue
            self._followed[str(address)] = Place(node)  # in this session it needs no path
            wanted[address.node()] = node
            if len(wanted) == LEARNT_AT_ONCE:
                break
        if not wanted:
            return {}
        found = await self._paths_of(list(wanted.values()))
        return dict(zip(wanted, found, strict=True))

    async def _paths_of(self, nodes: list[ua.NodeId]) -> list[str]:
        above = await self._above(nodes)
        names = await self._browse_names(nodes)
        ways = [_way_down(node, name, above) for node, name in zip(nodes, names, strict=True)]
        # Only a path that leads back to its node is worth anything.
        there = dict.fromkeys(way for way in ways if way)
        ends = await follow(self._client, self._limits, [(OBJECTS, way) for way in there])
        end_of = dict(zip(there, ends, strict=True))
        return [
            paths.write(way, self.namespaces, node.NamespaceIndex)
            if way and end_of[way] == node
            else ""
            for way, node in zip(ways, nodes, strict=True)
        ]

    async def _above(
        self, nodes: Sequence[ua.NodeId]
    ) -> dict[ua.NodeId, tuple[ua.NodeId, tuple[str, int]]]:
        """Give of each node, and of those above, the node it hangs on and that one's name."""
        above: dict[ua.NodeId, tuple[ua.NodeId, tuple[str, int]]] = {}
        level = list(dict.fromkeys(nodes))
        for _level in range(DEEPEST):
            found = await referenced(self._client, self._limits, level, inverse=True)
            for node, references in zip(level, found, strict=True):
                if references:
                    name = references[0].BrowseName
                    parent = local(references[0].NodeId)
                    above[node] = (parent, (name.Name or "", name.NamespaceIndex))
            parents = dict.fromkeys(above[node][0] for node in level if node in above)
            level = [node for node in parents if node not in above and node != OBJECTS]
            if not level:
                break
        return above

    async def _browse_names(self, nodes: Sequence[ua.NodeId]) -> list[tuple[str, int]]:
        wanted = [ua.ReadValueId(NodeId=n, AttributeId=ua.AttributeIds.BrowseName) for n in nodes]
        found = await in_requests(
            lambda part: read(self._client, list(part)),
            wanted,
            self._limits.read,
            lambda _: ua.DataValue(),
        )
        return [_name(value.Value.Value if value.Value else None) for value in found]


def _name(found: object) -> tuple[str, int]:
    return (
        (found.Name or "", found.NamespaceIndex) if isinstance(found, ua.QualifiedName) else ("", 0)
    )


def _can_be_renumbered(node: ua.NodeId) -> bool:
    return node.NamespaceIndex != 0 and isinstance(node.Identifier, int)


def _unfollowed(address: OpcUaAddress, node: ua.NodeId, path: str) -> Place:
    """Say where an address is whose path leads nowhere now."""
    if not _can_be_renumbered(node):
        return Place(node)
    if address.path:
        return Place(
            None,
            _("the path {path} leads to no node, or to several: correct the path").format(
                path=path
            ),
        )
    return Place(
        None,
        _(
            "this node was {path} and nothing is there now; its number may be "
            "another node's: browse the server, and write the node's path beside "
            "{node}"
        ).format(path=path, node=node.to_string()),
    )


def _way_down(
    node: ua.NodeId,
    name: tuple[str, int],
    above: Mapping[ua.NodeId, tuple[ua.NodeId, tuple[str, int]]],
) -> tuple[tuple[str, int], ...]:
    """Give the names from the Objects folder down to a node; nothing if it does not hang there."""
    names = [name]
    for _level in range(DEEPEST):
        if node not in above:
            return ()
        node, its_name = above[node]
        if node == OBJECTS:
            return tuple(reversed(names))
        names.append(its_name)
    return ()
