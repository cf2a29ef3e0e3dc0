"""The queue between where changes arrive and the agent that fetches them."""

import asyncio

import pytest

from edge_agent.driver import ChangeQueue, Changes, ConnectionLost, Samples


def changes(number):
    return Changes(0, [0], Samples([number]))


def numbers(taken):
    return [one.samples.values[0] for one in taken]


async def test_everything_is_given_once_and_in_order():
    queue = ChangeQueue()
    for number in range(3):
        queue.put(changes(number))
    assert numbers(await queue.take()) == [0, 1, 2]
    queue.put(changes(3))
    assert numbers(await queue.take()) == [3]


async def test_it_waits_until_something_comes():
    queue = ChangeQueue()
    taking = asyncio.ensure_future(queue.take())
    await asyncio.sleep(0)
    assert not taking.done()
    queue.put(changes(7))
    assert numbers(await taking) == [7]


async def test_a_cancelled_call_takes_nothing_even_when_both_happen_at_once():
    queue = ChangeQueue()
    taking = asyncio.ensure_future(queue.take())
    await asyncio.sleep(0)
    queue.put(changes(1))  # wakes the call, which is cancelled before it runs again
    taking.cancel()
    await asyncio.gather(taking, return_exceptions=True)
    assert numbers(await queue.take()) == [1]


async def test_a_timeout_of_nothing_still_gives_what_is_there():
    queue = ChangeQueue()
    queue.put(changes(1))
    async with asyncio.timeout(0):
        assert numbers(await queue.take()) == [1]


async def test_it_says_how_long_something_waited():
    queue = ChangeQueue()
    queue.put(changes(1))
    await asyncio.sleep(0.05)
    queue.put(changes(2))
    first, second = await queue.take()
    assert 0.05 <= first.waited < 5
    assert second.waited < first.waited - 0.04


async def test_the_end_comes_after_what_came_before_and_stays():
    queue = ChangeQueue()
    queue.put(changes(1))
    queue.end(ConnectionLost("cable pulled"))
    queue.end(ConnectionLost("a consequence"))
    assert numbers(await queue.take()) == [1]
    for _ in range(2):
        with pytest.raises(ConnectionLost, match="cable pulled"):
            await queue.take()
