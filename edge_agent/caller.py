"""Calls a driver within deadlines; a bug in it costs its connection, not the agent."""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from edge_agent.clock import Clock
from edge_agent.deadline import Deadline
from edge_agent.driver import (
    Changes,
    ConnectionLost,
    DriverError,
    NoResponse,
    Plan,
    Samples,
    WatchGroup,
    WatchingDriver,
    Why,
)
from edge_agent.language import _
from edge_agent.plugins import AnyDriver

CLOSE_SECONDS = 10.0
WATCH_SECONDS = 60.0
SLACK = 10.0  # seconds beyond which a task that should have moved on counts as stuck
NOTHING: Counter[str] = Counter()
_ANYONE = ""  # no device has this name

T = TypeVar("T")


class Caller:
    """The poller's way to its driver.

    Args:
        driver: Not opened.
        clock: The clocks.
        log: Where bugs are reported.
        patience: Seconds until the first call is made and answered.

    Attributes:
        stuck_after: Instant of the steady clock by which the task will have moved on.
        is_buggy: Whether the last failure was a bug in the driver.
    """

    def __init__(self, driver: AnyDriver, clock: Clock, log: Any, patience: float) -> None:
        self.driver = driver
        self.is_buggy = False
        self._clock, self._log = clock, log
        self._noticed: dict[str, Counter[str]] = {}
        self._deadline = Deadline()
        self._expect(patience)

    async def open(self, patience: float) -> None:
        """Open the link.

        Raises:
            ConnectionLost: It cannot be opened, or not in time.
        """
        self.is_buggy = False
        try:
            await self._call(self.driver.open(), patience)
        except TimeoutError:
            raise ConnectionLost(
                _("cannot be opened within {patience:g} s").format(patience=patience)
            ) from None

    async def read(self, plan: Plan[Any]) -> Samples:
        """Read a plan; where nothing is answered, or not in time, all its samples are bad.

        Raises:
            ConnectionLost: The link is gone, or the driver has a bug.
        """
        wanted = len(plan.addresses)
        try:
            samples = await self._call(self.driver.read(plan), plan.patience)
        except NoResponse as error:
            return Samples.all_bad(wanted, Why.TIMEOUT, str(error))
        except TimeoutError:
            why = _("no answer within {patience:g} s").format(patience=plan.patience)
            return Samples.all_bad(wanted, Why.TIMEOUT, why)
        if len(samples) != wanted:
            self.is_buggy = True
            raise ConnectionLost(
                _("driver bug: {samples} samples for {wanted} addresses").format(
                    samples=len(samples), wanted=wanted
                )
            )
        return samples

    async def watch(
        self, driver: WatchingDriver[Any, Any], groups: Sequence[WatchGroup[Any]]
    ) -> None:
        """Have changes reported.

        Raises:
            ConnectionLost: The link is gone, does not answer in time, or the driver has a bug.
        """
        try:
            await self._call(driver.watch(groups), WATCH_SECONDS)
        except TimeoutError:
            raise ConnectionLost(
                _("nothing can be watched within {watch_seconds:g} s").format(
                    watch_seconds=WATCH_SECONDS
                )
            ) from None

    async def changes(
        self, driver: WatchingDriver[Any, Any], seconds: float, sizes: Sequence[int]
    ) -> Sequence[Changes]:
        """Wait for changes, so long at most; none came where none are given.

        Args:
            driver: The driver.
            seconds: How long to wait.
            sizes: How many addresses each watched group has.

        Raises:
            ConnectionLost: The link is gone, or the driver has a bug.
        """
        try:
            changes = await self._call(driver.changes(), seconds)
        except TimeoutError:
            return ()
        for one in changes:
            if not _fits(one, sizes):
                self.is_buggy = True
                raise ConnectionLost(
                    _("driver bug: changes that fit no group: {one!r:.200}").format(one=one)
                )
        return changes

    async def close(self) -> None:
        """Close the link, whatever it says to that."""
        try:
            await self._call(self.driver.close(), CLOSE_SECONDS)
        except (DriverError, TimeoutError) as error:
            self._log.warning("not_closed_properly", why=str(error) or "takes too long")

    async def _call(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        self._expect(seconds)
        try:
            with self._deadline.within(seconds):
                return await work
        except (DriverError, TimeoutError):
            raise
        except Exception as error:
            self.is_buggy = True
            self._log.exception("driver_bug")
            raise ConnectionLost(
                _("driver bug: {kind}: {error}").format(kind=type(error).__name__, error=error)
            ) from error

    async def sleep(self, seconds: float) -> None:
        """Wait, and let the watchdog know."""
        self._expect(seconds)
        await asyncio.sleep(seconds)

    def _expect(self, seconds: float) -> None:
        self.stuck_after = self._clock.mono() + seconds + SLACK

    def found(self, device: str, plan: Plan[Any]) -> "Counter[str]":
        """Give the evidence about a device that was counted since this was last asked."""
        counted = self.driver.noticed(plan)
        key = device if counted is not None else _ANYONE
        counted = self.driver.evidence if counted is None else counted
        before = self._noticed.get(key, NOTHING)
        if counted == before:
            return NOTHING
        self._noticed[key] = counted.copy()
        return counted - before


def _fits(changes: Changes, sizes: Sequence[int]) -> bool:
    """Tell whether changes are about addresses that are watched, one sample for each."""
    group, indices, samples, _, unwatched = changes
    if not 0 <= group < len(sizes) or len(indices) != len(samples):
        return False
    named = (*indices, *(unwatched or ()))
    return not named or (min(named) >= 0 and max(named) < sizes[group])
