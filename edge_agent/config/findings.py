"""Collects everything that is wrong with one file, each thing once and with its place."""

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import ValidationError

from edge_agent.config.keys import Model
from edge_agent.config.places import Path, Section, exists, line_of, written
from edge_agent.config.wording import Words, plain_words
from edge_agent.errors import Problem
from edge_agent.language import _

Complaint = tuple[Path, Words]
"""A place within a value, and what to say about it."""


class Findings:
    """The mistakes and doubts about one file, found by several checks."""

    def __init__(self, root: Section, errors: Iterable[Problem] = ()) -> None:
        self._root = root
        self._errors = dict.fromkeys(errors)
        self._warnings: dict[Problem, None] = {}

    @property
    def errors(self) -> list[Problem]:
        """What must be changed before the agent starts, in the order of the file."""
        return sorted(self._errors, key=_line)

    @property
    def warnings(self) -> list[Problem]:
        """What is allowed and probably not meant, in the order of the file."""
        return sorted(self._warnings, key=_line)

    def error(self, path: Path, message: str, hint: str = "") -> None:
        """Note something that must be changed."""
        self._errors[self._problem(path, message, hint)] = None

    def warning(self, path: Path, message: str, hint: str = "") -> None:
        """Note something that is probably not meant."""
        self._warnings[self._problem(path, message, hint)] = None

    def _problem(self, path: Path, message: str, hint: str) -> Problem:
        return Problem(written(path), line_of(self._root, path), message, hint)


def _line(problem: Problem) -> int:
    return problem.line or 0


def complaints(failure: ValidationError, model: Model, value: Any) -> Iterator[Complaint]:
    """Give each place within `value` that does not fit the model, and what to say about it.

    What fits none of several types is one complaint, not one for each type.
    """
    found: dict[Path, list[Words]] = {}
    for error in failure.errors(include_url=False):
        place = _place(error["loc"], value, is_missing=error["type"] == "missing")
        found.setdefault(place, []).append(plain_words(error, model))
    for place, words in found.items():
        messages = dict.fromkeys(message for message, _hint in words)
        yield (
            place,
            (_(", or ").join(messages), next((hint for _message, hint in words if hint), "")),
        )


def _place(loc: Path, value: Any, *, is_missing: bool) -> Path:
    """Keep what stands in the file; pydantic adds names of its own types behind that."""
    for depth, part in enumerate(loc):
        if not exists(value, part):
            return loc[: depth + 1] if is_missing else loc[:depth]
        value = value[part]
    return loc
