import pytest
from edge_agent_serial.framing import LineFraming
from edge_agent_serial.patterns import compile_bounded

from tests.rigs.processor import takes_at_most

LONGEST = LineFraming(kind="line").longest


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
        r"(?P<x>\d*\d*\d*\d*z)",
        r"(?P<x>\w+)(\d+)(\w+)(\d+)z",
        r"(?P<x>\s*\S+\s*\S+\s*\S+\s*\S+\s*)",
        r"(?P<x>\d*(?!x)\d*(?=1)\d*(?i:x)?\d*z)",
        r"(?P<x>\d*(?:x|)\d*(?:,\d)?\d*y*\d*z)",
        r"(?P<x>a{1,99}a{1,99}a{1,99}a{1,99}b)",
        r"(?P<x>(?:11){0,50}1*(?:1{3})*1+z)",
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
        r"(?P<x>\d+)\.(\d+)\.(\d+)\.(\d+)\.(\d+)",
        r"(?P<x>[A-Z]+) +([A-Z]+) +([A-Z]+) +([A-Z]+)",
        r"(?P<x>[^,]*),([^,]*),([^,]*),([^,]*),([^,]*)",
        r" *(?P<x>[+-]? *(?:\d+(?:[.,]\d*)?|[.,]\d+)) *([A-Za-z%/]{0,8}) *",
        r"\(?:(?P<x>\d+)[(?:]\d+",
    ],
)
def test_usual_patterns_are_accepted(text):
    assert "x" in compile_bounded(text).groupindex


def test_no_regular_expression_is_refused_with_the_reason():
    with pytest.raises(ValueError, match="unterminated"):
        compile_bounded("(?P<x>")


def test_what_is_looked_for_everywhere_may_repeat_less_unless_it_begins_at_the_beginning():
    compile_bounded(r"\d*\d*\d*x")
    compile_bounded(r"(?i)^\d*\d*\d*x", searched=True)
    for text in (r"\d*\d*\d*x", r"^a|\d*\d*\d*x"):
        with pytest.raises(ValueError, match="at most 2"):
            compile_bounded(text, searched=True)


@pytest.mark.parametrize("text", [r"\d*\d*x", r"\w+\d+x", r".*,.*x"])
def test_the_worst_pattern_that_is_looked_for_ends_soon(text):
    pattern = compile_bounded(text, searched=True)
    heard = ("1" if "d" in text else ",") * LONGEST
    assert pattern.search(heard) is None
    assert takes_at_most(1, lambda: pattern.search(heard))


def test_the_worst_accepted_pattern_ends_soon():
    pattern = compile_bounded(r".*a.*b(?P<x>.*)z")
    heard = "ab" * (LONGEST // 2)
    assert pattern.fullmatch(heard) is None
    assert takes_at_most(1, lambda: pattern.fullmatch(heard))
