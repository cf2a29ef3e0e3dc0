"""The buffer on real disks: what is written, what is refused, what comes back."""

import asyncio
import os
import threading
import time

import pytest

from edge_agent import lanes
from edge_agent.clock import Clock
from edge_agent.config.model import BufferLimits
from edge_agent.errors import BufferUnavailable
from edge_agent.numbers import SPARE
from edge_agent.row import Loss, Row
from tests.rigs.buffers import append, bodies, drain, kill, open_buffer, opened, pass_time
from tests.rigs.hand_clock import HandClock
from tests.rigs.small_disk import fill, small_disk
from tests.rigs.until import until


@pytest.fixture
def clock():
    return HandClock()


def size_on_disk(folder):
    return sum(path.stat().st_size for path in folder.iterdir())


async def test_nothing_is_written_while_the_broker_acknowledges(tmp_path, clock):
    async with opened(tmp_path, clock) as buffer:
        before = size_on_disk(tmp_path)
        for number in range(200):
            append(buffer, clock, b"%d" % number)
            buffer.ack(buffer.next())
            await pass_time(buffer, clock, 0.25)
        assert size_on_disk(tmp_path) == before
        assert buffer.waiting == 0


async def test_what_is_not_acknowledged_is_on_disk_within_flush(tmp_path, clock):
    buffer = await open_buffer(tmp_path / "a", clock)
    append(buffer, clock, b"one", b"two")
    await pass_time(buffer, clock, 0.75)
    folder = await kill(buffer, tmp_path / "a", tmp_path / "b")
    clock.reboot()
    async with opened(folder, clock) as again:
        assert bodies(await drain(again, clock)) == [b"one", b"two"]


async def test_after_a_kill_one_record_names_all_that_may_be_missing(tmp_path, clock):
    buffer = await open_buffer(tmp_path / "a", clock)
    append(buffer, clock, b"gone")
    started, last = clock.now(), buffer.last_seq
    folder = await kill(buffer, tmp_path / "a", tmp_path / "b")
    clock.reboot()
    async with opened(folder, clock) as again:
        (record,) = await drain(again, clock)
    said = record.payload(again.epoch)
    assert said["first"] <= last <= said["last"] < record.seq
    assert (said["why"], said["exposed_ms"], said["readings"]) == ("power_cut", 1000, None)
    assert said["from"] <= started <= said["to"]


async def test_a_clean_stop_loses_nothing_and_skips_no_number(tmp_path, clock):
    async with opened(tmp_path, clock) as buffer:
        append(buffer, clock, b"one", b"two")
        buffer.ack(buffer.next())
        epoch = buffer.epoch
    clock.advance(3)
    async with opened(tmp_path, clock) as again:
        append(again, clock, b"three")
        assert (again.epoch, again.last_seq) == (epoch, 3)
        items = await drain(again, clock)
    assert [(item.seq, item.prev) for item in items] == [(3, 2), (2, 1)]


async def held_up(buffer):
    """Let the disk hang until the event that is given is set."""
    go = threading.Event()
    buffer._disk._thread.submit(go.wait)
    await until(buffer._disk._thread._work_queue.empty)
    return go


async def test_a_stop_in_the_middle_of_a_commit_loses_nothing_and_repeats_nothing(tmp_path, clock):
    buffer = await open_buffer(tmp_path, clock)
    append(buffer, clock, b"one", b"two")
    clock.advance(0.75)
    begun, go = threading.Event(), threading.Event()

    def hang():
        begun.set()
        go.wait()
        return 0  # and go on

    buffer._disk._store._sql.set_progress_handler(hang, 1)
    running = asyncio.create_task(buffer.run())
    await until(begun.is_set)
    running.cancel()
    append(buffer, clock, b"three")
    buffer.ack(buffer.next())
    await asyncio.sleep(0.01)
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    await buffer.close()
    clock.reboot()
    async with opened(tmp_path, clock) as again:
        assert bodies(await drain(again, clock)) == [b"two", b"three"]


