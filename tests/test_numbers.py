"""Numbers without gaps, within what is reserved."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.numbers import (
    AVERAGE_SECONDS,
    RENEW_SECONDS,
    RESERVE_SECONDS,
    SMALLEST_RESERVE,
    SPARE,
    TOO_MUCH,
    Numbers,
)

EPOCH = "0123456789abcdef"


@pytest.fixture
def numbers():
    return Numbers(EPOCH, 41, {"press-1": 40})


def reserve(numbers, mono=0.0, accounted=0):
    reservation = numbers.reservation(accounted, 5, mono)
    numbers.granted(reservation, mono)
    return reservation


def test_numbers_follow_each_other_and_name_the_one_before_on_their_topic(numbers):
    taken = [numbers.take(topic) for topic in ("press-1", "meter-2", "press-1")]
    assert taken == [(42, 40), (43, 0), (44, 42)]


def test_nothing_may_be_used_before_it_is_reserved(numbers):
    assert numbers.exhausted
    assert numbers.spent
    assert numbers.running_low(0.0)
    reserve(numbers)
    assert not numbers.exhausted
    assert not numbers.spent
    assert not numbers.running_low(0.0)


def test_the_last_ones_are_kept_for_records_of_loss(numbers):
    reserve(numbers)
    while not numbers.exhausted:
        numbers.take("press-1")
    assert numbers.reserved - numbers.last == SPARE
    for _ in range(SPARE):
        assert not numbers.spent
        numbers.take("_agent/loss")
    assert numbers.spent


@given(
    st.lists(st.tuples(st.floats(0.1, 1000), st.integers(0, 20_000), st.booleans()), max_size=30)
)
def test_a_reserve_is_never_exceeded_whether_the_disk_took_it_or_not(steps):
    numbers, now, on_disk = Numbers(EPOCH, 0, {}), 0.0, [0]
    for pause, used, is_taken in steps:
        now += pause
        if numbers.running_low(now):
            reservation = numbers.reservation(0, 5, now)
            on_disk.append(reservation.reserved)  # a write that fails may be there all the same
            if is_taken:
                numbers.granted(reservation, now)
                on_disk = on_disk[-1:]
                assert reservation.reserved - numbers.last >= SMALLEST_RESERVE
        for _ in range(used):
            if numbers.exhausted:
                break
            numbers.take("t")
        assert numbers.last <= min(numbers.reserved, *on_disk, numbers.reserved)


def use(numbers, start, seconds, rate):
    """Use so many numbers a second and reserve when needed; give when it ended."""
    for second in range(int(seconds)):
        if numbers.running_low(start + second):
            reserve(numbers, start + second)
        for _ in range(rate):
            numbers.take("t")
    return start + seconds


def test_a_reserve_lasts_a_day_at_the_average_rate(numbers):
    now = use(numbers, 0.0, 4 * AVERAGE_SECONDS, 10)
    ahead = reserve(numbers, now).reserved - numbers.last
    assert 0.95 * 10 * RESERVE_SECONDS < ahead <= TOO_MUCH * 10 * RESERVE_SECONDS


def test_a_burst_does_not_make_the_reserve_long(numbers):
    now = use(numbers, 0.0, 20, 800)
    ahead = reserve(numbers, now).reserved - numbers.last
    assert ahead < 1_000_000, "a day at the rate of the burst would be 69 million"


def test_a_reserve_that_became_much_too_long_is_cut_back(numbers):
    now = use(numbers, 0.0, 1800, 400)
    long = reserve(numbers, now).reserved - numbers.last
    now = use(numbers, now, 4 * AVERAGE_SECONDS, 1)
    assert reserve(numbers, now).reserved - numbers.last < long / 5


def test_what_is_accounted_for_is_written_down_regularly_but_not_without_need(numbers):
    reserve(numbers, 0.0)
    assert not numbers.running_low(10 * RENEW_SECONDS), "nothing was used"
    numbers.take("t")
    assert not numbers.running_low(RENEW_SECONDS - 1)
    assert numbers.running_low(RENEW_SECONDS)


def test_a_reservation_that_was_not_granted_changes_nothing(numbers):
    reservation = numbers.reservation(7, 5, 0.0)
    assert (reservation.epoch, reservation.accounted, reservation.ts) == (EPOCH, 7, 5)
    assert numbers.exhausted
