"""Runs what blocks without ever holding up the end of the process."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def finished(work: Coroutine[Any, Any, T]) -> T:
    """Wait for work that must not be left half-done: when cancelled, only once it has ended."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait((task,))
        raise


async def in_daemon_thread(work: Callable[[], None], name: str) -> None:
    """Run `work` in a thread of its own and wait for it; its exception is raised here.

    Unlike the loop's executor, nothing waits for such a thread at the end: a name lookup that
    hangs for half a minute must not delay a stop. When the waiting task is cancelled the thread
    goes on, and what it brings is dropped.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def finish(error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    def call() -> None:
        problem: BaseException | None = None
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - handed over to the waiting task
            problem = error
        with contextlib.suppress(RuntimeError):  # the loop may be gone
            loop.call_soon_threadsafe(finish, problem)

    threading.Thread(target=call, name=name, daemon=True).start()
    await done
