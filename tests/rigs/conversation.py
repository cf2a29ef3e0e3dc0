"""Somebody who answers a driver's part of the wizard, and keeps the screens."""

from collections.abc import Mapping, Sequence

from edge_agent.commissioning import Draft, Kind, Link
from edge_agent.layout import width
from edge_agent.setup.interview import Interview
from edge_agent.setup.screen import pages

ID = "device.1"
LINES, CELLS = 20, 60
OFTEN = 4


class Conversation:
    """One conversation about one device.

    Attributes:
        screens: What stood on the screen at each question, in order: id without `device.1.`, text.
        asked: The ids alone.
        link, draft: What came of it, where it went to its end.
    """

    def __init__(self, kind: Kind) -> None:
        self.screens: list[tuple[str, str]] = []
        self.link: Link
        self.draft: Draft
        self._kind = kind
        self.interview = Interview(self._flow)

    def _flow(self):
        link = yield from self._kind.link(ID)
        draft = yield from self._kind.device(ID, link)
        return link, draft

    @property
    def asked(self) -> list[str]:
        return [at for at, _screen in self.screens]

    @property
    def standing(self) -> str:
        """The id of the question that is asked now; empty at the end."""
        question = self.interview.question
        return question.id.removeprefix(f"{ID}.") if question else ""

    @property
    def screen(self) -> str:
        """What stands on the screen now; it fits."""
        lines = pages(self.interview.question)[0]
        assert len(lines) <= LINES, "\n".join(lines)
        assert all(width(line) <= CELLS for line in lines), "\n".join(lines)
        return "\n".join(lines)

    def says(self, answers: Mapping[str, str | Sequence[str]], until: str = "") -> "Conversation":
        """Answer by id; several answers for one id are given in turn, Enter where there is none.

        Args:
            answers: Id without `device.1.` -> answer or answers.
            until: Stop at this question.
        """
        left = {at: [one] if isinstance(one, str) else [*one] for at, one in answers.items()}
        while self.standing and self.standing != until:
            here = self.standing
            self.screens.append((here, self.screen))
            given = left.get(here) or []
            answer = given.pop(0) if given else self.interview.default()
            assert given or self.asked.count(here) < OFTEN, f"again and again:\n{self.screen}"
            assert answer is not None, f"no answer for {here}:\n{self.screens[-1][1]}"
            self.answer(answer)
        if not self.standing:
            self.link, self.draft = self.interview.result
        return self

    def answer(self, answer: str) -> None:
        """Answer as at a terminal; a secret is put away."""
        question = self.interview.question
        is_secret = question.conceal is not None and not answer.startswith("file:")
        self.interview.answer(question.conceal(answer) if is_secret else answer)
