"""Polls everything behind one connection: one task, one driver object, no locks.

This is the only place where a driver gets another try. Failure is data: a poll that brings nothing
becomes bad readings with a reason, and its neighbours are polled as before. Between the polls it
listens to what the equipment reports by itself, where it does.
"""

from collections.abc import Sequence
from typing import Any

import structlog

from edge_agent.backoff import backoff
from edge_agent.caller import Caller
from edge_agent.clock import Clock
from edge_agent.config.model import Connection
from edge_agent.driver import Plan
from edge_agent.errors import DriverError
from edge_agent.keeper import Keeper
from edge_agent.language import _
from edge_agent.lateness import Lateness
from edge_agent.model import Learnt, Samples, Why
from edge_agent.plugins import AnyDriver
from edge_agent.pollgroup import Part, PollGroup
from edge_agent.roster import Roster, why_unusable
from edge_agent.schedule import Schedule
from edge_agent.standing import LINK_DOWN, Standing
from edge_agent.watcher import Ear, make_ear
from edge_agent.workload import AnswerTimes, Workload

OPEN_SECONDS = 60.0  # a session with certificates over a slow line takes its time
FIRST_DELAY, LAST_DELAY = 1.0, 30.0  # seconds before a lost link is opened again
REOPEN_SECONDS = 30.0  # a link behind which nobody answers is opened anew this often


