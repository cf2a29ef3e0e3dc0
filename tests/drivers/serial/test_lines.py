import pytest
from edge_agent_serial.lines import LONGEST, LineSplitter
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_cr_lf_or_both_end_a_line(end):
    assert list(LineSplitter().feed(b"12.3" + end + b"12.4" + end + b"12")) == [b"12.3", b"12.4"]


def test_an_end_of_its_own_is_the_only_end():
    splitter = LineSplitter(b"\r\n")
    assert list(splitter.feed(b"a\rb\nc\r\nd")) == [b"a\rb\nc"]
    assert splitter.unfinished


def test_the_first_line_is_dropped_when_it_began_before_we_listened():
    splitter = LineSplitter(from_the_middle=True)
    assert list(splitter.feed(b"2.3kg\r\n12.4kg\r\n")) == [b"12.4kg"]


def test_an_overlong_line_is_dropped_and_counted_once_and_the_next_one_is_read():
    splitter = LineSplitter()
    lines = [line for _ in range(1000) for line in splitter.feed(b"x" * 100)]
    lines += splitter.feed(b"\r\n12\r\n")
    assert lines == [b"12"]
    assert splitter.overlong == 1


def test_a_line_is_complete_up_to_the_limit_and_not_beyond():
    splitter = LineSplitter()
    assert [len(line) for line in splitter.feed(b"x" * LONGEST + b"\n")] == [LONGEST]
    assert list(splitter.feed(b"x" * (LONGEST + 1) + b"\n")) == []
    assert splitter.overlong == 1


@given(st.binary(max_size=2000), st.lists(st.integers(1, 300), max_size=30))
def test_pieces_make_no_difference_and_memory_is_bounded(data, cuts):
    whole, pieces = LineSplitter(), LineSplitter()
    expected = list(whole.feed(data))
    found = []
    for cut in [*cuts, len(data)]:
        found += pieces.feed(data[:cut])
        data = data[cut:]
        assert len(pieces._rest) <= LONGEST
    assert found == expected
