"""How much a server takes in one request: as it says, or as it turns out.

Limits are what OperationLimits of the server announces; a request that is refused as too much is
made again in halves, and later ones are no larger.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from asyncua import Client, ua

from edge_agent_opcua.services import item, plain, read

Thing = TypeVar("Thing")
Answer = TypeVar("Answer")

MOST = 500
"""Things in one request where the server announces no limit or a higher one."""

TOO_MUCH = (
    ua.uaerrors.BadTooManyOperations,
    ua.uaerrors.BadRequestTooLarge,
    ua.uaerrors.BadResponseTooLarge,
    ua.uaerrors.BadEncodingLimitsExceeded,
    ua.uaerrors.BadTcpMessageTooLarge,
)
"""What a server says to a request that names too much. Source: OPC 10000-4, 7.39.2."""

_ANNOUNCED = {
    "read": ua.ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerRead,
    "browse": ua.ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerBrowse,
    "translate": (
        ua.ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerTranslateBrowsePathsToNodeIds
    ),
    "watch": ua.ObjectIds.Server_ServerCapabilities_OperationLimits_MaxMonitoredItemsPerCall,
}


@dataclass
class Limit:
    """The most things in one request of one service; smaller once the server refuses so many."""

    most: int = MOST

    def lower(self, refused: int) -> None:
        """Take note that so many were too much."""
        self.most = max(1, min(self.most, refused // 2))


class Limits:
    """The limits of one session.

    Attributes:
        read: Nodes per Read.
        browse: Nodes per Browse and BrowseNext.
        translate: Paths per TranslateBrowsePathsToNodeIds.
        watch: Items per CreateMonitoredItems, ModifyMonitoredItems and DeleteMonitoredItems.
    """

    def __init__(self, announced: Mapping[str, int | None] | None = None) -> None:
        """Take what the server announced; 0 or nothing means that it has no limit."""
        given = announced or {}
        self.read = _limit(given.get("read"))
        self.browse = _limit(given.get("browse"))
        self.translate = _limit(given.get("translate"))
        self.watch = _limit(given.get("watch"))

    @classmethod
    async def ask(cls, client: Client) -> "Limits":
        """Ask the server for its limits: all at once, or one by one where that is too much.

        Raises:
            OSError, ua.UaStatusCodeError: As of `services.read`.
        """
        wanted = [item(node) for node in _ANNOUNCED.values()]
        found = await in_requests(
            lambda part: read(client, list(part)), wanted, Limit(), lambda _: ua.DataValue()
        )
        return cls(dict(zip(_ANNOUNCED, map(plain, found), strict=True)))


def _limit(announced: int | None) -> Limit:
    return Limit(min(MOST, announced)) if announced else Limit()


async def in_requests(
    ask: Callable[[Sequence[Thing]], Awaitable[Sequence[Answer]]],
    things: Sequence[Thing],
    limit: Limit,
    failed: Callable[[Exception], Answer] | None = None,
) -> list[Answer]:
    """Ask for any number of things in requests that the server takes: one answer each, in order.

    Args:
        ask: Makes one request.
        things: What is asked for.
        limit: The service's limit; it is lowered where the server refuses.
        failed: Makes the answer of one thing that is too much, or cannot be decoded, even alone;
            None where that ends everything.

    Raises:
        OSError, ua.UaStatusCodeError: As of `ask`, but for what is too much.
    """
    answers: list[Answer] = []
    while len(answers) < len(things):
        part = things[len(answers) : len(answers) + limit.most]
        answers += await _in_halves(ask, part, limit, failed)
    return answers


async def _in_halves(
    ask: Callable[[Sequence[Thing]], Awaitable[Sequence[Answer]]],
    things: Sequence[Thing],
    limit: Limit,
    failed: Callable[[Exception], Answer] | None,
) -> list[Answer]:
    try:
        return list(await ask(things))
    except TOO_MUCH as error:
        limit.lower(len(things))
        reason: Exception = error
    except (OSError, ua.UaStatusCodeError):
        raise
    # asyncua's decoder lets out whatever went wrong inside: any exception here means that the
    # answer holds something that it cannot take apart.
    except Exception as error:  # noqa: BLE001
        reason = error
    if len(things) == 1:
        if failed is None:
            raise reason
        return [failed(reason)]
    half = len(things) // 2
    first = await _in_halves(ask, things[:half], limit, failed)
    return first + await _in_halves(ask, things[half:], limit, failed)
