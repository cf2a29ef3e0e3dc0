"""What is sent next: announcements, then live readings, then the backlog; and what became of it."""

from typing import NamedTuple

from edge_agent import payload
from edge_agent.announcements import Announcements
from edge_agent.buffer import Buffer
from edge_agent.lanes import Item
from edge_agent.row import LOSS_TOPIC, Row
from edge_agent.window import Pace

PACKET_HEAD = 16  # bytes of a PUBLISH beside topic and payload, at most (MQTT 5, 3.3)


class Outgoing(NamedTuple):
    """A message to be published.

    Attributes:
        item: What of the buffer it carries; None for a retained announcement.
    """

    topic: str
    content: bytes
    item: Item | None = None

    @property
    def historical(self) -> bool:
        """Whether it comes from the backlog."""
        return isinstance(self.item, Row) and self.item.historical

    @property
    def size(self) -> int:
        """Bytes on the line, at most."""
        return len(self.topic) + len(self.content) + PACKET_HEAD


class Supply:
    """Hands out what waits, one message at a time, ready to be published.

    Args:
        root: The topic under which everything of this agent stands.
        buffer: Readings and records of loss.
        announcements: Retained topics.
        rate: Readings per second of the backlog, at most; None does not limit.

    Attributes:
        root: As given.
    """

    def __init__(
        self, root: str, buffer: Buffer, announcements: Announcements, rate: float | None
    ) -> None:
        self.root = root
        self._buffer = buffer
        self._announcements = announcements
        self._pace = Pace(rate)

    def next(self, now: float, *, backlog: bool) -> Outgoing | None:
        """Hand out the next message; None if nothing waits.

        Args:
            now: Seconds on a steady clock.
            backlog: Whether it may be a historical one.
        """
        if announcement := self._announcements.next():
            return Outgoing(*announcement)
        item = self._buffer.next(backlog=backlog and self._pace.allows(now))
        if item is None:
            return None
        epoch = self._buffer.epoch_of(item)
        if not isinstance(item, Row):
            content = payload.loss_message(epoch, item)
            return Outgoing(f"{self.root}/{LOSS_TOPIC}", content, item)
        if item.historical:
            self._pace.spend(item.readings)
        content = payload.data_message(epoch, item, hist=item.historical)
        return Outgoing(f"{self.root}/{item.device}/data", content, item)

    def arrived(self, outgoing: Outgoing) -> None:
        """Let a message go: the broker has it."""
        if outgoing.item is not None:
            self._buffer.ack(outgoing.item)
        elif not outgoing.content:
            self._announcements.cleared(outgoing.topic)

    def refuse(self, outgoing: Outgoing) -> None:
        """Give up what the broker will never take; a record of loss names it."""
        if outgoing.item is not None:
            self._buffer.refuse(outgoing.item)

    def give_back(self) -> None:
        """Take back what was handed out and did not arrive: its connection is lost."""
        self._buffer.give_back()
