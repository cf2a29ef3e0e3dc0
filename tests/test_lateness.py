"""How late polls start."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.lateness import LIMITS_MS, Lateness


@pytest.mark.parametrize("most", [40, pytest.param(200, marks=pytest.mark.thorough)])
def test_a_percentile_is_the_limit_above_that_share_of_the_delays(most):
    some = st.lists(st.floats(0, 2), min_size=1, max_size=most)
    given(some, st.sampled_from([0.5, 0.99, 1.0]))(is_the_limit)()


def is_the_limit(delays, share):
    lateness = Lateness()
    for delay in delays:
        lateness.add(delay)
    limit = lateness.percentile(share)
    within = sum(delay * 1000 <= limit for delay in delays)
    assert within >= share * len(delays)
    below = LIMITS_MS[LIMITS_MS.index(limit) - 1] if limit != LIMITS_MS[0] else -1
    assert sum(delay * 1000 <= below for delay in delays) < share * len(delays)


def test_without_polls_there_is_no_percentile():
    assert Lateness().percentile(0.99) is None


@pytest.mark.parametrize("seconds", [-0.001, 0.0, 0.0005])
def test_a_poll_on_time_or_early_counts_as_not_late(seconds):
    lateness = Lateness()
    lateness.add(seconds)
    assert lateness.percentile(0.99) == 0.5
