"""Damage to any file of the buffer: the agent publishes new data soon, and names what is gone.

An agent was killed with readings waiting; something damages the folder; the next agent starts on
it without a human. Real folders, a real broker's protocol, the whole agent in this process.
"""

import asyncio
import contextlib
import json
import os
import random
import shutil
import sqlite3
import tempfile
import time
from pathlib import Path

import pytest

from edge_agent.row import Damaged, Loss, Row, unpack
from tests.rigs.arrivals import arrivals_at
from tests.rigs.buffer_process import AS_USER, buffer_process
from tests.rigs.buffers import (
    append,
    bodies,
    drain,
    lanes,
    named,
    open_buffer,
    opened,
    pass_time,
)
from tests.rigs.damage import (
    another_programs_tables,
    both_numbers_are_garbage,
    both_numbers_are_missing,
    database_and_numbers_missing,
    database_cut_in_the_middle_of_a_page,
    database_empty,
    database_empty_beside_its_wal,
    database_missing,
    fold,
    header_is_garbage,
    notebook_is_garbage,
    numbers_a_is_garbage,
    numbers_b_is_empty,
    old_schema,
    overwrite,
    page_overwritten,
    table_of_contents_overwritten,
    wal_cut_in_half,
    wal_flipped,
    wal_header_zeroed,
    wal_missing,
)
from tests.rigs.fake_broker import fake_broker
from tests.rigs.fault_report import judged
from tests.rigs.hand_clock import HandClock
from tests.rigs.remains import remains_of_a_kill
from tests.rigs.until import until
from tests.rigs.whole_agent import configuration, line, running

READY_SECONDS = 10.0
NOBODY = 65534


@pytest.fixture(scope="module")
def remains(tmp_path_factory):
    return asyncio.run(remains_of_a_kill(tmp_path_factory.mktemp("remains")))


SET_ASIDE = (  # the damage is seen at once, and what was damaged is kept for people
    page_overwritten,
    table_of_contents_overwritten,
    header_is_garbage,
    database_cut_in_the_middle_of_a_page,
    old_schema,
    another_programs_tables,
)
FOREIGN = (old_schema, another_programs_tables)  # readable, but not ours
DAMAGES = (
    *SET_ASIDE,
    database_empty,
    database_empty_beside_its_wal,
    database_missing,
    wal_missing,
    wal_cut_in_half,
    wal_header_zeroed,
    wal_flipped,
    numbers_a_is_garbage,
    numbers_b_is_empty,
    both_numbers_are_garbage,
    both_numbers_are_missing,
    database_and_numbers_missing,
    notebook_is_garbage,
)


@pytest.mark.parametrize("damage", DAMAGES)
async def test_new_data_comes_soon_and_what_is_gone_is_named(remains, tmp_path, damage):
    shutil.copytree(remains.folder, tmp_path / "buffer")
    damage(tmp_path / "buffer")
    readable = 0 if damage in FOREIGN else readable_rows(tmp_path, remains)
    with judged(10, damage.__name__.replace("_", " ")) as outcome:
        began = time.monotonic()
        async with fake_broker() as broker:
            async with running(configuration(tmp_path, broker.port, line("l", "new"))) as agent:
                await until(lambda: broker.payloads("/new/data"), READY_SECONDS)
                outcome.recovery_s = time.monotonic() - began
                await until(lambda: not (agent.buffer.losses or _waits(agent, remains)), 10)
        account(outcome, broker, remains)
        kept = [path.name for path in (tmp_path / "buffer").glob("*.corrupt-*")]
        assert bool(kept) >= (damage in SET_ASIDE), "the damaged part is kept for people"
        outcome.notes = {"rows SQLite can read": readable}
        assert outcome.delivered >= 0.95 * readable


def _waits(agent, remains):
    """Tell whether anything of before still waits; new readings come all the time."""
    segments = agent.buffer._lanes.backlog.segments.values()
    return any(segment.newest < agent.started for segment in segments)


def readable_rows(home, remains):
    """Count the rows that SQLite itself still reads in a copy, one segment at a time."""
    shutil.copytree(home / "buffer", home / "copy")
    db = sqlite3.connect(home / "copy" / "buffer.db")
    db.execute("PRAGMA writable_schema=ON")  # so that a file that was cut off is read at all
    found = 0
    for key in remains.segments:
        with contextlib.suppress(sqlite3.DatabaseError, Damaged):
            row = db.execute("SELECT body FROM segment WHERE id=?", (key,)).fetchone()
            found += len(unpack(row and row[0], key))
    db.close()
    return found


