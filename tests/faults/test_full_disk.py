"""A disk that others fill, or that becomes read-only: memory goes on, and nothing is silent."""

import asyncio
import contextlib
import itertools
import random
import time

import pytest

from edge_agent.errors import BufferUnavailable
from edge_agent.lanes import MEMORY_BYTES
from edge_agent.row import Loss, Row
from tests.rigs.agent_process import AgentProcess, agent, configure
from tests.rigs.arrivals import arrivals_at
from tests.rigs.buffers import drain, opened, pass_time
from tests.rigs.counter_plc import CounterPlc, Heartbeat, connection, honest
from tests.rigs.counter_plc import drain as drained
from tests.rigs.fake_broker import fake_broker
from tests.rigs.fault_report import judged
from tests.rigs.hand_clock import HandClock
from tests.rigs.loop_disk import fill, mount_anew, remount, small_disk, why_not
from tests.rigs.until import until

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())

BACK_SECONDS = 5.0  # the promise: so soon after there is room again all is well again
RETRY_SOON = {"edge_agent.agent.DISK_RETRY": 0.5}
UNAVAILABLE = 0x88  # MQTT 5, 3.2.2.2: try again soon

chance = random.Random(6)


@pytest.fixture
def disk(tmp_path):
    with small_disk(tmp_path, 64) as disk:
        yield disk


@contextlib.contextmanager
def full(disk):
    filler = fill(disk)
    yield
    filler.unlink(missing_ok=True)


@contextlib.contextmanager
def read_only(disk):
    remount(disk, "ro")
    yield
    remount(disk, "rw")


TROUBLES = {"disk full by others": (6, full), "read-only file system": (8, read_only)}


@pytest.fixture
def home(disk, tmp_path):
    """A folder for an agent whose buffer is on the disk."""
    (tmp_path / "buffer").symlink_to(disk, target_is_directory=True)
    return tmp_path


def health(gateway):
    status = gateway.status()
    return status["agent"]["health"], status["buffer"]["why"]


def send_away(broker):
    broker.connack = UNAVAILABLE
    broker.cut()


@pytest.mark.thorough
async def test_on_a_full_disk_polling_and_sending_go_on_and_all_is_well_soon_afterwards(disk, home):
    with judged(6, "disk full by others, while running") as outcome:
        async with CounterPlc() as plc, fake_broker() as broker, Heartbeat() as own:
            async with agent(home, configure(broker.port, connection(plc))) as gateway:
                await until(lambda: len(broker.payloads("/data")) > 5)
                with full(disk):
                    await stays_useful(gateway, plc, broker)
                began = time.monotonic()
                await until(lambda: health(gateway) == ("ok", ""))
                outcome.recovery_s = time.monotonic() - began
                await until(lambda: gateway.status()["buffer"]["bytes"] > 0)
                broker.connack = 0
                await drained(gateway, plc)
                assert len(gateway.events("disk_refuses_the_buffer")) <= 2
                await gateway.stop()
        outcome.judge(arrivals_at(broker), served=plc.count())
        outcome.assert_nothing_lost_silently()
        assert outcome.recovery_s <= BACK_SECONDS + own.noise


async def stays_useful(gateway, plc, broker):
    """With a bad disk: says so, polls, sends live, and keeps what cannot be sent."""
    send_away(broker)
    await until(lambda: health(gateway)[0] == "degraded")
    assert health(gateway)[1]
    polls = plc.count()
    await until(lambda: plc.count() > polls + 20)
    broker.connack = 0
    seen = len(broker.payloads("/data"))
    await until(lambda: len(broker.payloads("/data")) > seen + 20)
    send_away(broker)
    await until(lambda: gateway.status()["buffer"]["readings"] > 20)


@pytest.mark.faults
async def test_a_file_system_that_gives_up_costs_nothing_that_memory_still_holds(disk, home):
    with judged(8, "read-only after an error, while running; mounted anew") as outcome:
        async with CounterPlc() as plc, fake_broker() as broker:
            async with agent(home, configure(broker.port, connection(plc))) as gateway:
                await until(lambda: len(broker.payloads("/data")) > 5)
                remount(disk, "abort")  # what ext4 does to itself after an error
                await stays_useful(gateway, plc, broker)
                broker.connack = 0
                await drained(gateway, plc)
                assert gateway.running
                await gateway.kill()
                await asyncio.to_thread(mount_anew, disk)
                plc.mood = honest
                began = time.monotonic()
                await gateway.start()
                seen = len(broker.payloads("/data"))
                await until(lambda: len(broker.payloads("/data")) > seen)
                outcome.recovery_s = time.monotonic() - began
                assert health(gateway) == ("ok", "")
                await drained(gateway, plc)
                await gateway.stop()
        outcome.judge(arrivals_at(broker), served=plc.count())
        assert outcome.missing == outcome.disorder == 0
        assert outcome.delivered == outcome.produced


