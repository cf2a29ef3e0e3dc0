"""One subscription at the server: what one interval of the configuration becomes there.

Source: OPC 10000-4, 5.13 (MonitoredItem services) and 5.14 (Subscription services).
"""

import contextlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from asyncua import Client, ua
from asyncua.ua.ua_binary import struct_from_binary

from edge_agent.language import _
from edge_agent_opcua.limits import Limits, in_requests
from edge_agent_opcua.reconcile import Item

KEEP_ALIVE = 10.0
"""Seconds after which a server with nothing to tell says that it lives, at most."""
LIFETIME = 6
"""Keep-alive times without a request of ours after which the server gives the subscription up.

At least three. Source: OPC 10000-4, 5.14.2.
"""
ITEMS_AT_ONCE = 200
"""Items made in one request: a slow controller must be done with them before our timeout."""
MOST_AT_ONCE = 1000
"""Changes in one notification, so that neither side has to pack a huge one."""

Made = tuple[int, float, int]
"""Number of a monitored item, its sampling interval (s) and its queue size."""
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Timing:
    """How often a subscription reports; all in seconds."""

    publishing: float
    keep_alive: float

    @classmethod
    def of(cls, every: float) -> "Timing":
        """Choose for points of this interval: reports are no rarer than keep-alives."""
        publishing = min(every, KEEP_ALIVE)
        return cls(publishing, publishing * max(1, math.floor(KEEP_ALIVE / publishing)))


