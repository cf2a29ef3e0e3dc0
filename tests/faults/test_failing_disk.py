"""A disk that fails below the agent: no batch is called safe that is not, and all come through."""

import time

import pytest

from edge_agent.row import Loss, Row
from tests.rigs.agent_process import agent, configure
from tests.rigs.arrivals import arrivals_at
from tests.rigs.buffer_process import buffer_process
from tests.rigs.buffers import drain, open_buffer
from tests.rigs.counter_plc import CounterPlc, Heartbeat, connection, longest_gap
from tests.rigs.counter_plc import drain as drained
from tests.rigs.damage import fold
from tests.rigs.fake_broker import fake_broker
from tests.rigs.fault_report import judged
from tests.rigs.faulty_disk import (
    DISK_FULL,
    READ_FAILS,
    SYNC_FAILS,
    WHY_NOT,
    WRITE_FAILS,
    WRITES_HALF,
    FaultyDisk,
    bad_sector,
    slow_sync,
)
from tests.rigs.hand_clock import HandClock
from tests.rigs.remains import remains_of_a_kill
from tests.rigs.until import until

pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)

EVERY = 0.1
UNAVAILABLE = 0x88  # MQTT 5, 3.2.2.2: try again soon
SAFE = {"trouble": "", "unsaved": []}

FAULTS = {
    "fsync fails (EIO)": SYNC_FAILS,
    "write fails (EIO)": WRITE_FAILS,
    "write fails (ENOSPC)": DISK_FULL,
    "half a write, then ENOSPC": WRITES_HALF,
}

CASES = [  # one of them always, all of them with `-m faults`
    pytest.param(fault, marks=[pytest.mark.faults] if FAULTS[fault] != SYNC_FAILS else [])
    for fault in FAULTS
]


@pytest.fixture
def disk(tmp_path):
    disk = FaultyDisk(tmp_path, tmp_path / "buffer")
    disk.behave()
    return disk


@pytest.mark.parametrize("fault", CASES)
async def test_a_batch_that_did_not_reach_the_disk_is_not_called_safe_and_tried_again(
    disk, tmp_path, fault
):
    with judged(9, fault) as outcome:
        with buffer_process(tmp_path / "buffer", disk.environment) as buffer:
            made = buffer.ask("append", 5)
            assert buffer.ask("saved") == SAFE
            disk.behave(FAULTS[fault])
            made += (during := buffer.ask("append", 5))
            state = buffer.ask("troubled")
            assert state["trouble"]
            assert state["unsaved"] == during
            disk.behave()
            began = time.monotonic()
            assert buffer.ask("saved") == SAFE
            outcome.recovery_s = time.monotonic() - began
            made += buffer.ask("append", 5)
            assert buffer.ask("saved") == SAFE
            buffer.kill()
        rows, losses = await _what_is_left(tmp_path / "buffer")
        outcome.tally(made, rows, lost=[(loss.first, loss.last) for loss in losses])
        assert rows == made
        assert {loss.why for loss in losses} == {"power_cut"}
        assert losses[0].first == made[-1] + 1


@pytest.mark.thorough
@pytest.mark.parametrize("fault", CASES)
async def test_a_kill_while_the_disk_fails_costs_only_what_was_never_called_safe(
    disk, tmp_path, fault
):
    with judged(9, f"{fault}, then killed") as outcome:
        with buffer_process(tmp_path / "buffer", disk.environment) as buffer:
            safe = buffer.ask("append", 5)
            assert buffer.ask("saved") == SAFE
            disk.behave(FAULTS[fault])
            during = buffer.ask("append", 5)
            assert buffer.ask("troubled")["unsaved"] == during
            buffer.kill()
        began = time.monotonic()
        rows, losses = await _what_is_left(tmp_path / "buffer")
        outcome.recovery_s = time.monotonic() - began
        outcome.tally(safe + during, rows, lost=[(loss.first, loss.last) for loss in losses])
        assert rows[:5] == safe
        assert outcome.missing == outcome.duplicates == outcome.disorder == 0


async def _what_is_left(folder):
    """Open the folder on a good disk; give the numbers that come and the records of loss."""
    clock = HandClock()
    clock.reboot()
    buffer = await open_buffer(folder, clock)
    items = await drain(buffer, clock)
    await buffer.close()
    rows = [item.seq for item in items if isinstance(item, Row)]
    return rows, [item for item in items if isinstance(item, Loss)]


async def test_a_disk_that_gives_nothing_is_waited_for_and_not_taken_for_damaged(
    disk, remains, tmp_path
):
    with judged(9, "every read fails (EIO), at start") as outcome:
        disk.behave(READ_FAILS)
        with buffer_process(tmp_path / "buffer", disk.environment) as buffer:
            assert "the agent goes on by itself" in buffer.refusal()
            disk.behave()
            began = time.monotonic()
            said = buffer.ask("drain")
            outcome.recovery_s = time.monotonic() - began
        outcome.tally(remains.made, said["rows"], lost=[loss[2:] for loss in said["losses"]])
        assert said["rows"] == list(remains.made)
        assert said["epoch"] == remains.epoch
        assert list((tmp_path / "buffer").glob("*.corrupt-*")) == []


async def test_a_bad_sector_costs_what_is_on_it_and_is_named(disk, remains, tmp_path):
    with judged(9, "bad sectors below the database (EIO)") as outcome:
        path = fold(tmp_path / "buffer")
        middle = path.stat().st_size // 2
        disk.behave(bad_sector(path, middle, middle + 4095))
        began = time.monotonic()
        with buffer_process(tmp_path / "buffer", disk.environment) as buffer:
            said = buffer.ask("drain")
        outcome.recovery_s = time.monotonic() - began
        corrupt = [loss[2:] for loss in said["losses"] if loss[0] == "corrupt"]
        outcome.tally(remains.made, said["rows"], lost=corrupt)
        assert 0 < outcome.named <= 0.15 * outcome.produced
        assert outcome.missing == outcome.duplicates == outcome.disorder == 0
        assert said["epoch"] == remains.epoch


@pytest.fixture
async def remains(tmp_path):
    left = await remains_of_a_kill(tmp_path)
    left.folder.rename(tmp_path / "buffer")
    return left


@pytest.mark.faults
async def test_an_fsync_of_300_ms_delays_no_poll(disk, tmp_path):
    with judged(9, "fsync takes 300 ms") as outcome:
        async with CounterPlc() as plc, fake_broker(connack=UNAVAILABLE) as broker:
            config = configure(broker.port, connection(plc, every="100ms"))
            async with agent(tmp_path, config, environment=disk.environment) as gateway:
                await until(lambda: plc.count() > 5)
                disk.behave(slow_sync(300))
                began = time.monotonic()
                async with Heartbeat() as heartbeat:
                    await until(lambda: time.monotonic() - began > 2, 5)
                gap = longest_gap(plc.served[1], began)
                assert gateway.status()["buffer"]["bytes"] > 0
                disk.behave()
                broker.connack = 0
                outcome.recovery_s = await drained(gateway, plc)
        outcome.judge(arrivals_at(broker), served=plc.count())
        outcome.notes = {"longest gap between polls every 100 ms, ms": round(gap * 1000)}
        outcome.assert_nothing_lost_silently()
        assert gap <= EVERY * 1.1 + heartbeat.worst
