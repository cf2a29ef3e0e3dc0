"""Waits for something that tells nobody when it happens.

How long is no promise unless a test says so: a busy machine may take many times the usual.
"""

import asyncio
from collections.abc import Callable


async def until(happened: Callable[[], bool], seconds: float = 30, pause: float = 0.002) -> None:
    """Wait until this is so; TimeoutError if it takes longer than `seconds`."""
    async with asyncio.timeout(seconds):
        while not happened():  # noqa: ASYNC110 - the other side runs elsewhere and has no event
            await asyncio.sleep(pause)
