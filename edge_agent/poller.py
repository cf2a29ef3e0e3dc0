"""Polls everything behind one connection: one task, one driver object, no locks.

This is the only place where a driver gets another try. Failure is data: a poll that brings nothing
becomes bad readings with a reason, and its neighbours are polled as before.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, Protocol, TypeVar

import structlog

from edge_agent.backoff import backoff
from edge_agent.clock import Clock
from edge_agent.config.model import Connection
from edge_agent.errors import ConnectionLost, DriverError, NoResponse
from edge_agent.lateness import Lateness
from edge_agent.model import Learnt, Samples, Why
from edge_agent.plugins import AnyDriver
from edge_agent.pollgroup import PollGroup, poll_groups
from edge_agent.schedule import Schedule
from edge_agent.standing import DEMOTED_AFTER, Standing

OPEN_SECONDS = 60.0  # a session with certificates over a slow line takes its time
FIRST_DELAY, LAST_DELAY = 1.0, 30.0  # seconds before a lost link is opened again
REOPEN_SECONDS = 30.0  # a link behind which nobody answers is opened anew this often
SLACK = 10.0  # seconds beyond which a task that should have moved on counts as stuck

T = TypeVar("T")


class Keeper(Protocol):
    """What a poller tells the rest of the agent."""

    def keep(self, group: PollGroup, samples: Samples) -> None:
        """Take the samples of one poll."""

    def note(self, device: str, standing: Standing) -> None:
        """Take note that a device's standing changed."""

    def learn(self, device: str, learnt: Learnt) -> None:
        """Remember what a driver learnt about a device."""


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
        state: `opening`, `up` or `down`, for people.
        why: Why it is down.
        overruns: Polls that were skipped because the line cannot keep up.
        stuck_after: Instant of the steady clock by which the task will have moved on.
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
        self.name = connection.name
        self.driver = driver
        self.state, self.why = "opening", ""
        self.overruns = 0
        self.polls = 0
        self.lateness = Lateness()
        self.stuck_after = clock.mono() + OPEN_SECONDS
        self._keeper = keeper
        self._clock = clock
        self._origin = origin
        shared = len(connection.devices) > 1
        self.devices = {device.name: Standing(shared=shared) for device in connection.devices}
        self._groups = [
            group
            for device in connection.devices
            for group in poll_groups(device, driver, learnt.get(device.name, {}))
        ]
        self._delays = backoff(FIRST_DELAY, LAST_DELAY)
        self._log = structlog.get_logger().bind(part="poller", connection=connection.name)

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            try:
                await self._open()
                await self._poll_until_lost()
            except DriverError as error:
                self._cut_off(str(error))
            else:
                continue  # opened anew because nobody answers
            finally:
                await self._close()
            await self._sleep(next(self._delays))

    async def _open(self) -> None:
        try:
            await self._call(self.driver.open(), OPEN_SECONDS)
        except TimeoutError:
            raise ConnectionLost(f"cannot be opened within {OPEN_SECONDS:.0f} s") from None
        if self.state != "up":
            self._log.info("connection_up")
        self.state, self.why = "up", ""

    async def _close(self) -> None:
        try:
            await self._call(self.driver.close(), SLACK)
        except (DriverError, TimeoutError) as error:
            self._log.warning("not_closed_properly", why=str(error) or "takes too long")

    async def _poll_until_lost(self) -> None:
        """Poll; returns when nobody answers, to open the link anew."""
        opened = self._clock.mono()
        schedule = Schedule([group.every for group in self._groups], opened, self._origin)
        while True:
            due, index = schedule.peek()
            if (wait := due - self._clock.mono()) > 0:
                await self._sleep(wait)
            now = self._clock.mono()
            self.lateness.add(now - due)
            await self._poll(self._groups[index], now)
            self.overruns += schedule.advance(self._clock.mono())
            if now - opened > REOPEN_SECONDS and self._nobody_answers():
                return

    async def _poll(self, group: PollGroup, now: float) -> None:
        standing = self.devices[group.device]
        if not standing.may_be_asked(now):
            return
        self.polls += 1
        try:
            samples = await self._read(group)
        except NoResponse as error:
            changed = standing.missed(str(error), self._clock.mono())
            samples = Samples.all_bad(len(group.plan.addresses), Why.TIMEOUT, str(error))
        else:
            changed = standing.answered()
            self._delays = backoff(FIRST_DELAY, LAST_DELAY)
        if changed:
            self._note(group.device)
        self._keeper.keep(group, samples)
        if samples.learnt is not None:
            self._learn(group.device, samples.learnt)

    async def _read(self, group: PollGroup) -> Samples:
        patience, wanted = group.plan.patience, len(group.plan.addresses)
        try:
            samples = await self._call(self.driver.read(group.plan), patience)
        except TimeoutError:
            raise NoResponse(f"no answer within {patience:g} s") from None
        if len(samples) != wanted:
            raise ConnectionLost(f"driver bug: {len(samples)} samples for {wanted} addresses")
        return samples

    async def _call(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        """Wait for a driver; a bug in it costs its connection, not the agent."""
        self._expect(seconds)
        try:
            async with asyncio.timeout(seconds):
                return await work
        except (DriverError, TimeoutError):
            raise
        except Exception as error:
            self._log.exception("driver_bug")
            raise ConnectionLost(f"driver bug: {type(error).__name__}: {error}") from error

    def _learn(self, device: str, learnt: Learnt) -> None:
        self._keeper.learn(device, learnt)
        for group in self._groups:
            if group.device == device:
                group.plan_again(self.driver, learnt)

    def _nobody_answers(self) -> bool:
        return all(standing.misses >= DEMOTED_AFTER for standing in self.devices.values())

    def _cut_off(self, why: str) -> None:
        """Tell everyone that nothing can be read: at once, and again after every failed try."""
        if (self.state, self.why) != ("down", why):
            self._log.warning("connection_down", why=why)
        self.state, self.why = "down", why
        for device, standing in self.devices.items():
            if standing.cut_off(why):
                self._note(device)
        for group in self._groups:
            bad = Samples.all_bad(len(group.plan.addresses), Why.LINK_DOWN, why)
            self._keeper.keep(group, bad)

    def _note(self, device: str) -> None:
        standing = self.devices[device]
        say = self._log.info if standing.state == "up" else self._log.warning
        say("device_" + standing.state, device=device, why=standing.why)
        self._keeper.note(device, standing)

    async def _sleep(self, seconds: float) -> None:
        self._expect(seconds)
        await asyncio.sleep(seconds)

    def _expect(self, seconds: float) -> None:
        self.stuck_after = self._clock.mono() + seconds + SLACK

    @property
    def intervals(self) -> Sequence[float]:
        """Give the seconds between polls of each poll group."""
        return [group.every for group in self._groups]
