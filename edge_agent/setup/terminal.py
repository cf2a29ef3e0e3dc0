"""Asks on a terminal: one question a screen, numbers and Enter, no control codes at all.

Works with TERM=dumb, over a serial console and read out over the phone.
"""

import getpass
import unicodedata
from collections.abc import Callable
from typing import Any, TextIO

from edge_agent.language import _
from edge_agent.layout import SCREEN_WIDTH, wrap
from edge_agent.setup.interview import Interview
from edge_agent.setup.question import Look, Question

RULE = "-" * SCREEN_WIDTH


class Left(Exception):  # noqa: N818 - somebody left
    """The person left; what was answered is kept."""


class Terminal:
    """Shows questions and reads answers."""

    def __init__(self, keyboard: TextIO, screen: TextIO) -> None:
        self._keyboard, self._screen = keyboard, screen

    def talk(self, interview: Interview[Any]) -> None:
        """Ask until the interview is over.

        Raises:
            Left: The person wants to go on another time, or the line was cut.
        """
        while interview.question is not None:
            self._show(interview.question)
            self._until_answered(interview, interview.question)

    def say(self, text: str) -> None:
        """Show text, wrapped."""
        for line in wrap(text):
            print(line, file=self._screen)
        self._screen.flush()

    def perform(self, look: Look) -> Any:
        """Do a look and show that it goes on."""
        self.say("\n" + look.doing)
        try:
            return look.run()
        except KeyboardInterrupt as error:
            raise Left from error

    def _show(self, question: Question[Any]) -> None:
        self.say("\n" + RULE)
        if question.facts:
            self.say(question.facts + "\n")
        self.say(question.text)
        for number, choice in enumerate(question.choices, 1):
            for line in wrap(f"{number:2}) {choice.text}", indent="    "):
                print(line, file=self._screen)
        if not question.choices and question.example and question.default is None:
            self.say(_("For example: {example}").format(example=question.example))

    def _until_answered(self, interview: Interview[Any], question: Question[Any]) -> None:
        """Read until something leads away from this question."""
        while True:
            default = interview.default()
            typed = self._read(question, default)
            if typed == "?":
                self.say(question.why or _("There is nothing more to say about this."))
                self.say(_("b: back   q: save and quit   Enter: what stands in [ ]"))
            elif typed == "b":
                if interview.back():
                    return
                self.say(_("This is the first question."))
            elif self._answered(interview, question, typed, default):
                return

    def _answered(
        self, interview: Interview[Any], question: Question[Any], typed: str, default: str | None
    ) -> bool:
        answer = default if typed == "" else _word(question, typed)
        if answer is None:
            self.say(_("Please type an answer; ? tells more."))
            return False
        try:
            if question.conceal and typed:
                answer = question.conceal(typed)
            interview.answer(answer)
        except ValueError as error:
            self.say(str(error))
            return False
        return True

    def _read(self, question: Question[Any], default: str | None) -> str:
        prompt = _prompt(question, default)
        if question.conceal:
            typed = self._guarded(lambda: getpass.getpass(prompt, self._screen))
        else:
            print(prompt, end="", file=self._screen, flush=True)
            typed = self._guarded(self._line).strip()
            typed = unicodedata.normalize("NFKC", typed)  # full-width digits and signs
        if typed == "q":
            raise Left
        return typed

    def _guarded(self, read: Callable[[], str]) -> str:
        try:
            return read()
        except (EOFError, KeyboardInterrupt) as error:
            raise Left from error

    def _line(self) -> str:
        line = self._keyboard.readline()
        if not line:
            raise EOFError
        return line


def _prompt(question: Question[Any], default: str | None) -> str:
    if default is None:
        return "> "
    if question.conceal:
        return _("[keep the one from before] > ")
    words = [choice.word for choice in question.choices]
    if default in words:
        return f"[{words.index(default) + 1}] > "
    return f"[{default or _('none')}] > "


def _word(question: Question[Any], typed: str) -> str:
    """Turn a menu's number into its word; anything else stays what it is."""
    if typed.isascii() and typed.isdigit() and 1 <= int(typed) <= len(question.choices):
        return question.choices[int(typed) - 1].word
    return typed
