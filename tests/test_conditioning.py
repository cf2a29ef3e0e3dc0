"""What becomes of samples: no-value codes, scaling, plausibility, deadband."""

import math
import tracemalloc
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.conditioning import Conditioner, scaling
from edge_agent.model import Flaw, Quality, Sample, Samples, Why, bad
from tests.rigs.points import point

UNCERTAIN = Flaw(Quality.UNCERTAIN, Why.DEVICE_UNCERTAIN)
WRITTEN = st.decimals(-10_000, 10_000, allow_nan=False, places=4)
NUMBERS = st.floats(-1e6, 1e6) | st.integers(-(2**64), 2**64)
ANYTHING = (
    st.none() | st.booleans() | st.text(max_size=5) | st.floats() | st.integers(-(10**400), 10**400)
)


def conditioned(samples, now=0.0, **others):
    """Condition samples of as many equal points."""
    return Conditioner([point(**others) for _ in samples]).condition(Samples.of(samples), now)


# --- scaling -----------------------------------------------------------------------------------


def test_every_int16_divided_by_a_power_of_ten_is_exact():
    for scale, divisor in ((0.1, 10), (0.01, 100), (0.001, 1000)):
        scaled = scaling(scale, 0)
        assert all(scaled(raw) == raw / divisor for raw in range(-(1 << 15), 1 << 16))


@given(st.integers(-(2**63), 2**64), WRITTEN, WRITTEN)
def test_an_integer_is_scaled_as_on_paper_and_rounded_once(raw, scale, add):
    exact = Decimal(raw) * scale + add
    result = scaling(float(scale), float(add))(raw)
    assert result == (int(exact) if isinstance(result, int) else float(exact))


@given(st.integers(-(2**64), 2**64), st.integers(-1000, 1000), st.integers(-1000, 1000))
def test_whole_factors_keep_integers_whole(raw, scale, add):
    result = scaling(float(scale), float(add))(raw)
    assert isinstance(result, int)
    assert result == raw * scale + add


@given(st.floats(-1e6, 1e6), WRITTEN, WRITTEN)
def test_a_float_is_scaled_as_floats_are(raw, scale, add):
    assert scaling(float(scale), float(add))(raw) == raw * float(scale) + float(add)


def test_text_and_truth_are_not_scaled():
    readings = conditioned([Sample("12"), Sample(value=True)], scale=0.1, add=5)
    assert readings.values == ["12", True]


# --- what is no value --------------------------------------------------------------------------


def test_no_value_codes_are_raw_and_become_bad():
    readings = conditioned(
        [Sample(-32768), Sample(32767), Sample(-3276.8)], scale=0.1, no_value=(-32768, 32767)
    )
    assert readings.values == [None, None, pytest.approx(-327.68)]
    assert {index: flaw[:2] for index, flaw in readings.flaws.items()} == dict.fromkeys(
        (0, 1), (Quality.BAD, Why.NO_VALUE)
    )


def test_a_text_can_be_a_no_value_code():
    assert conditioned([Sample("----")], no_value=("----",)).flaws[0].why is Why.NO_VALUE


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_not_a_number(value):
    readings = conditioned([Sample(value)])
    assert readings.values == [None]
    assert readings.flaws[0][:2] == (Quality.BAD, Why.NOT_A_NUMBER)


def test_an_overflow_in_scaling_is_not_a_number():
    readings = conditioned([Sample(1e300), Sample(10**400), Sample(-(10**400))], scale=1e10)
    assert readings.values == [None, None, None]
    assert {flaw.why for flaw in readings.flaws.values()} == {Why.NOT_A_NUMBER}


def test_an_integer_beyond_all_floats_is_not_a_number():
    readings = conditioned([Sample(10**400)], scale=0.1)
    assert readings.flaws[0].why is Why.NOT_A_NUMBER


