"""Which segments wait, and in what order their rows come back."""

import pytest

from edge_agent import backlog as module
from edge_agent.backlog import Backlog
from tests.rigs.hand_clock import HandClock
from tests.rigs.rows import read_back, segment


def always(_segment):
    return True


def load(backlog, one, held=()):
    rows = [read_back(seq, one.id) for seq in range(one.id, one.last + 1)]
    backlog.loaded(one, rows, held)


def take_all(backlog):
    seqs = []
    while row := backlog.take():
        seqs.append(row.seq)
    return seqs


@pytest.fixture
def backlog():
    return Backlog([segment(1, 3), segment(4, 6)])


def test_segments_come_back_oldest_first(backlog):
    for _ in range(2):
        load(backlog, backlog.wanted(None, always))
    assert backlog.wanted(None, always) is None
    assert take_all(backlog) == [1, 2, 3, 4, 5, 6]
    assert backlog.exhausted


def test_a_segment_is_left_while_some_of_it_can_be_sent_live_or_is_young(backlog):
    assert backlog.wanted(3, always) is None
    assert backlog.wanted(4, always).id == 1
    assert backlog.wanted(None, lambda _: False) is None


def test_what_is_in_flight_is_left_out_and_comes_back_with_its_connection(backlog):
    load(backlog, backlog.wanted(None, always), held={2})
    assert take_all(backlog) == [1, 3]
    backlog.rewind(2)
    one = backlog.wanted(None, always)
    assert one.id == 1
    one.acked.update({1, 3})
    load(backlog, one)
    assert take_all(backlog) == [2]


def test_going_back_keeps_what_was_ready_and_its_order(backlog):
    for _ in range(2):
        load(backlog, backlog.wanted(None, always))
    assert [backlog.take().seq for _ in range(4)] == [1, 2, 3, 4]
    backlog.rewind(4)
    load(backlog, one := backlog.wanted(None, always))
    assert one.id == 4
    assert take_all(backlog) == [4, 5, 6]


def test_going_back_to_a_later_row_does_not_skip_what_is_ready(backlog):
    load(backlog, backlog.wanted(None, always))
    backlog.rewind(5)  # it was in flight as a live row, when older ones were read back
    while one := backlog.wanted(None, always):
        load(backlog, one)
    assert take_all(backlog) == [1, 2, 3, 4, 5, 6]


def test_no_more_is_read_than_is_needed(backlog, monkeypatch):
    monkeypatch.setattr(module, "READY_ENOUGH", 3)
    load(backlog, backlog.wanted(None, always))
    assert backlog.wanted(None, always) is None
    assert not backlog.hungry
    backlog.take()
    assert backlog.hungry


def test_acknowledgements_are_noted_and_a_finished_segment_is_deleted(backlog):
    backlog.settle(read_back(2, 1))
    backlog.settle(read_back(2, 1))
    assert backlog.rows == 5
    removed, changed = backlog.changes()
    assert (removed, [one.acked for one in changed]) == ([], [{2}])
    for seq in (1, 3):
        backlog.settle(read_back(seq, 1))
    assert backlog.changes() == ([1], [])
    assert backlog.wanted(None, always).id == 4


def test_what_was_acknowledged_while_it_was_written_is_noted_too(backlog):
    late = segment(7, 9)
    late.acked.add(8)
    late.pending -= 1
    backlog.add(late)
    assert backlog.changes() == ([], [late])
    done = segment(10, 10)
    done.acked.add(10)
    done.pending = 0
    backlog.add(done)
    assert backlog.changes() == ([10], [])
    assert 10 not in backlog.segments


def test_a_flush_that_failed_is_repeated(backlog):
    backlog.settle(read_back(2, 1))
    backlog.settle(read_back(5, 4))
    backlog.remove(backlog.segments[1])
    first = backlog.changes()
    backlog.restore(*first)
    assert backlog.changes() == first


def test_a_removed_segment_takes_its_rows_with_it(backlog):
    for _ in range(2):
        load(backlog, backlog.wanted(None, always))
    backlog.remove(backlog.segments[1])
    assert take_all(backlog) == [4, 5, 6]


def test_the_oldest_that_may_be_dropped_is_neither_in_flight_nor_live(backlog):
    assert backlog.oldest((), None).id == 1
    assert backlog.oldest({2}, None).id == 4
    assert backlog.oldest((), 3) is None
    assert backlog.oldest({2}, 5) is None


def test_age_is_judged_by_the_first_segment_whose_clock_was_right():
    backlog = Backlog([segment(1, 3, synced=False), segment(4, 6), segment(7, 9)])
    clock = HandClock()  # its steady clock says 100 s, and each row was read at its own number
    of = backlog.segments
    assert backlog.age(of[1], clock) == backlog.age(of[4], clock) == 94.0
    assert backlog.age(of[7], clock) == 91.0
    of[7].synced = False
    assert backlog.age(of[7], clock) is None
    clock.step(3600)  # says nothing within a boot
    assert backlog.age(of[4], clock) == 94.0
    clock.reboot()
    assert backlog.age(of[4], clock) == (clock.now() - of[4].newest) / 1000
