"""Takes what pollers bring: samples to the buffer, standings to the publisher, lessons to disk."""

import structlog

from edge_agent import payload
from edge_agent.buffer import Buffer
from edge_agent.clock import Clock
from edge_agent.config.model import Connection
from edge_agent.errors import BufferUnavailable
from edge_agent.model import Learnt, Samples
from edge_agent.notebook import Notebook
from edge_agent.pollgroup import PollGroup
from edge_agent.publisher import Publisher
from edge_agent.standing import Standing

LEARNT = "learnt"  # section of the notebook


class Recorder:
    """The keeper of all pollers of one agent.

    Attributes:
        publisher: Where standings and descriptions go.
        readings: How many readings were kept since the start.
        unkept: How many could not even be numbered, because the disk refused; never silent.
        last_good: Device -> wall clock of its last answer, ms since 1970 UTC.
    """

    def __init__(
        self, buffer: Buffer, publisher: Publisher, notebook: Notebook, clock: Clock
    ) -> None:
        self.publisher = publisher
        self.readings = 0
        self.unkept = 0
        self.last_good: dict[str, int] = {}
        self.since: dict[str, int] = {}
        self._buffer = buffer
        self._notebook = notebook
        self._clock = clock
        self._log = structlog.get_logger().bind(part="recorder")

    def keep(self, group: PollGroup, samples: Samples) -> None:
        """Take the samples of one poll."""
        ts, mono = self._clock.now(), self._clock.mono()
        if len(samples.flaws) < len(samples):
            self.last_good[group.device] = ts
        for count, body in group.encode(samples, mono):
            try:
                self._buffer.append(group.device, ts, mono, count, body)
            except BufferUnavailable as error:
                self._count_unkept(count, error)
            else:
                self.readings += count

    def _count_unkept(self, count: int, error: BufferUnavailable) -> None:
        if not self.unkept:
            self._log.error("readings_not_kept", why=str(error))
        self.unkept += count

    def note(self, device: str, standing: Standing) -> None:
        """Publish that a device's standing changed."""
        since = self.since[device] = self._clock.now()
        content = payload.device_status(standing.state, since, standing.why, standing.code)
        self.publisher.announce(f"{device}/status", content)

    def describe(self, connection: Connection) -> None:
        """Publish what a platform must know about the devices of a connection."""
        for device in connection.devices:
            content = payload.device_meta(
                device.label, device.profile, connection.driver, device.points
            )
            self.publisher.announce(f"{device.name}/meta", content)

    def forget(self, device: str) -> None:
        """Clear the retained topics of a device that is no longer configured."""
        self.last_good.pop(device, None)
        self.since.pop(device, None)
        for topic in ("meta", "status"):
            self.publisher.announce(f"{device}/{topic}", b"")

    def learn(self, device: str, learnt: Learnt) -> None:
        """Remember what a driver learnt about a device."""
        self._notebook.put(LEARNT, device, dict(learnt))

    def learnt(self, connection: Connection) -> dict[str, Learnt]:
        """Give what is remembered about the devices of a connection."""
        known = (
            (device.name, self._notebook.get(LEARNT, device.name)) for device in connection.devices
        )
        return {name: learnt for name, learnt in known if isinstance(learnt, dict)}
