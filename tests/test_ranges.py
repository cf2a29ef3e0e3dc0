"""Ranges against a plain set."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.ranges import Ranges

PAIRS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 8)).map(lambda p: (p[0], p[0] + p[1])), max_size=25
)


@given(PAIRS)
def test_they_hold_what_a_set_would(pairs):
    ranges, expected = Ranges(), set()
    for first, last in pairs:
        new = set(range(first, last + 1))
        assert ranges.add(first, last) is bool(new - expected)
        expected |= new
    assert len(ranges) == len(expected)
    assert [n for n in range(-1, 75) if n in ranges] == sorted(expected)
    kept = ranges.pairs()
    assert all(after[0] > before[1] + 1 for before, after in itertools.pairwise(kept))
    whole = set(range(min(expected, default=0), max(expected, default=-1) + 1))
    assert {n for a, b in ranges.gaps() for n in range(a, b + 1)} == whole - expected


def test_an_empty_one_has_neither_end():
    assert (Ranges().lowest, Ranges().highest, Ranges().gaps()) == (None, None, [])
