"""How many messages may be in flight, and how fast the backlog may flow."""

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.window import FIRST_SHARE, SLOW, Pace, Window

QUICK = SLOW / 2


def drive(window, steps):
    """Send and acknowledge as a publisher would; give the most that was in flight of each kind."""
    flying, most, now = [], [0, 0], 0.0
    for backlog, takes in steps:
        may = window.open_for_backlog if backlog else window.open
        if may:
            window.sent(backlog=backlog)
            flying.append((now, backlog))
        most[0] = max(most[0], len(flying))
        most[1] = max(most[1], sum(kind for _, kind in flying))
        now += takes
        if takes and flying:
            sent_at, kind = flying.pop(0)
            window.acknowledged(sent_at, now, backlog=kind)
    return most


@given(
    st.integers(-1, 50),
    st.lists(st.tuples(st.booleans(), st.sampled_from([0, 0.1, 3.0])), max_size=200),
)
def test_never_more_than_the_window_is_in_flight(size, steps):
    window = Window(size)
    most, _ = drive(window, steps)
    assert most <= max(1, size)
    assert 0 <= window.flying <= max(1, size)


def test_the_backlog_begins_with_a_part_and_gets_the_whole_window_while_all_is_prompt():
    window = Window(100)
    assert drive(window, [(True, 0)] * 200)[1] == FIRST_SHARE
    window = Window(100)
    drive(window, [(True, 0.001)] * 200)
    assert drive(window, [(True, 0)] * 200)[1] == 100


def test_slow_acknowledgements_halve_the_backlog_once_per_round_trip_and_never_stop_it():
    window = Window(64)
    drive(window, [(True, 0.001)] * 100)
    for _ in range(64):
        window.sent(backlog=True)
    for _ in range(64):  # one round trip: all of it was sent before the first was slow
        window.acknowledged(0.0, 2.0, backlog=True)
    assert drive(window, [(True, 0)] * 100)[1] == 32
    window = Window(64)
    for trip in range(20):
        window.sent(backlog=True)
        window.acknowledged(trip * 10.0, trip * 10.0 + 5, backlog=True)
    assert window.open_for_backlog


def test_live_messages_use_what_the_backlog_may_not():
    window = Window(20)
    while window.open_for_backlog:
        window.sent(backlog=True)
    assert window.open


@given(st.floats(1, 1e5), st.lists(st.tuples(st.floats(0, 1), st.integers(1, 500)), max_size=200))
def test_a_pace_allows_its_rate_and_a_burst_of_one_second(rate, steps):
    pace, now, spent, last = Pace(rate), 0.0, 0, 0
    for pause, readings in steps:
        now += pause
        if pace.allows(now):
            pace.spend(readings)
            spent, last = spent + readings, readings
    assert spent <= rate * (now + 1) + max(last, 500)


def test_a_pace_of_nothing_stops_and_no_pace_does_not_limit():
    assert not Pace(0.0).allows(1e9)
    free = Pace(None)
    free.spend(10**9)
    assert free.allows(0.0)


def test_a_pace_does_not_gain_by_a_clock_that_goes_back():
    pace = Pace(10.0)
    assert pace.allows(100.0)
    pace.spend(10)
    assert not pace.allows(50.0)
    assert not pace.allows(50.0)
    assert pace.allows(50.2)
