"""Follows references in a server's address space, any number at once, as its limits allow."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from asyncua import Client, ua

from edge_agent_opcua.limits import Limits, in_requests
from edge_agent_opcua.services import node_id

OBJECTS = node_id(ua.ObjectIds.ObjectsFolder)
HIERARCHICAL = ua.ObjectIds.HierarchicalReferences
PIECE = 1000
"""References of one node in one answer; a server may give fewer."""
WHOLE_PATH = 0xFFFFFFFF
"""RemainingPathIndex of a target that lies in this server. Source: OPC 10000-4, 5.9.4."""

Way = tuple[ua.NodeId, tuple[tuple[str, int], ...]]
"""A node to start from, and browse names with their namespaces' numbers."""

Enough = Callable[[Sequence[ua.ReferenceDescription]], bool]
"""Tells whether no more references of a node are wanted."""


def _never(_: Sequence[ua.ReferenceDescription]) -> bool:
    return False


async def referenced(
    client: Client,
    limits: Limits,
    nodes: Sequence[ua.NodeId],
    kind: int = HIERARCHICAL,
    *,
    inverse: bool = False,
    enough: Enough = _never,
) -> list[list[ua.ReferenceDescription]]:
    """Give what each node refers to, or is referred to by, in the server's order.

    Args:
        client: With an active session.
        limits: Of the server.
        nodes: Where to look; one that cannot be browsed has no references.
        kind: References of this type and its subtypes.
        inverse: Look at what refers to the nodes.
        enough: Told what came so far of a node whose references do not fit into one answer.

    Raises:
        OSError, ua.UaStatusCodeError: The session is over, or the service is refused.
    """
    direction = ua.BrowseDirection.Inverse if inverse else ua.BrowseDirection.Forward
    wanted = [
        ua.BrowseDescription(
            NodeId=node,
            BrowseDirection=direction,
            ReferenceTypeId=node_id(kind),
            IncludeSubtypes=True,
            NodeClassMask=0,
            ResultMask=ua.BrowseResultMask.All,
        )
        for node in nodes
    ]

    async def browse(part: Sequence[ua.BrowseDescription]) -> list[ua.BrowseResult]:
        parameters = ua.BrowseParameters(
            RequestedMaxReferencesPerNode=PIECE, NodesToBrowse=list(part)
        )
        return await client.uaclient.browse(parameters)

    results = await in_requests(browse, wanted, limits.browse, lambda _: ua.BrowseResult())
    found = [list(result.References or ()) for result in results]
    points = {n: r.ContinuationPoint for n, r in enumerate(results) if r.ContinuationPoint}
    await _read_on(client, limits, found, points, enough)
    return found


async def _read_on(
    client: Client,
    limits: Limits,
    found: list[list[ua.ReferenceDescription]],
    points: dict[int, bytes],
    enough: Enough,
) -> None:
    """Fetch what did not fit, and give back the continuation points of what is not wanted."""

    async def browse_next(part: Sequence[bytes], *, release: bool) -> list[ua.BrowseResult]:
        parameters = ua.BrowseNextParameters(
            ReleaseContinuationPoints=release, ContinuationPoints=list(part)
        )
        return await client.uaclient.browse_next(parameters)

    while points:
        if ended := [points.pop(n) for n in list(points) if enough(found[n])]:
            await in_requests(lambda part: browse_next(part, release=True), ended, limits.browse)
        rows = list(points.items())
        results = await in_requests(
            lambda part: browse_next(part, release=False),
            [point for _, point in rows],
            limits.browse,
        )
        points = {}
        for (number, _), result in zip(rows, results, strict=True):
            found[number] += result.References or ()
            if result.ContinuationPoint:
                points[number] = result.ContinuationPoint


async def follow(client: Client, limits: Limits, ways: Sequence[Way]) -> list[ua.NodeId | None]:
    """Give the node at the end of each way; None where there is none, or more than one.

    Raises:
        OSError, ua.UaStatusCodeError: The session is over, or the service is refused.
    """
    wanted = [
        ua.BrowsePath(StartingNode=start, RelativePath=ua.RelativePath(Elements=_elements(names)))
        for start, names in ways
    ]
    results = await in_requests(
        lambda part: client.uaclient.translate_browsepaths_to_nodeids(list(part)),
        wanted,
        limits.translate,
        lambda _: ua.BrowsePathResult(),
    )
    return [_target(result) for result in results]


def _elements(names: Iterable[tuple[str, int]]) -> list[ua.RelativePathElement]:
    return [
        ua.RelativePathElement(
            ReferenceTypeId=node_id(HIERARCHICAL),
            IsInverse=False,  # type: ignore[arg-type] # it wants its own kind of bool
            IncludeSubtypes=True,  # type: ignore[arg-type]
            TargetName=ua.QualifiedName(name, index),
        )
        for name, index in names
    ]


def _target(result: ua.BrowsePathResult) -> ua.NodeId | None:
    whole = [target for target in result.Targets or () if target.RemainingPathIndex == WHOLE_PATH]
    nodes: Mapping[ua.NodeId, None] = dict.fromkeys(local(target.TargetId) for target in whole)
    return next(iter(nodes)) if len(nodes) == 1 else None


def local(node: ua.NodeId) -> ua.NodeId:
    """Give an expanded node id of this server as a plain one."""
    return ua.NodeId(node.Identifier, node.NamespaceIndex)
