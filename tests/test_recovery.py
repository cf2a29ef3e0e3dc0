"""Whatever happened to the folder: the buffer opens, goes on, and names what may be missing."""

import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from edge_agent.aside import KEPT_COPIES
from edge_agent.errors import BufferUnavailable
from edge_agent.missing import LEAP
from edge_agent.reserve import Reservation, ReserveFile
from edge_agent.row import Loss, Row
from tests.rigs.buffers import append, bodies, drain, kill, open_buffer, opened, pass_time
from tests.rigs.hand_clock import HandClock

FILES = ("buffer.db", "buffer.db-wal", "numbers.a", "numbers.b", "folded")


def fold(folder, name):
    """Prepare one file of the folder for damage; `folded` is the database without a WAL."""
    if name != "folded":
        return folder / name
    db = sqlite3.connect(folder / "buffer.db")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    return folder / "buffer.db"


class Remains:
    """A folder as a killed agent left it, and what the agent had made."""

    def __init__(self, folder, clock, made, acked, epoch):
        self.folder, self.clock = folder, clock
        self.made, self.acked, self.epoch = made, acked, epoch

    def copy(self, to):
        shutil.copytree(self.folder, to)
        clock = HandClock()
        clock.advance(self.clock.passed)
        clock.reboot()
        return Remains(to, clock, self.made, self.acked, self.epoch)


@pytest.fixture
async def remains(tmp_path):
    """Six segments of five rows, two rows acknowledged, one refused, a kill in the end."""
    clock = HandClock()
    buffer = await open_buffer(tmp_path / "killed", clock)
    made, acked = {}, set()
    for number in range(6):
        for device in "abcde":
            body = b"%s-%d" % (device.encode(), number)
            append(buffer, clock, body, device=device)
            made[buffer.last_seq] = body
        await pass_time(buffer, clock, 1.0)
    first, second, third = (buffer.next() for _ in range(3))
    buffer.ack(first)
    buffer.ack(third)
    acked |= {first.seq, third.seq}
    buffer.refuse(second)
    await pass_time(buffer, clock, 2.0)
    await buffer._disk.grants.renew()  # what vanishes now was accounted for
    folder = await kill(buffer, tmp_path / "killed", tmp_path / "remains")
    return Remains(folder, clock, made, acked, buffer.epoch)


async def judge(remains, *, is_whole=False):
    """Open what remains, read new data, and account for every number; give what was delivered."""
    async with opened(remains.folder, remains.clock) as buffer:
        append(buffer, remains.clock, b"new")
        fresh = (buffer.epoch, buffer.last_seq)
        items = await drain(buffer, remains.clock)
        epoch = buffer.epoch
    rows = {item.seq: item.body for item in items if isinstance(item, Row)}
    assert rows.pop(fresh[1]) == b"new"
    assert rows.items() <= remains.made.items(), "nothing comes that was never made"
    named = [item for item in items if isinstance(item, Loss) and item.lost_epoch == remains.epoch]
    if epoch == remains.epoch:
        assert fresh[1] > max(remains.made), "no number is used again"
    for seq in remains.made:
        is_named = any((one.first or 0) <= seq <= one.last for one in named)
        assert seq in rows or seq in remains.acked or is_named, f"{seq} is lost silently"
    if is_whole:
        assert remains.made.keys() - remains.acked - rows.keys() == {2}, "only the refused one"
    return items


async def test_after_a_kill_everything_on_disk_is_delivered(remains):
    items = await judge(remains, is_whole=True)
    delivered = [item.seq for item in items if isinstance(item, Row)]
    assert not remains.acked & set(delivered), "acknowledgements were on disk as well"
    assert [item.why for item in items if isinstance(item, Loss)] == ["refused", "power_cut"]


# --- the file of reserved numbers --------------------------------------------------------------


@pytest.mark.parametrize("copy", ["numbers.a", "numbers.b"])
@pytest.mark.parametrize("content", [None, b"", b"x" * 512])
async def test_one_copy_of_the_reservation_is_enough(remains, copy, content):
    path = remains.folder / copy
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    before = max(remains.made)
    items = await judge(remains, is_whole=True)
    assert max(item.seq for item in items) - before < LEAP


async def test_without_any_reservation_a_wide_gap_is_left_and_named(remains):
    for name in ("numbers.a", "numbers.b"):
        (remains.folder / name).unlink()
    items = await judge(remains, is_whole=True)
    gap = next(item for item in items if isinstance(item, Loss) and item.why == "corrupt")
    assert gap.last - max(remains.made) >= LEAP / 2
    assert gap.last < next(item for item in items if getattr(item, "body", b"") == b"new").seq


