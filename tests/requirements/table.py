"""Writes docs/modbus-requirements.md and its like: for every requirement the tests that show it.

`python -m tests.requirements.table`; `test_table.py` keeps the pages fresh and true.
"""

import ast
import functools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import yaml

ROOT = Path(__file__).parents[2]
MARK = "pytest.mark.shows"


class Table(NamedTuple):
    """One page and what it is made from.

    Attributes:
        name: Of the data and, with `-requirements`, of the page.
        introduction: What stands at its top.
    """

    name: str
    introduction: str

    @property
    def data(self) -> Path:
        return Path(__file__).with_name(f"{self.name}.yaml")

    @property
    def page(self) -> Path:
        return ROOT / "docs" / f"{self.name}-requirements.md"


TABLES = (
    Table(
        "modbus",
        """\
# What the Modbus driver has to do, and what shows that it does

Written by `python -m tests.requirements.table` from `tests/requirements/modbus.yaml`; do not edit.
Sections 1 to 9 are what users of old lines asked for, P1 to P10 the list of what equipment does on
the wire. **open**: no test shows it.
""",
    ),
    Table(
        "opcua",
        """\
# What the OPC UA driver has to do, and what shows that it does

Written by `python -m tests.requirements.table` from `tests/requirements/opcua.yaml`; do not edit.
**open**: no test shows it. **not wanted**: left out on purpose, with the reason.
""",
    ),
)


class Requirement(NamedTuple):
    number: str
    section: str
    text: str
    tests: tuple[str, ...]
    missing: str
    unwanted: str


class Found(NamedTuple):
    """A test in the suite: its file, and the requirements that it says it shows."""

    name: str
    path: Path
    shows: tuple[str, ...]


def requirements(table: Table) -> list[Requirement]:
    return [
        Requirement(
            number,
            part["section"],
            item["text"],
            tuple(item["tests"]),
            item.get("missing", ""),
            item.get("unwanted", ""),
        )
        for part in yaml.safe_load(table.data.read_text())
        for number, item in part["requirements"].items()
    ]


@functools.cache
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


def page(table: Table) -> str:
    """Lay a page out."""
    tests, wanted = suite(), requirements(table)
    lines, section = [], ""
    counts = {"shown": 0, "partly": 0, "open": 0, "not wanted": 0}
    for requirement in wanted:
        if requirement.section != section:
            section = requirement.section
            lines += ["", f"## {section}", "", "| | requirement | shown by |", "|---|---|---|"]
        shown = list(_links(requirement, tests))
        counts[_state(requirement, shown)] += 1
        cell = _cell(requirement, shown)
        lines.append(f"| {requirement.number} | {requirement.text} | {cell} |")
    total = ", ".join(
        f"{count} {state}" for state, count in counts.items() if count or state == "open"
    )
    return "\n".join([table.introduction, f"{total}.", *lines]) + "\n"


def _state(requirement: Requirement, shown: list[str]) -> str:
    if requirement.unwanted:
        return "not wanted"
    if not shown:
        return "open"
    return "partly" if requirement.missing else "shown"


def _cell(requirement: Requirement, shown: list[str]) -> str:
    if requirement.unwanted:
        return f"**not wanted**: {requirement.unwanted}"
    cell = "<br>".join(shown) or "**open**"
    if requirement.missing:
        cell += f"<br>*{'partly' if shown else 'not yet'}: {requirement.missing}*"
    return cell


def _links(requirement: Requirement, tests: list[Found]) -> Iterator[str]:
    for found in sorted(tests):
        if found.name in requirement.tests or requirement.number in found.shows:
            path = found.path.relative_to(ROOT).as_posix()
            words = found.name.removeprefix("test_").replace("_", " ")
            yield f"[{words}](../{path})"


if __name__ == "__main__":
    for each in TABLES:
        each.page.write_text(page(each))
        sys.stdout.write(f"wrote {each.page.relative_to(ROOT)}\n")
