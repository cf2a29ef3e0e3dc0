"""What waits on one card is carried to another, in one piece or by name."""

import asyncio
import contextlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from edge_agent.parcel import NotAParcel, Parcel
from edge_agent.receiver import NoRoom
from edge_agent.row import Loss
from edge_agent.standstill import BufferInUse
from tests.rigs.buffers import drain, open_buffer, opened
from tests.rigs.cards import Card, rows
from tests.rigs.hand_clock import HandClock
from tests.rigs.small_disk import fill, small_disk

BODIES = [b"%03d" % number * 50 for number in range(6)]


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def old(tmp_path, clock):
    return Card(tmp_path / "old", clock)


@pytest.fixture
def new(tmp_path, clock):
    return Card(tmp_path / "new", clock)


@pytest.fixture
def stick(tmp_path):
    return tmp_path / "gw.parcel"


def losses(items):
    return [item for item in items if isinstance(item, Loss)]


def test_everything_arrives_on_the_new_card_with_its_numbers_and_before_what_is_read_there(
    old, new, stick
):
    epoch = old.fill(*BODIES)
    packed = old.export(stick)
    assert sum(entry.messages for entry in packed.contents.entries) == len(BODIES)
    assert new.fill(b"young") != epoch
    received = new.take_in(stick)
    assert (received.damaged, received.known) == ([], 0)
    items = new.deliver()
    assert rows(items)[:6] == [(epoch, at + 1, body) for at, body in enumerate(BODIES)]
    assert [(item.prev, item.historical) for item in items[:6]] == [(at, True) for at in range(6)]
    assert rows(items)[6:] == [("", 1, b"young")]
    assert new.deliver() == []
    assert not list(new.folder.glob("*.parcel"))


def test_nothing_is_removed_from_the_old_card(old, stick):
    old.fill(*BODIES)
    old.export(stick)
    assert [body for _, _, body in rows(old.deliver())] == BODIES


def test_what_is_acknowledged_is_not_carried(old, new, stick):
    epoch = old.fill(*BODIES)
    old.deliver(take=4)
    old.export(stick)
    new.take_in(stick)
    assert rows(new.deliver()) == [(epoch, 5, BODIES[4]), (epoch, 6, BODIES[5])]


def test_where_nothing_waits_there_is_no_parcel(old, stick):
    old.fill(b"one")
    old.deliver()
    assert old.export(stick) is None
    assert not stick.exists()


def test_bringing_it_twice_changes_nothing_even_after_delivery(old, new, stick):
    old.fill(*BODIES)
    old.export(stick)
    new.take_in(stick)
    again = new.take_in(stick)
    assert (again.taken.entries, again.known) == ([], 6)
    assert len(rows(new.deliver())) == 6
    assert new.take_in(stick).known == 6
    assert new.deliver() == []


def test_a_later_parcel_brings_only_what_the_first_did_not(old, new, tmp_path):
    epoch = old.fill(*BODIES[:3])
    old.export(tmp_path / "1.parcel")
    old.fill(*BODIES[3:])
    old.export(tmp_path / "2.parcel")
    new.take_in(tmp_path / "1.parcel")
    assert new.take_in(tmp_path / "2.parcel").known == 3
    assert rows(new.deliver()) == [(epoch, at + 1, body) for at, body in enumerate(BODIES)]


def test_the_card_that_it_comes_from_takes_nothing(old, stick):
    old.fill(*BODIES)
    old.export(stick)
    assert old.take_in(stick).known == 6
    assert len(old.deliver()) == 6


def test_what_was_carried_can_be_carried_on(old, new, stick, tmp_path, clock):
    epoch = old.fill(*BODIES)
    old.export(stick)
    second = new.fill(b"young")
    new.take_in(stick)
    new.deliver(take=2)
    new.export(tmp_path / "second.parcel")
    third = Card(tmp_path / "third", clock)
    third.take_in(tmp_path / "second.parcel")
    items = rows(third.deliver())
    assert items[:-1] == [(epoch, at + 1, BODIES[at]) for at in range(2, 6)]
    assert items[-1] == (second, 1, b"young")


