"""What a connection hears between its polls: the changes that its equipment reports by itself."""

from collections.abc import Collection, Sequence
from math import isfinite
from typing import Any, NamedTuple, Protocol

from edge_agent.caller import Caller
from edge_agent.config.model import Connection
from edge_agent.driver import WatchGroup, WatchingDriver
from edge_agent.model import Learnt, Samples
from edge_agent.plugins import AnyDriver
from edge_agent.pollgroup import Part, PollGroup, poll_groups


class Job(Protocol):
    """Something that has to be read again and again: a poll group, or what is left of one."""

    @property
    def device(self) -> str:
        """Name the device."""

    @property
    def every(self) -> float:
        """Give the seconds between two turns."""

    def turns(self, now: float) -> Sequence[PollGroup | Part]:
        """Give what is to be read now, one after the other; `now` is on the steady clock."""


class Heard(NamedTuple):
    """What was reported of one device at once, so many seconds ago."""

    part: Part
    samples: Samples
    waited: float


class Ear:
    """The ear of a connection that is only polled: it hears nothing.

    Attributes:
        groups: All points of the connection.
        jobs: What has to be read.
        heard: How many changes were reported since the start.
    """

    def __init__(self, groups: Sequence[PollGroup], caller: Caller) -> None:
        self.groups = groups
        self.jobs: Sequence[Job] = groups
        self.heard = 0
        self._caller = caller

    @property
    def is_open(self) -> bool:
        """Tell whether anything can be heard."""
        return False

    @property
    def reads_all(self) -> bool:
        """Tell whether any point can be read at any time."""
        return True

    async def start(self) -> None:
        """Begin to listen on a link that was just opened."""

    async def listen(self, seconds: float) -> Sequence[Heard]:
        """Wait for changes, so long at most."""
        await self._caller.sleep(seconds)
        return ()


class Watcher(Ear):
    """The ear of a connection whose equipment reports changes.

    What it cannot report is polled, and what was silent for too long is read again.
    """

    def __init__(
        self, groups: Sequence[PollGroup], caller: Caller, driver: WatchingDriver[Any, Any]
    ) -> None:
        super().__init__(groups, caller)
        self._driver = driver
        self._sizes = [len(group.plan.addresses) for group in groups]
        self._unwatched = [_Unwatched(group) for group in groups]
        quiet = [_Quiet(group) for group in groups] if driver.reads_watched else []
        self.jobs = [*self._unwatched, *(job for job in quiet if isfinite(job.every))]

    @property
    def is_open(self) -> bool:
        return True

    @property
    def reads_all(self) -> bool:
        return self._driver.reads_watched

    async def start(self) -> None:
        for job in self._unwatched:
            job.indices = ()
        names = list(dict.fromkeys(group.device for group in self.groups))
        wanted = [
            WatchGroup(group.plan, group.every, group.deadbands, names.index(group.device))
            for group in self.groups
        ]
        await self._caller.watch(self._driver, wanted)

    async def listen(self, seconds: float) -> Sequence[Heard]:
        heard = []
        for changes in await self._caller.changes(self._driver, max(0.0, seconds), self._sizes):
            group = self.groups[changes.group]
            if changes.unwatched is not None:
                self._unwatched[changes.group].indices = changes.unwatched
            if changes.indices or changes.samples.learnt is not None:
                part = Part(group, changes.indices, group.plan)
                heard.append(Heard(part, changes.samples, changes.waited))
                self.heard += len(changes.indices)
        return heard


class _Unwatched:
    """Polls those points of a group that the equipment does not report."""

    def __init__(self, group: PollGroup) -> None:
        self.device, self.every = group.device, group.every
        self.indices: Collection[int] = ()
        self._group = group

    def turns(self, now: float) -> Sequence[Part]:
        return self._group.parts(sorted(self.indices)) if self.indices else ()


class _Quiet:
    """Reads those points of a group of which nothing was sent for nearly too long."""

    def __init__(self, group: PollGroup) -> None:
        self.device, self.every = group.device, group.conditioner.patience / 2
        self._group = group

    def turns(self, now: float) -> Sequence[Part]:
        return self._group.parts(self._group.conditioner.quiet(now))


def make_ear(
    connection: Connection, driver: AnyDriver, learnt: dict[str, Learnt], caller: Caller
) -> Ear:
    """Part the points of a connection into groups, and listen if its equipment reports changes."""
    watching = driver if isinstance(driver, WatchingDriver) and driver.is_watching else None
    groups = [
        group
        for device in connection.devices
        for group in poll_groups(
            device, driver, learnt.get(device.name, {}), watched=watching is not None
        )
    ]
    return Ear(groups, caller) if watching is None else Watcher(groups, caller, watching)