async def test_what_is_sent_while_the_oldest_is_about_to_give_way_is_not_named(tmp_path, clock):
    async with opened(tmp_path, clock) as buffer:
        for number in range(3):
            append(buffer, clock, b"%d" % number)
            await pass_time(buffer, clock, 1.0)
        await pass_time(buffer, clock, 12.0)
        buffer._disk._limits = BufferLimits(tmp_path, max_bytes=0)
        go = await held_up(buffer)
        dropping = asyncio.create_task(buffer._disk.keep_limits(synced=True))
        await until(lambda: not buffer._disk._thread._work_queue.empty())
        row = buffer.next()
        go.set()
        await dropping
        buffer.ack(row)
        named = [(item.first, item.last) for item in await drain(buffer, clock)]
    assert (row.seq, named) == (1, [(2, 3)])


async def test_a_backlog_is_read_back_as_fast_as_it_is_acknowledged(tmp_path, clock):
    async with opened(tmp_path, clock) as buffer:
        for number in range(60):
            append(buffer, clock, *[b"%d" % number] * 100)
            await pass_time(buffer, clock, 1.0)
    buffer = await open_buffer(tmp_path, Clock())
    running = asyncio.create_task(buffer.run())
    begun, count = time.monotonic(), 0
    while count < 6000:
        while item := buffer.next():
            buffer.ack(item)
            count += 1
        await asyncio.sleep(0.001)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await buffer.close()
    assert time.monotonic() - begun < 5, "one segment per tick would take 15 s"


# --- limits ------------------------------------------------------------------------------------


async def test_the_oldest_give_way_and_records_count_them_exactly(tmp_path, clock):
    async with opened(tmp_path, clock, max_bytes=1 << 16) as buffer:
        for _ in range(100):
            append(buffer, clock, os.urandom(3000))
            await pass_time(buffer, clock, 1.0)
        assert buffer.used <= (1 << 16) + 13 * 4000, "the live lane's last 10 s may be on top"
        items = await drain(buffer, clock)
    records = [item for item in items if isinstance(item, Loss)]
    delivered = [item.seq for item in items if isinstance(item, Row)]
    assert {record.why for record in records} == {"capacity"}
    assert sum(record.readings for record in records) + len(delivered) == 100
    # One record as long as nothing but lost readings follows: the records' own numbers part them.
    assert [record.first for record in records[1:]] == [record.last + 2 for record in records[:-1]]
    assert records[0].first == 1
    assert records[-1].last < delivered[0]


async def test_old_readings_give_way_only_by_a_clock_that_is_right(tmp_path):
    clock = HandClock(synced=False)
    async with opened(tmp_path, clock, max_age=60.0) as buffer:
        append(buffer, clock, b"with a stale clock")
        await pass_time(buffer, clock, 1.0)
        clock.step(200 * 86400)
        await pass_time(buffer, clock, 100.0)
        buffer.synced = True
        await pass_time(buffer, clock, 100.0)
        assert buffer.losses == 0, "how old it is was never known"
        append(buffer, clock, b"with a right clock")
        await pass_time(buffer, clock, 59.0)
        assert buffer.losses == 0
        await pass_time(buffer, clock, 2.0)
        (record,) = await drain(buffer, clock)
    assert (record.first, record.last, record.readings, record.why) == (1, 2, 2, "age")


async def test_what_gives_way_to_its_age_first_is_foretold(tmp_path):
    clock = HandClock()
    async with opened(tmp_path, clock, max_age=3600.0) as buffer:
        append(buffer, clock, b"the first")
        await pass_time(buffer, clock, 20.0)
        assert buffer.seconds_until_full == pytest.approx(3600 - 20, abs=2)
        await pass_time(buffer, clock, 1000.0)
        append(buffer, clock, b"another")
        await pass_time(buffer, clock, 20.0)
        assert buffer.seconds_until_full == pytest.approx(3600 - 1040, abs=2)
        await drain(buffer, clock)
        append(buffer, clock, b"after the outage")
        await pass_time(buffer, clock, 1.0)
        assert buffer.seconds_until_full == pytest.approx(3600, abs=4)


