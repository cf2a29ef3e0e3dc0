"""Waits for something that tells nobody when it happens."""

import asyncio
from collections.abc import Callable


async def until(happened: Callable[[], bool], seconds: float = 10, pause: float = 0.002) -> None:
    """Wait until this is so; TimeoutError if it takes longer than `seconds`."""
    async with asyncio.timeout(seconds):
        while not happened():  # noqa: ASYNC110 - the other side runs elsewhere and has no event
            await asyncio.sleep(pause)
