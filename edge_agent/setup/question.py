"""What the wizard asks: questions, menus, looks at the world, and ways to go back.

A flow is a generator of these. It gets back what the answer means, or what a look has seen:

    name = yield from ask(Question(id="device.1.name", text=_("Name?"), parse=to_name))
"""

import time
from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from edge_agent.language import _

T = TypeVar("T")


class Choice(NamedTuple):
    """One line of a menu: the word an answers file uses, and what people read."""

    word: str
    text: str


class Back(NamedTuple):
    """A line of a menu that leads back: from `to` on it is asked or looked again."""

    word: str
    text: str
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question(Generic[T]):
    """One question, which fills one screen.

    Attributes:
        id: Its name in the journal and in answers files, such as `device.1.name`.
        text: What is asked.
        parse: Turns an answer into what it means; raises ValueError with a sentence.
        facts: What was seen before, shown above the question, its lines kept.
        why: Why this is asked, for those who answer `?`.
        default: The answer taken on Enter; None if there is none.
        example: An answer of the right form, shown where there is no default.
        choices: The menu; an answer is the word of a choice, or free text where `parse` takes it.
        conceal: For secrets: puts what was typed away and gives the answer that may be written
            down, which tells where it is.
        remember: Whether an answer given earlier becomes the default when it is asked again; or
            the only answers that do.
        commits: Whether things are done after it that cannot be taken back by `b`.
        exit_code: How an unattended run ends when the answer does not lead on.
        unattended: The answer taken where nobody is asked, if another one than the default.
        findable: Whether a look may bring the answer, so that before it nobody can say that it is
            missing.
        part: The part of the conversation it belongs to, such as `2/5 Machines`.
    """

    id: str
    text: str
    parse: Callable[[str], T]
    facts: str = ""
    why: str = ""
    default: str | None = None
    example: str = ""
    choices: tuple[Choice, ...] = ()
    conceal: Callable[[str], str] | None = None
    remember: bool | Collection[str] = True
    commits: bool = False
    exit_code: int = 3
    unattended: str | None = None
    findable: bool = False
    part: str = ""

    def remembers(self, answer: str) -> bool:
        """Tell whether this answer, given earlier, may be proposed again."""
        return self.remember if isinstance(self.remember, bool) else answer in self.remember


class Progress(Protocol):
    """Where a look tells how far it is; somebody may be waiting."""

    def say(self, line: str) -> None:
        """Show a line that stays, such as a device that was found."""

    def at(self, doing: str, done: float, total: float) -> None:
        """Show how far it is, in the place of what this said before.

        Args:
            doing: What is done just now, in a few words, such as `9600 8N1  id 1-16`.
            done: Seconds gone.
            total: Seconds it will take in all, as far as is known.
        """


class Quiet:
    """Progress that nobody watches."""

    def say(self, line: str) -> None: ...

    def at(self, doing: str, done: float, total: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Look:
    """Something that is done between two questions, such as reading a device.

    Ctrl-C stops a look. One that can make do with half of what it wanted catches KeyboardInterrupt
    and gives that; else the question before is asked again.

    Attributes:
        id: Its name in the journal.
        doing: What is being done, for the person who waits.
        run: Does it; what it gives can be written as JSON. What it does goes to its progress.
        untried: What to suppose was seen where questions are only listed and nothing is tried.
        lasting: Whether what was seen holds until a Rewind asks for it anew, such as a long search;
            else it is looked for again when somebody goes back or resumes, because nobody shall be
            asked about old values.
    """

    id: str
    doing: str
    run: Callable[[Progress], Any]
    untried: Any = None
    lasting: bool = False


@dataclass(frozen=True, slots=True)
class Rewind:
    """Ask or look again from this id on; the answers given so far become the defaults."""

    id: str


Step = Question[Any] | Look | Rewind
Steps = Generator[Step, Any, T]


def ask(question: Question[T]) -> Steps[T]:
    """Ask, and give what the answer means."""
    answer: T = yield question
    return answer


def look(at: Look) -> Steps[Any]:
    """Look, and give what was seen."""
    seen: Any = yield at
    return seen


def within(part: str, steps: Steps[T]) -> Steps[T]:
    """Have the questions of these steps belong to a part of the conversation."""
    answer: Any = None
    while True:
        try:
            step = steps.send(answer)
        except StopIteration as end:
            meaning: T = end.value
            return meaning
        answer = yield (replace(step, part=part) if isinstance(step, Question) else step)


def moment(id: str) -> Steps[int]:  # noqa: A002 - the word of Question
    """Note what time it is, ms since 1970 UTC, as of the answer before; kept like an answer."""

    def now(_progress: Progress) -> int:
        return time.time_ns() // 1_000_000

    noted: int = yield from look(Look(f"{id}.moment", "", now, untried=0, lasting=True))
    return noted


def menu(
    id: str,  # noqa: A002 - the word of Question
    text: str,
    choices: Sequence[Choice],
    *,
    default: str | None = None,
    **more: Any,
) -> Question[str]:
    """Make a question that is answered by one of the choices."""
    return Question(
        id=id,
        text=text,
        parse=more.pop("parse", None) or one_of([choice.word for choice in choices]),
        choices=tuple(choices),
        default=default,
        **more,
    )


def what_now(
    id: str,  # noqa: A002 - the word of Question
    text: str,
    ways: Sequence[Choice | Back],
    *,
    default: str | None = "again",
    **more: Any,
) -> Steps[str]:
    """Say that something is not as it should be, and go back to where the answer leads, or on.

    Args:
        id: Of the question.
        text: What is asked.
        ways: What may be done; a choice that leads nowhere back leads on.
        default: The way taken on Enter, mostly to try again.
        more: As a question takes it, such as `facts`.

    Returns:
        The word of the choice that leads on.
    """
    choices = [Choice(one.word, one.text) for one in ways]
    word = yield from ask(menu(id, text, choices, default=default, remember=False, **more))
    for one in ways:
        if isinstance(one, Back) and one.word == word:
            yield Rewind(one.to)
    return word


class NotAChoice(ValueError):  # noqa: N818 - named after what it is
    """An answer is none of a menu's words; people at a terminal know numbers instead."""


def one_of(words: Sequence[str]) -> Callable[[str], str]:
    """Accept exactly these words."""

    def parse(answer: str) -> str:
        if answer in words:
            return answer
        raise NotAChoice(
            _("{answer!r} is not one of the choices: {words}.").format(
                answer=answer, words=" | ".join(words)
            )
        )

    return parse


def optional(parse: Callable[[str], str] = str) -> Callable[[str], str]:
    """Accept nothing, too: an empty answer or a dash."""
    return lambda answer: "" if answer in {"", "-"} else parse(answer)


def valid(check: Callable[[str], object]) -> Callable[[str], str]:
    """Accept what a check does not raise ValueError for, as it was typed."""

    def parse(answer: str) -> str:
        check(answer)
        return answer

    return parse
