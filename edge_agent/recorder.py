"""Takes what pollers bring: samples to the buffer, standings to the publisher, lessons to disk."""

import structlog

from edge_agent import payload
from edge_agent.buffer import Buffer
from edge_agent.clock import Clock
from edge_agent.config.experience import ANSWER_TIMES, LEARNT
from edge_agent.config.model import Connection
from edge_agent.errors import BufferUnavailable
from edge_agent.mentions import Mentions
from edge_agent.model import Learnt, Samples
from edge_agent.notebook import PEOPLE_SECONDS, Notebook
from edge_agent.onlookers import Onlookers
from edge_agent.pollgroup import Part, PollGroup
from edge_agent.publisher import Publisher
from edge_agent.standing import Standing, State

RETAINED_TOPICS = ("meta", "status")  # of each device, below the agent's root


class Recorder:
    """The keeper of all pollers of one agent.

    Attributes:
        publisher: Where standings and descriptions go.
        readings: How many readings were kept since the start.
        unkept: How many could not even be numbered, because the disk refused; never silent.
        last_good: Device -> wall clock of its last answer, ms since 1970 UTC.
        onlookers: Those who see readings as they arrive.
    """

    def __init__(
        self, buffer: Buffer, publisher: Publisher, notebook: Notebook, clock: Clock
    ) -> None:
        self.publisher = publisher
        self.readings = 0
        self.unkept = 0
        self.last_good: dict[str, int] = {}
        self.onlookers = Onlookers()
        self._states: dict[str, tuple[State, int]] = {}  # device -> its state, and since when
        self._buffer = buffer
        self._notebook = notebook
        self._clock = clock
        self._mentions = Mentions()
        self._log = structlog.get_logger().bind(part="recorder")

    def keep(self, group: PollGroup | Part, samples: Samples, waited: float = 0.0) -> None:
        """Take samples that came so many seconds ago."""
        ts, mono = self._clock.now() - round(waited * 1000), self._clock.mono() - waited
        if len(samples.flaws) < len(samples):
            self.last_good[group.device] = ts
        self._name_refused(group, samples)
        if self.onlookers:
            self.onlookers.show(group.device, ts, group.seen(samples))
        for count, body in group.encode(samples, mono):
            try:
                self._buffer.append(group.device, ts, mono, count, body)
            except BufferUnavailable as error:
                self._count_unkept(count, error)
            else:
                self.readings += count

    def _name_refused(self, group: PollGroup | Part, samples: Samples) -> None:
        """Log which points a device refuses: once, not at every poll, nor at every change."""
        refused, given = group.note_refusals(samples)
        refused = {one: why for one, why in refused.items() if self._may_mention(group, one)}
        given = [one for one in given if self._may_mention(group, f"{one} given")]
        if refused:
            why = next(iter(refused.values()))
            self._log.warning(
                "points_refused",
                device=group.device,
                points=list(refused),
                why=why,
                action=group.remedy,
            )
        if given:
            self._log.info("points_given_again", device=group.device, points=given)

    def _may_mention(self, group: PollGroup | Part, what: str) -> bool:
        thing = f"{group.device} {what}"
        return self._mentions.admit(thing, self._clock.mono()) is not None

    def _count_unkept(self, count: int, error: BufferUnavailable) -> None:
        if not self.unkept:
            self._log.error("readings_not_kept", why=str(error))
        self.unkept += count

    def note(self, device: str, standing: Standing) -> None:
        """Publish that a device's standing changed; `since` is when its state did."""
        state, since = self._states.get(device, (None, 0))
        if state is not standing.state:
            since = self._clock.now()
            self._states[device] = standing.state, since
        content = payload.device_status(standing.state, since, standing.why, standing.code)
        self.publisher.announce(f"{device}/status", content)

    def since(self, device: str) -> int | None:
        """Give since when a device has its state, ms since 1970 UTC; None if it has none yet."""
        return self._states[device][1] if device in self._states else None

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
        self._states.pop(device, None)
        for topic in RETAINED_TOPICS:
            self.publisher.announce(f"{device}/{topic}", b"")

    def learn(self, device: str, learnt: Learnt) -> None:
        """Remember what a driver learnt about a device."""
        self._notebook.put(LEARNT, device, dict(learnt))

    def time(self, device: str, seconds: float) -> None:
        """Remember how long a device takes to answer, for `check`."""
        self._notebook.put(ANSWER_TIMES, device, seconds, within=PEOPLE_SECONDS)

    def learnt(self, connection: Connection) -> dict[str, Learnt]:
        """Give what is remembered about the devices of a connection."""
        known = (
            (device.name, self._notebook.get(LEARNT, device.name)) for device in connection.devices
        )
        return {name: learnt for name, learnt in known if isinstance(learnt, dict)}