def account(outcome, broker, remains):
    """Account for every number of before; nothing comes that was never made."""
    documents = [(one.topic, json.loads(one.payload)) for one in broker.received]
    old = {
        said["seq"]: said
        for topic, said in documents
        if topic.endswith("/data") and "/new/" not in topic and said["epoch"] == remains.epoch
    }
    losses = [said for topic, said in documents if topic.endswith("_agent/loss")]
    gone = [loss for loss in losses if loss["lost_epoch"] == remains.epoch]
    new = [said for topic, said in documents if topic.endswith("/new/data")]
    outcome.tally(remains.made, list(old), lost=[(loss["first"], loss["last"]) for loss in gone])
    arrivals = arrivals_at(broker)
    outcome.duplicates, outcome.disorder = arrivals.duplicates, arrivals.disorder
    assert outcome.missing == outcome.duplicates == outcome.disorder == 0
    for seq, said in old.items():
        assert json.loads(remains.made[seq]) in said["readings"]
    again = {said["seq"] for said in new if said["epoch"] == remains.epoch} & remains.made.keys()
    assert again == set(), "numbers are used again"


@pytest.mark.thorough
async def test_whatever_page_is_overwritten_all_that_can_be_read_is_delivered(remains, tmp_path):
    with judged(10, "each page overwritten in turn") as outcome:
        whole = shutil.copytree(remains.folder, tmp_path / "whole")
        pages = fold(whole).stat().st_size // 1024
        readable = 0
        outcome.recovery_s = 0.0
        for page in range(pages):
            home = tmp_path / f"page-{page}"
            shutil.copytree(whole, home / "buffer")
            overwrite(
                home / "buffer" / "buffer.db", page * 1024, random.Random(page).randbytes(1024)
            )
            readable += (here := readable_rows(home, remains))
            began = time.monotonic()
            rows, lost = await what_comes(home / "buffer", remains)
            outcome.recovery_s = max(outcome.recovery_s, time.monotonic() - began)
            outcome.tally(remains.made, rows, lost=lost)
            assert outcome.missing == outcome.duplicates == outcome.disorder == 0, f"page {page}"
            assert len(rows) >= 0.95 * here, f"page {page}"
        outcome.notes = {"pages": pages, "rows SQLite can read": readable}
        assert readable > 0.9 * outcome.produced


async def what_comes(folder, remains):
    """Open a buffer after a reboot and drain it; give the old numbers, and the ends of losses."""
    clock = HandClock()
    clock.advance(1000)
    clock.reboot()
    async with opened(folder, clock) as buffer:
        items = await drain(buffer, clock)
    rows = [item for item in items if isinstance(item, Row)]
    assert {row.seq: row.body for row in rows}.items() <= remains.made.items()
    assert {item.lost_epoch for item in items if isinstance(item, Loss)} <= {remains.epoch}
    return [row.seq for row in rows], named(items)


async def test_a_clean_stop_on_a_damaged_database_saves_what_memory_holds(tmp_path):
    with judged(10, "damaged while running, then stopped") as outcome:
        clock, folder = HandClock(), tmp_path / "buffer"
        buffer = await open_buffer(folder, clock)
        for number in range(20):
            append(buffer, clock, random.Random(number).randbytes(3000))
            await pass_time(buffer, clock, 1.0)
        made = range(1, buffer.last_seq + 2)
        buffer._disk._store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        overwrite(
            folder / "buffer.db", 1024, b"\xff" * ((folder / "buffer.db").stat().st_size - 1024)
        )
        append(buffer, clock, b"late")
        await buffer.close()
        clock.reboot()
        began = time.monotonic()
        async with opened(folder, clock) as buffer:
            items = await drain(buffer, clock)
        outcome.recovery_s = time.monotonic() - began
        outcome.tally(made, *lanes(items), lost=named(items))
        assert outcome.missing == outcome.duplicates == outcome.disorder == 0
        assert outcome.losses > 0
        assert b"late" in bodies(items)
        assert outcome.delivered > 10, "all of the last ten seconds were in memory"


# --- files that belong to somebody else ----------------------------------------------------------


@pytest.fixture
def foreign(remains):
    """The folder belongs to the agent's user, but an agent that root started left its files."""
    with tempfile.TemporaryDirectory() as home:
        Path(home).chmod(0o755)
        folder = Path(home) / "buffer"
        shutil.copytree(remains.folder, folder)
        os.chown(folder, NOBODY, NOBODY)
        folder.chmod(0o700)
        yield folder


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="giving files away needs root")