async def test_age_is_not_foretold_where_no_clock_can_tell_it(tmp_path):
    clock = HandClock(synced=False)
    async with opened(tmp_path, clock, max_age=60.0) as buffer:
        append(buffer, clock, b"with a stale clock")
        await pass_time(buffer, clock, 20.0)
        assert buffer.seconds_until_full > 3600


async def test_a_row_that_is_still_sent_live_is_not_dropped(tmp_path, clock):
    async with opened(tmp_path, clock, max_bytes=1 << 14) as buffer:
        append(buffer, clock, *[os.urandom(3000) for _ in range(10)])
        await pass_time(buffer, clock, 3.0)
        assert buffer.losses == 0
        items = await drain(buffer, clock)
    assert len(bodies(items)) == 10 - sum(i.readings for i in items if isinstance(i, Loss))


# --- refusals ----------------------------------------------------------------------------------


async def test_a_refused_row_is_named_before_its_number_counts_as_done(tmp_path, clock):
    buffer = await open_buffer(tmp_path / "a", clock)
    append(buffer, clock, b"poison")
    buffer.refuse(buffer.next())
    assert buffer._lanes.accounted() == 0, "only memory knows what became of number 1"
    await pass_time(buffer, clock, 1.0)
    folder = await kill(buffer, tmp_path / "a", tmp_path / "b")
    clock.reboot()
    async with opened(folder, clock) as again:
        named = [(item.first, item.why) for item in await drain(again, clock)]
    assert (1, "refused") in named


async def test_a_record_of_loss_that_is_refused_is_offered_on_the_next_connection(tmp_path, clock):
    async with opened(tmp_path, clock) as buffer:
        append(buffer, clock, b"poison")
        buffer.refuse(buffer.next())
        record = buffer.next()
        buffer.refuse(record)
        assert buffer.next() is None
        assert buffer.losses == 1
        buffer.give_back()
        assert buffer.next() is record


# --- disks that refuse -------------------------------------------------------------------------


@pytest.fixture
def disk(tmp_path):
    with small_disk(tmp_path / "disk", 512) as place:
        yield place


async def test_a_full_disk_costs_nothing_and_is_used_again_by_itself(disk, clock):
    async with opened(disk / "buffer", clock) as buffer:
        append(buffer, clock, b"before")
        await pass_time(buffer, clock, 12.0)
        filler = fill(disk)
        made = [os.urandom(2000) for _ in range(60)]
        for body in made:
            append(buffer, clock, body)
            await pass_time(buffer, clock, 0.5)
        assert "full" in buffer.trouble
        first = buffer.next()
        assert not buffer.is_historical(first), "live readings flow all the same"
        filler.unlink()
        await pass_time(buffer, clock, 1.0)
        assert buffer.trouble == ""
        buffer.give_back()
    async with opened(disk / "buffer", clock) as again:
        items = await drain(again, clock)
    assert bodies(items) == [b"before", *made]


async def test_what_is_sent_from_a_full_disk_makes_room_on_it(tmp_path, clock):
    async with opened(tmp_path, clock) as buffer:
        append(buffer, clock, os.urandom(30_000))
        await pass_time(buffer, clock, 12.0)
        db = buffer._disk._store._sql
        db.execute(f"PRAGMA max_page_count={db.execute('PRAGMA page_count').fetchone()[0]}")
        append(buffer, clock, os.urandom(20_000))
        await pass_time(buffer, clock, 12.0)
        assert "full" in buffer.trouble
        buffer.ack(buffer.next())
        await pass_time(buffer, clock, 1.0)
        assert buffer.trouble == ""