class Poller:
    """The task of one connection.

    Args:
        connection: What to read; not kept.
        driver: Made for this connection, not opened.
        learnt: Device name -> what is known about it.
        keeper: Where everything goes.
        clock: The clocks.
        origin: Instant of the steady clock on which its polls are aligned.

    Attributes:
        state, why: `opening`, `up` or `down`, and why it is down; for people.
        overruns: Polls that were skipped because the line cannot keep up.
        reopened: How often a link that broke was there again at once.
        ear, roster: What it hears between its polls, and how its devices stand.
        workload: Whether the line keeps up.
    """

    def __init__(
        self,
        connection: Connection,
        driver: AnyDriver,
        learnt: dict[str, Learnt],
        keeper: Keeper,
        clock: Clock,
        *,
        origin: float = 0.0,
    ) -> None:
        self.driver = driver
        self.state, self.why = "opening", ""
        self.overruns = self.polls = self.reopened = 0
        self.lateness = Lateness()
        self._keeper, self._clock, self._origin = keeper, clock, origin
        self._log = structlog.get_logger().bind(part="poller", connection=connection.name)
        self.roster = Roster(connection, driver, keeper, self._log)
        self._caller = Caller(driver, clock, self._log, OPEN_SECONDS)
        self.ear: Ear = make_ear(connection, driver, learnt, self._caller)
        self._groups = self.ear.groups
        self.workload = Workload(self.intervals, clock.mono())
        self._answer_times = AnswerTimes()
        self._delays = backoff(FIRST_DELAY, LAST_DELAY)
        self._has_answered = False

    async def run(self) -> None:
        """Poll until cancelled."""
        while not self.devices:  # they may come with another configuration, and a new poller
            self.state = "waiting"
            await self._caller.sleep(REOPEN_SECONDS)
        patience = OPEN_SECONDS
        while True:
            delay = 0.0
            try:
                await self._open(patience)
                patience = OPEN_SECONDS
                await self._poll_until_lost()
            except DriverError as error:
                if self._has_answered and not (self._caller.is_buggy or self.ear.is_open):
                    # Many close a link that was idle. If it does not open before the next poll is
                    # due everyone is told; once it is open all are polled, so nothing is missed.
                    # Where changes are reported, those in between would be.
                    patience = min(OPEN_SECONDS, *self.intervals)
                    self.reopened += 1
                else:
                    self._cut_off(str(error), getattr(error, "code", "") or LINK_DOWN)
                    patience, wanted = OPEN_SECONDS, getattr(error, "retry_after", None)
                    delay = next(self._delays) if wanted is None else wanted
            finally:
                self._has_answered = False
                await self._caller.close()
            self.roster.catch_up(self._clock.mono())
            await self._caller.sleep(delay)

    async def _open(self, patience: float) -> None:
        await self._caller.open(patience)
        await self.ear.start()
        if self.state != "up":
            self.roster.mention("connection_up", self._clock.mono())
        self.state, self.why = "up", ""

    async def _poll_until_lost(self) -> None:
        """Poll; returns when nobody answers, to open the link anew."""
        opened = self._clock.mono()
        schedule = Schedule(self.intervals, opened, self._origin)
        while True:
            due, index = schedule.peek()
            probe_due, device = self.roster.next_probe()
            wait = min(due, probe_due) - self._clock.mono()
            if wait > 0 or self.ear.is_open:
                await self._listen(wait)
            now = self._clock.mono()
            if now >= probe_due and probe_due < due:
                await self._probe(device)
            elif now >= due:
                await self._keep_to(schedule, due, index, now)
            self.roster.catch_up(now)
            if now - opened > REOPEN_SECONDS and self.roster.nobody_answers:
                return

    async def _keep_to(self, schedule: Schedule, due: float, index: int, now: float) -> None:
        """Poll what is due, unless its device is only probed, and move on."""
        job = self.ear.jobs[index]
        turns = () if self.devices[job.device].is_demoted else job.turns(now)
        if turns and self.roster.is_line_silent and now - due > job.every / 2:
            # While timeouts keep it waiting, its last values must not pass for present ones.
            self._keep_bad(turns, Why.TIMEOUT, _("not asked in time: others do not answer either"))
            turns = ()
        if not turns:
            schedule.advance(now)
            return
        self.lateness.add(now - due)
        for turn in turns:
            await self._poll(turn)
        ended = self._clock.mono()
        skipped = schedule.advance(ended)
        self.overruns += skipped
        self.workload.add(index, ended - now, skipped)
        if self.workload.judge(ended):
            self.roster.set_overload(self.workload.overload, ended)

    async def _listen(self, seconds: float) -> None:
        """Take what the equipment reports, waiting so long at most."""
        for part, samples, waited in await self.ear.listen(seconds):
            await self._take(part, samples, self._clock.mono(), waited)

    async def _poll(self, group: PollGroup | Part) -> None:
        """Read some points; what was reported meanwhile is older than what was read."""
        self.polls += 1
        began = self._clock.mono()
        samples = await self._caller.read(group.plan)
        if self.ear.is_open:
            await self._listen(0.0)
        await self._take(group, samples, began)

    async def _take(
        self, group: PollGroup | Part, samples: Samples, began: float, waited: float = 0.0
    ) -> None:
        """Take what came; when its device comes back, its other points are read as well."""
        if samples.learnt is not None:
            self._learn(group.device, samples.learnt)
        if not len(samples):
            return
        detail = why_unusable(samples)
        is_back = detail is None and self._note_answer(group, samples, began)
        if detail is not None:
            self._note_miss(group, group.plan, detail, began)
        self._keeper.keep(group, samples, waited)
        if is_back and self.ear.reads_all:
            for other in self._others(group):
                await self._poll(other)

    async def _probe(self, device: str) -> None:
        """Ask a silent device something short; once it answers all its points are read at once."""
        group = next(group for group in self._groups if group.device == device)
        plan = self.driver.probe(group.plan)
        began = self._clock.mono()
        if plan is not group.plan:
            samples = await self._caller.read(plan)
            detail = why_unusable(samples)
            if detail is not None:
                self._note_miss(group, plan, detail, began)
                self._keep_bad([group], Why.TIMEOUT, detail)
                return
        await self._poll(group)

    def _note_answer(self, group: PollGroup | Part, samples: Samples, began: float) -> bool:
        """Note that a read brought something; tell whether the device was silent before."""
        now, plan, device = self._clock.mono(), group.plan, group.device
        if not self._has_answered:
            self._has_answered, self._delays = True, backoff(FIRST_DELAY, LAST_DELAY)
        each = (now - began - plan.cost) / max(1, plan.requests)
        if (seconds := self._answer_times.add(device, each)) is not None:
            self._keeper.time(device, seconds)
        return self.roster.answered(device, samples, self._caller.found(device, plan), now)

    def _note_miss(
        self, group: PollGroup | Part, plan: Plan[Any], detail: str, began: float
    ) -> None:
        """Note that a read brought nothing; a device that falls silent has no good point left."""
        device, now = group.device, self._clock.mono()
        cost = max(now - began, plan.cost_of_silence)
        found = self._caller.found(device, group.plan)
        if self.roster.missed(device, detail, found, now, cost=cost):
            self._keep_bad(self._others(group), Why.TIMEOUT, detail)

    def _others(self, group: PollGroup | Part) -> list[PollGroup]:
        """Give the other poll groups of the same device."""
        return [one for one in self._groups if one.device == group.device and one is not group]

    def _keep_bad(self, groups: Sequence[PollGroup | Part], why: Why, detail: str) -> None:
        for group in groups:
            self._keeper.keep(group, Samples.all_bad(len(group.plan.addresses), why, detail))

    def _learn(self, device: str, learnt: Learnt) -> None:
        self._keeper.learn(device, learnt)
        for group in self._groups:
            if group.device == device:
                group.plan_again(learnt)

    def _cut_off(self, why: str, code: str) -> None:
        """Tell everyone that nothing can be read: at once, and again after every failed try."""
        if (self.state, self.why) != ("down", why):
            self.roster.mention("connection_down", self._clock.mono(), why=why, code=code)
        self.state, self.why = "down", why
        self.roster.cut_off(why, code, self._clock.mono())
        self._keep_bad(self._groups, Why.LINK_DOWN, why)

    @property
    def stuck_after(self) -> float:
        """Give the instant of the steady clock by which the task will have moved on."""
        return self._caller.stuck_after

    @property
    def devices(self) -> dict[str, Standing]:
        """Give how each device stands."""
        return self.roster.standings

    @property
    def intervals(self) -> Sequence[float]:
        """Give the seconds between the turns of each job."""
        return [job.every for job in self.ear.jobs]
