"""What is on its way to the broker on one connection, and what has landed there."""

import asyncio
from typing import NamedTuple

from edge_agent.row import Key
from edge_agent.supply import Outgoing
from edge_agent.window import Departure, Window


class Flight(NamedTuple):
    """A message on its way: what it carries, and how it left."""

    outgoing: Outgoing
    departure: Departure


class Flights:
    """Everything in flight on one connection, the oldest first.

    Args:
        size: The most that may be.

    Attributes:
        window: Whether more may leave.
        landed: Set while nothing is in flight.
    """

    def __init__(self, size: int) -> None:
        self.window = Window(size)
        self.landed = asyncio.Event()
        self._flights: dict[int, Flight] = {}

    def leave(self, mid: int, outgoing: Outgoing, now: float) -> None:
        """Note that a message left under this id."""
        departure = self.window.sent(outgoing.size, now, backlog=outgoing.historical)
        self._flights[mid] = Flight(outgoing, departure)
        self.landed.clear()

    def land(self, mid: int, now: float) -> Outgoing | None:
        """Note an acknowledgement; None if it came twice, or for something never sent."""
        flight = self._flights.pop(mid, None)
        if flight is None:
            return None
        self.window.acknowledged(flight.departure, now)
        if not self._flights:
            self.landed.set()
        return flight.outgoing

    @property
    def oldest(self) -> float | None:
        """When the message left that waits longest; None if none waits."""
        return next((flight.departure.at for flight in self._flights.values()), None)

    @property
    def outgoing(self) -> dict[Key, Outgoing]:
        """What carries something of the buffer, by its number, in the order of sending."""
        messages = (flight.outgoing for flight in self._flights.values())
        return {one.item.key: one for one in messages if one.item is not None}