async def test_memory_stays_bounded_on_a_full_disk_and_the_oldest_are_named(
    tmp_path, clock, monkeypatch
):
    monkeypatch.setattr(lanes, "MEMORY_BYTES", 20_000)
    async with opened(tmp_path, clock) as buffer:
        db = buffer._disk._store._sql
        db.execute(f"PRAGMA max_page_count={db.execute('PRAGMA page_count').fetchone()[0]}")
        for _ in range(100):
            append(buffer, clock, os.urandom(1000))
            await pass_time(buffer, clock, 0.5)
        assert buffer._lanes._memory <= 21_000
        db.execute("PRAGMA max_page_count=1000000")
        items = await drain(buffer, clock)
    records = [item for item in items if isinstance(item, Loss)]
    delivered = [item.seq for item in items if isinstance(item, Row)]
    assert sum(record.readings for record in records) + len(delivered) == 100
    assert {record.why for record in records} == {"capacity"}
    assert max(record.last for record in records) < min(delivered)


async def test_readings_without_a_number_are_counted_in_a_record(tmp_path, clock):
    async with opened(tmp_path, clock) as buffer:
        append(buffer, clock, b"numbered")
        buffer._lanes.numbers.reserved = buffer.last_seq + SPARE
        copy = tmp_path / "numbers.a"
        copy.unlink()
        copy.mkdir()  # nothing can be written there
        for _ in range(3):
            with pytest.raises(BufferUnavailable, match="no number can be reserved"):
                append(buffer, clock, b"unnumbered")
        await pass_time(buffer, clock, 0.25)
        assert buffer.trouble
        copy.rmdir()
        await pass_time(buffer, clock, 0.25)
        append(buffer, clock, b"numbered again")
        items = await drain(buffer, clock)
    (record,) = [item for item in items if isinstance(item, Loss)]
    assert (record.first, record.last, record.readings) == (None, None, 3)
    assert sorted(bodies(items)) == [b"numbered", b"numbered again"]


async def test_a_folder_serves_one_agent_at_a_time(tmp_path, clock, monkeypatch):
    monkeypatch.setattr("edge_agent.database.BUSY_SECONDS", 0.05)
    async with opened(tmp_path, clock):
        with pytest.raises(BufferUnavailable, match="another edge-agent runs on it"):
            await open_buffer(tmp_path, clock)
    async with opened(tmp_path, clock):
        pass


async def test_a_database_that_vanishes_is_trouble_and_nothing_new_takes_its_place(tmp_path, clock):
    async with opened(tmp_path / "a", clock) as buffer:
        append(buffer, clock, b"one")
        buffer._disk._store.close()
        (tmp_path / "a" / "buffer.db").rename(tmp_path / "elsewhere")
        await pass_time(buffer, clock, 1.0)
        assert "is gone" in buffer.trouble
        (tmp_path / "elsewhere").rename(tmp_path / "a" / "buffer.db")
        await pass_time(buffer, clock, 0.5)
        assert buffer.trouble == ""


async def test_pages_that_rot_while_it_runs_cost_only_what_is_named(tmp_path, clock):
    async with opened(tmp_path, clock) as buffer:
        made = [os.urandom(3000) for _ in range(80)]
        for body in made:
            append(buffer, clock, body)
            await pass_time(buffer, clock, 1.0)
        store = buffer._disk._store
        store._sql.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with (tmp_path / "buffer.db").open("r+b") as file:
            file.seek(100_000)
            file.write(bytes(50_000))
        store._sql.execute("PRAGMA shrink_memory")
        await pass_time(buffer, clock, 12.0)
        append(buffer, clock, b"new")
        items = await drain(buffer, clock)
        assert buffer.trouble == ""
        assert (buffer.waiting, buffer.losses) == (0, 0)
    delivered = {item.seq for item in items if isinstance(item, Row)}
    named = {n for i in items if isinstance(i, Loss) for n in range(i.first, i.last + 1)}
    assert delivered | named | {i.seq for i in items} == set(range(1, buffer.last_seq + 1))
    assert b"new" in bodies(items)
    assert len(delivered) > 40, "what is behind the damage is sent all the same"
