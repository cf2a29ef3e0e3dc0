"""Who looks on sees what is read; while nobody does, nothing is kept."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from edge_agent import control
from edge_agent.config.model import Deadband, Device, Point
from edge_agent.model import Flaw, Quality, Samples, Why
from edge_agent.onlookers import MOST_WAITING, Onlookers, Seen
from edge_agent.plugins import load
from edge_agent.pollgroup import poll_groups
from tests.rigs.until import until

GOOD = Seen("power", 231.4, None, "W")
BAD = Seen("energy", None, Flaw(Quality.BAD, Why.TIMEOUT, "no answer"), "kW.h")


async def started(watching: AsyncGenerator[dict[str, Any], None]) -> "asyncio.Task[dict[str, Any]]":
    task = asyncio.ensure_future(anext(watching))
    await asyncio.sleep(0)
    return task


async def test_everything_of_the_wanted_device_is_seen() -> None:
    onlookers = Onlookers()
    one, everyone = onlookers.watch("press"), onlookers.watch("")
    first, second = await started(one), await started(everyone)
    onlookers.show("oven", 1, [GOOD])
    onlookers.show("press", 2, [GOOD, BAD])
    assert await first == {
        "device": "press",
        "ts": 2,
        "readings": [
            {"p": "power", "v": 231.4, "q": "good", "why": None, "unit": "W"},
            {"p": "energy", "v": None, "q": "bad", "why": "timeout", "unit": "kW.h"},
        ],
    }
    assert [(await second)["device"], (await anext(everyone))["device"]] == ["oven", "press"]


async def test_nobody_is_there_once_the_last_has_gone() -> None:
    onlookers = Onlookers()
    assert not onlookers
    watching = onlookers.watch("")
    task = await started(watching)
    assert onlookers
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert not onlookers


async def test_who_is_slow_misses_the_oldest_and_is_told() -> None:
    onlookers = Onlookers()
    watching = onlookers.watch("")
    task = await started(watching)
    for ts in range(MOST_WAITING + 3):
        onlookers.show("oven", ts, [GOOD])
    seen = [await task, *[await anext(watching) for _ in range(MOST_WAITING - 1)]]
    assert (seen[0]["ts"], seen[0]["missed"]) == (3, 3)
    assert [update["ts"] for update in seen] == list(range(3, MOST_WAITING + 3))
    assert all("missed" not in update for update in seen[1:])


async def test_whole_numbers_that_json_readers_round_are_text() -> None:
    onlookers = Onlookers()
    task = await started(onlookers.watch(""))
    onlookers.show("meter", 1, [Seen("count", 2**53 + 1, None, "")])
    assert (await task)["readings"][0]["v"] == "9007199254740993"


def test_a_poll_group_shows_what_no_deadband_lets_pass() -> None:
    driver = load("simulated")
    address = driver.address_type.model_validate({})
    state = Point("state", address, deadband=Deadband(0))
    power = Point("power", address, scale=2, unit="W", deadband=Deadband(1))
    settings = driver.settings_type.model_validate({})
    (group,) = poll_groups(Device("meter", (state, power)), driver(settings), {})
    samples = Samples([1, 4.0])
    assert len(group.encode(samples, 0.0)) == 1
    assert group.encode(samples, 1.0) == []
    assert group.seen(samples) == [Seen("state", 1, None, ""), Seen("power", 8.0, None, "W")]
    (part,) = group.parts([1])
    assert part.seen(Samples([5.0])) == [Seen("power", 10.0, None, "W")]


# --- through the socket ------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def no_runtime_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "RUNTIME_FOLDER", tmp_path / "no such folder")


async def test_a_watcher_that_hangs_up_is_forgotten(tmp_path: Path) -> None:
    onlookers = Onlookers()
    async with control.served(tmp_path, dict, onlookers.watch):
        watching = control.watched(tmp_path / control.SOCKET, "press 1", 0.05)
        assert await asyncio.to_thread(next, watching) is None
        await until(lambda: bool(onlookers))
        onlookers.show("press 1", 5, [GOOD])
        update = await asyncio.to_thread(next, watching)
        assert update is not None
        assert update["ts"] == 5
        watching.close()
        await until(lambda: not onlookers)


async def test_a_watcher_hears_that_the_daemon_ends(tmp_path: Path) -> None:
    onlookers = Onlookers()
    async with control.served(tmp_path, dict, onlookers.watch):
        watching = control.watched(tmp_path / control.SOCKET, "", 10)
        ending = asyncio.ensure_future(asyncio.to_thread(list, watching))
        await until(lambda: bool(onlookers))
    assert await asyncio.wait_for(ending, 30) == []
    assert not onlookers


@pytest.mark.parametrize("request_", [b"", b"stop\n", b"x" * 100_000])
async def test_who_asks_nothing_that_is_known_gets_the_status(
    tmp_path: Path, request_: bytes
) -> None:
    def ask() -> bytes:
        with socket.socket(socket.AF_UNIX) as channel:
            channel.settimeout(30)
            channel.connect(str(tmp_path / control.SOCKET))
            channel.sendall(request_)
            return channel.recv(100)

    async with control.served(tmp_path, lambda: {"n": 1}):
        assert await asyncio.to_thread(ask) == b'{"n":1}\n'
