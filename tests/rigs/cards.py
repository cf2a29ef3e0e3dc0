"""Cards with a buffer on each: filled without a broker, and emptied by one."""

import asyncio
import shutil
from pathlib import Path

from edge_agent.config.model import AgentIdentity, BufferLimits
from edge_agent.lanes import Item
from edge_agent.packer import Packed, export
from edge_agent.parcel import Parcel
from edge_agent.receiver import Received, receive
from edge_agent.row import Row
from tests.rigs.buffers import append, drain, opened, pass_time
from tests.rigs.hand_clock import HandClock

GATEWAY = AgentIdentity("gw-01", "works")


class Card:
    """A folder with a buffer, as one gateway had it."""

    def __init__(self, folder: Path, clock: HandClock, **limits: float) -> None:
        self.folder = folder
        self.clock = clock
        self.limits = BufferLimits(folder, flush=1.0, **limits)

    def fill(self, *bodies: bytes, device: str = "press-1", every: float = 1.0) -> str:
        """Let the agent read so much without a broker, then stop it; give its epoch."""

        async def work() -> str:
            async with opened(self.folder, self.clock) as buffer:
                for body in bodies:
                    append(buffer, self.clock, body, device=device)
                    await pass_time(buffer, self.clock, every)
                return buffer.epoch

        return asyncio.run(work())

    def deliver(self, take: int | None = None) -> list[Item]:
        """Let a broker acknowledge everything, or only so much, then stop the agent."""

        async def work() -> list[Item]:
            limits = {"max_bytes": self.limits.max_bytes}
            async with opened(self.folder, self.clock, **limits) as buffer:
                if take is None:
                    return await drain(buffer, self.clock)
                await pass_time(buffer, self.clock, 15.0)
                items = [buffer.next() for _ in range(take)]
                for item in items:
                    buffer.ack(item)
                return items

        return asyncio.run(work())

    def export(self, target: Path) -> Packed | None:
        return export(self.limits, GATEWAY, target, self.clock)

    def take_in(self, parcel: Path) -> Received:
        return receive(Parcel(parcel), self.limits, self.clock)

    def copy(self, folder: Path) -> "Card":
        """The same card as it is now, as a power cut leaves it."""
        shutil.copytree(self.folder, folder)
        return Card(folder, self.clock)


def rows(items: list[Item]) -> list[tuple[str, int, bytes]]:
    """Give epoch, number and content of the rows among them."""
    return [(item.epoch, item.seq, item.body) for item in items if isinstance(item, Row)]
