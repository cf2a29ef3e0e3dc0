"""Reads instruments on one line: by a recipe, or by a pattern for lines of text."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from edge_agent.driver import (
    Changes,
    ConnectionLost,
    Learnt,
    Plan,
    Quality,
    Sample,
    Samples,
    WatchGroup,
    WatchingDriver,
    Why,
    bad,
)
from edge_agent.language import _
from edge_agent_serial.address import SerialAddress
from edge_agent_serial.asking import Answer, Asking
from edge_agent_serial.config import SerialSettings
from edge_agent_serial.conversing import Conversing
from edge_agent_serial.costs import cost_of, patience_of, wait_of
from edge_agent_serial.engine import Engine
from edge_agent_serial.events import Events
from edge_agent_serial.frames import Frame
from edge_agent_serial.inbox import Arrival, Inbox
from edge_agent_serial.link import Link, open_link
from edge_agent_serial.questions import Questions, SerialPlan
from edge_agent_serial.request import NoRequest
from edge_agent_serial.samples import to_sample
from edge_agent_serial.talk import Talk
from edge_agent_serial.weighing import Weighings

REST = 0.5
"""Seconds for which a stream is left lying between two looks, at most: every look costs, and only
the last frame before a poll is wanted. A frame may be so much older than it seems."""
LYING = 2048
"""Bytes that are left lying at most; the kernel's buffer for a terminal holds twice as many."""

Addresses = Sequence[SerialAddress]


