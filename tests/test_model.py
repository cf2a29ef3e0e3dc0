"""Samples as columns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.model import Flaw, Quality, Sample, Samples, Why, bad

SAMPLES = st.lists(
    st.builds(
        Sample,
        st.none() | st.integers() | st.text(),
        st.none() | st.builds(Flaw, st.sampled_from(Quality), st.sampled_from(Why), st.text()),
        st.none() | st.integers(),
    )
)


@given(SAMPLES)
def test_columns_iterate_as_the_samples_they_were_made_of(rows):
    samples = Samples.of(rows)
    assert list(samples) == rows
    assert len(samples) == len(rows)
    assert [samples[index] for index in range(len(rows))] == rows
    assert samples.flaws.keys() == {i for i, row in enumerate(rows) if row.flaw}


def test_a_read_that_brought_nothing_is_bad_throughout():
    samples = Samples.all_bad(3, Why.TIMEOUT, "silent")
    assert list(samples) == [bad(Why.TIMEOUT, "silent")] * 3


def test_samples_that_are_all_good_share_what_they_do_not_have():
    one, other = Samples([1]), Samples([2])
    assert one.flaws is other.flaws
    with pytest.raises(TypeError):
        one.flaws[0] = bad(Why.TIMEOUT).flaw


def test_the_reasons_are_the_closed_list_of_the_contract():
    assert {why.value for why in Why} == {
        "timeout", "damaged", "refused", "link_down", "no_value", "not_a_number", "out_of_range",
        "decode_error", "stale", "device_bad", "device_uncertain", "clock_skew", "catch_up",
        "dynamic", "overload", "underload", "starting",
    }  # fmt: skip
