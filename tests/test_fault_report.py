"""The table of the fault tests, and whether their judge sees what is wrong."""

import json

import pytest

from tests.rigs import fault_report
from tests.rigs.arrivals import Arrivals
from tests.rigs.fault_report import BEGIN, END, Outcome, judged, newest, table, written


def data(*numbers, device="press", hist=False, value=1, point="counter"):
    """Give messages with these numbers, one good reading each."""
    for seq in numbers:
        payload = {"epoch": "e", "seq": seq, "ts": 1000, "readings": [{"p": point, "v": value}]}
        payload |= {"hist": True} if hist else {}
        yield f"edge/v1/site/gw/{device}/data", json.dumps(payload).encode()


def loss(seq, first, last, readings):
    payload = {"epoch": "e", "seq": seq, "lost_epoch": "e", "first": first, "last": last}
    payload |= {"readings": readings, "why": "capacity"}
    yield "edge/v1/site/gw/_agent/loss", json.dumps(payload).encode()


def arrived(*messages):
    arrivals = Arrivals()
    for several in messages:
        for topic, content in several:
            arrivals.take(topic, content, 1.5)
    return arrivals


def test_a_number_that_never_came_is_missing_also_at_the_beginning():
    assert arrived(data(3, 4, 6)).missing == 3


def test_what_a_record_of_loss_names_is_not_missing():
    arrivals = arrived(data(4, 5), loss(6, 1, 3, 9))
    assert (arrivals.missing, arrivals.named, len(arrivals.losses)) == (0, 9, 1)


def test_a_message_twice_counts_once():
    arrivals = arrived(data(1, 2, 2))
    assert (arrivals.delivered, arrivals.duplicates, arrivals.disorder) == (2, 1, 0)


def test_order_is_judged_within_a_device_and_a_lane():
    assert arrived(data(1, 4), data(2, 3, device="oven")).disorder == 0
    assert arrived(data(4), data(2, 3, hist=True)).disorder == 0
    assert arrived(data(1, 3, 2)).disorder == 1


def test_only_values_are_good():
    arrivals = arrived(data(1, 2), data(3, value=None))
    assert (arrivals.delivered, arrivals.good, arrivals.bad) == (3, 2, {"press": 1})
    assert arrivals.values == {"press": [1, 1]}


def test_the_age_of_live_messages_is_kept():
    arrivals = arrived(data(1), data(2, hist=True))
    assert arrivals.ages == [(1.5, 0.5)]
    assert arrivals.oldest_live() == 0.5


@pytest.mark.parametrize("arrivals", [arrived(data(1, 3)), arrived(data(2, 1)), arrived(data(1))])
def test_what_is_lost_silently_or_in_disorder_is_no_pass(arrivals):
    outcome = Outcome(1, "none")
    outcome.judge(arrivals, made=2)
    with pytest.raises(AssertionError):
        outcome.assert_nothing_lost_silently()


def test_what_was_made_and_neither_arrived_nor_is_named_is_no_pass():
    outcome = Outcome(1, "none")
    outcome.judge(arrived(data(3), loss(4, 1, 2, 2)), made=3)
    outcome.assert_nothing_lost_silently()
    outcome.judge(arrived(data(3), loss(4, 1, 2, 2)), made=4)
    with pytest.raises(AssertionError):
        outcome.assert_nothing_lost_silently()


def test_numbers_are_tallied_and_added_up():
    outcome = Outcome(1, "none")
    outcome.tally(range(1, 9), [5, 7, 6, 6], [1], lost=[(2, 3)])
    outcome.tally([9], [9], lost=[(None, 1), (20, None)])
    assert (outcome.produced, outcome.delivered, outcome.losses, outcome.named) == (9, 5, 3, 2)
    assert (outcome.missing, outcome.duplicates, outcome.disorder) == (2, 1, 1)


def test_a_record_whose_ends_are_unknown_names_all_up_to_the_end_that_is_known():
    outcome = Outcome(1, "none")
    outcome.tally([1, 2, 3, 4], lost=[(None, 2)])
    assert (outcome.named, outcome.missing) == (2, 2)
    outcome.tally([5, 6], lost=[(6, None)])
    assert (outcome.named, outcome.missing) == (3, 3)


def test_a_test_that_fails_is_recorded_as_it_failed(tmp_path, monkeypatch):
    monkeypatch.setattr(fault_report, "RESULTS", tmp_path / "new" / "faults.jsonl")
    with judged(1, "works"):
        pass
    with pytest.raises(AssertionError), judged(2, "breaks"):
        raise AssertionError("one is not two\nand more")
    results = newest(fault_report.RESULTS.read_text().splitlines())
    assert [one["verdict"] for one in results] == ["pass", "AssertionError: one is not two"]


def test_the_table_shows_the_newest_result_and_prefers_the_full_size():
    def line(number, *, full, delivered, fault="cut"):
        return json.dumps({**vars(Outcome(number, fault, full)), "delivered": delivered})

    results = newest(
        [
            line(2, full=False, delivered=1),
            line(1, full=True, delivered=1000),
            line(1, full=False, delivered=3),
            line(2, full=False, delivered=4),
            line(1, full=False, delivered=5, fault="a smaller cut"),
        ]
    )
    assert [one["delivered"] for one in results] == [1000, 4]
    rows = table(results).splitlines()[2:]
    assert [row.split(" | ")[:4] for row in rows] == [
        ["| 1", "cut", "", "1,000"],
        ["| 2", "cut (quick)", "", "4"],
    ]
    assert {row.count(" | ") for row in rows} == {len(fault_report.COLUMNS) - 1}


def test_the_table_is_written_between_its_marks_and_nothing_else_changes():
    document = f"# Faults\n\n{BEGIN}\nold\n{END}\n\nMore.\n"
    assert written(document, "new\n") == f"# Faults\n\n{BEGIN}\nnew\n{END}\n\nMore.\n"
    assert written("# Faults\n\n", "new\n") == f"# Faults\n\n{BEGIN}\nnew\n{END}\n"
