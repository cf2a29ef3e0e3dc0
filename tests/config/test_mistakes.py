"""Every kind of mistake, each case file saying beside each line what must be said about it.

`#! path: part of the message | part of the hint` stands for an error, `#?` for a warning.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from edge_agent.config import Problem, inspect

CASES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))
EXPECTED = re.compile(
    r"#(?P<kind>[!?]) (?P<path>.+?): (?P<message>.+?)(?: \| (?P<hint>.+?))? *(?=#[!?]|$)"
)


class Expected(NamedTuple):
    line: int
    path: str
    message: str
    hint: str


def expected(case: Path, kind: str) -> list[Expected]:
    return [
        Expected(number, match["path"], match["message"], match["hint"] or "")
        for number, line in enumerate(case.read_text().splitlines(), start=1)
        for match in EXPECTED.finditer(line)
        if match["kind"] == kind
    ]


def assert_same(found: Sequence[Problem], wanted: Sequence[Expected]) -> None:
    assert sorted(problem.path for problem in found) == sorted(each.path for each in wanted)
    for problem in found:
        assert any(is_meant(problem, each) for each in wanted), problem


def is_meant(problem: Problem, wanted: Expected) -> bool:
    is_there = (problem.line, problem.path) == (wanted.line, wanted.path)
    return is_there and wanted.message in problem.message and wanted.hint in problem.hint


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_all_mistakes_are_named_at_once_with_their_places(case: Path) -> None:
    config, errors, warnings = inspect(case)
    assert_same(errors, expected(case, "!"))
    assert_same(warnings, expected(case, "?"))
    assert (config is None) == bool(errors)
