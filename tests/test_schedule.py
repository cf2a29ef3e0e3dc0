"""When poll groups are due."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.schedule import Schedule


def test_every_group_is_due_at_the_start_and_then_on_its_grid() -> None:
    schedule = Schedule([1.0, 5.0], start=100.3, origin=100.0)
    assert schedule.peek() == (100.3, 0)
    assert schedule.advance(100.35) == 0
    assert schedule.peek() == (100.3, 1)
    assert schedule.advance(100.4) == 0
    due = []
    for _ in range(6):
        due.append(schedule.peek())
        schedule.advance(schedule.peek()[0])
    assert due == [(101.0, 0), (102.0, 0), (103.0, 0), (104.0, 0), (105.0, 0), (105.0, 1)]


def test_a_late_poll_does_not_move_the_grid() -> None:
    schedule = Schedule([1.0], start=0.0, origin=0.0)
    assert schedule.advance(0.9) == 0
    assert schedule.peek() == (1.0, 0)
    assert schedule.advance(1.99) == 0
    assert schedule.peek() == (2.0, 0)


def test_instants_that_passed_are_skipped_and_counted_except_the_latest() -> None:
    schedule = Schedule([1.0], start=0.0, origin=0.0)
    assert schedule.advance(3.5) == 2
    assert schedule.peek() == (3.0, 0)


def test_who_waits_longest_is_next_when_the_line_cannot_keep_up() -> None:
    schedule = Schedule([1.0, 1.0, 10.0], start=0.0, origin=0.0)
    now, turns = 0.0, []
    for _ in range(120):
        _, index = schedule.peek()
        turns.append(index)
        now += 1.0
        schedule.advance(now)
    assert turns.count(2) == pytest.approx(12, abs=1), "the slow group keeps its interval"
    assert abs(turns.count(0) - turns.count(1)) <= 2, "the others share what is left"


@given(
    every=st.floats(0.01, 100),
    took=st.lists(st.floats(0, 500), min_size=1, max_size=50),
)
def test_done_and_skipped_polls_are_all_there_were(every: float, took: list[float]) -> None:
    schedule = Schedule([every], start=0.0, origin=0.0)
    now, skipped = 0.0, 0
    for count, seconds in enumerate(took, start=1):
        due, _ = schedule.peek()
        assert due == pytest.approx((count - 1 + skipped) * every, rel=1e-6, abs=1e-9)
        now = max(now, due) + seconds
        skipped += schedule.advance(now)
    assert schedule.peek()[0] <= max(now, due + every) + 1e-6 * now
