"""The order of the two lanes, and what the disk must be told."""

import pytest

from edge_agent import lanes as module
from edge_agent.backlog import Backlog
from edge_agent.lanes import LIVE_SECONDS, Lanes
from edge_agent.ledger import Ledger
from edge_agent.numbers import Numbers
from edge_agent.row import Loss, Segment
from tests.rigs.rows import read_back, row

EPOCH = "0123456789abcdef"


@pytest.fixture
def lanes():
    numbers = Numbers(EPOCH, 0, {})
    numbers.reserved = 10_000
    return Lanes(numbers, Backlog([]), Ledger(numbers, []))


def append(lanes, *monos):
    rows = []
    for mono in monos:
        seq, _ = lanes.numbers.take("d")
        rows.append(row(seq, mono=mono))
        lanes.append(rows[-1])
    return rows


def save(lanes, rows):
    segment = Segment.of(rows, "boot-1", 100)
    lanes.change(rows, "boot-1")
    lanes.saved(segment, rows)
    return segment


def read(lanes, segment):
    assert lanes.backlog.wanted(lanes.first_live, lambda _: True) is segment
    rows = [read_back(seq, segment.id) for seq in range(segment.id, segment.last + 1)]
    lanes.backlog.loaded(segment, rows, lanes.held)


def seqs(lanes, now, count=99):
    taken = []
    while len(taken) < count and (item := lanes.next(now, backlog=True)):
        taken.append(item.seq)
    return taken


def test_live_rows_go_before_records_of_loss_and_these_before_the_backlog(lanes):
    old = append(lanes, 0.0, 0.0)
    segment = save(lanes, old)
    lanes.next(20.0, backlog=False)
    read(lanes, segment)
    lanes.ledger.add(Loss(0, 0, EPOCH, None, None, 1, 0, 0, "capacity"))
    append(lanes, 19.0)
    assert seqs(lanes, 20.0) == [4, 3, 1, 2]


def test_the_backlog_waits_where_it_is_told_to(lanes):
    segment = save(lanes, append(lanes, 0.0))
    lanes.next(20.0, backlog=False)
    read(lanes, segment)
    assert lanes.next(20.0, backlog=False) is None
    assert lanes.next(20.0, backlog=True).historical


@pytest.mark.parametrize(("age", "is_live"), [(LIVE_SECONDS, True), (LIVE_SECONDS + 0.01, False)])
def test_ten_seconds_decide_between_the_lanes(lanes, age, is_live):
    append(lanes, 0.0)
    item = lanes.next(age, backlog=True)
    assert item.historical is not is_live


def test_old_rows_that_the_disk_refused_come_after_those_that_are_on_it(lanes):
    segment = save(lanes, append(lanes, 0.0, 0.1))
    append(lanes, 0.2, 0.3)
    append(lanes, 14.0)
    assert seqs(lanes, 15.0) == [5], "the old ones wait for the backlog to be read back"
    read(lanes, segment)
    assert seqs(lanes, 15.0) == [1, 2, 3, 4]


def test_a_lost_connection_brings_everything_back_in_order(lanes):
    append(lanes, *[0.0] * 4, *[9.0] * 4)
    assert seqs(lanes, 9.0, 2) == [1, 2]
    assert seqs(lanes, 12.0, 2) == [5, 6], "3 and 4 became too old"
    lanes.give_back(12.0)
    assert seqs(lanes, 12.0) == [5, 6, 7, 8, 1, 2, 3, 4]


def test_a_historical_row_that_is_given_back_is_read_back_again(lanes):
    segment = save(lanes, append(lanes, 0.0, 0.0))
    seqs(lanes, 20.0)
    read(lanes, segment)
    assert seqs(lanes, 20.0) == [1, 2]
    lanes.give_back(20.0)
    assert seqs(lanes, 20.0) == []
    read(lanes, segment)
    assert seqs(lanes, 20.0) == [1, 2]


def test_a_live_row_in_flight_while_its_segment_is_read_is_not_sent_twice(lanes):
    segment = save(lanes, append(lanes, 0.0, 0.0))
    first = lanes.next(5.0, backlog=True)
    lanes.next(20.0, backlog=False)
    read(lanes, segment)
    assert seqs(lanes, 20.0) == [2]
    lanes.ack(first)
    assert segment.acked == {1}


