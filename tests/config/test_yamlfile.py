"""Reading YAML: what is refused, in which words, and what plain text means."""

from typing import Any

import pytest
import yaml.cyaml

from edge_agent.config import slowyaml, yamlfile
from edge_agent.config.places import line_of
from edge_agent.errors import ConfigInvalid, Problem
from tests.rigs.processor import takes_at_most


def value(text: str) -> Any:
    document = yamlfile.parse(f"key: {text}\n")
    assert document.problems == []
    return document.root["key"]


def refusal(text: str) -> Problem:
    with pytest.raises(ConfigInvalid) as caught:
        yamlfile.parse(text)
    return caught.value.problems[-1]


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("off", "off"),
        ("no", "no"),
        ("Yes", "Yes"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("none", "none"),
        ("12", 12),
        ("-7", -7),
        ("+7", 7),
        ("00001", 1),
        ("017", 17),
        ("0o17", 15),
        ("0x006B", 107),
        ("0x", "0x"),
        ("0b11", "0b11"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2026-02-01", "2026-02-01"),
        ("1.5", 1.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("-1.5E-2", -0.015),
        ("1.2.3", "1.2.3"),
        ("-.inf", float("-inf")),
        ("-", [None]),
        ("=", "="),
        ("'12'", "12"),
        ('"0x6B"', "0x6B"),
        ("!!str 12", "12"),
        ("! 12", "12"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_a_scalar_means_what_yaml_1_2_says(text: str, meaning: Any) -> None:
    found = value(text if text != "-" else "\n  -")
    assert found == meaning
    assert isinstance(found, type(meaning))


@pytest.mark.parametrize("text", ["0x006B", "00001", "+5", "0o17", "-0"])
def test_a_number_that_is_written_unusually_knows_how(text: str) -> None:
    assert value(text).text == text


def test_usual_numbers_are_plain_numbers() -> None:
    assert type(value("107")) is int


def test_keys_are_text_exactly_as_they_are_written() -> None:
    root = yamlfile.parse("1: a\n0x1: b\noff: c\nnull: d\n").root
    assert root == {"1": "a", "0x1": "b", "off": "c", "null": "d"}


SYNTAX = [
    ("", 1, "the file is empty", "version: 1"),
    ("# only a comment\n", 1, "the file is empty", "version: 1"),
    ("- a\n- b\n", 1, "keys with values at the top level", "version: 1"),
    ("just text\n", 1, "keys with values at the top level", "version: 1"),
    ("a: 1\n---\nb: 2\n", 2, "a second document begins here", "one document"),
    ("a:\n\tb: 1\n", 2, "column 1: a tab", "spaces"),
    ("a:\n  b: 1\n\tc: 1\n", 3, "column 1: a tab", "spaces"),
    ("a: b: c\n", 1, "column 5: a colon stands where no key can be", "quotes"),
    ("a: 1\n  b: 2\n", 2, "column 4: a colon stands where no key can be", "indentation"),
    ("a: 1\nb 2\nc: 3\n", 2, "column 1: a key without a colon", "key: value"),
    ("a: [1, 2\nb: 3\n", 2, "list in [ ] is not closed or lacks a comma (it opens on line 1)", "["),
    ("a: [1,\n", 2, "a bracket that was opened is not closed", "closing bracket"),
    ("a: {x: 1\nb: 3\n", 2, "mapping in { } is not closed or lacks a comma", "{first: 1"),
    ("a: 'open\nb: 1\n", 1, "column 4: a quote is opened here and never closed", "close it"),
    ('a: "C:\\dir"\n', 1, "a backslash in double quotes", "single quotes"),
    ("a: @x\n", 1, "text that begins with @ needs quotes", "write '@x'"),
    ("a: %x\n", 1, "text that begins with % needs quotes", "write '%x'"),
    ("a:\n  - x\n  y: 1\n", 3, "something that is no list item", "- "),
    ("a: - b\n", 1, "a list item stands where none can be", "- "),
    ("a: 1\n b: 2\nc: 3\n", 2, "a colon stands where no key can be", "indentation"),
    ("a: 'x' y\n", 1, "column 8", "same column"),
    ("}\n", 1, "column 1: a value is missing here", "bracket"),
    ("a: *x\n", 1, "*x refers to nothing", "&x"),
    ("a: &x [*x]\n", 1, "*x refers to nothing", "&x"),
    ("<<: {a: 1}\n", 1, "<< is not part of YAML 1.2", "write the keys out"),
    ("[a]: 1\n", 1, "a key must be plain text", ""),
    ("a: 1\nb: \x07\n", 2, "invisible control character", "delete it"),
    ("ä: 1\nb: \ud800\n", 2, "a character that does not exist", ""),
    ("a: " + "[" * 100, 1, "nested more than 32 levels deep", ""),
]


@pytest.mark.parametrize(("text", "line", "message", "hint"), SYNTAX)
def test_broken_yaml_is_one_sentence_with_its_line(
    text: str, line: int, message: str, hint: str
) -> None:
    problem = refusal(text)
    assert problem.line == line
    assert message in problem.message
    assert hint in problem.hint


def test_a_key_that_stands_twice_names_both_lines_and_spoils_nothing_else() -> None:
    root, problems = yamlfile.parse("a: 1\nb:\n  c: 2\n  c: 3\n")
    assert problems == [Problem("b.c", 4, "stands twice, first on line 3", "keep one of them")]
    assert root == {"a": 1, "b": {"c": 2}}


@pytest.mark.parametrize("tag", ["!vault", "!!python/object:os.system", "!!int", "!!binary"])
def test_an_unknown_tag_is_named_as_it_is_written(tag: str) -> None:
    _, (problem,) = yamlfile.parse(f"a: {tag} 1\n")
    assert problem.message == f"the tag {tag} is not known here"


def test_anchors_stand_for_what_they_name() -> None:
    root, problems = yamlfile.parse("a: &unit {unit: 7}\nb: *unit\nc: [*unit, *unit]\n")
    assert problems == []
    assert root == {"a": {"unit": 7}, "b": {"unit": 7}, "c": [{"unit": 7}, {"unit": 7}]}


def test_a_small_file_that_grows_without_bound_is_refused_at_once() -> None:
    layers = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    text = "\n".join(["a0: &a0 [x, x, x, x, x, x, x, x, x]", *layers])
    assert "more than 2,000,000 values" in refusal(text).message
    assert takes_at_most(1, lambda: refusal(text))


def test_lines_are_those_of_keys_and_list_items() -> None:
    root = yamlfile.parse("# first\na:\n  - b: 1\n    c:\n\n      d: 2\n  -\n    x\n").root
    assert [
        line_of(root, ("a",)),
        line_of(root, ("a", 0)),
        line_of(root, ("a", 0, "c")),
        line_of(root, ("a", 0, "c", "d")),
        line_of(root, ("a", 1)),
    ] == [2, 3, 4, 6, 8]
    assert line_of(root, ("a", 0, "c", "missing", "deeper")) == 4
    assert line_of(root, ("missing",)) == 1


def test_the_c_parser_is_used_where_there_is_one() -> None:
    assert yamlfile.Parser is yaml.cyaml.CParser


def test_without_the_c_parser_a_file_means_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a: &x {b: 0x10, c: '1'}\nd: [*x, !!str 2, |\n  text\n  , off]\ne: !t 1\na: 2\n"
    text = text.replace(" |\n  text\n  ,", " {k: v},")
    fast = yamlfile.parse(text)
    monkeypatch.setattr(yamlfile, "Parser", slowyaml.Parser)
    assert yamlfile.parse(text) == fast
    assert refusal("a: [1\nb: 2\n").line == 2