async def test_a_kill_during_the_very_first_start_leaves_no_gap(tmp_path):
    clock = HandClock()
    folder = tmp_path / "buffer"
    folder.mkdir()
    ReserveFile(folder).write(Reservation("0123456789abcdef", 0, 0, clock.now()))
    async with opened(folder, clock) as buffer:
        assert (buffer.epoch, buffer.last_seq, buffer.losses) == ("0123456789abcdef", 0, 0)
    async with opened(folder, clock) as buffer:
        assert (buffer.epoch, buffer.last_seq, buffer.losses) == ("0123456789abcdef", 0, 0)


async def test_a_kill_while_the_range_is_named_does_not_forget_it(remains, tmp_path):
    reserve = ReserveFile(remains.folder)
    before = reserve.read()
    buffer = await open_buffer(remains.folder, remains.clock)
    folder = await kill(buffer, remains.folder, tmp_path / "again")
    ReserveFile(folder).write(before)  # the records were committed, the reservation not renewed
    again = Remains(folder, remains.clock, remains.made, remains.acked, remains.epoch)
    items = await judge(again, is_whole=True)
    assert "power_cut" in [item.why for item in items if isinstance(item, Loss)]


async def test_a_kill_while_a_lost_epoch_is_named_leaves_no_gap(remains, tmp_path):
    before = ReserveFile(remains.folder).read()
    for name in ("buffer.db", "buffer.db-wal"):
        (remains.folder / name).unlink()
    buffer = await open_buffer(remains.folder, remains.clock)
    folder = await kill(buffer, remains.folder, tmp_path / "again")
    for name in ("numbers.a", "numbers.b"):
        (folder / name).unlink()
    ReserveFile(folder).write(before)
    again = Remains(folder, remains.clock, remains.made, remains.acked, remains.epoch)
    items = await judge(again)
    assert [item.seq for item in items] == [2, 1]


async def test_a_kill_while_a_salvaged_database_is_put_in_its_place_costs_nothing(remains):
    fold(remains.folder, "folded").rename(remains.folder / "buffer.db.new")
    (remains.folder / "buffer.db-wal").unlink(missing_ok=True)
    await judge(remains, is_whole=True)


async def test_a_kill_right_before_that_leaves_no_foreign_wal_beside_the_new_database(remains):
    path = remains.folder / "buffer.db"
    db = sqlite3.connect(path)
    db.execute("VACUUM INTO ?", (str(remains.folder / "buffer.db.new"),))
    wal = (remains.folder / "buffer.db-wal").read_bytes()
    db.close()
    path.rename(remains.folder / "buffer.db.corrupt-1")
    (remains.folder / "buffer.db-wal").write_bytes(wal)
    await judge(remains, is_whole=True)
    assert (remains.folder / "buffer.db.corrupt-1-wal").read_bytes() == wal


async def test_a_salvage_that_was_not_finished_is_forgotten(remains):
    (remains.folder / "buffer.db.new").write_bytes(b"half of it")
    await judge(remains, is_whole=True)
    assert not (remains.folder / "buffer.db.new").exists()


async def test_a_wal_that_vanished_is_named_and_what_was_only_acknowledged_is_not(tmp_path):
    clock = HandClock()
    buffer = await open_buffer(tmp_path / "a", clock)
    for number in range(6):
        append(buffer, clock, b"%d" % number)
        if number < 3:
            buffer.ack(buffer.next())
        await pass_time(buffer, clock, 1.0)
        if number == 3:
            buffer._disk._store.fold()
    await buffer._disk.grants.renew()
    folder = await kill(buffer, tmp_path / "a", tmp_path / "b")
    (folder / "buffer.db-wal").unlink()
    clock.reboot()
    async with opened(folder, clock) as again:
        items = await drain(again, clock)
    named = [(item.first, item.last) for item in items if getattr(item, "why", "") == "corrupt"]
    assert (bodies(items), named) == ([b"3"], [(5, 6)])


# --- the database ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"garbage!" * 2000),
        lambda path: path.write_bytes(b"\0" * 100 + path.read_bytes()[100:]),
    ],
    ids=["missing", "empty", "garbage", "header zeroed"],
)
async def test_a_destroyed_database_is_named_in_a_new_epoch(remains, damage):
    (remains.folder / "buffer.db-wal").unlink()
    damage(remains.folder / "buffer.db")
    items = await judge(remains)
    record = next(item for item in items if isinstance(item, Loss))
    assert (record.seq, record.why) == (1, "corrupt")
    assert (record.first, record.readings) == (None, None)
    assert record.lost_epoch == remains.epoch
    assert record.last >= max(remains.made)


