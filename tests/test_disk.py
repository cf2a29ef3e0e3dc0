"""Disks that fail below a running buffer: what is said, what goes on, what comes back."""

import os
from contextlib import contextmanager

import pytest

from edge_agent import aside
from edge_agent import disk as disk_module
from edge_agent.reader import UNREADABLE_SECONDS
from edge_agent.row import Loss, Row
from tests.rigs.buffers import append, bodies, drain, kill, open_buffer, opened, pass_time
from tests.rigs.damage import database_cut_in_the_middle_of_a_page, overwrite
from tests.rigs.hand_clock import HandClock
from tests.rigs.small_disk import fill, small_disk


@pytest.fixture
def clock():
    return HandClock()


@contextmanager
def gone(buffer, path):
    """Let every access fail, reads as well, as when a card is pulled out."""
    buffer._disk._store.close()
    path.rename(path.with_name("elsewhere"))
    yield
    path.with_name("elsewhere").rename(path)


@contextmanager
def full(buffer):
    """Let the database grow no further."""
    db = buffer._disk._store._sql
    db.execute(f"PRAGMA max_page_count={db.execute('PRAGMA page_count').fetchone()[0]}")
    yield
    buffer._disk._store._sql.execute("PRAGMA max_page_count=1073741823")


async def record_after_a_kill(buffer, clock, home):
    """Kill it and start anew; give the record of loss and what comes."""
    folder = await kill(buffer, home / "a", home / "b")
    clock.reboot()
    async with opened(folder, clock) as again:
        items = await drain(again, clock)
    (record,) = [item for item in items if isinstance(item, Loss)]
    return record, bodies(items)


# --- how much a kill costs ----------------------------------------------------------------------


async def test_after_a_disk_that_took_no_rows_the_record_says_for_how_long(tmp_path, clock):
    buffer = await open_buffer(tmp_path / "a", clock)
    append(buffer, clock, b"before")
    await pass_time(buffer, clock, 1.0)
    with full(buffer):
        for _ in range(60):
            append(buffer, clock, os.urandom(3000))
            await pass_time(buffer, clock, 0.5)
        assert buffer.trouble
        record, rows = await record_after_a_kill(buffer, clock, tmp_path)
    assert rows == [b"before"]
    assert (record.why, record.first) == ("power_cut", 2)
    assert 30_000 - 1000 <= record.exposed_ms <= 32_000 + 100_000, "until now: the kill is unknown"


async def test_once_it_takes_them_again_a_kill_costs_no_more_than_flush(tmp_path, clock):
    buffer = await open_buffer(tmp_path / "a", clock)
    with full(buffer):
        append(buffer, clock, os.urandom(30_000))
        await pass_time(buffer, clock, 5.0)
        assert buffer.trouble
    await pass_time(buffer, clock, 1.0)
    append(buffer, clock, b"gone")
    record, rows = await record_after_a_kill(buffer, clock, tmp_path)
    assert (len(rows), record.exposed_ms) == (1, 1000)


async def test_what_the_broker_took_meanwhile_is_exposed_no_longer(tmp_path, clock):
    buffer = await open_buffer(tmp_path / "a", clock)
    with full(buffer):
        append(buffer, clock, os.urandom(30_000))
        await pass_time(buffer, clock, 5.0)
        assert buffer.trouble
        buffer.ack(buffer.next())
        await pass_time(buffer, clock, 2.0)
        record, rows = await record_after_a_kill(buffer, clock, tmp_path)
    assert (rows, record.exposed_ms) == ([], 1000)


# --- files that are changed while they are in use -------------------------------------------------


@pytest.mark.parametrize("names", [("buffer.db", "buffer.db-wal"), ("buffer.db-wal",)])
async def test_files_removed_while_in_use_are_made_anew_and_nothing_is_lost(tmp_path, clock, names):
    buffer = await open_buffer(tmp_path / "a", clock)
    for number in range(5):
        append(buffer, clock, b"%d" % number)
        await pass_time(buffer, clock, 1.0)
    for name in names:
        (tmp_path / "a" / name).unlink()
    append(buffer, clock, b"5")
    await pass_time(buffer, clock, 2.0)
    assert buffer.trouble == ""
    record, rows = await record_after_a_kill(buffer, clock, tmp_path)
    assert rows == [b"%d" % number for number in range(6)]
    assert (record.why, record.first) == ("power_cut", 7)


async def test_a_foreign_file_in_the_place_of_ours_is_set_aside(tmp_path, clock):
    async with opened(tmp_path, clock) as buffer:
        append(buffer, clock, b"one")
        await pass_time(buffer, clock, 1.0)
        (tmp_path / "other").write_bytes(b"of somebody else")
        (tmp_path / "other").replace(tmp_path / "buffer.db")
        append(buffer, clock, b"two")
        await pass_time(buffer, clock, 2.0)
        assert bodies(await drain(buffer, clock)) == [b"one", b"two"]
    assert (tmp_path / "buffer.db.corrupt-1").read_bytes() == b"of somebody else"


async def test_a_salvage_that_fails_at_its_very_end_is_finished_by_the_next(
    tmp_path, clock, monkeypatch
):
    """The disk refuses the last renaming: what is whole must not be thrown away."""
    await damaged_folder(tmp_path, clock, second_half_zeroed)
    buffer = await open_buffer(tmp_path, clock)
    append(buffer, clock, b"new")
    await pass_time(buffer, clock, 1.0)
    waiting = buffer.waiting
    with monkeypatch.context() as patch:
        patch.setattr(aside, "finish_earlier", refuse)
        with pytest.raises(OSError, match="refused"):
            await buffer._disk.salvage()
    assert not (tmp_path / "buffer.db").exists()
    await buffer._disk.salvage()
    assert buffer.waiting == waiting
    await buffer.close()
    clock.reboot()
    async with opened(tmp_path, clock) as buffer:
        rows = bodies(await drain(buffer, clock))
    assert len(rows) == waiting
    assert b"new" in rows


