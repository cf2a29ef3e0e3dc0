"""A whole small site: a device that counts, a broker behind a network, a platform that listens."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from tests.rigs.arrivals import Arrivals, heard
from tests.rigs.counter_plc import CounterPlc
from tests.rigs.mosquitto import mosquitto
from tests.rigs.network import Network, network

# mosquitto drops what a slow subscriber has not fetched beyond 1,000 messages, if it is let.
ENDLESS = ("allow_anonymous true", "max_queued_messages 0")


class Site(NamedTuple):
    """What stands there.

    Attributes:
        plc: The device.
        network: Between the agent and the broker.
        arrivals: What the platform got.
        broker: The port of the broker itself.
    """

    plc: CounterPlc
    network: Network
    arrivals: Arrivals
    broker: int


@asynccontextmanager
async def site(folder: Path) -> AsyncIterator[Site]:
    """Set it up until the block ends."""
    async with CounterPlc() as plc, mosquitto(folder, *ENDLESS) as port, network(port) as between:
        with heard(port) as arrivals:
            yield Site(plc, between, arrivals, port)
