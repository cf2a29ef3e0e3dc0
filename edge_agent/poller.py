"""Polls everything behind one connection: one task, one driver object, no locks.

This is the only place where a driver gets another try. Failure is data: a poll that brings nothing
becomes bad readings with a reason, and its neighbours are polled as before.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import structlog

from edge_agent.backoff import backoff
from edge_agent.caller import Caller
from edge_agent.clock import Clock
from edge_agent.config.model import Connection
from edge_agent.driver import Plan
from edge_agent.errors import DriverError
from edge_agent.lateness import Lateness
from edge_agent.mentions import Mentions
from edge_agent.model import Learnt, Samples, Why
from edge_agent.plugins import AnyDriver
from edge_agent.pollgroup import PollGroup, poll_groups
from edge_agent.roster import Listener, Roster, why_unusable
from edge_agent.schedule import Schedule
from edge_agent.standing import Standing
from edge_agent.workload import AnswerTimes, Workload

OPEN_SECONDS = 60.0  # a session with certificates over a slow line takes its time
FIRST_DELAY, LAST_DELAY = 1.0, 30.0  # seconds before a lost link is opened again
REOPEN_SECONDS = 30.0  # a link behind which nobody answers is opened anew this often


class Keeper(Listener, Protocol):
    """What a poller tells the rest of the agent."""

    def keep(self, group: PollGroup, samples: Samples) -> None:
        """Take the samples of one poll."""

    def learn(self, device: str, learnt: Learnt) -> None:
        """Remember what a driver learnt about a device."""

    def time(self, device: str, seconds: float) -> None:
        """Remember how long a device takes to answer."""


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
        roster: How its devices stand.
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
        self._keeper = keeper
        self._clock = clock
        self._origin = origin
        self._mentions = Mentions()
        self._log = structlog.get_logger().bind(part="poller", connection=connection.name)
        self.roster = Roster(connection, driver, keeper, self._log)
        self._groups = [
            group
            for device in connection.devices
            for group in poll_groups(device, driver, learnt.get(device.name, {}))
        ]
        self.workload = Workload([group.every for group in self._groups], clock.mono())
        self._answer_times = AnswerTimes()
        self._delays = backoff(FIRST_DELAY, LAST_DELAY)
        self._caller = Caller(driver, clock, self._log, OPEN_SECONDS)
        self._has_answered = False

    async def run(self) -> None:
        """Poll until cancelled."""
        patience = OPEN_SECONDS
        while True:
            delay = 0.0
            try:
                await self._open(patience)
                patience = OPEN_SECONDS
                await self._poll_until_lost()
            except DriverError as error:
                if self._has_answered and not self._caller.is_buggy:
                    # Many close a link that was idle. If it does not open before the next poll is
                    # due everyone is told; once it is open all are polled, so nothing is missed.
                    patience = min(OPEN_SECONDS, *self.intervals)
                    self.reopened += 1
                else:
                    self._cut_off(str(error))
                    patience, delay = OPEN_SECONDS, self._delay(error)
            finally:
                self._has_answered = False
                await self._caller.close()
            if delay:
                await self._caller.sleep(delay)

    def _delay(self, error: DriverError) -> float:
        """Give the seconds until the link is tried again."""
        wanted = getattr(error, "retry_after", None)
        return next(self._delays) if wanted is None else wanted

    async def _open(self, patience: float) -> None:
        await self._caller.open(patience)
        if self.state != "up":
            self._mention(self._log.info, "connection_up")
        self.state, self.why = "up", ""

    async def _poll_until_lost(self) -> None:
        """Poll; returns when nobody answers, to open the link anew."""
        opened = self._clock.mono()
        schedule = Schedule(self.intervals, opened, self._origin)
        while True:
            due, index = schedule.peek()
            probe_due, device = self.roster.next_probe()
            if (wait := min(due, probe_due) - self._clock.mono()) > 0:
                await self._caller.sleep(wait)
            now = self._clock.mono()
            if probe_due < due:
                await self._probe(device)
            else:
                await self._keep_to(schedule, due, index, now)
            self.roster.catch_up(now)
            if now - opened > REOPEN_SECONDS and self.roster.nobody_answers:
                return

    async def _keep_to(self, schedule: Schedule, due: float, index: int, now: float) -> None:
        """Poll the group that is due, unless its device is only probed, and move on."""
        group = self._groups[index]
        if self.devices[group.device].is_demoted:
            schedule.advance(now)
            return
        if self.roster.is_line_silent and now - due > group.every / 2:
            # While timeouts keep it waiting, its last values must not pass for present ones.
            self._keep_bad([group], Why.TIMEOUT, "not asked in time: others do not answer either")
            schedule.advance(now)
            return
        self.lateness.add(now - due)
        await self._poll(group)
        ended = self._clock.mono()
        skipped = schedule.advance(ended)
        self.overruns += skipped
        self.workload.add(index, ended - now, skipped)
        if self.workload.judge(ended):
            self.roster.set_overload(self.workload.overload, ended)

    async def _poll(self, group: PollGroup) -> None:
        """Read a poll group; when its device comes back, its other points are read as well."""
        self.polls += 1
        began = self._clock.mono()
        samples = await self._caller.read(group.plan)
        detail = why_unusable(samples)
        is_back = detail is None and self._note_answer(group, samples, began)
        if detail is not None:
            self._note_miss(group, group.plan, detail, began)
        self._keeper.keep(group, samples)
        if samples.learnt is not None:
            self._learn(group.device, samples.learnt)
        if is_back:
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

    def _note_answer(self, group: PollGroup, samples: Samples, began: float) -> bool:
        """Note that a read brought something; tell whether the device was silent before."""
        now, plan, device = self._clock.mono(), group.plan, group.device
        self._has_answered, self._delays = True, backoff(FIRST_DELAY, LAST_DELAY)
        each = (now - began - plan.cost) / max(1, plan.requests)
        if (seconds := self._answer_times.add(device, each)) is not None:
            self._keeper.time(device, seconds)
        return self.roster.answered(device, samples, self._caller.found(device, plan), now)

    def _note_miss(self, group: PollGroup, plan: Plan[Any], detail: str, began: float) -> None:
        """Note that a read brought nothing; a device that falls silent has no good point left."""
        device, now = group.device, self._clock.mono()
        cost = max(now - began, plan.cost_of_silence)
        found = self._caller.found(device, group.plan)
        if self.roster.missed(device, detail, found, now, cost=cost):
            self._keep_bad(self._others(group), Why.TIMEOUT, detail)

    def _others(self, group: PollGroup) -> list[PollGroup]:
        """Give the other poll groups of the same device."""
        return [one for one in self._groups if one.device == group.device and one is not group]

    def _keep_bad(self, groups: Sequence[PollGroup], why: Why, detail: str) -> None:
        for group in groups:
            self._keeper.keep(group, Samples.all_bad(len(group.plan.addresses), why, detail))

    def _learn(self, device: str, learnt: Learnt) -> None:
        self._keeper.learn(device, learnt)
        for group in self._groups:
            if group.device == device:
                group.plan_again(self.driver, learnt)

    def _mention(self, say: Callable[..., Any], event: str, **details: str) -> None:
        """Log a change of the link; one that comes and goes is summed up."""
        passed = self._mentions.admit(event + "".join(details.values()), self._clock.mono())
        if passed is not None:
            say(event, **details, **({"passed_over": passed} if passed else {}))

    def _cut_off(self, why: str) -> None:
        """Tell everyone that nothing can be read: at once, and again after every failed try."""
        if (self.state, self.why) != ("down", why):
            self._mention(self._log.warning, "connection_down", why=why)
        self.state, self.why = "down", why
        self.roster.cut_off(why, self._clock.mono())
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
        """Give the seconds between polls of each poll group."""
        return [group.every for group in self._groups]