class Subscription:
    """A subscription, from CreateSubscription to DeleteSubscriptions.

    Attributes:
        id: The server's number of it.
        timing: As the server has it, which may differ from what was asked for.
    """

    def __init__(self, client: Client, limits: Limits, number: int, timing: Timing) -> None:
        self.id = number
        self.timing = timing
        self._client = client
        self._limits = limits
        limits.watch.most = min(limits.watch.most, ITEMS_AT_ONCE)

    @classmethod
    async def create(cls, client: Client, limits: Limits, every: float) -> "Subscription":
        """Create one for points of this interval.

        Raises:
            OSError, ua.UaStatusCodeError: The session is over, or the server refuses.
        """
        wanted = Timing.of(every)
        request = ua.CreateSubscriptionRequest()
        parameters = request.Parameters
        count = round(wanted.keep_alive / wanted.publishing)
        parameters.RequestedPublishingInterval = wanted.publishing * 1000
        parameters.RequestedMaxKeepAliveCount = count
        parameters.RequestedLifetimeCount = LIFETIME * count
        parameters.MaxNotificationsPerPublish = MOST_AT_ONCE
        parameters.PublishingEnabled = True
        made = (await _call(client, request, ua.CreateSubscriptionResponse)).Parameters
        publishing = made.RevisedPublishingInterval / 1000
        keep_alive = publishing * max(1, made.RevisedMaxKeepAliveCount)
        return cls(client, limits, made.SubscriptionId, Timing(publishing, keep_alive))

    async def watch(
        self, wanted: Sequence[tuple[Item, ua.NodeId]], queue: int
    ) -> list[Made | ua.StatusCode]:
        """Have nodes watched.

        Args:
            wanted: Each with where it is in this session.
            queue: Changes to keep between two reports, at least.

        Returns:
            One per node: what was made of it, or why it cannot be watched.

        Raises:
            OSError, ua.UaStatusCodeError: The session or the subscription is over.
        """

        async def ask(part: Sequence[tuple[Item, ua.NodeId]]) -> Sequence[Made | ua.StatusCode]:
            return await self._create([self._request(item, node, queue) for item, node in part])

        return await in_requests(ask, wanted, self._limits.watch, _refusal)

    def _request(self, item: Item, node: ua.NodeId, queue: int) -> ua.MonitoredItemCreateRequest:
        needed = math.ceil(self.timing.publishing / item.sampling) + 2 if item.sampling else queue
        parameters = ua.MonitoringParameters(
            ClientHandle=ua.IntegerId(item.handle),
            SamplingInterval=ua.Duration(item.sampling * 1000),
            QueueSize=ua.Counter(max(queue, needed)),  # of which the oldest go first
        )
        if item.deadband:
            parameters.Filter = ua.DataChangeFilter(
                Trigger=ua.DataChangeTrigger.StatusValue,
                DeadbandType=ua.UInt32(ua.DeadbandType.Absolute),
                DeadbandValue=ua.Double(item.deadband),
            )
        return ua.MonitoredItemCreateRequest(
            ItemToMonitor=ua.ReadValueId(NodeId=node, AttributeId=ua.AttributeIds.Value),
            MonitoringMode=ua.MonitoringMode.Reporting,
            RequestedParameters=parameters,
        )

    async def _create(
        self, requests: list[ua.MonitoredItemCreateRequest]
    ) -> Sequence[Made | ua.StatusCode]:
        request = ua.CreateMonitoredItemsRequest()
        request.Parameters.SubscriptionId = self.id
        request.Parameters.TimestampsToReturn = ua.TimestampsToReturn.Both
        request.Parameters.ItemsToCreate = requests
        results = (await _call(self._client, request, ua.CreateMonitoredItemsResponse)).Results
        return [
            (made.MonitoredItemId, made.RevisedSamplingInterval / 1000, made.RevisedQueueSize)
            if made.StatusCode.is_good()
            else made.StatusCode
            for made in _as_many(results, requests)
        ]

    async def missing(self, items: Sequence[Item]) -> list[Item]:
        """Give those of these items that the server does not know any more.

        It is asked to go on reporting them, which changes nothing where it does.

        Raises:
            OSError, ua.UaStatusCodeError: The session or the subscription is over.
        """

        async def ask(part: Sequence[Item]) -> Sequence[bool]:
            request = ua.SetMonitoringModeRequest()
            request.Parameters.SubscriptionId = self.id
            request.Parameters.MonitoringMode = ua.MonitoringMode.Reporting
            request.Parameters.MonitoredItemIds = [item.id for item in part]
            answer = await _call(self._client, request, ua.SetMonitoringModeResponse)
            return [_knows(status) for status in _as_many(answer.Parameters.Results, part)]

        known = await in_requests(ask, items, self._limits.watch)
        return [item for item, is_known in zip(items, known, strict=True) if not is_known]

    async def forget(self, items: Sequence[Item]) -> None:
        """Have items watched no longer, as far as the server still knows them.

        Raises:
            OSError, ua.UaStatusCodeError: The session or the subscription is over.
        """

        async def ask(part: Sequence[Item]) -> Sequence[None]:
            request = ua.DeleteMonitoredItemsRequest()
            request.Parameters.SubscriptionId = self.id
            request.Parameters.MonitoredItemIds = [item.id for item in part]
            await _call(self._client, request, ua.DeleteMonitoredItemsResponse)
            return [None] * len(part)

        await in_requests(ask, items, self._limits.watch)

    async def delete(self) -> None:
        """Give it up; a server that does not know it any more is right, too.

        Raises:
            OSError: The session is over.
        """
        request = ua.DeleteSubscriptionsRequest()
        request.Parameters.SubscriptionIds = [self.id]
        with contextlib.suppress(ua.UaStatusCodeError):
            await _call(self._client, request, ua.DeleteSubscriptionsResponse)


async def _call(client: Client, request: Any, kind: type[_Answer]) -> _Answer:
    """Request something past asyncua's own methods, which would start its publish loop."""
    protocol = client.uaclient.protocol
    if protocol is None:
        raise ConnectionError(_("the connection is closed"))
    answer: Any = struct_from_binary(kind, await protocol.send_request(request))
    answer.ResponseHeader.ServiceResult.check()
    return answer  # type: ignore[no-any-return]


def _knows(status: ua.StatusCode) -> bool:
    """Tell whether a server knows an item; some (node-opcua) say so by BadNothingToDo."""
    return status.is_good() or status.value & 0xFFFF0000 == ua.StatusCodes.BadNothingToDo


def _as_many(results: Sequence[_Answer], asked: Sequence[object]) -> Iterable[_Answer]:
    if len(results) != len(asked):
        raise ua.UaError(
            _("the server sent {results} results for {asked} items").format(
                results=len(results), asked=len(asked)
            )
        )
    return results


def _refusal(error: Exception) -> ua.StatusCode:
    code = (
        error.code if isinstance(error, ua.UaStatusCodeError) else ua.StatusCodes.BadDecodingError
    )
    return ua.StatusCode(ua.UInt32(code))
