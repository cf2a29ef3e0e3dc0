"""The question engine: keeps what was answered and seen, and replays it to go back or to resume.

A look that no recorded answer follows is done anew, so nobody is asked about old values; only what
lasts is kept.
"""

import json
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from edge_agent.setup.question import Look, Question, Quiet, Rewind, Steps

T = TypeVar("T")


class Answered(NamedTuple):
    """An answer as it was given; for a secret, where it was put."""

    id: str
    answer: str


class Seen(NamedTuple):
    """What a look brought, and whether that lasts."""

    id: str
    seen: Any
    lasting: bool = False


Entry = Answered | Seen


class Record(Protocol):
    """Where entries are written down at once."""

    def keep(self, entry: Entry) -> None:
        """Write an entry down; it is safe when this returns."""

    def cut(self, length: int) -> None:
        """Write down that only the first so many entries are valid any more."""


class Forgetful:
    """A record for runs that are not resumed."""

    def keep(self, entry: Entry) -> None: ...

    def cut(self, length: int) -> None: ...


def just_look(look: Look) -> Any:
    """Do a look without showing anything."""
    return look.run(Quiet())


class Stopped(Exception):  # noqa: N818 - somebody stopped it
    """A look was stopped by the person who waited for it."""


class Interview(Generic[T]):
    """One run through a flow, always standing at a question or at the end.

    Attributes:
        question: What is asked now; None at the end.
        result: What the flow gave, at the end.
        entries: What was answered and seen on the way here, in order.
    """

    def __init__(
        self,
        flow: Callable[[], Steps[T]],
        entries: Iterable[Entry] = (),
        record: Record | None = None,
        perform: Callable[[Look], Any] = just_look,
    ) -> None:
        """Begin, and go as far as the entries of an earlier run lead.

        Args:
            flow: Makes the steps from their beginning.
            entries: What the record holds of an earlier run.
            record: Told of every new entry before anything else happens.
            perform: Does a look; may show that it goes on. Raises Stopped to have the question
                before it asked again.
        """
        self._flow, self._perform = flow, perform
        self._record: Record = record or Forgetful()
        self._earlier: dict[str, str] = {}
        self.question: Question[Any] | None = None
        self.result: T | None = None
        self.entries: list[Entry] = list(entries)
        self._recorded = len(self.entries)
        self._replay(len(self.entries))

    def default(self) -> str | None:
        """Give the answer that Enter means: the one given earlier, else the question's own."""
        question = self._asked()
        earlier = self._earlier.get(question.id)
        if earlier is None or not question.remembers(earlier):
            return question.default
        if _meaning(question, earlier) is not None:
            return earlier
        return question.default

    def answer(self, answer: str) -> None:
        """Answer the question and go on to the next one.

        Raises:
            ValueError: The answer does not do; the message is a sentence, the question stands.
        """
        question = self._asked()
        meaning = question.parse(answer)
        self._note(Answered(question.id, answer))
        self._go(meaning)

    def suppose(self) -> None:
        """Go on as if the example had been answered, to see what would be asked next."""
        question = self._asked()
        first = question.choices[0].word if question.choices else ""
        example = question.example or question.default or first
        known = _meaning(question, example)
        self._go(known[0] if known else example)

    def back(self) -> bool:
        """Go back to the question before; False if this is the first one."""
        answers = [i for i, entry in enumerate(self.entries) if isinstance(entry, Answered)]
        if answers:
            self._replay(answers[-1])
        return bool(answers)

    def _asked(self) -> Question[Any]:
        if self.question is None:
            raise RuntimeError("the interview is over")
        return self.question

    def _replay(self, length: int) -> None:
        """Start anew and go as far as the first so many entries lead."""
        self._earlier |= {e.id: e.answer for e in self.entries if isinstance(e, Answered)}
        self._pending = deque(self.entries[:length])
        self.entries = []
        self._steps = self._flow()
        self._go(None)
        self._forget_the_rest()

    def _go(self, meaning: Any) -> None:
        """Go on to the next question without a recorded answer, or to the end."""
        self.question = None
        try:
            self._advance(meaning)
        except StopIteration as end:
            self.result = end.value
        except Stopped:
            if not self.back():
                raise

    def _advance(self, meaning: Any) -> None:
        while True:
            step = self._steps.send(meaning)
            if isinstance(step, Rewind):
                self._replay([entry.id for entry in self.entries].index(step.id))
                return
            known = self._see(step) if isinstance(step, Look) else self._recall(step)
            if known is None:
                return
            (meaning,) = known

    def _see(self, look: Look) -> tuple[Any]:
        """Look, unless a recorded answer shows that somebody has dealt with what was seen."""
        pending = self._pending
        # what somebody has dealt with holds, and what lasts, with everything that led to it
        holds = any(isinstance(entry, Answered) or entry.lasting for entry in pending)
        if holds and isinstance(pending[0], Seen) and pending[0].id == look.id:
            self.entries.append(pending.popleft())
        else:
            pending.clear()
            # through JSON, so that a replay from the journal gives the very same
            seen = json.loads(json.dumps(self._perform(look)))
            self._note(Seen(look.id, seen, look.lasting))
        return (self.entries[-1][1],)

    def _recall(self, question: Question[Any]) -> tuple[Any] | None:
        """Give the meaning of the recorded answer; without one that fits, stand here."""
        pending = self._pending
        if pending and isinstance(pending[0], Answered) and pending[0].id == question.id:
            known = _meaning(question, pending[0].answer)
            if known is not None:
                self.entries.append(pending.popleft())
                return known
        pending.clear()
        self.question = question
        return None

    def _note(self, entry: Entry) -> None:
        self._forget_the_rest()
        self._record.keep(entry)
        self.entries.append(entry)
        self._recorded = len(self.entries)

    def _forget_the_rest(self) -> None:
        if self._recorded > len(self.entries):
            self._record.cut(len(self.entries))
            self._recorded = len(self.entries)


def _meaning(question: Question[Any], answer: str) -> tuple[Any] | None:
    try:
        return (question.parse(answer),)
    except ValueError:
        return None
