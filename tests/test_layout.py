"""Text on a terminal, whose Chinese characters take two cells each and break where they like."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.language import sentence
from edge_agent.layout import columns, padded, width, wrap


@given(st.text("ab 中，（）“”…：x1", max_size=60), st.integers(8, 40))
def test_wrapping_loses_nothing_and_keeps_to_the_width(text, cells):
    lines = wrap(text, cells)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(width(line) <= cells for line in lines if "（" not in line and "“" not in line)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("swap A and B then press Enter", ["swap A and B", "then press", "Enter"]),
        ("请对调两根线，然后按回车", ["请对调两根", "线，然后按回", "车"]),
        ("波特率9600（常用）", ["波特率9600", "（常用）"]),
        ("正在读取 port 的值", ["正在读取", "port 的值"]),
    ],
)
def test_no_line_begins_with_what_closes_or_ends_with_what_opens(text, lines):
    assert wrap(text, 12) == lines


def test_columns_are_as_wide_as_what_is_seen():
    assert columns([("设备", "值"), ("press-1", "2")], right=[1]) == ["设备     值", "press-1   2"]
    assert padded("设备", 6) + "|" == "设备  |"


def test_a_phrase_becomes_a_sentence():
    assert (sentence("reads once"), sentence("读一次")) == ("Reads once.", "读一次。")
