"""One question as lines of a screen: at most 60 columns and 20 rows, long menus in pages. Pure."""

from collections.abc import Sequence
from typing import Any

from edge_agent.language import _, count
from edge_agent.layout import SCREEN_WIDTH, cut, width, wrap
from edge_agent.setup.question import Question

ROWS = 20
PROMPT_ROWS = 2  # the prompt, and a sentence about a wrong answer
MORE = "+"
"""What is typed to see the next page of a menu."""

Page = list[str]


def pages(question: Question[Any]) -> list[Page]:
    """Lay a question out; only a menu too long for one screen takes several."""
    head = [*_rule(question.part), *_facts(question)]
    head += wrap(question.text)
    if not question.choices and question.example and question.default is None:
        head += wrap(_("For example: {example}").format(example=question.example))
    room = ROWS - PROMPT_ROWS - len(head)
    entries = [
        wrap(f"{number:2}) {choice.text}", indent="    ")
        for number, choice in enumerate(question.choices, 1)
    ]
    if sum(map(len, entries)) <= room:
        return [head + [line for entry in entries for line in entry]]
    return [head + page for page in _portions(entries, max(room - 1, 3))]


def clipped(line: str) -> str:
    """Cut a line of a table that is too long for the screen."""
    return cut(line, SCREEN_WIDTH, "...")


def filled(entries: Sequence[str], rows: int) -> list[str]:
    """Wrap entries into at most so many rows, each whole; say how many there are beyond."""
    lines: list[str] = []
    for index, entry in enumerate(entries):
        wrapped = wrap(entry, indent="  ")
        if len(lines) + len(wrapped) > rows - (index + 1 < len(entries)):
            return [*lines, count(len(entries) - index, "... and {n} more", "... and {n} more")]
        lines += wrapped
    return lines


def _rule(part: str) -> list[str]:
    title = f"-- {part} " if part else ""
    return ["", title + "-" * (SCREEN_WIDTH - width(title))]


def _facts(question: Question[Any]) -> list[str]:
    return [*wrap(question.facts), ""] if question.facts else []


def _portions(entries: Sequence[Page], room: int) -> list[Page]:
    """Fill pages with whole entries, the last line of each telling that there are more."""
    found: list[Page] = [[]]
    for entry in entries:
        if found[-1] and len(found[-1]) + len(entry) > room:
            found.append([])
        found[-1] += entry
    more = f" {MORE}) " + _("more of this list")
    return [[*page, more] for page in found]
