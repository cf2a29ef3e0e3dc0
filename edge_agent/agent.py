"""The agent: makes the parts, runs them, and lets them end in the right order."""

import asyncio
import contextlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from edge_agent import memory, payload, plugins
from edge_agent.buffer import Buffer
from edge_agent.clock import Clock
from edge_agent.config.model import AgentIdentity, BufferLimits, Config, Connection, Mqtt
from edge_agent.errors import BufferUnavailable
from edge_agent.notebook import Notebook
from edge_agent.poller import Poller
from edge_agent.publisher import Publisher
from edge_agent.recorder import RETAINED_TOPICS, Recorder
from edge_agent.standing import State

SLOTS = 10  # connections wake in ten groups a second: cheaper than each for itself (measured)
SLOT_SECONDS = 0.1
TOGETHER = 10  # connections fill a group before the next one begins
DISK_RETRY = 5.0  # seconds between tries to open the buffer


@dataclass
class Running:
    """A poller with its task, and the identity of the configuration it was made from."""

    poller: Poller
    task: asyncio.Task[None]
    fingerprint: int


class Agent:
    """One agent's parts while it runs. `run` below is the way to use it.

    Attributes:
        running: Connection name -> its poller.
        is_polling: Whether the buffer is open and everything else made.
        obstacle: Why the buffer cannot be opened at present; empty while that is under way.
    """

    def __init__(self, config: Config, clock: Clock) -> None:
        self.identity: AgentIdentity = config.agent
        self.limits: BufferLimits = config.buffer
        self.mqtt: Mqtt = config.mqtt
        self.clock = clock
        self.started = clock.now()
        self.running: dict[str, Running] = {}
        self.is_polling = False
        self.obstacle = ""
        self.buffer: Buffer
        self.publisher: Publisher
        self.recorder: Recorder
        self.notebook: Notebook
        self._publishing: asyncio.Task[None]
        self._tasks: asyncio.TaskGroup
        self._origin = math.ceil(clock.mono())
        self._made = 0
        self._log = structlog.get_logger().bind(part="agent")

    async def run(
        self, config: Config, stop: asyncio.Event, ready: asyncio.Event | None = None
    ) -> None:
        """Run until `stop` is set. A bug in the core ends it with that exception."""
        opened = await self._open_buffer(stop)
        if opened is None:
            return
        self.buffer = opened
        try:
            async with asyncio.TaskGroup() as self._tasks:
                background = self._start(config)
                self.is_polling = True
                if ready:
                    ready.set()
                await stop.wait()
                await self._wind_down(background)
        finally:
            await self.buffer.close()
            await self.notebook.save()

    async def _open_buffer(self, stop: asyncio.Event) -> Buffer | None:
        """Open the buffer, however long the disk keeps us waiting: nothing is polled before."""
        while not stop.is_set():
            try:
                return await Buffer.open(self.limits, self.clock)
            except BufferUnavailable as error:
                if str(error) != self.obstacle:
                    self._log.error("buffer_not_open", why=str(error))
                self.obstacle = str(error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(DISK_RETRY):
                    await stop.wait()
        return None

    def _start(self, config: Config) -> list[asyncio.Task[None]]:
        self.notebook = Notebook(self.limits.path)
        self._make_publisher()
        self.recorder = Recorder(self.buffer, self.publisher, self.notebook, self.clock)
        for connection in config.connections:
            self._start_connection(connection)
        self._clear_leftovers()
        self._log.info("started", epoch=self.buffer.epoch, connections=len(self.running))
        asyncio.get_running_loop().call_later(5.0, memory.give_back)
        return [
            self._tasks.create_task(self.buffer.run(), name="buffer"),
            self._tasks.create_task(self.notebook.run(), name="notebook"),
            self._tasks.create_task(self._watch_clock(), name="clock"),
        ]

    def _make_publisher(self) -> None:
        root = payload.root(self.identity.site, self.identity.id)
        self.publisher = Publisher(self.mqtt, root, self.buffer, self.notebook, self.clock)
        self._publishing = self._tasks.create_task(self.publisher.run(), name="publisher")

    async def _wind_down(self, background: list[asyncio.Task[None]]) -> None:
        """Stop in the order in which things flow, so that everything read is still kept."""
        await _cancel([one.task for one in self.running.values()])
        await _cancel([self._publishing])
        await _cancel(background)
        self._log.info("stopped")

    # --- connections ---------------------------------------------------------------------------

    def _start_connection(self, connection: Connection) -> None:
        driver = plugins.load(connection.driver)(connection.settings)
        origin = self._origin + self._made // TOGETHER % SLOTS * slot(connection)
        self._made += 1
        poller = Poller(
            connection, driver, self.recorder.learnt(connection), self.recorder, self.clock,
            origin=origin,
        )  # fmt: skip
        self.recorder.describe(connection)
        task = self._tasks.create_task(poller.run(), name=connection.name)
        self.running[connection.name] = Running(poller, task, _fingerprint(connection))

    async def _stop_connection(self, name: str) -> None:
        await _cancel([self.running.pop(name).task])

    async def apply(self, config: Config) -> list[str]:
        """Change over to another configuration; what is the same keeps running.

        Returns:
            What changed, one phrase each; also what needs a restart.
        """
        changes = await self._apply_connections(config.connections)
        if config.buffer != self.limits:
            changes.append("buffer: needs a restart of the agent")
        if (config.mqtt, config.agent) != (self.mqtt, self.identity):
            await self._change_publisher(config)
            changes.append("mqtt: connected anew")
        asyncio.get_running_loop().call_later(5.0, memory.give_back)
        return changes

    async def _apply_connections(self, connections: Sequence[Connection]) -> list[str]:
        wanted = {one.name: _fingerprint(one) for one in connections}
        before = self._devices()
        changes = []
        for name, running in list(self.running.items()):
            if wanted.get(name) != running.fingerprint:
                await self._stop_connection(name)
                changes.append(f"{name}: stopped")
        for connection in connections:
            if connection.name not in self.running:
                self._start_connection(connection)
                changes.append(f"{connection.name}: started")
        for device in before - self._devices():
            self.recorder.forget(device)
        return changes

    def _devices(self) -> set[str]:
        return {device for one in self.running.values() for device in one.poller.devices}

    async def _change_publisher(self, config: Config) -> None:
        await _cancel([self._publishing])
        self.mqtt, self.identity = config.mqtt, config.agent
        self._make_publisher()
        self.recorder.publisher = self.publisher
        for connection in config.connections:
            self.recorder.describe(connection)
            for device, standing in self.running[connection.name].poller.devices.items():
                if standing.state is not State.STARTING:
                    self.recorder.note(device, standing)
        self._clear_leftovers()

    def _clear_leftovers(self) -> None:
        """Clear retained topics of devices that an earlier configuration had."""
        root = payload.root(self.identity.site, self.identity.id)
        self.publisher.clear_all_but(
            {f"{root}/{device}/{topic}" for device in self._devices() for topic in RETAINED_TOPICS}
        )

    async def _watch_clock(self) -> None:
        while True:
            self.buffer.synced = self.clock.synced()
            await asyncio.sleep(10)

    # --- for people and the watchdog -----------------------------------------------------------

    def stuck(self) -> str | None:
        """Name a part that should have moved on and did not; None if all make progress."""
        now = self.clock.mono()
        for name, one in self.running.items():
            if now > one.poller.stuck_after:
                return f"connection {name}"
        return "publisher" if now > self.publisher.stuck_after else None


def slot(connection: Connection) -> float:
    """Give the seconds between two groups of connections like this one.

    All of them have had their turn within a second, and within the shortest interval of theirs:
    else those that are read ten times a second would all be read at once.
    """
    intervals = (point.every for device in connection.devices for point in device.points)
    return min(SLOT_SECONDS, min(intervals, default=SLOT_SECONDS) / SLOTS)


def _fingerprint(connection: Connection) -> int:
    """Tell one configuration from another without keeping it; any driver's settings have a repr."""
    return hash(repr(connection))


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def run(config: Config, *, stop: asyncio.Event, ready: asyncio.Event | None = None) -> None:
    """Run an agent until `stop` is set.

    Args:
        config: Checked completely.
        stop: Set it to end; everything that waits is put on disk first.
        ready: Set when polling has begun.
    """
    await Agent(config, Clock()).run(config, stop, ready)
