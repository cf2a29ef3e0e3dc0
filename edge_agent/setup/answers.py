"""Answers without a person: from a file, by question id; what is missing is listed, never asked.

A question with a default takes it where the file is silent. Once an answer is missing nothing is
tried any more, and the rest is asked only to list everything that is missing at once.
"""

import difflib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml

from edge_agent.errors import CommandFailed
from edge_agent.language import _
from edge_agent.setup import journal
from edge_agent.setup.interview import Answered, Interview
from edge_agent.setup.question import Look, Question, Steps

T = TypeVar("T")

CONFIG_INVALID = 3  # the published exit code
ONLY_SOMETIMES = {"trouble", "summary", "start"}  # asked when something failed, or at the end
ENVIRONMENT = "env:"  # before the name of a variable that holds a secret


def read_answers(path: Path) -> dict[str, str]:
    """Read answers: a YAML mapping of ids, nested or not, or JSON lines as in the journal.

    Raises:
        CommandFailed: It cannot be read, or is neither.
    """
    try:
        text = path.read_text(encoding="utf-8")
        return _from_lines(text) if text.lstrip().startswith("{") else _from_yaml(text)
    except (OSError, ValueError, yaml.YAMLError) as error:
        why = " ".join(str(error).split())
        raise CommandFailed(
            _("the answers file {path} cannot be read: {why}").format(path=path, why=why),
            CONFIG_INVALID,
        ) from error


def _from_lines(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if line.strip()]
    for line in lines:
        json.loads(line)  # a journal may end in a torn line, a file made for this must not
    entries, _finished = journal.read(lines)
    return {entry.id: entry.answer for entry in entries if isinstance(entry, Answered)}


def _from_yaml(text: str) -> dict[str, str]:
    # BaseLoader: every scalar stays the text that was written, so 0x6B and 00001 are no numbers
    return _flat("", yaml.load(text, Loader=yaml.BaseLoader))  # noqa: S506 - makes only texts


def _flat(id: str, value: Any) -> dict[str, str]:  # noqa: A002 - the word of Question
    """Join nested keys with dots; lists count from 1."""
    if isinstance(value, str) and id:
        return {id: value}
    if isinstance(value, Mapping):
        items = list(value.items())
    elif isinstance(value, list) and id:
        items = list(enumerate(value, 1))
    else:
        raise ValueError(_("write one `question id: answer` per line"))
    found: dict[str, str] = {}
    for key, inner in items:
        found |= _flat(f"{id}.{key}" if id else str(key), inner)
    return found


class Unattended:
    """Drives an interview from answers.

    Attributes:
        missing: Ids of questions that have neither an answer nor a default.
    """

    def __init__(self, answers: Mapping[str, str], say: Callable[[str], None]) -> None:
        self._answers, self._say = dict(answers), say
        self._asked: set[str] = set()
        self.missing: list[str] = []

    def run(self, flow: Callable[[], Steps[T]]) -> T | None:
        """Go through the flow; None if answers are missing, and then nothing was done.

        Raises:
            CommandFailed: An answer does not do, does not lead on, or belongs to no question.
        """
        interview = Interview(flow, perform=self._perform)
        while interview.question is not None:
            question = interview.question
            if question.commits:
                self._refuse_unasked()
                if self.missing:
                    return None
            self._answer(interview, question)
        return interview.result

    def _perform(self, look: Look) -> Any:
        if self.missing:
            return look.untried
        self._say(look.doing)
        return look.run()

    def _answer(self, interview: Interview[Any], question: Question[Any]) -> None:
        if question.id in self._asked:
            told = " ".join((question.facts or question.text).split())
            raise CommandFailed(f"{question.id}: {told}", question.exit_code)
        self._asked.add(question.id)
        answer = self._answers.get(question.id, question.default)
        if answer is None:
            self.missing.append(question.id)
            interview.suppose()
            return
        try:
            interview.answer(self._resolved(question, answer))
        except ValueError as error:
            raise CommandFailed(f"{question.id}: {error}", CONFIG_INVALID) from error

    def _resolved(self, question: Question[Any], answer: str) -> str:
        """Fetch a secret that stands in the environment."""
        if question.conceal is None or not answer.startswith(ENVIRONMENT):
            return answer
        secret = os.environ.get(answer.removeprefix(ENVIRONMENT))
        if not secret:
            raise ValueError(_("the variable {name} is not set").format(name=answer))
        return question.conceal(secret)

    def _refuse_unasked(self) -> None:
        """Refuse answers to questions that were never asked: most are spelled wrong."""
        for id in self._answers.keys() - self._asked:  # noqa: A001 - the word of Question
            if id.rpartition(".")[2] in ONLY_SOMETIMES:
                continue
            near = difflib.get_close_matches(id, sorted(self._asked), n=1)
            hint = _("did you mean {near}?").format(near=near[0]) if near else ""
            raise CommandFailed(
                _("{id}: nobody asks this here; {hint}").format(id=id, hint=hint).rstrip("; "),
                CONFIG_INVALID,
            )
