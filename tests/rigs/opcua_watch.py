"""Watches OPC UA nodes, with the driver alone or with the agent's poller."""

import asyncio
import contextlib
import itertools

from edge_agent_opcua import OpcUaAddress

from edge_agent.clock import Clock
from edge_agent.config.model import Connection, Device, Point
from edge_agent.driver import WatchGroup
from edge_agent.poller import Poller
from tests.rigs.opcua_plant import OVEN
from tests.rigs.polling import Notes


def at(*names, **more):
    """Give addresses of the oven's nodes."""
    return [OpcUaAddress(at=f"s={name}", namespace=OVEN, **more) for name in names]


class Listener:
    """What is heard of each address, by (group, index), and what has to be polled.

    Attributes:
        heard: The samples, in order.
        unwatched: Group -> indices.
        learnt: What was learnt.
    """

    def __init__(self, driver):
        self.driver = driver
        self.heard, self.unwatched, self.learnt = {}, {}, []

    async def until(self, condition, seconds=30.0):
        async with asyncio.timeout(seconds):
            while not condition():
                self._note(await self.driver.changes())

    async def until_it_is(self, value, index=0):
        """Listen until this is the last that was heard of an address."""
        await self.until(lambda: self.values(index)[-1:] == [value])

    async def listen(self, seconds):
        """Listen for so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    self._note(await self.driver.changes())

    def _note(self, changes):
        for one in changes:
            if one.unwatched is not None:
                self.unwatched[one.group] = list(one.unwatched)
            if one.samples.learnt is not None:
                self.learnt.append(one.samples.learnt)
            for index, sample in zip(one.indices, one.samples, strict=True):
                self.heard.setdefault((one.group, index), []).append(sample)

    def values(self, index=0, group=0):
        """Give the values heard of an address, or the reason where there is none."""
        samples = self.heard.get((group, index), [])
        return [sample.flaw.why if sample.value is None else sample.value for sample in samples]

    def course(self, index=0):
        """Give the values heard of an address, without repetitions."""
        return [value for value, _ in itertools.groupby(self.values(index))]

    @property
    def details(self):
        """How the driver's only subscription stands."""
        return self.driver.details()["subscriptions"][0]


@contextlib.asynccontextmanager
async def watching(driver, *groups, every=0.1, deadbands=None, learnt=None, devices=()):
    """Open the driver and watch groups of addresses, of the same device if `devices` is empty."""
    await driver.open()
    try:
        plans = [driver.plan(group, learnt or {}) for group in groups]
        of = devices or [0] * len(plans)
        await driver.watch(
            [
                WatchGroup(plan, every, deadbands or {}, device)
                for plan, device in zip(plans, of, strict=True)
            ]
        )
        yield Listener(driver)
    finally:
        await driver.close()


class Diary(Notes):
    """Keeps, beside everything, the values of each point in order."""

    def __init__(self):
        super().__init__()
        self.values = {}

    def keep(self, group, samples, waited=0.0):
        super().keep(group, samples, waited)
        places = getattr(group, "_indices", range(len(samples)))
        for place, sample in zip(places, samples, strict=True):
            value = sample.flaw.why if sample.value is None else sample.value
            self.values.setdefault((group.device, place), []).append(value)

    def last(self, place=0, device="oven"):
        return self.values.get((device, place), [None])[-1]


@contextlib.asynccontextmanager
async def agent(driver, addresses, every=0.2):
    """Watch and poll these addresses as the agent does, as points of the device `oven`."""
    points = tuple(Point(f"p{i}", address, every=every) for i, address in enumerate(addresses))
    configured = Connection("line", "opcua", driver.settings, (Device("oven", points),))
    diary = Diary()
    poller = Poller(configured, driver, {}, diary, Clock())
    task = asyncio.create_task(poller.run())
    try:
        yield poller, diary
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
