"""Records of loss: numbered, merged while unsent, kept until acknowledged."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.ledger import Ledger, loss_of, runs
from edge_agent.numbers import Numbers
from edge_agent.row import Loss, Row

EPOCH = "0123456789abcdef"


def loss(first, last, why="capacity", readings=10, epoch=EPOCH):
    return Loss(0, 0, epoch, first, last, readings, first * 10, last * 10, why)


def row(seq, readings=1):
    return Row(seq, 0, "d", seq * 10, 0.0, True, readings, b"")


@pytest.fixture
def numbers():
    numbers = Numbers(EPOCH, 100, {})
    numbers.reserved = 1000
    return numbers


@pytest.fixture
def ledger(numbers):
    return Ledger(numbers, [])


def test_a_record_gets_its_number_from_the_same_sequence(ledger, numbers):
    ledger.add(loss(1, 5))
    numbers.take("d")
    ledger.add(loss(7, 9))
    assert [(one.seq, one.prev) for one in ledger.records] == [(101, 0), (103, 101)]


def test_losses_that_follow_each_other_become_one_record_while_it_is_unsent(ledger):
    for first in (1, 6, 11):
        ledger.add(loss(first, first + 4))
    (record,) = ledger.records
    assert (record.first, record.last, record.readings) == (1, 15, 30)
    assert (record.oldest, record.newest) == (10, 150)


@pytest.mark.parametrize("other", [loss(7, 9), loss(6, 9, why="age"), loss(6, 9, epoch="f" * 16)])
def test_what_does_not_continue_is_a_record_of_its_own(ledger, other):
    ledger.add(loss(1, 5))
    ledger.add(other)
    assert len(ledger) == 2


def test_a_record_that_was_sent_does_not_change_any_more(ledger):
    ledger.add(loss(1, 5))
    sent = ledger.next()
    ledger.give_back(sent)
    ledger.add(loss(6, 9))
    assert [one.last for one in ledger.records] == [5, 9]
    assert ledger.next() is sent


def test_a_count_that_is_unknown_stays_unknown(ledger):
    ledger.add(loss(1, 5, readings=None))
    ledger.add(loss(6, 9))
    ledger.add(loss(12, 13))
    ledger.add(loss(14, 15, readings=None))
    assert [one.readings for one in ledger.records] == [None, None]


def test_it_is_kept_until_acknowledged(ledger):
    ledger.add(loss(1, 5))
    record = ledger.next()
    assert ledger.next() is None
    assert len(ledger) == 1
    ledger.give_back(record)
    assert ledger.next() is record
    ledger.ack(record)
    assert len(ledger) == 0


def test_a_flush_writes_what_is_new_or_grew_and_deletes_what_is_acknowledged(ledger):
    ledger.add(loss(1, 5))
    assert [one.last for one in ledger.changes()[0]] == [5]
    assert ledger.changes() == ([], [])
    ledger.add(loss(6, 9))
    assert [one.last for one in ledger.changes()[0]] == [9]
    ledger.ack(ledger.next())
    assert ledger.changes() == ([], [101])


def test_a_flush_that_failed_is_repeated(ledger):
    ledger.add(loss(1, 5))
    ledger.add(loss(8, 9))
    ledger.restore(*ledger.changes())
    ledger.ack(ledger.next())
    changed, settled = ledger.changes()
    assert ([one.first for one in changed], settled) == ([8], [101])


def test_what_only_memory_knows_is_not_accounted_for(ledger):
    assert ledger.first_unsaved() is None
    ledger.add(loss(40, 45))
    assert ledger.first_unsaved() == 40
    ledger.add(loss(3, 4, epoch="f" * 16))
    assert ledger.first_unsaved() == 40, "numbers of another epoch say nothing about this one"
    ledger.changes()
    assert ledger.first_unsaved() is None


def test_without_a_free_number_a_record_waits_for_one(ledger, numbers):
    numbers.reserved = numbers.last
    ledger.add(loss(1, 5))
    ledger.count_unnumbered(7000, 3)
    ledger.count_unnumbered(8000, 4)
    assert (len(ledger), ledger.next(), ledger.first_unsaved()) == (2, None, 1)
    numbers.reserved += 10
    ledger.number()
    first, second = ledger.records
    assert (first.seq, first.first) == (101, 1)
    assert (second.seq, second.first, second.last, second.readings) == (102, None, None, 7)
    assert (second.oldest, second.newest) == (7000, 8000)


@given(st.sets(st.integers(1, 60), min_size=1))
def test_runs_part_rows_at_every_gap_and_lose_none(seqs):
    rows = [row(seq) for seq in sorted(seqs)]
    parts = runs(rows)
    assert [one for part in parts for one in part] == rows
    for part in parts:
        assert part[-1].seq - part[0].seq == len(part) - 1
    for before, after in pairwise(parts):
        assert after[0].seq > before[-1].seq + 1


def test_a_run_is_named_with_its_readings_and_times():
    named = loss_of([row(5, 3), row(6, 4)], EPOCH, "refused")
    assert (named.first, named.last, named.readings) == (5, 6, 7)
    assert (named.oldest, named.newest, named.why) == (50, 60, "refused")