FILES = ["buffer.db", "buffer.db-wal", "numbers.a", "numbers.b", "everything"]


@needs_root
@pytest.mark.parametrize("name", FILES)
async def test_a_file_of_another_owner_is_set_aside_and_named(foreign, remains, name):
    with judged(10, f"wrong owner: {name}") as outcome:
        _give_to_the_agent(foreign, besides=name)
        began = time.monotonic()
        with buffer_process(foreign, {AS_USER: str(NOBODY)}) as buffer:
            (new,) = buffer.ask("append", 1)
            outcome.recovery_s = time.monotonic() - began
            said = buffer.ask("drain")
        assert outcome.recovery_s < READY_SECONDS
        _account_for_all(outcome, said, remains)
        assert said["epoch"] != remains.epoch or new > max(remains.made)
        assert (outcome.delivered > 0) is (name not in {"buffer.db", "everything"})
        kept = {path.name for path in foreign.glob("*.corrupt-1*")}
        if name != "everything":
            assert f"{name}.corrupt-1" in kept, "it is kept for people"


def _give_to_the_agent(folder, *, besides):
    for path in folder.iterdir():
        if besides in {path.name, "everything"}:
            path.chmod(0o600)
        else:
            os.chown(path, NOBODY, NOBODY)


def _account_for_all(outcome, said, remains):
    goes_on = said["epoch"] == remains.epoch
    rows = [seq for seq in said["rows"] if seq in remains.made] if goes_on else []
    lost = [loss[2:] for loss in said["losses"] if loss[1] == remains.epoch]
    outcome.tally(remains.made, rows, lost=lost)
    assert outcome.missing == outcome.duplicates == outcome.disorder == 0


@pytest.mark.thorough
@needs_root
async def test_files_set_aside_again_and_again_are_three_at_most(foreign):
    for _ in range(4):
        for path in foreign.glob("buffer.db*"):
            if ".corrupt-" not in path.name:
                os.chown(path, 0, 0)
        with buffer_process(foreign, {AS_USER: str(NOBODY)}) as buffer:
            assert buffer.ask("append", 1)
    kept = sorted(path.name for path in foreign.glob("buffer.db.corrupt-?"))
    assert kept == [f"buffer.db.corrupt-{number}" for number in (1, 2, 3)]


@needs_root
async def test_files_of_our_own_without_rights_get_them_back_and_lose_nothing(foreign, remains):
    with judged(10, "own files without any right (mode 0000)") as outcome:
        for path in foreign.iterdir():
            os.chown(path, NOBODY, NOBODY)
            path.chmod(0)
        began = time.monotonic()
        with buffer_process(foreign, {AS_USER: str(NOBODY)}) as buffer:
            said = buffer.ask("drain")
        outcome.recovery_s = time.monotonic() - began
        _account_for_all(outcome, said, remains)
        assert set(said["rows"]) >= remains.made.keys()
        assert list(foreign.glob("*.corrupt-*")) == []


@needs_root
async def test_where_nothing_may_be_renamed_it_says_what_to_do_and_goes_on_once_it_is_done(
    foreign, remains
):
    """In a sticky folder of somebody else one may make files, and rename only one's own."""
    with judged(10, "wrong owner, in a sticky folder of somebody else") as outcome:
        for path in foreign.iterdir():
            path.chmod(0o600)
        os.chown(foreign, 0, 0)
        foreign.chmod(0o1777)
        before = {path.name: path.read_bytes() for path in foreign.iterdir()}
        with buffer_process(foreign, {AS_USER: str(NOBODY)}) as buffer:
            why = buffer.refusal()
            assert f"mend its rights (`chown -R {NOBODY} {foreign}`), the agent goes on" in why
            assert {path.name: path.read_bytes() for path in foreign.iterdir()} == before
            for path in (foreign, *foreign.iterdir()):
                os.chown(path, NOBODY, NOBODY)
            began = time.monotonic()
            said = buffer.ask("drain")
            outcome.recovery_s = time.monotonic() - began
        _account_for_all(outcome, said, remains)
        assert set(said["rows"]) >= remains.made.keys()


@needs_root
async def test_a_file_that_another_users_agent_uses_just_now_is_left_to_it(foreign):
    with buffer_process(foreign, {}) as other:
        assert other.ask("append", 1)
        with buffer_process(foreign, {AS_USER: str(NOBODY)}) as buffer:
            assert "another edge-agent runs on it" in buffer.refusal()
        assert other.ask("append", 1)
    assert list(foreign.glob("*.corrupt-*")) == []
