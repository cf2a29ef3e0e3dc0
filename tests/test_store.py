"""The SQLite file on a real disk."""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.row import Damaged, Loss, Row, Segment, pack, seal, unpack, unseal
from edge_agent.row import decode_numbers as decode
from edge_agent.salvage import ACKED, losses_of, segments_of
from edge_agent.store import Change, Store
from tests.rigs.damage import overwrite
from tests.rigs.rows import row

LEAF = 0x0D  # of a table: https://www.sqlite.org/fileformat2.html#b_tree_pages
ROWS = st.lists(
    st.builds(
        Row, st.integers(1, 2**63 - 1), st.integers(0, 2**63 - 1), st.text(), st.integers(0, 2**42),
        st.floats(0, 1e9), st.booleans(), st.integers(0, 1000), st.binary(),
    ),
    min_size=1,
)  # fmt: skip


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "buffer.db")
    store.open()
    yield store
    store.close()


def written(store, *seqs):
    return store.apply(Change([row(seq) for seq in seqs], "boot-1"))


def columns(one):
    return (one.seq, one.prev, one.device, one.ts, one.mono, one.synced, one.readings, one.body)


@given(ROWS)
def test_rows_come_back_from_a_pack_as_they_were(rows):
    back = unpack(pack(rows), rows[0].seq)
    assert [columns(one) for one in back] == [columns(one) for one in rows]
    assert all(one.read_back and one.historical and one.home == rows[0].seq for one in back)


@given(ROWS, st.data())
def test_no_damaged_pack_passes_for_rows(rows, data):
    packed = bytearray(pack(rows))
    offset = data.draw(st.integers(0, len(packed) - 1))
    packed[offset] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Damaged):
        unpack(bytes(packed), rows[0].seq)


@pytest.mark.parametrize("found", [None, b"", "text", 5, pack([row(2)])])
def test_what_is_no_pack_of_that_segment_is_damaged(found):
    with pytest.raises(Damaged):
        unpack(found, 1)


@given(st.sets(st.integers(0, 2**63)), st.data())
def test_a_seal_shows_every_change(numbers, data):
    sealed = seal(numbers)
    assert unseal(sealed, decode) == numbers
    damaged = bytearray(sealed)
    damaged[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Damaged):
        unseal(bytes(damaged), decode)


def test_what_was_written_is_there_after_it_was_opened_again(store):
    loss = Loss(9, 0, "e", 1, 2, 3, 4, 5, "age")
    segment = written(store, 1, 2, 4)
    segment.acked.add(2)
    store.apply(Change(acked=[segment], losses=[loss], notes={"accounted": 4}))
    store.close()
    store.open()
    ((found,), gaps) = segments_of(store)
    assert gaps == []
    assert (found.id, found.last, found.pending, found.readings, found.boot) == (
        1,
        4,
        2,
        3,
        "boot-1",
    )
    assert (found.oldest, found.newest, found.mono, found.synced) == (1000, 4000, 4.0, True)
    assert [one.seq for one in store.rows(found)] == [1, 4]
    assert [one.payload("e") for one in losses_of(store)] == [loss.payload("e")]
    assert (store.note("accounted"), store.note("nothing")) == (4, None)


def test_what_was_removed_is_gone_with_everything_about_it(store):
    segment = written(store, 1, 2)
    segment.acked.add(1)
    store.apply(Change(acked=[segment], losses=[Loss(9, 0, "e", 1, 2, 3, 4, 5, "age")]))
    store.apply(Change(removed=[1], settled=[9]))
    assert segments_of(store) == ([], [])
    assert losses_of(store) == []
    assert store.readable(ACKED) == []


def test_a_flush_that_fails_changes_nothing_and_can_be_repeated(store):
    written(store, 1)
    pages = store._sql.execute("PRAGMA page_count").fetchone()[0]
    store._sql.execute(f"PRAGMA max_page_count={pages}")
    big = [row(2, body=bytes(range(256)) * 400)]
    for _ in range(2):
        with pytest.raises(sqlite3.OperationalError, match="full"):
            store.apply(Change(big, "b", removed=[1], notes={"accounted": 2}))
    assert [one.id for one in segments_of(store)[0]] == [1]
    store._sql.execute("PRAGMA max_page_count=100000")
    store.apply(Change(big, "b", removed=[1]))
    assert [one.id for one in segments_of(store)[0]] == [2]


def test_writing_a_segment_twice_leaves_one(store):
    written(store, 1, 2)
    written(store, 1, 2)
    assert len(segments_of(store)[0]) == 1


def test_what_is_deleted_is_not_in_use_any_more(store):
    empty = store.used()
    written(store, *range(1, 5000))
    assert store.used() > empty + 20_000
    store.apply(Change(removed=[1]))
    assert store.used() == empty


def test_a_store_that_was_closed_opens_again_only_with_its_own_file(store, tmp_path):
    store.apply(Change(notes={"epoch": "e1"}))
    store.epoch = "e1"
    store.close()
    assert store.note("epoch") == "e1"
    store.close()
    other = Store(tmp_path / "other.db")
    other.open()
    other.apply(Change(notes={"epoch": "e2"}))
    other.close()
    (tmp_path / "other.db").rename(store.path)
    with pytest.raises(sqlite3.OperationalError, match="another buffer's"):
        store.note("epoch")
    store.path.unlink()
    with pytest.raises(sqlite3.OperationalError, match="is gone"):
        store.note("epoch")


def test_what_lies_between_two_damaged_pages_is_read(store):
    for seq in range(1, 2001, 5):
        written(store, *range(seq, seq + 5))
    store.fold()
    store.close()
    content = store.path.read_bytes()
    leaves = [at for at in range(0, len(content), 1024) if content[at] == LEAF][10:-10]
    for at in (leaves[len(leaves) // 3], leaves[2 * len(leaves) // 3]):
        overwrite(store.path, at, bytes(1024))
    store.open()
    found, gaps = segments_of(store)
    assert len(gaps) == 2
    gone = {seq for first, last in gaps for seq in range(first, last + 1)}
    assert 0 < len(gone) < 400
    kept = {seq for segment in found for seq in range(segment.id, segment.last + 1)}
    assert (kept | gone, kept & gone) == (set(range(1, 2001)), set())


def test_a_remnant_is_read_and_never_written(store):
    written(store, 1)
    store.close()
    store.open_remnant()
    assert [one.id for one in segments_of(store)[0]] == [1]
    with pytest.raises(sqlite3.DatabaseError, match="not yet salvaged"):
        written(store, 2)


def test_only_its_owner_can_read_the_file(store):
    assert store.path.stat().st_mode & 0o777 == 0o600


def test_a_head_of_another_segment_is_damaged():
    head = Segment.of([row(1), row(2)], "b", 9).head()
    assert Segment.opened(1, head, 9, {1}).pending == 1
    with pytest.raises(Damaged):
        Segment.opened(5, head, 9, set())