def test_after_a_power_cut_the_record_of_what_is_missing_is_carried_too(old, new, stick, tmp_path):
    epoch = old.fill(*BODIES)

    async def cut():
        buffer = await open_buffer(old.folder, old.clock)
        buffer.append("press-1", old.clock.now(), old.clock.mono(), 1, b"gone")
        return old.copy(tmp_path / "cut")

    killed = asyncio.run(cut())
    killed.export(stick)
    new.take_in(stick)
    (record,) = losses(new.deliver())
    said = record.payload(record.epoch)
    assert (record.epoch, said["lost_epoch"], said["why"]) == (epoch, epoch, "power_cut")
    assert said["first"] == 7


def test_what_is_in_flight_when_the_connection_ends_is_sent_again(old, new, stick, clock):
    epoch = old.fill(*BODIES)
    old.export(stick)
    new.take_in(stick)

    async def lose():
        buffer = await open_buffer(new.folder, clock)
        await buffer.tick()
        taken = [buffer.next() for _ in range(4)]
        buffer.ack(taken[1])
        buffer.give_back()
        await buffer.tick()
        again = [buffer.next() for _ in range(5)]
        await buffer.close()
        return again

    assert rows(asyncio.run(lose())) == [(epoch, seq, BODIES[seq - 1]) for seq in (1, 3, 4, 5, 6)]


def test_what_the_broker_never_takes_is_named_under_its_own_epoch(old, new, stick, clock):
    epoch = old.fill(b"huge")
    old.export(stick)
    new.take_in(stick)

    async def refuse():
        buffer = await open_buffer(new.folder, clock)
        await buffer.tick()
        buffer.refuse(buffer.next())
        await buffer.close()

    asyncio.run(refuse())
    (record,) = new.deliver()
    assert (record.lost_epoch, record.first, record.last) == (epoch, 1, 1)
    assert (record.epoch, record.why, record.readings) == ("", "refused", 1)


# --- the clock -----------------------------------------------------------------------------------


def test_times_of_a_wrong_clock_are_settled_where_it_is_known_by_then(new, stick, tmp_path):
    clock = HandClock(synced=False)
    old = Card(tmp_path / "old", clock)
    old.fill(b"one")
    clock.step(3600.0)
    clock._synced = True
    old.export(stick)
    new.clock.reboot()
    new.take_in(stick)
    (row,) = new.deliver()
    assert (row.ts, row.synced) == (1_771_500_000_000 + 3_600_000, True)


def test_times_of_a_clock_that_was_never_right_keep_their_mark(new, stick, tmp_path):
    old = Card(tmp_path / "old", HandClock(synced=False))
    old.fill(b"one")
    old.export(stick)
    new.clock.reboot()
    new.take_in(stick)
    (row,) = new.deliver()
    assert (row.ts, row.synced) == (1_771_500_000_000, False)


# --- damage --------------------------------------------------------------------------------------


def damaged(path, at):
    """Change one byte of a file."""
    content = bytearray(path.read_bytes())
    content[at] ^= 0x55
    path.write_bytes(content)


@pytest.fixture
def places(old, stick):
    """A parcel of six segments, and where the third one stands in it."""
    old.epoch = old.fill(*BODIES)
    old.export(stick)
    return sorted(Parcel(stick)._places.values())


def test_whatever_byte_is_damaged_the_rest_is_taken_out_and_what_is_missing_is_known(
    places, stick, tmp_path
):
    content = stick.read_bytes()
    whole = {piece.segment.id for piece in Parcel(stick).whole()}
    for at in range(0, len(content), 17):
        copy = tmp_path / "copy.parcel"
        copy.write_bytes(content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :])
        parcel = Parcel(copy)
        left = {piece.segment.id for piece in parcel.whole()}
        assert len(whole - left) <= 1
        assert {entry.first for entry in parcel.contents.entries} == whole


def test_wherever_it_is_cut_off_the_beginning_is_taken_out(places, stick, tmp_path):
    content = stick.read_bytes()
    for size in range(0, len(content), 13):
        copy = tmp_path / "copy.parcel"
        copy.write_bytes(content[:size])
        if size < places[0]:
            with pytest.raises(NotAParcel):
                Parcel(copy)
            continue
        left = [piece.segment.id for piece in Parcel(copy).whole()]
        assert left == list(range(1, len(left) + 1))
        assert len(left) >= sum(place < size for place in places) - 1


