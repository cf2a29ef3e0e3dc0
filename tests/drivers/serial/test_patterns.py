import time

import pytest
from edge_agent_serial.lines import LONGEST
from edge_agent_serial.patterns import compile_bounded


@pytest.mark.parametrize(
    "text",
    [
        r"(?P<x>\d+)*x",
        r"(?P<x>(a+)+b)",
        r"(?:\d+,)*(?P<x>\d+)",
        r"(?P<x>(a|aa)+)",
        r"(?P<x>(a?){30})",
        r"((?P<x>\d*)\s*){2,}",
        r"(?P<x>.*.*.*.*z)",
    ],
)
def test_what_may_take_forever_is_refused(text):
    with pytest.raises(ValueError, match=r"forever|too long"):
        compile_bounded(text)


@pytest.mark.parametrize(
    "text",
    [
        r"(?P<x>[+-]? *\d+(?:\.\d+)?)",
        r"(?P<state>ST|US),(?:GS|NT),(?P<x>[+-] *[\d.]+)(?P<unit>kg|lb)",
        r"(?:\d{2}:)+(?P<x>\d+)",
        r"[(+*]*(?P<x>\d+)[)]",
        r"\(\d+\)+(?P<x>.*)",
        r".*=(?P<x>.*);.*",
    ],
)
def test_usual_patterns_are_accepted(text):
    assert "x" in compile_bounded(text).groupindex


def test_no_regular_expression_is_refused_with_the_reason():
    with pytest.raises(ValueError, match="unterminated"):
        compile_bounded("(?P<x>")


def test_the_worst_accepted_pattern_ends_soon():
    pattern = compile_bounded(r".*a.*b(?P<x>.*)z")
    started = time.perf_counter()
    assert pattern.fullmatch("ab" * (LONGEST // 2)) is None
    assert time.perf_counter() - started < 1
