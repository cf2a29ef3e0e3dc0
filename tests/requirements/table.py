"""Writes docs/modbus-requirements.md: for every requirement the tests that show it.

`python -m tests.requirements.table`; `test_table.py` keeps the page fresh and true.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import yaml

ROOT = Path(__file__).parents[2]
DATA = Path(__file__).with_name("modbus.yaml")
PAGE = ROOT / "docs" / "modbus-requirements.md"
MARK = "pytest.mark.shows"

INTRODUCTION = """\
# What the Modbus driver has to do, and what shows that it does

Written by `python -m tests.requirements.table` from `tests/requirements/modbus.yaml`; do not edit.
Sections 1 to 9 are what users of old lines asked for, P1 to P10 the list of what equipment does on
the wire. **open**: no test shows it.
"""


class Requirement(NamedTuple):
    number: str
    section: str
    text: str
    tests: tuple[str, ...]
    missing: str


class Found(NamedTuple):
    """A test in the suite: its file, and the requirements that it says it shows."""

    name: str
    path: Path
    shows: tuple[str, ...]


def requirements() -> list[Requirement]:
    return [
        Requirement(
            number, part["section"], item["text"], tuple(item["tests"]), item.get("missing", "")
        )
        for part in yaml.safe_load(DATA.read_text())
        for number, item in part["requirements"].items()
    ]


def suite() -> list[Found]:
    """Every test function, found by reading, not by importing."""
    return [found for path in sorted((ROOT / "tests").rglob("test_*.py")) for found in _in(path)]


def _in(path: Path) -> Iterator[Found]:
    for node in ast.walk(ast.parse(path.read_text())):
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if is_function and node.name.startswith("test_"):
            yield Found(node.name, path, tuple(_shown(node)))


def _shown(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == MARK:
            yield from (ast.literal_eval(argument) for argument in decorator.args)


def page() -> str:
    """Lay the page out."""
    tests = suite()
    lines, section = [INTRODUCTION], ""
    counts = {"shown": 0, "partly": 0, "open": 0}
    for requirement in requirements():
        if requirement.section != section:
            section = requirement.section
            lines += [f"## {section}", "", "| | requirement | shown by |", "|---|---|---|"]
        shown = list(_links(requirement, tests))
        state = "open" if not shown else "partly" if requirement.missing else "shown"
        counts[state] += 1
        cell = "<br>".join(shown) or "**open**"
        if requirement.missing:
            cell += f"<br>*{'partly' if shown else 'not yet'}: {requirement.missing}*"
        lines.append(f"| {requirement.number} | {requirement.text} | {cell} |")
        if _is_last(requirement):
            lines.append("")
    total = f"{counts['shown']} shown, {counts['partly']} partly, {counts['open']} open.\n"
    return "\n".join([lines[0], total, *lines[1:]]).rstrip() + "\n"


def _is_last(requirement: Requirement) -> bool:
    of_section = [other for other in requirements() if other.section == requirement.section]
    return requirement == of_section[-1]


def _links(requirement: Requirement, tests: list[Found]) -> Iterator[str]:
    for found in sorted(tests):
        if found.name in requirement.tests or requirement.number in found.shows:
            path = found.path.relative_to(ROOT).as_posix()
            words = found.name.removeprefix("test_").replace("_", " ")
            yield f"[{words}](../{path})"


if __name__ == "__main__":
    PAGE.write_text(page())
    sys.stdout.write(f"wrote {PAGE.relative_to(ROOT)}\n")