def test_a_damaged_part_is_named_once_and_the_rest_arrives(places, old, new, stick, tmp_path):
    whole = tmp_path / "whole.parcel"
    shutil.copy(stick, whole)
    damaged(stick, places[2] + 50)
    received = new.take_in(stick)
    assert [(entry.first, entry.last) for entry in received.damaged] == [(3, 3)]
    assert new.take_in(stick).taken.entries == []  # again, before the agent ran
    items = new.deliver()
    (record,) = losses(items)
    assert (record.lost_epoch, record.first, record.last) == (old.epoch, 3, 3)
    assert (record.readings, record.why) == (1, "corrupt")
    assert [seq for _, seq, _ in rows(items)] == [1, 2, 4, 5, 6]
    assert new.take_in(stick).taken.entries == []  # again, after that
    assert new.deliver() == []
    new.take_in(whole)  # fills the gap
    assert rows(new.deliver()) == [(old.epoch, 3, BODIES[2])]


def test_what_cannot_be_read_from_the_old_card_is_named_by_the_new_one(old, new, stick):
    epoch = old.fill(*BODIES)
    database = old.folder / "buffer.db"
    damaged(database, database.read_bytes().index(b"\x78\x01") + 20)  # the rows of a segment
    packed = old.export(stick)
    (unreadable,) = packed.unreadable
    new.take_in(stick)
    items = new.deliver()
    (record,) = losses(items)
    assert (record.lost_epoch, record.first) == (epoch, unreadable.first)
    assert len(rows(items)) == 5


def test_what_rots_on_the_new_card_is_named(places, old, new, stick):
    new.take_in(stick)
    (kept,) = new.folder.glob("*.parcel")
    damaged(kept, sorted(Parcel(kept)._places.values())[4] + 60)
    items = new.deliver()
    (record,) = losses(items)
    assert (record.lost_epoch, record.first, record.last) == (old.epoch, 5, 5)
    assert len(rows(items)) == 5


def test_a_parcel_of_which_nothing_is_left_is_set_aside_and_its_epoch_named(
    places, old, new, stick
):
    new.take_in(stick)
    (kept,) = new.folder.glob("*.parcel")
    kept.write_bytes(bytes(kept.stat().st_size))
    (record,) = new.deliver()
    assert (record.lost_epoch, record.first, record.last) == (old.epoch, None, None)
    assert [path.name for path in new.folder.glob("*.corrupt")] == [f"{kept.name}.corrupt"]
    assert new.deliver() == []


def test_a_parcel_that_vanished_is_named(places, old, new, stick):
    new.take_in(stick)
    (kept,) = new.folder.glob("*.parcel")
    kept.unlink()
    (record,) = new.deliver()
    assert (record.lost_epoch, record.first, record.last) == (old.epoch, None, None)
    assert new.deliver() == []


def test_a_parcel_that_vanishes_while_the_agent_runs_is_named_and_holds_nothing_up(
    places, old, new, stick, clock
):
    new.fill(b"young")
    new.take_in(stick)
    (kept,) = new.folder.glob("*.parcel")

    async def vanish():
        async with opened(new.folder, clock) as buffer:
            kept.unlink()
            return await drain(buffer, clock)

    items = asyncio.run(vanish())
    assert rows(items) == [("", 1, b"young")]
    named = [(loss.first, loss.last, loss.lost_epoch) for loss in losses(items)]
    assert named[0][0] == 1
    assert named[-1][1:] == (6, old.epoch)


def test_where_the_waybill_is_damaged_nothing_is_lost(old, new, stick):
    old.fill(*BODIES)
    old.export(stick)
    new.take_in(stick)
    new.deliver(take=3)
    damaged(new.folder / "carried.json", 30)
    items = new.deliver()
    assert [seq for _, seq, _ in rows(items)] == [4, 5, 6]
    assert losses(items) == []


# --- room, and the agent -------------------------------------------------------------------------


def test_what_does_not_fit_the_limit_is_refused_and_nothing_changes(old, stick, tmp_path, clock):
    old.fill(*[os.urandom(20_000) for _ in range(6)])
    old.export(stick)
    small = Card(tmp_path / "small", clock, max_bytes=50_000)
    with pytest.raises(NoRoom, match=r"buffer\.max_bytes"):
        small.take_in(stick)
    assert small.deliver() == []


