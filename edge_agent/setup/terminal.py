"""Asks on a terminal: one question a screen, numbers and Enter, no control codes at all.

Works with TERM=dumb, over a serial console and read out over the phone.
"""

import getpass
import unicodedata
from collections.abc import Callable
from itertools import cycle
from typing import Any, TextIO

from edge_agent.language import _
from edge_agent.layout import width, wrap
from edge_agent.setup.gauge import Gauge
from edge_agent.setup.interview import Interview, Stopped
from edge_agent.setup.question import Look, NotAChoice, Question
from edge_agent.setup.screen import MORE, Page, pages

LONGEST_DEFAULT = 40  # cells that are shown, so that an answer has room beside it


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
        try:
            while interview.question is not None:
                self._until_answered(interview, interview.question)
        except Stopped as error:  # before the first question
            raise Left from error

    def say(self, text: str) -> None:
        """Show text, wrapped."""
        for line in wrap(text):
            print(line, file=self._screen)
        self._screen.flush()

    def perform(self, look: Look) -> Any:
        """Do a look and show that it goes on."""
        if look.doing:
            self.say("\n" + look.doing)
        gauge = Gauge(self._screen)
        try:
            return look.run(gauge)
        except KeyboardInterrupt as error:
            self.say("\n" + _("Stopped."))
            raise Stopped from error
        finally:
            gauge.clear()

    def _show(self, page: Page) -> None:
        for line in page:
            print(line, file=self._screen)
        self._screen.flush()

    def _until_answered(self, interview: Interview[Any], question: Question[Any]) -> None:
        """Read until something leads away from this question."""
        found = pages(question)
        shown = cycle(found)
        self._show(next(shown))
        while True:
            default = interview.default()
            typed = self._read(question, default)
            if typed == MORE and len(found) > 1:
                self._show(next(shown))
            elif self._leads_away(interview, question, typed, default):
                return

    def _leads_away(
        self, interview: Interview[Any], question: Question[Any], typed: str, default: str | None
    ) -> bool:
        if typed == "?":
            self._explain(question)
            return False
        if typed == "b":
            gone = interview.back()
            if not gone:
                self.say(_("This is the first question."))
            return gone
        return self._answered(interview, question, typed, default)

    def _explain(self, question: Question[Any]) -> None:
        self.say(question.why or _("There is nothing more to say about this."))
        self.say(_("b: back   q: save and quit   Enter: what stands in [ ]"))

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
        except NotAChoice:
            self.say(_("Please type a number from 1 to {n}.").format(n=len(question.choices)))
            return False
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
        while True:
            try:
                line = read()
                line.encode()  # in a plain locale Python lets through what is no text
            except (EOFError, KeyboardInterrupt) as error:
                raise Left from error
            except UnicodeError:
                self.say(_("This terminal does not send UTF-8. Type it again, in letters a-z."))
            else:
                return line

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
    shown = default or _("none")
    return f"[{shown if width(shown) <= LONGEST_DEFAULT else '...' + shown[-LONGEST_DEFAULT:]}] > "


def _word(question: Question[Any], typed: str) -> str:
    """Turn a menu's number into its word; anything else stays what it is."""
    numbered = {str(number): one.word for number, one in enumerate(question.choices, 1)}
    return numbered.get(typed, typed)
