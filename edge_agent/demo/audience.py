"""Follows what arrives at the subscriber: counts it, and shows it."""

import asyncio
import json

from edge_agent.demo.tally import Tally
from edge_agent.demo.view import REDRAWS, View
from edge_agent.subscriber import Message, Subscriber

ECHO = 2.0  # seconds the agent's last message may take through the broker


class Audience:
    """One subscriber and what it makes of the messages.

    Args:
        subscriber: Open, and subscribed before the agent starts.
        view: Shows everything that arrives.
        root: The demo agent's own root topic; only its messages are counted, because only they
            are followed from the first one.
    """

    def __init__(self, subscriber: Subscriber, view: View, root: str) -> None:
        self.tally = Tally()
        self._subscriber = subscriber
        self._view = view
        self._root = root
        self._kept: set[str] = set()
        self._farewell = asyncio.Event()

    async def watch(self) -> None:
        """Count and show messages, until cancelled."""
        while True:
            self._take(await self._subscriber.messages.get())

    async def redraw(self) -> None:
        """Keep the ages on the screen right, until cancelled."""
        while True:
            self._view.redraw()
            await asyncio.sleep(1 / REDRAWS)

    async def wait_for_farewell(self) -> None:
        """Wait until the agent's last message has come through the broker, or cannot come."""
        try:
            await asyncio.wait_for(self._farewell.wait(), ECHO)
        except TimeoutError:  # the user's broker may have gone
            return

    async def sweep(self) -> None:
        """Clear what the demo's agent left retained on a broker that is not ours."""
        await self._subscriber.clear(sorted(self._kept))

    def _take(self, message: Message) -> None:
        if not message.payload:  # a retained topic was cleared
            return
        payload = json.loads(message.payload)
        if message.topic.startswith(f"{self._root}/"):
            self._count(message.topic, payload)
        self._view.show(message.topic, payload)

    def _count(self, topic: str, payload: dict[str, object]) -> None:
        device, kind = topic.split("/")[-2:]
        self.tally.add(device, kind, payload)
        if kind in {"meta", "status"}:
            self._kept.add(topic)
        if (device, kind) == ("_agent", "status") and payload["state"] == "offline":
            self._farewell.set()
