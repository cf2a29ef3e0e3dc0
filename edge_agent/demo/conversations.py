"""Keeps one task per client of a server, so that none is left when the server ends."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class Conversations:
    """The clients a server is talking to.

    asyncio's own task per client cannot be waited for, and is noisy where it is cancelled.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def begin(self, talk: Coroutine[Any, Any, Any]) -> None:
        """Talk to one more client, until that ends by itself or `end` is called."""
        task = asyncio.get_running_loop().create_task(talk)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def end(self) -> None:
        """End all that are left."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
