"""Whatever stands in the file: a configuration or problems, never anything else."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.config import Inspection, parse

EXAMPLE = Path("config/edge-agent.yaml").read_text()
LINES = EXAMPLE.splitlines()
DOCUMENT = yaml.safe_load(EXAMPLE)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["mqtt://u:p@h", "2%", "1s", "0x6B", "modbus", "40108", "simulated", "tcp"]),
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


def places(document: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) of a document."""
    found = []
    if isinstance(document, dict | list):
        keys = document if isinstance(document, dict) else range(len(document))
        for key in list(keys):
            found += [(document, key), *places(document[key])]
    return found


COUNT = len(places(DOCUMENT))


def check(text: str) -> None:
    found = parse(text)
    assert isinstance(found, Inspection)
    assert (found.config is None) == bool(found.errors)
    for problem in (*found.errors, *found.warnings):
        assert problem.message
        assert problem.line is None or 1 <= problem.line <= text.count("\n") + text.count("\r") + 2


@settings(max_examples=150, deadline=None)
@given(st.text())
def test_any_text(text: str) -> None:
    check(text)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="ab1-: \t\n[]{}&*!|>'\"%@#,?~.<", max_size=60))
def test_any_punctuation(text: str) -> None:
    check(text)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(LINES) - 1), st.text(max_size=30))
def test_any_line_of_the_example_changed(number: int, text: str) -> None:
    check("\n".join([*LINES[:number], text, *LINES[number + 1 :]]))


@pytest.mark.parametrize("examples", [50, pytest.param(150, marks=pytest.mark.thorough)])
def test_any_value_of_the_example_changed(examples: int) -> None:
    @settings(max_examples=examples, deadline=None)
    @given(st.integers(0, COUNT - 1), values)
    def changed(number: int, value: Any) -> None:
        document = yaml.safe_load(EXAMPLE)
        container, key = places(document)[number]
        container[key] = value
        check(yaml.dump(document, allow_unicode=True))

    changed()
