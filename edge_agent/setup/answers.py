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

from edge_agent.command import CONFIG_INVALID
from edge_agent.errors import CommandFailed
from edge_agent.language import _
from edge_agent.setup import journal
from edge_agent.setup.interview import Answered, Entry, Interview
from edge_agent.setup.question import Look, Question, Quiet, Steps

T = TypeVar("T")

ONLY_SOMETIMES = {
    "trouble",
    "box",
    "certificate",
    "ca_file",
    "summary",
    "cut",
    "report",
    "by",
    "template",
}  # asked when something failed or is not as usual, or at the end
ENVIRONMENT = "env:"  # before the name of a variable that holds a secret


def read_answers(path: Path) -> dict[str, str]:
    """Read answers: a YAML mapping of ids, nested or not, or JSON lines as in the journal.

    Raises:
        CommandFailed: It cannot be read, or is neither.
    """
    try:
        text = path.read_text(encoding="utf-8")
        return _from_lines(text) if _is_journal(text) else _from_yaml(text)
    except (OSError, ValueError, LookupError, RecursionError, yaml.YAMLError) as error:
        said = error.strerror if isinstance(error, OSError) else None
        why = " ".join((said or str(error)).split())
        raise CommandFailed(
            _("the answers file {path} cannot be read: {why}").format(path=path, why=why),
            CONFIG_INVALID,
        ) from error


def _is_journal(text: str) -> bool:
    """Tell a journal, each line of which is JSON, from YAML, which may be one line of JSON too."""
    try:
        first = json.loads(text.partition("\n")[0])
    except ValueError:
        return False
    return isinstance(first, dict) and not first.keys().isdisjoint({"id", "cut", "finished"})


def _from_lines(text: str) -> dict[str, str]:
    lines = [line for line in text.split("\n") if line.strip()]
    for line in lines:
        json.loads(line)  # a journal may end in a torn line, a file made for this must not
    entries, _finished = journal.read(lines)
    return {entry.id: str(entry.answer) for entry in entries if isinstance(entry, Answered)}


class _Texts(yaml.BaseLoader):
    """Every scalar stays the text that was written, so 0x6B and 00001 are no numbers."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Make a node, but no alias: with those a few lines can be billions of answers."""
        if self.check_event(yaml.AliasEvent):
            raise ValueError(_("write one `question id: answer` per line"))
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Make a mapping; of two answers to one question, nobody knows which is meant."""
        lines: dict[str, int] = {}
        for key, _value in node.value:
            if first := lines.get(str(key.value)):
                again = _("stands twice, first on line {first}").format(first=first)
                raise ValueError(f"{key.value}: {again}")
            lines[str(key.value)] = key.start_mark.line + 1
        return super().construct_mapping(node, deep)


def _from_yaml(text: str) -> dict[str, str]:
    return _flat("", yaml.load(text, Loader=_Texts))  # noqa: S506 - makes only texts


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


class _Lines(Quiet):
    """Progress as lines; how far it is would only fill a log."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def say(self, line: str) -> None:
        self._say(line)


def described(question: Question[Any]) -> dict[str, Any]:
    """Describe a question for programs that ask people in their own way."""
    return {
        "id": question.id,
        "text": question.text,
        "why": question.why,
        "choices": [choice._asdict() for choice in question.choices],
        "example": question.example,
        "secret": question.conceal is not None,
    }


def _is_concealed(question: Question[Any], answer: str) -> bool:
    """Tell whether an answer says only in which variable a secret stands."""
    return question.conceal is not None and answer.startswith(ENVIRONMENT)


class Unattended:
    """Drives an interview from answers.

    Args:
        answers: Question id -> answer.
        say: Tells what is being done.
        tries: Whether looks are done; else all of them are supposed to find what they hope for.

    Attributes:
        lacking: Questions that have neither an answer nor a default.
        is_incomplete: Whether one of these has none whatever the looks find.
        entries: What was answered and seen, once the flow has come to its end.
    """

    def __init__(
        self, answers: Mapping[str, str], say: Callable[[str], None], *, tries: bool = True
    ) -> None:
        self._answers, self._say, self._tries = dict(answers), say, tries
        self._asked: set[str] = set()
        self._supposes = False  # what was not looked for, or not answered
        self._guesses = False  # what was answered, and does not fit what is supposed
        self.is_incomplete = False
        self.lacking: list[Question[Any]] = []
        self.entries: list[Entry] = []

    @property
    def missing(self) -> list[str]:
        """Give the ids of the questions that lack an answer."""
        return [question.id for question in self.lacking]

    def run(self, flow: Callable[[], Steps[T]]) -> T | None:
        """Go through the flow; None if answers are missing, and then nothing was done.

        Raises:
            CommandFailed: An answer does not do, does not lead on, or belongs to no question.
        """
        interview = Interview(flow, perform=self._perform)
        while interview.question is not None:
            question = interview.question
            if self._supposes and (question.commits or self._leads_nowhere(question)):
                return None
            if question.commits:
                self._refuse_unasked()
            self._answer(interview, question)
        self.entries = interview.entries
        return interview.result

    def _leads_nowhere(self, question: Question[Any]) -> bool:
        """Tell whether a question leads back, or would without somebody who sees to it."""
        unforeseen = question.id.endswith(".trouble") and question.id not in self._answers
        return unforeseen or question.id in self._asked

    def _perform(self, look: Look) -> Any:
        if self.lacking or not self._tries:
            self._supposes = True
            return look.untried
        if look.doing:
            self._say(look.doing)
        return look.run(_Lines(self._say))

    def _answer(self, interview: Interview[Any], question: Question[Any]) -> None:
        if self._leads_nowhere(question):
            told = " ".join((question.facts or question.text).split())
            raise CommandFailed(f"{question.id}: {told}", question.exit_code)
        self._asked.add(question.id)
        usual = question.default if question.unattended is None else question.unattended
        answer = self._answers.get(question.id, usual)
        if answer is None:
            self.lacking.append(question)
            self._supposes = True
            self.is_incomplete |= not (question.findable or self._guesses)
            interview.suppose()
            return
        if self._supposes and _is_concealed(question, answer):
            interview.suppose()  # a secret is put away only where the setup goes on
            return
        try:
            interview.answer(self._resolved(question, answer))
        except ValueError as error:
            if self._supposes:  # what it may answer was not looked for
                self._guesses = True
                interview.suppose()
                return
            raise CommandFailed(f"{question.id}: {error}", CONFIG_INVALID) from error

    def _resolved(self, question: Question[Any], answer: str) -> str:
        """Fetch a secret that stands in the environment."""
        if question.conceal is None or not _is_concealed(question, answer):
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
