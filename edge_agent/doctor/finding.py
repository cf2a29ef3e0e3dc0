"""What a check says."""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from edge_agent.language import later


class Level(StrEnum):
    """How bad it is: readings go on as they should, they may not for long, or they do not."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


SHOWN = (later("OK"), later("WARN"), later("FAIL"))
"""Levels as people see them."""


class Finding(NamedTuple):
    """One line for people.

    Attributes:
        subject: What it is about, in a word or two.
        what: What was found.
        action: The one thing to do next; empty where all is well.
        code: `D-...`, under which the manual explains it; empty where all is well.
    """

    level: Level
    subject: str
    what: str
    action: str = ""
    code: str = ""


class Unseen(NamedTuple):
    """Something that this user, or this machine, does not let us see."""

    subject: str
    why: str


Findings = Iterator[Finding | Unseen]


def fine(subject: str, what: str) -> Finding:
    """Say that something is as it should be."""
    return Finding(Level.OK, subject, what)


def warn(subject: str, what: str, action: str, code: str) -> Finding:
    """Say that something will not go well for long."""
    return Finding(Level.WARN, subject, what, action, code)


def fail(subject: str, what: str, action: str, code: str) -> Finding:
    """Say that something does not work."""
    return Finding(Level.FAIL, subject, what, action, code)
