"""A server that restarts again and again: everything comes back, and nothing is left behind.

At each restart the namespace of the nodes gets another number, and one node is there only later.
"""

import asyncio
import time

import pytest

from edge_agent.driver import Why
from tests.rigs.fault_sizes import sized
from tests.rigs.node_opcua import node_opcua
from tests.rigs.opcua_plant import make_driver
from tests.rigs.opcua_watch import agent, at
from tests.rigs.until import until

LONGEST = 30.0  # seconds from a server that listens again to the first value
LATE = 5.0  # seconds after which the late node is there, in full size


@pytest.fixture
def server():
    with node_opcua() as server:
        yield server


@pytest.fixture
def hurry(monkeypatch):
    """Try again sooner, in the quick size."""
    monkeypatch.setattr("edge_agent.poller.FIRST_DELAY", 0.1)
    monkeypatch.setattr("edge_agent.poller.LAST_DELAY", 0.5)
    monkeypatch.setattr("edge_agent_opcua.reconcile.FIRST", 0.1)


@sized(quick=5, full=100, thorough=True)
async def test_data_are_back_after_each_restart_and_one_session_is_all_there_ever_is(
    size, server, request
):
    if not size.full:
        request.getfixturevalue("hurry")
    took = []
    async with agent(make_driver(server.port), at("Oven.Temperature", "Oven.Door")) as (_, diary):
        await until(lambda: (diary.last(0), diary.last(1)) == (181.5, True))
        for count in range(1, size.amount + 1):
            await server.ado("stop")
            await until(lambda: diary.last(0) is Why.LINK_DOWN, 30)
            await server.ado("start", options={"shift": count % 3, "without": ["Door"]})
            started = time.monotonic()
            server.set(Temperature=100.0 + count)
            await _until_it_is(diary, 0, 100.0 + count)
            took.append(time.monotonic() - started)
            await asyncio.sleep(LATE if size.full else 0)
            server.add("Door")
            await _until_it_is(diary, 1, True)
            assert len(server.sessions) == 1
    await until(lambda: not server.sessions)
    print(f"{size.amount} restarts: {max(took):.1f} s at most, {sum(took) / len(took):.1f} s mean")
    assert max(took) <= LONGEST


async def _until_it_is(diary, place, value):
    await until(lambda: diary.last(place) == value, LONGEST)
