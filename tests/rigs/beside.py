"""Runs a peer that is written with asyncio in a thread of its own, for tests that block."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from typing import Protocol


class Peer(Protocol):
    async def start(self) -> None: ...
    async def stop(self) -> None: ...


async def _ended() -> None:
    """Wait until nobody is served any more, so that no connection is left open."""
    async with asyncio.timeout(30):
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others)  # who has just been accepted begins another one
        await asyncio.sleep(0)  # closing takes one more round


@contextlib.contextmanager
def beside(peer: Peer) -> Iterator[None]:
    """Start a peer, and stop it at the end."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def run(step) -> None:
        asyncio.run_coroutine_threadsafe(step, loop).result(60)

    run(peer.start())
    try:
        yield
    finally:
        run(peer.stop())
        run(_ended())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