def test_what_the_new_card_has_no_room_for_is_refused_and_nothing_changes(
    old, stick, tmp_path, clock
):
    old.fill(*[os.urandom(20_000) for _ in range(6)])
    old.export(stick)
    with small_disk(tmp_path / "disk", 1100) as disk:
        new = Card(disk / "buffer", clock)
        with pytest.raises(NoRoom, match="free some space"):
            new.take_in(stick)
        assert not list(new.folder.glob("*.parcel*"))
        assert new.deliver() == []


def remount_read_only(disk):
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)


@pytest.mark.parametrize("spoil", [fill, remount_read_only])
def test_a_card_that_takes_nothing_more_is_read_from_a_copy(spoil, stick, new, tmp_path, clock):
    with small_disk(tmp_path / "disk", 1000) as disk:
        old = Card(disk / "buffer", clock)
        epoch = old.fill(*BODIES)
        spoil(disk)
        old.export(stick)
    new.take_in(stick)
    assert rows(new.deliver()) == [(epoch, at + 1, body) for at, body in enumerate(BODIES)]


def test_at_the_limit_what_was_carried_goes_first_by_name(old, stick, tmp_path, clock):
    epoch = old.fill(*[os.urandom(5000) for _ in range(6)])
    old.export(stick)
    new = Card(tmp_path / "new", clock, max_bytes=60_000)
    new.take_in(stick)
    new.limits = type(new.limits)(new.folder, max_bytes=30_000)
    items = new.deliver()
    (record,) = losses(items)
    assert (record.lost_epoch, record.first, record.why) == (epoch, 1, "capacity")
    assert [seq for _, seq, _ in rows(items)] == list(range(record.last + 1, 7))
    assert record.readings == record.last


def test_both_need_the_agent_stopped(old, new, stick, clock, monkeypatch):
    monkeypatch.setattr("edge_agent.database.BUSY_SECONDS", 0.05)
    old.fill(b"one")
    old.export(stick)

    async def beside(*works):
        buffer = await open_buffer(old.folder, clock)
        tried = map(asyncio.to_thread, works)
        refusals = await asyncio.gather(*tried, return_exceptions=True)
        await buffer.close()
        return refusals

    again = stick.with_name("again")
    for refusal in asyncio.run(beside(lambda: old.export(again), lambda: old.take_in(stick))):
        assert isinstance(refusal, BufferInUse)
        assert "systemctl stop" in str(refusal)
    assert not again.exists()


# --- power cuts ----------------------------------------------------------------------------------


@contextlib.contextmanager
def cut_everywhere(card, folder):
    """Copy a card as it is before everything that is put on it; gives the copies."""
    cuts = []

    def cut(work):
        def snapshot(*words):
            if card.folder.exists():
                cuts.append(card.copy(folder / f"cut-{len(cuts)}"))
            return work(*words)

        return snapshot

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", cut(os.fsync))
        patch.setattr(Path, "replace", cut(Path.replace))
        yield cuts


def test_a_power_cut_in_the_middle_leaves_either_nothing_or_everything(old, new, stick, tmp_path):
    epoch = old.fill(*BODIES)
    old.export(stick)
    new.fill(b"young")
    with cut_everywhere(new, tmp_path) as cuts:
        new.take_in(stick)
    arrived = []
    for card in cuts:
        items = card.deliver()
        arrived.append(sum(item.epoch == epoch for item in items))
        again = card.take_in(stick)
        assert len(again.taken.entries) == 6 - arrived[-1]
    assert set(arrived) == {0, 6}
    assert arrived == sorted(arrived)


def test_a_power_cut_while_damage_is_named_hides_none_of_it(places, old, new, stick, tmp_path):
    damaged(stick, places[2] + 50)
    new.take_in(stick)
    with cut_everywhere(new, tmp_path) as cuts:
        new.deliver(take=0)
    assert cuts
    for card in [*cuts, new]:
        items = card.deliver()
        named = {loss.first for loss in losses(items) if loss.lost_epoch == old.epoch}
        assert {seq for _, seq, _ in rows(items)} | named == {1, 2, 3, 4, 5, 6}


def test_a_medium_that_gives_back_something_else_is_refused(old, stick, monkeypatch):
    old.fill(*BODIES)
    rots = lambda file, *_: os.pwrite(file, b"rot", os.fstat(file).st_size // 2)  # noqa: E731
    monkeypatch.setattr(os, "posix_fadvise", rots)
    with pytest.raises(OSError, match="another medium"):
        old.export(stick)
    assert not stick.exists()