def test_a_reason_that_is_known_is_kept():
    flaw = Flaw(Quality.BAD, Why.DEVICE_BAD, "sensor")
    readings = conditioned([Sample(math.nan, flaw), Sample(5, flaw), bad(Why.TIMEOUT)])
    assert readings.values == [None, None, None]
    assert [readings.flaws[i].why for i in range(3)] == [
        Why.DEVICE_BAD, Why.DEVICE_BAD, Why.TIMEOUT
    ]  # fmt: skip


def test_no_value_is_never_merely_uncertain():
    readings = conditioned([Sample(None, UNCERTAIN), Sample(None)])
    assert readings.flaws[0][:2] == (Quality.BAD, Why.DEVICE_UNCERTAIN)
    assert readings.flaws[1][:2] == (Quality.BAD, Why.NO_VALUE)


def test_an_implausible_value_is_uncertain_and_still_there():
    readings = conditioned([Sample(201), Sample(200), Sample(-1)], range=(0.0, 20.0), scale=0.1)
    assert readings.values == [20.1, 20.0, -0.1]
    assert readings.flaws.keys() == {0, 2}
    assert readings.flaws[0][:2] == (Quality.UNCERTAIN, Why.OUT_OF_RANGE)


@given(
    st.lists(st.tuples(ANYTHING, st.none() | st.just(UNCERTAIN) | st.just(bad(Why.DAMAGED).flaw)))
)
def test_a_value_is_bad_exactly_where_there_is_none(samples):
    given_ones = [Sample(value, flaw) for value, flaw in samples]
    readings = conditioned(given_ones, scale=0.1, range=(0.0, 1e5), deadband=1, no_value=(7,))
    for index, value in enumerate(readings.values):
        flaw = readings.flaws.get(index)
        assert (value is None) is (flaw is not None and flaw.quality is Quality.BAD)
        assert not (isinstance(value, float) and not math.isfinite(value))


def test_the_driver_s_samples_are_left_as_they_are():
    samples = Samples.of([Sample(5), Sample(math.nan)])
    Conditioner([point(scale=0.1), point()]).condition(samples, 0.0)
    assert samples.values[0] == 5
    assert not samples.flaws


# --- deadband ----------------------------------------------------------------------------------


def published(points, values, every=1.0):
    """Give (instant, value) of everything that a point lets through."""
    conditioner = Conditioner([points])
    out = []
    for number, value in enumerate(values):
        sample = value if isinstance(value, Sample) else Sample(value)
        readings = conditioner.condition(Samples.of([sample]), number * every)
        if 0 in readings.indices:
            out.append((number * every, readings.values[0]))
    return out


def test_without_a_deadband_every_poll_is_news():
    assert len(published(point(), [1, 1, 1])) == 3


def test_a_deadband_of_nothing_lets_only_changes_through():
    assert published(point(deadband=0), [1, 1, 2, 2, 1]) == [(0, 1), (2, 2), (4, 1)]


@given(st.lists(NUMBERS, min_size=1, max_size=40), st.floats(0, 1000))
def test_what_is_held_back_is_within_the_deadband_of_what_was_sent(values, size):
    sent = dict(published(point(deadband=size), values))
    last = None
    for number, value in enumerate(values):
        if number in sent:
            assert last is None or abs(value - last) > size
            last = value
        assert abs(value - last) <= size


@given(st.lists(st.floats(1, 1000), min_size=1, max_size=40))
def test_a_relative_deadband_counts_from_the_value_sent_last(values):
    sent = dict(published(point(deadband="2%"), values))
    last = None
    for number, value in enumerate(values):
        if number in sent:
            last = value
        assert abs(value - last) <= last * 0.02


def test_a_relative_deadband_counts_from_the_range_where_there_is_one():
    steps = published(point(deadband="10%", range=(0.0, 50.0)), [10, 14, 15, 15.5, 20.6])
    assert [value for _, value in steps] == [10, 15.5, 20.6]


def test_every_change_of_quality_passes():
    values = [1, bad(Why.TIMEOUT), bad(Why.TIMEOUT), bad(Why.DAMAGED), 1, Sample(1, UNCERTAIN)]
    assert [at for at, _ in published(point(deadband=100), values)] == [0, 1, 3, 4, 5]


