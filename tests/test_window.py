"""How many messages may be in flight, and how fast the backlog may flow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.window import FIRST_ROOM, QUEUE, Pace, Window

SIZE = 3000  # bytes of a message of a device of a hundred points


class Wire:
    """A line and a broker behind it, with a window in front, in time that only moves here.

    Args:
        rate: Bytes per second.
        trip: Seconds there and back.
        window: What may be in flight.
    """

    def __init__(self, rate, trip, window):
        self.rate, self.trip, self.window = rate, trip, window
        self.now = self.free_at = 0.0
        self.flying = []
        self.waiting = []
        self.late = []  # of each live message: when it was due, and how long it took
        self.carried = 0

    def run(self, seconds, live_every):
        """Send a live message now and then, as soon as it may, and the backlog whenever it may."""
        end, due = self.now + seconds, self.now
        while self.now < end:
            while due <= self.now:
                self.waiting.append(due)
                due += live_every
            while self.window.open and self.waiting:
                self._send(self.waiting.pop(0))
            while self.window.open_for_backlog:
                self._send(None)
            landing = self.flying[0][0] if self.flying else end
            self.now = min(end, due, landing)
            while self.flying and self.flying[0][0] <= self.now:
                self._land()

    def _send(self, due):
        departure = self.window.sent(SIZE, self.now, backlog=due is None)
        self.free_at = max(self.free_at, self.now) + SIZE / self.rate
        self.flying.append((self.free_at + self.trip, departure, due))

    def _land(self):
        _, departure, due = self.flying.pop(0)
        self.window.acknowledged(departure, self.now)
        if due is None:
            self.carried += departure.size
        else:
            self.late.append((due, self.now - due))


# Bytes per second, seconds there and back: 2G, thin 4G, a satellite, a slow broker, a factory's LAN
LINES = [(4_000, 0.6), (31_250, 0.3), (100_000, 1.2), (10_000_000, 0.5), (5_000_000, 0.01)]


@pytest.mark.parametrize(("rate", "trip"), LINES)
def test_live_messages_hardly_stand_in_a_queue_and_the_backlog_uses_what_they_leave(rate, trip):
    wire = Wire(rate, trip, Window(100))
    live_every = max(0.5, 5 * SIZE / rate)  # a fifth of the line, at most
    wire.run(60, live_every)
    unloaded = trip + SIZE / rate
    settled = sorted(took - unloaded for at, took in wire.late if at > 20 * unloaded)
    assert settled[int(len(settled) * 0.95)] <= 2 * QUEUE + 2 * SIZE / rate, "two messages ahead"
    possible = min(rate - SIZE / live_every, 100 * SIZE / trip)  # of the line, or of the window
    assert wire.carried / 60 >= 0.6 * possible


def test_a_line_that_becomes_thin_is_noticed_and_one_that_recovers_is_used_again():
    wire = Wire(1_000_000, 0.05, Window(100))
    wire.run(10, 0.5)
    wire.rate = 20_000
    wire.run(40, 0.5)  # what was in flight takes fifteen seconds
    thin = [took for at, took in wire.late if at > 30]
    assert max(thin) <= 1.5, "one message takes 0.15 s on it"
    wire.rate, before = 1_000_000, wire.carried
    wire.run(30, 0.5)
    assert wire.carried - before >= 0.6 * 30 * (1_000_000 - SIZE / 0.5)


def test_a_line_that_becomes_long_is_used_again_after_the_memory_of_the_shorter_one():
    wire = Wire(1_000_000, 0.01, Window(20))
    wire.run(10, 1.0)
    wire.trip = 0.6
    wire.run(60, 1.0)
    before = wire.carried
    wire.run(30, 1.0)
    assert wire.carried - before >= 0.7 * 30 * 20 * SIZE / 0.6


def test_the_backlog_begins_with_a_little_and_one_message_may_always_be_on_its_way():
    window = Window(100)
    sent = 0
    while window.open_for_backlog:
        window.sent(SIZE, 0.0, backlog=True)
        sent += SIZE
    assert FIRST_ROOM <= sent < FIRST_ROOM + SIZE
    slow = Window(64)
    first = slow.sent(SIZE, 0.0, backlog=True)
    slow.acknowledged(first, 0.1)
    for trip in range(1, 20):
        departure = slow.sent(SIZE, trip * 10.0, backlog=True)
        slow.acknowledged(departure, trip * 10.0 + 5)
        assert slow.open_for_backlog


def test_what_was_never_in_flight_gives_no_room():
    window = Window(100)
    for second in range(1000):
        window.acknowledged(window.sent(100, float(second), backlog=False), second + 0.01)
    assert window.line.room == FIRST_ROOM


def test_live_messages_use_what_the_backlog_may_not():
    window = Window(20)
    while window.open_for_backlog:
        window.sent(SIZE, 0.0, backlog=True)
    assert window.open


@given(
    st.integers(-1, 50),
    st.lists(st.tuples(st.booleans(), st.sampled_from([0, 0.1, 3.0])), max_size=200),
)
def test_never_more_than_the_window_is_in_flight(size, steps):
    window, flying, now = Window(size), [], 0.0
    for backlog, takes in steps:
        if window.open_for_backlog if backlog else window.open:
            flying.append(window.sent(SIZE, now, backlog=backlog))
        assert len(flying) <= max(1, size)
        now += takes
        if takes and flying:
            window.acknowledged(flying.pop(0), now)
    for departure in flying:
        window.acknowledged(departure, now)
    assert window.open_for_backlog


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