def test_memory_counts_what_is_in_it(lanes):
    rows = append(lanes, 0.0, 0.0, 0.0)
    assert lanes._memory == 12
    save(lanes, rows[:1])
    items = [lanes.next(0.0, backlog=True) for _ in range(2)]
    lanes.ack(items[1])
    lanes.ack(items[1])
    assert lanes._memory == 8
    lanes.give_back(20.0)
    assert lanes._memory == 4, "the one on disk waits there"
    lanes.refuse(rows[2])
    assert lanes._memory == 0


def test_only_what_is_due_is_written_and_not_what_is_acknowledged(lanes):
    rows = append(lanes, 0.0, 0.2, 0.7)
    assert lanes.due(0.74, 1.0) == []
    assert lanes.until_due(0.5, 1.0) == 0.25
    assert lanes.due(0.75, 1.0) == rows
    lanes.ack(rows[0])
    assert lanes.due(0.8, 1.0) == [], "the oldest that is left has waited for 0.6 s"
    assert lanes.due(0.95, 1.0) == rows[1:]
    assert lanes.unsaved() == rows[1:]


def test_where_nothing_waits_there_is_nothing_to_write_soon(lanes):
    (row,) = append(lanes, 0.0)
    lanes.ack(row)
    assert lanes.until_due(5.0, 1.0) == 1.0


def test_accounted_for_is_what_is_acknowledged_or_on_disk_without_a_gap(lanes):
    rows = append(lanes, 0.0, 0.0, 0.0)
    assert lanes.accounted() == 0
    lanes.ack(rows[1])
    assert lanes.accounted() == 0
    assert lanes.accounted(rows[:1]) == 2
    save(lanes, rows[:1])
    assert lanes.accounted() == 2
    lanes.refuse(rows[2])
    assert lanes.accounted() == 2, "that 3 was refused stands nowhere yet"
    lanes.change([], "boot-1")
    assert lanes.accounted() == 4


def test_a_change_notes_how_much_the_disk_will_hold(lanes):
    first, second = append(lanes, 0.0), append(lanes, 0.0)
    assert lanes.change(first, "b").notes == {"accounted": 1, "segments": 1}
    lanes.saved(Segment.of(first, "b", 9), first)
    lanes.refuse(second[0])
    assert lanes.change([], "b").notes == {"losses": 1}
    lanes.ack(first[0])
    assert lanes.change([], "b").notes == {"segments": 0}
    assert not lanes.change([], "b")


def test_a_change_that_failed_is_repeated(lanes):
    rows = append(lanes, 0.0, 0.0)
    save(lanes, rows[:1])
    lanes.refuse(rows[1])
    lanes.ack(rows[0])
    change = lanes.change([], "b")
    lanes.restore(change)
    again = lanes.change([], "b")
    assert (again.removed, again.losses) == (change.removed, change.losses) == ([1], again.losses)
    assert len(again.losses) == 1


def test_memory_is_bounded_by_the_disk_or_by_a_record(lanes, monkeypatch):
    monkeypatch.setattr(module, "MEMORY_BYTES", 8)
    append(lanes, *[0.0] * 5)
    lanes.demote(1.0, disk_works=True)
    assert lanes._memory == 20, "the disk will take them"
    lanes.demote(1.0, disk_works=False)
    assert lanes._memory == 8
    (record,) = lanes.ledger.records
    assert (record.first, record.last, record.why) == (1, 3, "capacity")
    assert seqs(lanes, 1.0) == [4, 5, 6]


def test_giving_up_a_segment_names_its_unacknowledged_rows_in_runs(lanes):
    rows = append(lanes, *[0.0] * 5)
    segment = save(lanes, rows)
    lanes.ack(rows[2])
    lanes.give_up(segment, rows, "age")
    named = [(one.first, one.last, one.readings) for one in lanes.ledger.records]
    assert named == [(1, 2, 2), (4, 5, 2)]


@pytest.mark.parametrize(("acked", "readings"), [(0, 3), (1, None)])
def test_giving_up_an_unreadable_segment_names_all_of_it(lanes, acked, readings):
    rows = append(lanes, *[0.0] * 3)
    segment = save(lanes, rows)
    for one in rows[:acked]:
        lanes.ack(one)
    lanes.give_up(segment, None, "corrupt")
    (record,) = lanes.ledger.records
    assert (record.first, record.last, record.readings) == (1, 3, readings)
