"""Makes the server watch what is wanted, as far as it can; what it cannot stays on the list.

Source of what a server may say: OPC 10000-4, 5.13 (MonitoredItems) and 5.14 (Subscriptions).
"""

import asyncio
from collections.abc import Sequence

from asyncua import ua

from edge_agent.driver import WatchGroup, Why, bad
from edge_agent_opcua.address import OpcUaAddress
from edge_agent_opcua.interval import Interval
from edge_agent_opcua.plan import paths_of
from edge_agent_opcua.reconcile import STUCK_TOO_OFTEN, Item, State, Target
from edge_agent_opcua.reporting import Reporter
from edge_agent_opcua.services import status_name
from edge_agent_opcua.session import Session
from edge_agent_opcua.subscription import Subscription

_CANNOT_WATCH = frozenset(
    {
        ua.StatusCodes.BadServiceUnsupported,
        ua.StatusCodes.BadNotSupported,
        ua.StatusCodes.BadNotImplemented,
        ua.StatusCodes.BadTooManySubscriptions,
        ua.StatusCodes.BadTooManyMonitoredItems,
        ua.StatusCodes.BadResourceUnavailable,
        ua.StatusCodes.BadOutOfMemory,
        ua.StatusCodes.BadDecodingError,
        ua.StatusCodes.BadTooManyOperations,
    }
)
"""The node can be read, but not watched."""
_NO_DEADBAND = frozenset(
    {
        ua.StatusCodes.BadFilterNotAllowed,
        ua.StatusCodes.BadMonitoredItemFilterInvalid,
        ua.StatusCodes.BadMonitoredItemFilterUnsupported,
        ua.StatusCodes.BadDeadbandFilterInvalid,
    }
)
"""The node can be watched, but not with a deadband."""
AT_ONCE = 500
"""Nodes that begin to be watched in one go: what asyncua needs for each takes 2 kB meanwhile."""


class Mender:
    """Does away with the difference between what is wanted and what is watched.

    Args:
        session: Open.
        groups: What is wanted.
        reporter: Whom to tell what cannot be watched.
        most: Changes of one node that the server keeps between two reports, at least.
    """

    def __init__(
        self,
        session: Session,
        groups: Sequence[WatchGroup[OpcUaAddress]],
        reporter: Reporter,
        most: int,
    ) -> None:
        self._session, self._groups = session, groups
        self._reporter, self._most = reporter, most
        self._known_paths: dict[int, dict[str, str]] = {}  # device -> what is learnt about it
        for group in groups:
            self._known_paths.setdefault(group.device, {}).update(paths_of(group.plan))

    async def mend(self, interval: Interval) -> None:
        """Do what is due at one interval.

        Raises:
            OSError, ua.UaStatusCodeError: The session is over, or the server does not know the
                subscription any more.
        """
        if interval.subscription is None and interval.create_at <= _now():
            await self._subscribe(interval)
        if (subscription := interval.subscription) is not None:
            await self._give_up(interval, subscription)
            while due := interval.ledger.due(_now())[:AT_ONCE]:
                await self._watch(interval, subscription, due)
            await self._learn_paths(interval)
        self._reporter.standing(interval)

    async def _subscribe(self, interval: Interval) -> None:
        session = self._session
        try:
            subscription = await Subscription.create(
                session.client, session.reader.limits, interval.every
            )
        except ua.UaStatusCodeError as error:
            if error.code not in _CANNOT_WATCH:
                raise
            interval.cannot_be(status_name(error.code), _now())
        else:
            interval.began(subscription, _now())

    async def _give_up(self, interval: Interval, subscription: Subscription) -> None:
        """Give up items whose nodes are gone: when those are back, such items often stay dead."""
        gone, interval.gone = interval.gone, []
        if gone:
            await subscription.forget([item for item in gone if item.id])
        for item in gone:
            if item.stuck < STUCK_TOO_OFTEN:
                interval.ledger.refused(item, item.trouble, _now())
            else:
                interval.ledger.polled(item, item.trouble, _now())

    async def _watch(
        self, interval: Interval, subscription: Subscription, due: Sequence[Item]
    ) -> None:
        placed = await self._leave_refused(interval, await self._find(interval, due))
        interval.ledger.tried(item for item, _ in placed)
        results = await subscription.watch(placed, self._most)
        for (item, _), result in zip(placed, results, strict=True):
            if isinstance(result, ua.StatusCode):
                self._refuse(interval, item, result.value)
            else:
                interval.ledger.watched(item, result[0], result[1:])
                interval.may_learn = True

    async def _leave_refused(
        self, interval: Interval, placed: Sequence[tuple[Item, ua.NodeId]]
    ) -> Sequence[tuple[Item, ua.NodeId]]:
        """Leave out what the server would refuse as before, which a read shows as well.

        Some servers (node-opcua) begin to wait anew at each call of a subscription until they say
        that it lives. One missing node that is tried again and again would make them seem dead.
        """
        again = [(item, node) for item, node in placed if item.state is State.REFUSED]
        values = await self._session.reader.values([node for _, node in again])
        refused = {
            item.handle
            for (item, _), found in zip(again, values, strict=True)
            if isinstance(found, ua.DataValue) and _status(found) == item.trouble
        }
        for item, _ in again:
            if item.handle in refused:
                interval.ledger.refused(item, item.trouble, _now())
        return [(item, node) for item, node in placed if item.handle not in refused]

    async def _find(self, interval: Interval, due: Sequence[Item]) -> list[tuple[Item, ua.NodeId]]:
        """Find the nodes of items in this session; those that are nowhere are refused."""
        reader, placed = self._session.reader, []
        for group in interval.groups:
            wanted = [
                self._address(target)
                for item in due
                for target in item.targets
                if target.group == group
            ]
            await reader.settle(wanted, self._paths(group))
        for item in due:
            place = reader.nodes.place(self._address(item.targets[0]))
            if place.node is not None:
                placed.append((item, place.node))
            elif interval.ledger.refused(item, place.trouble, _now()):
                self._reporter.nowhere(item, bad(Why.REFUSED, place.trouble))
        return placed

    def _address(self, target: Target) -> OpcUaAddress:
        return self._groups[target.group].addresses[target.place]

    def _refuse(self, interval: Interval, item: Item, status: int) -> None:
        """Take note that the server does not watch a node, for whatever reason."""
        code, ledger = status & 0xFFFF0000, interval.ledger
        if item.deadband and code in _NO_DEADBAND:
            item.deadband = 0.0  # the agent looks by itself; it is tried again at once
        elif code in _CANNOT_WATCH:
            ledger.polled(item, status_name(status), _now())
        elif ledger.refused(item, status_name(status), _now()):
            self._reporter.refused(item, status)

    def _paths(self, group: int) -> dict[str, str]:
        return self._known_paths[self._groups[group].device]

    async def _learn_paths(self, interval: Interval) -> None:
        """Ask for the paths of nodes that are named by numbers, as far as they are not known."""
        while interval.may_learn:
            interval.may_learn = False
            for group, places in interval.watched_by_group().items():
                known, addresses = self._paths(group), self._groups[group].addresses
                here = (addresses[place] for place in places)
                if new := await self._session.reader.nodes.learn(here, known):
                    known |= new
                    interval.may_learn = True
                    self._reporter.learnt(group, known)


def _status(found: ua.DataValue) -> str:
    return status_name(found.StatusCode.value) if found.StatusCode else ""


def _now() -> float:
    return asyncio.get_running_loop().time()