class SerialDriver(WatchingDriver[SerialSettings, SerialAddress]):
    """Reads the instruments of one line.

    Streaming, it hands out the last frame, but never one older than `timeout` and never the same
    frame twice to the same points. Asking, it waits for the answer to its own request: a late
    answer to the one before is let pass first. Events are reported as they come.

    Evidence: `damaged`, `overlong`, `unmatched`, `foreign` frames, as `Engine` has them; `late`
    answers; `repeated` events; `parity`, `framing`, `second_peer`, `stranger`, as `open_link` has
    them.
    """

    settings_type = SerialSettings
    address_type = SerialAddress
    reads_watched = False

    def __init__(self, settings: SerialSettings) -> None:
        super().__init__(settings)
        self.recipe = settings.used_recipe
        self._questions = Questions(self.recipe, settings.parameters)
        self._usual_type = None if settings.pattern is None else "number"
        self._asks = settings.mode == "poll"
        self._link: Link | None = None
        self._inbox: Inbox | None = None
        self._asking: Asking | None = None
        self._conversing: Conversing | None = None
        self._events: Events | None = None
        self._handed_out: dict[Addresses, int] = {}
        self._rest = _rest(settings)

    @classmethod
    def faults(cls, settings: SerialSettings, address: SerialAddress) -> Mapping[str, str]:
        questions = Questions(settings.used_recipe, settings.parameters)
        return questions.faults(address, asks=settings.mode == "poll")

    @classmethod
    def completed(cls, settings: SerialSettings, address: SerialAddress) -> SerialAddress:
        if settings.pattern is not None:
            return address if address.type else address.model_copy(update={"type": "number"})
        field = settings.used_recipe.fields.get(address.field)
        if field is None:
            return address
        return address.told(field.type or address.type, field.unit or "")

    @property
    def is_watching(self) -> bool:
        return self.settings.mode == "event" or self.settings.only == "weighings"

    async def open(self) -> None:
        settings = self.settings
        engine = Engine(
            self.recipe,
            settings.parameters,
            from_the_middle=settings.mode in {"stream", "event"},
        )
        self._handed_out.clear()
        self._events = None
        self._inbox = inbox = Inbox(engine, self.evidence)
        self._link = link = await open_link(settings, inbox, self.evidence)
        link.pace(self._rest)
        if settings.transport != "tcp-server":  # whose caller may come at any time
            inbox.begin()
        inbox.drain, inbox.wants_latest = link.drain, self._rest > 0
        if settings.mode == "event":
            inbox.advice = _("it sends when something happens: scan or measure while this waits")
        talk = Talk(link, inbox, engine)
        if settings.mode == "session":
            self._conversing = Conversing(self.recipe, talk, settings.baud)
        elif settings.mode == "poll":
            self._asking = Asking(
                self._questions,
                talk,
                self.evidence,
                patience=settings.answer_timeout,
                character=settings.character,
            )

    def plan(self, addresses: Sequence[SerialAddress], learnt: Learnt) -> SerialPlan:
        questions, sources = self._questions.plan(addresses, asks=self._asks)
        return SerialPlan(
            tuple(addresses),
            cost=cost_of(self.settings, self._questions, questions),
            patience=patience_of(self.settings, self.recipe, questions),
            requests=max(1, len(questions)),
            questions=questions,
            sources=sources,
            wait=wait_of(self.settings),
            action=_("scan or measure") if self.settings.mode == "event" else "",
        )

    async def read(self, plan: Plan[SerialAddress]) -> Samples:
        if not isinstance(plan, SerialPlan):
            raise TypeError(_("a serial driver reads only the plans it has made"))
        if self._link is None or self._inbox is None:
            raise ConnectionLost(
                _("{line} is closed: open it first").format(line=self.settings.line())
            )
        self._inbox.fail_if_lost()
        answers = await self._answers(plan, self._link, self._inbox)
        return Samples.of(
            self._pick(address, source, answers)
            for address, source in zip(plan.addresses, plan.sources, strict=True)
        )

    async def _answers(self, plan: SerialPlan, link: Link, inbox: Inbox) -> Sequence[Answer | str]:
        """Give an answer, or why there is none, to each question of the plan."""
        if not plan.questions:
            return ()
        if self._asking is not None:
            return await self._asking.ask_all(plan.questions)
        if self._conversing is not None:
            return [
                Answer(await self._conversing.hold(question.parameters))
                for question in plan.questions
            ]
        arrival = await self._hear(link, inbox, plan)
        return [Answer(arrival.frame)] * len(plan.questions)

    async def _hear(self, link: Link, inbox: Inbox, plan: SerialPlan) -> Arrival:
        """Give the last frame, or wait for the next."""
        link.drain()
        oldest = asyncio.get_running_loop().time() - self.settings.timeout
        seen = self._handed_out.get(plan.addresses, 0)
        arrival = inbox.latest
        if arrival is None or arrival.number <= seen or arrival.time - self._rest < oldest:
            link.pace(0.0)
            try:
                arrival = await inbox.next_after(inbox.count, plan.wait)
            finally:
                link.pace(self._rest)
        self._handed_out[plan.addresses] = arrival.number
        return arrival

    def _pick(
        self, address: SerialAddress, source: int | str, answers: Sequence[Answer | str]
    ) -> Sample:
        if isinstance(source, str):
            return bad(Why.REFUSED, source)
        answer = answers[source]
        if isinstance(answer, str):
            return bad(Why.TIMEOUT, answer)
        return self._sample(address, answer.frame)._replace(time=answer.time)

    def _sample(self, address: SerialAddress, frame: Frame) -> Sample:
        sample = to_sample(address, frame, self._usual_type)
        flaw = sample.flaw
        if self.settings.only == "stable" and flaw is not None and flaw.why is Why.DYNAMIC:
            return Sample(None, flaw._replace(quality=Quality.BAD))
        return sample

    async def watch(self, groups: Sequence[WatchGroup[SerialAddress]]) -> None:
        if self._inbox is None:
            raise ConnectionLost(
                _("{line} is closed: open it first").format(line=self.settings.line())
            )
        self._inbox.fail_if_lost()
        self._events = events = Events(self.recipe.event.same_within, self._sample, self.evidence)
        events.watch(groups, self._at_first)
        self._inbox.on_loss = events.end
        self._inbox.on_frame = self._weighed(events) or events.note

    def _weighed(self, events: Events) -> Callable[[Arrival], None] | None:
        """Give what reports one frame for each weighing; None where that is not wanted."""
        weighing = self.recipe.weighing
        if self.settings.only != "weighings" or weighing is None:
            return None
        zero = weighing.zero if self.settings.zero is None else self.settings.zero
        weighings = Weighings(weighing.field, zero)

        def note(arrival: Arrival) -> None:
            if weighings.take(arrival.frame):
                events.report(arrival.frame)

        return note

    def _at_first(self, address: SerialAddress) -> Sample:
        try:
            self._questions.question(address, asks=False)
        except NoRequest as error:
            return bad(Why.REFUSED, str(error))
        return bad(Why.STARTING, _("nothing has happened since the link was opened"))

    async def changes(self) -> Sequence[Changes]:
        if self._events is None:
            raise ConnectionLost(
                _("{line} is closed: open it first").format(line=self.settings.line())
            )
        return await self._events.queue.take()

    def details(self) -> Mapping[str, Any]:
        if self._inbox is None:
            return {}
        return {"recipe": self.recipe.name, "frames": dict(self._inbox.counts)}

    async def close(self) -> None:
        link, self._link = self._link, None
        self._asking = self._conversing = None
        if link is not None:
            await link.close()


def _rest(settings: SerialSettings) -> float:
    """Give the seconds for which what arrives may lie; 0 where each frame, or each gap, counts."""
    by_gaps = any(framing.kind == "silence" for framing in settings.used_recipe.framing)
    if settings.mode != "stream" or settings.only == "weighings" or by_gaps:
        return 0.0
    return min(REST, settings.timeout / 4, LYING * settings.character)
