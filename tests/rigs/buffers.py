"""Real buffers in real folders: make them, kill them, look at what they hold."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

from edge_agent.buffer import Buffer
from edge_agent.config.model import BufferLimits
from edge_agent.lanes import Item
from edge_agent.row import Loss, Row
from tests.rigs.hand_clock import HandClock

FLUSH = 1.0


async def open_buffer(folder: Path, clock: HandClock, **limits: float) -> Buffer:
    """Open a buffer without anything running beside it."""
    return await Buffer.open(BufferLimits(folder, flush=FLUSH, **limits), clock)


@contextlib.asynccontextmanager
async def opened(folder: Path, clock: HandClock, **limits: float) -> AsyncIterator[Buffer]:
    """A buffer that is closed properly at the end."""
    buffer = await open_buffer(folder, clock, **limits)
    try:
        yield buffer
    finally:
        await buffer.close()


async def kill(buffer: Buffer, folder: Path, copy: Path) -> Path:
    """Keep what is on disk now, as if the process had been killed; give the new folder."""
    shutil.copytree(folder, copy)
    await buffer._disk._run(buffer._disk._store.close)
    buffer._disk._thread.shutdown()
    return copy


def append(buffer: Buffer, clock: HandClock, *bodies: bytes, device: str = "press-1") -> None:
    """Keep some bodies, each of one reading."""
    for body in bodies:
        buffer.append(device, clock.now(), clock.mono(), 1, body)


async def pass_time(buffer: Buffer, clock: HandClock, seconds: float) -> None:
    """Let time pass, with ticks as often as `Buffer.run` makes them."""
    for _ in range(round(seconds * 4)):
        clock.advance(0.25)
        await buffer.tick()


async def drain(buffer: Buffer, clock: HandClock) -> list[Item]:
    """Take and acknowledge everything, as a healthy broker would."""
    items: list[Item] = []
    for _ in range(8):
        await pass_time(buffer, clock, 2.0)
        while item := buffer.next():
            buffer.ack(item)
            items.append(item)
            await asyncio.sleep(0)
    return items


def bodies(items: list[Item]) -> list[bytes]:
    """Give the bodies of the rows among them."""
    return [item.body for item in items if isinstance(item, Row)]


def lanes(items: list[Item]) -> list[list[int]]:
    """Give the numbers of the rows among them: of the historical, and of the live ones."""
    rows = [item for item in items if isinstance(item, Row)]
    return [[row.seq for row in rows if row.historical is old] for old in (True, False)]


def named(items: list[Item]) -> list[tuple[int | None, int | None]]:
    """Give the first and the last number of each record of loss among them."""
    return [(item.first, item.last) for item in items if isinstance(item, Loss)]
