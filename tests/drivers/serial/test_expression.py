import pytest
from edge_agent_serial.expression import Expression, ExpressionFailed

from tests.rigs.processor import takes_at_most

VALUES = {"a": 5, "b": 2.5, "text": "ST", "nothing": None, "flag": True}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("a * 10 ** (2 - 3)", 0.5),
        ("-a if flag else a", -5),
        ("a // 2 + a % 3", 4),
        ("text in ('ST', 'QT')", True),
        ("text not in ('ST',)", False),
        ("'T' in text", True),
        ("1 < a <= 5", True),
        ("1 < a < 5", False),
        ("nothing is none", True),
        ("nothing is not None", False),
        ("missing is none", True),
        ("not flag or a > 4", True),
        ("flag and a < 4", False),
        ("flag == true", True),
        ("round(b * 3, 1) + abs(-1) + min(1, 2) + max(1, 2) + len(text)", 13.5),
        ("  a  ", 5),
    ],
)
def test_what_a_recipe_can_calculate(text, result):
    assert Expression(text)(VALUES) == result


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "text.upper()",
        "text[0]",
        "(lambda: 1)()",
        "[x for x in text]",
        "f'{a}'",
        "a := 3",
        "{1: 2}",
        "{1}",
        "b'x'",
        "1j",
        "~a",
        "a << 3",
        "a | 1",
        "a @ a",
        "*a",
        "open('x')",
        "round(a, ndigits=1)",
        "min(*text)",
        "print",
        "a b",
        "",
        "1 +",
        "x" * 500,
        "...",
        "1" + "+1" * 60,
        "(" * 300 + "1" + ")" * 300,
        "await a",
        "yield",
        "eval('1')",
        "a if b",
    ],
)
def test_what_it_cannot_is_refused_when_it_is_read(text):
    if text == "print":  # a name like any other, and reaches nothing
        assert Expression(text)(VALUES) is None
        return
    with pytest.raises(
        ValueError, match=r"expression|possible|only|parts|neither|write|characters"
    ):
        Expression(text)


@pytest.mark.parametrize(
    "text",
    [
        "a / 0",
        "a % 0",
        "nothing + 1",
        "text * 3",
        "text + 'x'",
        "'%s' % a",
        "10 ** 65",
        "9 ** 64 ** 2",
        "(10 ** 64) ** 64",
        "10 ** 64 * 10 ** 64",
        "(-8) ** 0.5",
        "1e308 * 10",
        "0 ** -1",
        "text < 3",
        "a in 5",
        "len(a)",
        "abs(text)",
        "min()",
        "round('x')",
        "(1, 2)",
        "-text",
    ],
)
def test_what_has_no_result_fails_and_nothing_else(text):
    with pytest.raises(ExpressionFailed):
        Expression(text)(VALUES)


def test_names_are_known_before_it_runs():
    assert Expression("a + len(b) if c is none else true").names == {"a", "b", "c"}


def test_no_expression_takes_long():
    for text in ("(((9 ** 64) % 7) ** 64) % 11", "round(" * 30 + "1.5" + ")" * 30):
        assert takes_at_most(0.1, lambda: Expression(text)({}))  # noqa: B023 - called here


@pytest.mark.parametrize(
    ("text", "equated"),
    [
        ("sender == node and item == asked", {"sender", "node", "item", "asked"}),
        ("sender == node or node == 'AA'", {"sender", "node"}),
        ("len(data) == 4 * count", set()),
        ("first <= last", set()),
        ("sender != node", set()),
        ("not (a < b) and c is none", set()),
    ],
)
def test_what_is_compared_directly_is_known(text, equated):
    assert Expression(text).equated == equated
