"""What blocks runs beside the event loop, and ends well."""

import asyncio
import threading

import pytest

from edge_agent.threads import finished, in_daemon_thread


async def test_the_loop_goes_on_while_a_thread_works():
    go = threading.Event()
    working = asyncio.create_task(in_daemon_thread(lambda: go.wait() and None, "work"))
    await asyncio.sleep(0)
    assert not working.done()
    go.set()
    await working


async def test_an_error_of_the_thread_is_raised_where_it_is_awaited():
    def fail():
        raise ConnectionError("no way")

    with pytest.raises(ConnectionError, match="no way"):
        await in_daemon_thread(fail, "work")


async def test_a_cancelled_wait_drops_what_the_thread_brings():
    go = threading.Event()
    working = asyncio.create_task(in_daemon_thread(lambda: go.wait() and None, "slow-work"))
    await asyncio.sleep(0)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    thread = next(one for one in threading.enumerate() if one.name == "slow-work")
    assert thread.daemon
    go.set()
    await asyncio.to_thread(thread.join)
    await asyncio.sleep(0)


async def test_what_must_not_be_left_half_done_ends_before_a_cancelled_wait_does():
    go, steps = asyncio.Event(), []

    async def work():
        await go.wait()
        steps.append("done")

    waiting = asyncio.create_task(finished(work()))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.sleep(0)
    assert not waiting.done()
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert steps == ["done"]


async def test_its_result_and_its_error_arrive_where_nobody_cancels():
    async def give(what):
        if isinstance(what, Exception):
            raise what
        return what

    assert await finished(give(5)) == 5
    with pytest.raises(ValueError, match="wrong"):
        await finished(give(ValueError("wrong")))
