"""The least that a program with asyncua does to hear of changes, for comparison.

`opcua_bare.py URL NAMESPACE NODES SECONDS` watches the nodes v0, v1, ... with one subscription
whose callback counts; asyncua's own handler costs twice as much. It says `ready` once everything is
watched, with the seconds from the start of its session, and then answers each line on stdin with
how many changes have come. It runs in any environment with asyncua.
"""

import asyncio
import logging
import sys
import time
from typing import Any

from asyncua import Client, ua

AT_ONCE = 500


class Count:
    """Counts the changes that arrive."""

    def __init__(self) -> None:
        self.changes = 0

    async def published(self, result: ua.PublishResult) -> None:
        """Count what one notification message brought, looking at each value once."""
        for change in result.NotificationMessage.NotificationData or ():
            if isinstance(change, ua.DataChangeNotification):
                for item in change.MonitoredItems:
                    if item.Value.Value is not None:
                        self.changes += 1


async def main(url: str, namespace: int, nodes: int, every: float) -> None:
    """Watch, and tell the count when asked."""
    logging.getLogger("asyncua").setLevel(logging.CRITICAL)
    count, begin = Count(), time.monotonic()
    client = Client(url, timeout=30)
    async with client:
        subscription = await client.uaclient.create_subscription(
            ua.CreateSubscriptionParameters(
                RequestedPublishingInterval=every * 1000,
                RequestedLifetimeCount=3000,
                RequestedMaxKeepAliveCount=10,
                PublishingEnabled=True,
            ),
            count.published,
        )
        for first in range(0, nodes, AT_ONCE):
            await client.uaclient.create_monitored_items(
                ua.CreateMonitoredItemsParameters(
                    SubscriptionId=subscription.SubscriptionId,
                    TimestampsToReturn=ua.TimestampsToReturn.Both,
                    ItemsToCreate=[
                        _item(number, namespace, every)
                        for number in range(first, min(first + AT_ONCE, nodes))
                    ],
                )
            )
        _say(f"ready {time.monotonic() - begin:.3f}")
        while await asyncio.to_thread(sys.stdin.readline):
            _say(str(count.changes))


def _item(number: int, namespace: int, every: float) -> Any:
    node = ua.NodeId(ua.String(f"v{number}"), ua.Int16(namespace))
    return ua.MonitoredItemCreateRequest(
        ItemToMonitor=ua.ReadValueId(NodeId=node, AttributeId=ua.AttributeIds.Value),
        MonitoringMode=ua.MonitoringMode.Reporting,
        RequestedParameters=ua.MonitoringParameters(
            ClientHandle=number + 1,
            SamplingInterval=every * 500,
            QueueSize=4,
            DiscardOldest=True,
        ),
    )


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