async def test_damaged_databases_are_kept_for_people_but_not_without_end(tmp_path):
    clock = HandClock()
    for number in range(KEPT_COPIES + 2):
        async with opened(tmp_path, clock):
            pass
        (tmp_path / "buffer.db").write_bytes(b"garbage %d " % number * 1000)
    async with opened(tmp_path, clock):
        pass
    kept = sorted(path.name for path in tmp_path.glob("*corrupt*"))
    assert kept == [f"buffer.db.corrupt-{number}" for number in range(1, KEPT_COPIES + 1)]
    assert b"garbage 4" in (tmp_path / "buffer.db.corrupt-1").read_bytes()


async def test_a_database_of_another_version_is_set_aside_and_named(remains):
    db = sqlite3.connect(remains.folder / "buffer.db")
    with db:
        db.execute("UPDATE note SET value=99 WHERE name='schema'")
    db.close()
    items = await judge(remains)
    assert remains.epoch in [item.lost_epoch for item in items if isinstance(item, Loss)]
    assert (remains.folder / "buffer.db.corrupt-1").exists()


async def test_a_damaged_segment_is_named_and_spoils_no_other(remains):
    db = sqlite3.connect(remains.folder / "buffer.db")
    with db:
        db.execute("UPDATE segment SET body=substr(body, 1, 40) WHERE id=11")
    db.close()
    items = await judge(remains)
    missing = set(remains.made.values()) - set(bodies(items))
    assert missing == {remains.made[seq] for seq in (1, 2, 3, 11, 12, 13, 14, 15)}
    record = next(i for i in items if isinstance(i, Loss) and i.why == "corrupt")
    assert (record.first, record.last, record.readings) == (11, 15, 5)


async def test_a_damaged_head_is_made_anew_from_the_rows(remains):
    db = sqlite3.connect(remains.folder / "buffer.db")
    with db:
        db.execute("UPDATE segment SET head=x'00' WHERE id=11")
    db.close()
    await judge(remains, is_whole=True)


async def test_a_segment_without_head_and_rows_is_named_up_to_the_next_one(remains):
    db = sqlite3.connect(remains.folder / "buffer.db")
    with db:
        db.execute("UPDATE segment SET head=x'00', body=x'00' WHERE id=11")
    db.close()
    items = await judge(remains)
    record = next(i for i in items if isinstance(i, Loss) and i.why == "corrupt")
    assert (record.first, record.last, record.readings) == (11, 15, None)


async def test_a_damaged_record_of_loss_becomes_one_that_knows_less(remains):
    db = sqlite3.connect(remains.folder / "buffer.db")
    with db:
        db.execute("UPDATE loss SET record=x'00'")
    db.close()
    items = await judge(remains)
    record = next(i for i in items if isinstance(i, Loss) and i.why == "corrupt")
    assert (record.first, record.readings) == (None, None)
    assert record.last >= max(remains.made)


@pytest.mark.parametrize("name", FILES)
async def test_any_file_cut_off_anywhere_costs_only_what_is_named(remains, tmp_path, name):
    whole = (path := fold(remains.folder, name)).read_bytes()
    for number, share in enumerate((0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.999)):
        victim = remains.copy(tmp_path / f"{name}-{number}")
        (victim.folder / path.name).write_bytes(whole[: int(len(whole) * share)])
        await judge(victim)


@pytest.mark.parametrize("name", FILES)
async def test_any_byte_turned_over_anywhere_costs_only_what_is_named(remains, tmp_path, name):
    whole = (path := fold(remains.folder, name)).read_bytes()
    chance = random.Random(name)
    for number in range(25):
        victim = remains.copy(tmp_path / f"{name}-{number}")
        damaged = bytearray(whole)
        damaged[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        (victim.folder / path.name).write_bytes(damaged)
        await judge(victim)


# --- folders that cannot be used ---------------------------------------------------------------


async def test_a_file_in_the_place_of_the_folder_is_said_in_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(BufferUnavailable) as caught:
            await open_buffer(folder, HandClock())
        assert str(folder) in str(caught.value)
        assert "mend its rights, the agent goes on by itself" in str(caught.value)


async def test_a_folder_in_the_place_of_the_database_is_said_in_one_sentence(tmp_path):
    (tmp_path / "buffer.db").mkdir()
    with pytest.raises(BufferUnavailable, match="unable to open database file"):
        await open_buffer(tmp_path, HandClock())


async def test_a_place_where_nobody_may_write_is_said_in_one_sentence():
    with pytest.raises(BufferUnavailable, match="/proc/edge-agent cannot be used"):
        await open_buffer(Path("/proc/edge-agent"), HandClock())
