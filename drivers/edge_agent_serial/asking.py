"""Asks one thing at a time on one line: a late answer is never taken for a later one."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from edge_agent.driver import NoResponse
from edge_agent_serial.frames import Frame
from edge_agent_serial.questions import Question, Questions
from edge_agent_serial.talk import Talk

QUIET = 0.05
"""Seconds without a byte after which a frame that has begun will not go on."""
MOST_UNANSWERED = 2
"""Questions of one read without an answer, after which the rest is not asked."""


class Answer(NamedTuple):
    """What was answered, and when (ms since 1970) if that was in an earlier read."""

    frame: Frame
    time: int | None = None


class Asking:
    """The questions on one open link.

    Args:
        questions: What can be asked.
        talk: What they go over.
        evidence: Takes `late`, answers that came after their time.
        patience: Seconds for an answer, in place of what the recipe says.
        character: Seconds a character takes on the line.
    """

    def __init__(
        self,
        questions: Questions,
        talk: Talk,
        evidence: "Counter[str]",
        *,
        patience: float | None,
        character: float,
    ) -> None:
        self._questions = questions
        self._link, self._inbox, self._engine = talk
        self._evidence, self._patience, self._character = evidence, patience, character
        self._loop = asyncio.get_running_loop()
        self._owed: dict[Question, tuple[int, float]] = {}  # after this frame, until this time
        self._last: Question | None = None
        self._asked_at: dict[str, float] = {}
        self._known: dict[Question, Answer] = {}
        talk.inbox.on_more = talk.link.send

    async def ask_all(self, questions: Sequence[Question]) -> list[Answer | str]:
        """Ask one after the other; give the answer to each, or why there is none.

        Raises:
            NoResponse: The first one was not answered, so that the others are not asked.
            ConnectionLost: The link is gone.
        """
        answers: list[Answer | str] = []
        unanswered, why = 0, ""
        for question in questions:
            if unanswered >= MOST_UNANSWERED:
                answers.append(why)
                continue
            try:
                answers.append(await self._answer(question))
            except NoResponse as error:
                if unanswered == len(answers):
                    raise
                unanswered, why = unanswered + 1, str(error)
                answers.append(why)
        return answers

    async def _answer(self, question: Question) -> Answer:
        """Ask, unless it was answered already and is to be asked only once."""
        if question in self._known:
            return self._known[question]
        frame = await self.ask(question)
        if self._questions.request(question).once:
            self._known[question] = Answer(frame, int(time.time() * 1000))
        return Answer(frame)

    async def ask(self, question: Question) -> Frame:
        """Ask, and wait for the answer.

        Raises:
            NoRequest: The question cannot be built, or is none.
            NoResponse: There was no answer in time.
            ConnectionLost: The link is gone.
        """
        request = self._questions.request(question)
        await self._settle(question)
        await self._wait_for_turn(request.name, request.min_interval)
        data = self._engine.ask(request, dict(question.parameters))
        patience = self._patience or request.timeout
        patience += len(data) * self._character
        count = self._inbox.count
        now = self._loop.time()
        self._owed[question] = (count, now + 2 * patience)
        self._last, self._asked_at[request.name] = question, now
        self._link.send(data)
        arrival = await self._inbox.next_after(count, patience)
        del self._owed[question]
        return arrival.frame

    async def _wait_for_turn(self, request: str, interval: float) -> None:
        wait = self._asked_at.get(request, -interval) + interval - self._loop.time()
        if wait > 0:
            await asyncio.sleep(wait)

    async def _settle(self, question: Question) -> None:
        """Let pass what still belongs to questions before."""
        for _ in range(2):  # what the system has received, the loop hands over in its next round
            await asyncio.sleep(0)
        self._inbox.fail_if_lost()
        await self._let_late_answers_pass(question)
        await self._wait_for_the_end_of_a_frame()
        self._inbox.forget()

    async def _let_late_answers_pass(self, question: Question) -> None:
        now = self._loop.time()
        self._owed = {owed: debt for owed, debt in self._owed.items() if debt[1] > now}
        for owed, (count, until) in list(self._owed.items()):
            if self._questions.can_tell_apart(owed, question):
                continue
            wait = max(0.0, until - self._loop.time())
            if owed == self._last:
                with contextlib.suppress(NoResponse):
                    await self._inbox.next_after(count, wait)
                    self._evidence["late"] += 1
            else:  # only answers to the last question are recognised
                await asyncio.sleep(wait)
            self._owed.pop(owed, None)

    async def _wait_for_the_end_of_a_frame(self) -> None:
        received, rounds = -1, 0
        limit = int((self._patience or 2.0) / QUIET)
        while self._inbox.is_mid_frame and received != self._inbox.received and rounds < limit:
            received, rounds = self._inbox.received, rounds + 1
            await asyncio.sleep(QUIET)
