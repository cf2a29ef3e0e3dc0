"""How long to wait before the next try."""

from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.backoff import backoff


@given(st.floats(0.01, 10), st.floats(10, 600), st.floats(0, 0.5))
def test_delays_double_up_to_the_cap_each_off_by_the_spread(first, cap, spread):
    expected = first
    for delay in islice(backoff(first, cap, spread), 20):
        assert expected * (1 - spread) * 0.999 <= delay <= min(cap, expected * (1 + spread) * 1.001)
        expected = min(cap, expected * 2)


def test_gateways_that_lost_their_broker_together_do_not_return_in_step():
    returns = {round(sum(islice(backoff(), 8)), 3) for _ in range(50)}
    assert len(returns) > 40  # of 50; two may meet in the same millisecond by chance