@pytest.mark.faults
@pytest.mark.parametrize("trouble", TROUBLES)
async def test_a_start_on_such_a_disk_waits_and_says_why_and_goes_on_by_itself(disk, home, trouble):
    number, spoil = TROUBLES[trouble]
    with judged(number, f"{trouble}, at start") as outcome:
        async with CounterPlc() as plc, fake_broker() as broker, Heartbeat() as own:
            gateway = AgentProcess(home, configure(broker.port, connection(plc)), RETRY_SOON)
            try:
                with spoil(disk):
                    await gateway.start()
                    await until(lambda: gateway.events("buffer_not_open"))
                    assert "free some space or mend its rights" in gateway.log[-1]["why"]
                    assert gateway.running
                began = time.monotonic()
                await until(lambda: broker.payloads("/data"))
                outcome.recovery_s = time.monotonic() - began
                assert len(gateway.events("buffer_not_open")) == 1, "the log repeats itself"
                await drained(gateway, plc)
                await gateway.stop()
            finally:
                await gateway.kill()
        outcome.judge(arrivals_at(broker), served=plc.count())
        outcome.assert_nothing_lost_silently()
        assert outcome.recovery_s <= BACK_SECONDS + own.noise


# --- how much is kept, and that every reading is counted -----------------------------------------


def produce(buffer, clock, count, size):
    """Append rows of two readings each; give how many readings could not even be numbered."""
    unnumbered = 0
    for _ in range(count):
        body = chance.randbytes(size)
        try:
            buffer.append("press", clock.now(), clock.mono(), 2, body)
        except BufferUnavailable:
            unnumbered += 2
    return unnumbered


async def accounts(outcome, buffer, clock):
    """Drain a buffer on a good disk and count readings: delivered, and named by each reason."""
    items = await drain(buffer, clock)
    rows = [item for item in items if isinstance(item, Row)]
    losses = [item for item in items if isinstance(item, Loss)]
    outcome.delivered = sum(row.readings for row in rows)
    outcome.named = sum(loss.readings for loss in losses)
    outcome.losses = len(losses)
    outcome.duplicates = len(rows) - len({row.seq for row in rows})
    lanes = [[row for row in rows if row.historical is historical] for historical in (True, False)]
    outcome.disorder = sum(a.seq > b.seq for lane in lanes for a, b in itertools.pairwise(lane))
    assert {loss.why for loss in losses} == {"capacity"}


@pytest.mark.faults
async def test_memory_stays_bounded_while_the_disk_is_full_and_drops_are_counted(disk):
    with judged(6, "disk full by others, 24 MB arrive without a broker") as outcome:
        clock, size = HandClock(), 100_000
        async with opened(disk / "buffer", clock) as buffer:
            with full(disk):
                for _ in range(8):  # few, because every try packs all of memory
                    produce(buffer, clock, 30, size)
                    await pass_time(buffer, clock, 0.5)
                    assert buffer._lanes._memory <= MEMORY_BYTES
                assert buffer.trouble
                outcome.produced = 2 * 240
            began = time.monotonic()
            await accounts(outcome, buffer, clock)
            outcome.recovery_s = time.monotonic() - began
            assert buffer.trouble == ""
        outcome.missing = outcome.produced - outcome.delivered - outcome.named
        assert outcome.missing == outcome.disorder == outcome.duplicates == 0
        assert outcome.delivered * size / 2 > MEMORY_BYTES * 0.9, "more was dropped than needed"


async def test_what_gets_no_number_is_counted_to_the_reading(tmp_path):
    with judged(8, "no number can be reserved, until they run out") as outcome:
        clock = HandClock()
        async with opened(tmp_path / "buffer", clock) as buffer:
            with no_reservation(tmp_path / "buffer"):
                unnumbered = produce(buffer, clock, 12_000, 10)
                await pass_time(buffer, clock, 2.0)
                assert unnumbered > 0
                assert buffer.trouble
            outcome.produced, began = 2 * 12_000, time.monotonic()
            await accounts(outcome, buffer, clock)
            outcome.recovery_s = time.monotonic() - began
            assert outcome.named == unnumbered
        outcome.missing = outcome.produced - outcome.delivered - outcome.named
        assert outcome.missing == outcome.disorder == 0


@contextlib.contextmanager
def no_reservation(folder):
    """Let something stand in the way of the file of reserved numbers."""
    (folder / "numbers.a").rename(folder / "aside")
    (folder / "numbers.a").mkdir()
    yield
    (folder / "numbers.a").rmdir()
    (folder / "aside").rename(folder / "numbers.a")