@pytest.mark.parametrize("pair", [("a", "b"), (True, False), (1, "1"), (None, 1)])
def test_what_is_no_number_passes_when_it_differs(pair):
    first, second = pair
    assert len(published(point(deadband=100), [first, first, second])) == 2


@pytest.mark.parametrize(
    ("every", "longest"), [(1.0, 60.0), (0.5, 60.0), (30.0, 110.0), (40.0, 100.0), (7.0, 20.0)]
)
def test_no_silence_is_longer_than_allowed(every, longest):
    one = point(deadband=5, max_silence=longest, every=every)
    times = [at for at, _ in published(one, [1] * 300, every)]
    gaps = [after - before for before, after in pairwise(times)]
    assert max(gaps) <= longest
    assert min(gaps) > longest - 1.1 * every, "nor sent much more often than asked for"


@given(st.lists(st.floats(-0.02, 0.02), min_size=150, max_size=150))
def test_polls_that_are_not_on_time_to_the_millisecond_change_nothing(jitter):
    conditioner = Conditioner([point(deadband=5, max_silence=60.0, every=1.0)])
    times = [number + late for number, late in enumerate(jitter)]
    sent = [now for now in times if conditioner.condition(Samples([1]), now).indices]
    gaps = [after - before for before, after in pairwise(sent)]
    assert all(59.9 < gap < 60.1 for gap in gaps)


def test_points_with_and_without_a_deadband_live_side_by_side():
    conditioner = Conditioner([point("a"), point("b", deadband=5), point("c")])
    assert list(conditioner.condition(Samples([1, 1, 1]), 0).indices) == [0, 1, 2]
    assert list(conditioner.condition(Samples([1, 2, 1]), 1).indices) == [0, 2]


# --- changes -----------------------------------------------------------------------------------


@given(st.lists(ANYTHING, min_size=3, max_size=3))
def test_changes_of_all_points_are_conditioned_as_a_poll_is(values):
    points = [
        point("a", scale=0.1, no_value=(3,)),
        point("b", range=(0, 10)),
        point("c", deadband=1, scale=2.0),
    ]
    poll, changes = (
        Conditioner(points).condition(Samples(values), 0.0, of) for of in (None, [0, 1, 2])
    )
    assert list(changes.indices) == list(poll.indices)
    assert repr(changes.values) == repr(poll.values)
    assert changes.flaws == poll.flaws


def test_changes_belong_to_their_points_and_may_repeat_one():
    points = [point("a", scale=0.1), point("b", deadband=2), point("c", no_value=(9,))]
    samples = Samples([10, 5, 6, 8, 9, 20])
    readings = Conditioner(points).condition(samples, 0.0, [0, 1, 1, 1, 2, 0])
    assert readings.values == [1.0, 5, 6, 8, None, 2.0]
    assert list(readings.indices) == [0, 1, 3, 4, 5]
    assert {row: flaw.why for row, flaw in readings.flaws.items()} == {4: Why.NO_VALUE}


def test_a_silence_is_noticed_before_it_is_too_long():
    points = [point("a", deadband=1, max_silence=60.0), point("b"), point("c", deadband=1)]
    conditioner = Conditioner(points, watched=True)
    assert conditioner.quiet(1000.0) == [], "nothing was sent yet"
    conditioner.condition(Samples([1, 1, 1]), 1000.0)
    assert conditioner.patience == 15.0
    assert conditioner.quiet(1045.0) == []
    assert conditioner.quiet(1045.1) == [0, 1], "the third is sent at changes only"
    conditioner.condition(Samples([1]), 1045.1, [1])
    assert conditioner.quiet(1046.0) == [0]
    assert list(conditioner.condition(Samples([1]), 1046.0, [0]).indices) == [0]


# --- memory ------------------------------------------------------------------------------------


def test_what_is_known_of_a_watched_point_takes_some_bytes():
    points = [point() for _ in range(2000)]
    tracemalloc.start()
    try:
        conditioner = Conditioner(points, watched=True)
        taken, _most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert conditioner.quiet(0.0) == []
    assert taken < 2000 * 24