def refuse(path):
    if not path.exists():
        raise OSError("refused")


# --- what waits behind a disk that gives nothing --------------------------------------------------


async def test_rows_in_memory_do_not_wait_for_ever_behind_a_backlog_that_cannot_be_read(
    tmp_path, clock
):
    async with opened(tmp_path, clock) as buffer:
        append(buffer, clock, b"on disk")
        await pass_time(buffer, clock, 12.0)
        buffer._lanes.backlog.rewind(1)  # nothing of it is read back yet
        with gone(buffer, tmp_path / "buffer.db"):
            append(buffer, clock, b"in memory")
            await pass_time(buffer, clock, 12.0)
            assert buffer.next() is None, "older ones go first"
            await pass_time(buffer, clock, UNREADABLE_SECONDS)
            item = buffer.next()
            assert (item.body, item.historical) == (b"in memory", True)
            buffer.ack(item)
        assert bodies(await drain(buffer, clock)) == [b"on disk"]
        assert buffer.trouble == ""


# --- salvage without room -----------------------------------------------------------------------


@pytest.fixture
def disk(tmp_path):
    with small_disk(tmp_path / "disk", 1024) as place:
        yield place


def second_half_zeroed(folder):
    path = folder / "buffer.db"
    start = path.stat().st_size // 2048 * 1024
    overwrite(path, start, bytes(path.stat().st_size - start))


async def damaged_folder(folder, clock, damage=database_cut_in_the_middle_of_a_page):
    """Leave the first half of a database of about 250 KB."""
    buffer = await open_buffer(folder, clock)
    for _ in range(80):
        append(buffer, clock, os.urandom(3000))
        await pass_time(buffer, clock, 1.0)
    buffer._disk._store.fold()
    await buffer._disk._run(buffer._disk._store.close)
    buffer._disk._thread.shutdown()
    clock.reboot()
    damage(folder)
    return folder / "buffer.db"


async def test_without_room_for_a_salvage_all_goes_on_and_it_follows_when_there_is(disk, clock):
    path = await damaged_folder(disk / "buffer", clock)
    filler = fill(disk)
    async with opened(disk / "buffer", clock) as buffer:
        append(buffer, clock, b"new")
        await pass_time(buffer, clock, 5.0)
        assert "free some space" in buffer.trouble
        rows = {item.seq: item.body for item in await drain(buffer, clock) if isinstance(item, Row)}
        assert len(rows) >= 30, "what can be read goes out, and so does what is new"
        assert b"new" in rows.values()
        append(buffer, clock, b"kept")
        await pass_time(buffer, clock, 61.0)
        assert buffer.trouble
        filler.unlink()
        append(buffer, clock, b"kept too")
        await pass_time(buffer, clock, 61.0)
        assert buffer.trouble == ""
    assert aside.copies(path)[0].exists()
    clock.reboot()
    async with opened(disk / "buffer", clock) as buffer:
        assert bodies(await drain(buffer, clock)) == [b"kept", b"kept too"]


async def test_a_kill_before_there_was_room_costs_nothing_either(disk, clock, tmp_path):
    await damaged_folder(disk / "buffer", clock)
    filler = fill(disk)
    buffer = await open_buffer(disk / "buffer", clock)
    epoch, last = buffer.epoch, buffer.last_seq
    append(buffer, clock, b"gone")
    await pass_time(buffer, clock, 1.0)
    filler.unlink()
    folder = await kill(buffer, disk / "buffer", tmp_path / "b")
    clock.reboot()
    async with opened(folder, clock) as again:
        append(again, clock, b"new")
        assert (again.epoch, again.last_seq > last) == (epoch, True)
        items = await drain(again, clock)
    rows = {item.seq for item in items if isinstance(item, Row)}
    assert len(rows) >= 30
    named = [item for item in items if isinstance(item, Loss)]
    for seq in range(1, last + 2):
        is_named = any((one.first or 1) <= seq <= one.last for one in named)
        assert seq in rows or seq in {one.seq for one in named} or is_named


@pytest.mark.parametrize("damage", [database_cut_in_the_middle_of_a_page, second_half_zeroed])
async def test_a_long_salvage_does_not_keep_the_agent_from_its_work(
    tmp_path, clock, monkeypatch, damage
):
    monkeypatch.setattr(disk_module, "AT_ONCE", 10_000)
    path = await damaged_folder(tmp_path, clock, damage)
    async with opened(tmp_path, clock) as buffer:
        assert not aside.copies(path)[0].exists(), "it is not yet salvaged"
        append(buffer, clock, b"new")
        assert buffer.next().body == b"new"
        await pass_time(buffer, clock, 1.0)
        assert aside.copies(path)[0].exists()
        assert buffer.trouble == ""
        buffer.give_back()
        rows = bodies(await drain(buffer, clock))
    assert len(rows) >= 30
    assert b"new" in rows


async def test_what_was_kept_for_people_gives_way_to_a_salvage(disk, clock):
    path = await damaged_folder(disk / "buffer", clock)
    for number, copy in enumerate(aside.copies(path)):
        copy.write_bytes(bytes(150_000))
        os.utime(copy, (number, number))
    fill(disk)
    async with opened(disk / "buffer", clock) as buffer:
        assert buffer.trouble == ""
        assert len(bodies(await drain(buffer, clock))) >= 30
    kept = [copy for copy in aside.copies(path) if copy.exists()]
    assert kept
    assert kept[0].read_bytes().startswith(b"SQLite"), "the newest damage is kept"
