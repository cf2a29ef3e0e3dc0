"""Check 7: on whatever terminal, no escape codes, no accidents, no long lines."""

import re

import pytest

from edge_agent.layout import width
from tests.rigs.beginner import cleaned

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(240)]

TERMINALS = {
    "dumb": {"TERM": "dumb", "LANG": "C.UTF-8"},
    "posix": {"TERM": "vt100", "LANG": "C", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"},
    "latin1": {"TERM": "xterm", "PYTHONIOENCODING": "iso-8859-1", "EDGE_AGENT_LANG": "zh"},
    "gb18030": {"TERM": "xterm", "PYTHONIOENCODING": "gb18030", "EDGE_AGENT_LANG": "zh"},
}
BELL_AND_ESCAPE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
SEARCHED = r"Which one do you want|要设置|哪一个"


def lines_of(raw):
    """Give the lines of the screen, without what was typed behind a prompt."""
    return [re.sub(r"^(\[.*?\] )?> .*", "", line) for line in cleaned(raw).splitlines()]


@pytest.mark.parametrize("name", TERMINALS)
def test_check_07_no_escape_codes_no_exception_no_line_too_long(name, beginner):
    encoding = TERMINALS[name].get("PYTHONIOENCODING", "utf-8")
    person = beginner(env={"PYTHONUTF8": "0", **TERMINALS[name]}, encoding=encoding)
    assert person.goes_on(until=r"What do you connect\?|您要连接什么|连接什么")
    person.types("q")
    person.leaves()
    assert person.terminal.exitstatus == 0
    assert "Traceback" not in person.seen
    assert BELL_AND_ESCAPE.findall(person.seen) == []
    assert [line for line in lines_of(person.seen) if width(line.rstrip()) > 60] == []


def test_check_07_the_whole_first_hour_fits_60_columns_and_20_lines(hour):
    person = hour.person
    assert BELL_AND_ESCAPE.findall(person.seen) == []
    assert [line for line in lines_of(person.seen) if width(line.rstrip()) > 60] == []
    long = [screen.text for screen in person.screens if len(screen.text.splitlines()) > 20]
    assert long == []


def test_check_07_tables_are_aligned(hour):
    for screen in hour.person.screens:
        if "compare with its display" in screen.text:
            rows = re.findall(r"^(  \S.*?\s+)(-?[\d.]+)(  \S+)?$", screen.text, re.MULTILINE)
            ends = {width(name) + len(number) for name, number, _unit in rows}
            assert rows
            assert len(ends) == 1, screen.text
