"""A real poller on a driver, with a keeper that writes everything down."""

import asyncio
import contextlib

from edge_agent.clock import Clock
from edge_agent.config.model import Connection, Device, Point
from edge_agent.poller import Poller


class Notes:
    """What a poller told the rest of the agent."""

    def __init__(self):
        self.kept, self.states, self.lessons = [], [], []

    def keep(self, group, samples, waited=0.0):
        self.kept.append((group.device, samples))

    def note(self, device, standing):
        self.states.append((device, str(standing.state), standing.why))

    def learn(self, device, learnt):
        self.lessons.append((device, learnt))

    def time(self, device, seconds):
        pass

    def of(self, device):
        return [samples for name, samples in self.kept if name == device]

    def flawed(self):
        return [samples for _, samples in self.kept if samples.flaws]


@contextlib.asynccontextmanager
async def polling(driver, every=0.05, **devices):
    """Poll these devices, each given as a list of its addresses; gives what was noted."""
    configured = Connection(
        "line",
        "modbus",
        driver.settings,
        tuple(
            Device(name, tuple(Point(f"p{i}", a, every=every) for i, a in enumerate(addresses)))
            for name, addresses in devices.items()
        ),
    )
    notes = Notes()
    poller = Poller(configured, driver, {}, notes, Clock())
    task = asyncio.create_task(poller.run())
    try:
        yield notes
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
