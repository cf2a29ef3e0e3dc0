"""Sends what the buffer holds, and keeps the retained status and description topics right.

This is the only place that tries again towards the broker. A row leaves the buffer only on its
own successful acknowledgement, in the connection on which it was sent.
"""

import asyncio

import structlog

from edge_agent import __version__, payload
from edge_agent.announcements import Announcements
from edge_agent.backoff import backoff
from edge_agent.buffer import Buffer
from edge_agent.clock import Clock
from edge_agent.config.model import Mqtt
from edge_agent.delivery import Delivery
from edge_agent.dial import dial
from edge_agent.errors import BrokerUnavailable
from edge_agent.language import _
from edge_agent.mqtt import NotAllowed, Session, TooEarly
from edge_agent.notebook import Notebook
from edge_agent.rights import CUT_OFF, doubt
from edge_agent.supply import Outgoing, Supply

STATUS_TOPIC = "_agent/status"
TICK = 1.0  # seconds between looks at the acknowledgement timer and the keep-alive
FIRST_DELAY, LAST_DELAY = 1.0, 60.0  # seconds between tries to connect
ONLY_PEOPLE_CAN_MEND = 60.0  # seconds before a refused login or right is tried again
PATIENCE = 150.0  # longer than any pause between tries and any connecting takes
GOODBYE_SECONDS = 2.0  # how long a stop waits for the broker to take the last status


class Publisher:
    """Publishes for one agent until cancelled.

    Attributes:
        state: `connecting`, `connected` or `waiting`, for people.
        why: Why it is not connected.
        stuck_after: Instant of the steady clock by which the task will have moved on.
    """

    def __init__(
        self, settings: Mqtt, root: str, buffer: Buffer, notebook: Notebook, clock: Clock
    ) -> None:
        self.state, self.why = "connecting", ""
        self.stuck_after = clock.mono() + PATIENCE
        self._settings = settings
        self._status_topic = f"{root}/{STATUS_TOPIC}"
        self._buffer = buffer
        self._notebook = notebook
        self._clock = clock
        self._announcements = Announcements(root, notebook)
        supply = Supply(root, buffer, self._announcements, settings.backlog_rate)
        self._delivery = Delivery(settings, supply, clock)
        self._doubt = ""
        self._cut_off = False  # whether the last connection ended while we asked for our rights
        self._log = structlog.get_logger().bind(
            part="publisher", broker=f"{settings.host}:{settings.port}"
        )
        buffer.wake = self._delivery.wake

    @property
    def last_ack(self) -> int | None:
        """Wall clock of the last acknowledgement, ms since 1970 UTC."""
        return self._delivery.last_ack

    @property
    def note(self) -> str:
        """What people should know of a connection that works; empty if nothing."""
        return self._doubt or (_("nobody subscribes") if self._delivery.unheard else "")

    def announce(self, topic: str, content: bytes) -> None:
        """Publish a retained message now and after every reconnect.

        Args:
            topic: Below the agent's root, such as `press-1/meta`.
            content: The payload; empty clears the topic and is published once.
        """
        self._announcements.put(topic, content)
        self._delivery.wake()

    def clear_all_but(self, topics: set[str]) -> None:
        """Clear the retained topics of earlier configurations.

        Args:
            topics: What is retained now, as full topics.
        """
        self._announcements.clear_all_but(topics)
        self._delivery.wake()

    async def run(self) -> None:
        """Connect, publish, and connect again after every loss; only cancelling ends it."""
        delays = backoff(FIRST_DELAY, LAST_DELAY)
        while True:
            self.stuck_after = self._clock.mono() + PATIENCE
            try:
                await self._serve_once()
            except NotAllowed as error:
                self._note_down(error)
                await asyncio.sleep(ONLY_PEOPLE_CAN_MEND)
                continue
            except TooEarly as error:
                self._note_down(error)
                await self._clock.until_set(LAST_DELAY)
                continue
            except BrokerUnavailable as error:
                self._note_down(error)
            if self._delivery.proven:
                delays = backoff(FIRST_DELAY, LAST_DELAY)
            await asyncio.sleep(next(delays))

    async def _serve_once(self) -> None:
        """Connect, and send for as long as it goes well.

        Raises:
            BrokerUnavailable: It does not go well any more.
        """
        self._delivery.proven = False  # whatever the last connection was
        will = self._status_topic, self._status("offline", None, _("connection lost"))
        session = await dial(self._settings, will, self._notebook)
        self._log.info("connected", mqtt=session.version, window=session.receive_maximum)
        self.state, self.why = "connected", ""
        looking = self._announce_anew(session)
        try:
            await self._deliver(session)
        except asyncio.CancelledError:
            offline = self._status("offline", self._clock.now(), "stopped")
            await self._delivery.farewell(Outgoing(self._status_topic, offline), GOODBYE_SECONDS)
            raise
        finally:
            looking.cancel()
            self._delivery.end()
            await session.close()

    async def _deliver(self, session: Session) -> None:
        over = self._delivery.begin(session)
        while not over.done():
            await asyncio.wait((over,), timeout=TICK)
            self.stuck_after = self._clock.mono() + PATIENCE
            self._delivery.tick()
        over.result()
        session.lost.result()

    def _announce_anew(self, session: Session) -> asyncio.Task[None]:
        """Announce everything, first that we are here, and look whether that gets through."""
        online = self._status("online", self._clock.now(), "")
        self._announcements.begin(STATUS_TOPIC, online)
        return asyncio.create_task(self._look_at_rights(session, online))

    async def _look_at_rights(self, session: Session, online: bytes) -> None:
        found = _(CUT_OFF)
        if not self._cut_off:  # not twice in a row: some brokers cut off who asks
            self._cut_off = True
            found = await doubt(session, self._status_topic, online)
        self._cut_off = False
        if found and found != self._doubt:
            self._log.warning("rights_in_doubt", why=found)
        elif self._doubt and not found:
            self._log.info("rights_proven")
        self._doubt = found

    def _status(self, state: str, since: int | None, reason: str) -> bytes:
        return payload.agent_status(state, since, self._buffer.epoch, __version__, reason)

    def _note_down(self, error: BrokerUnavailable) -> None:
        """Log why there is no connection: once, until the reason changes."""
        if (self.state, self.why) != ("waiting", str(error)):
            self._log.warning("not_connected", why=str(error), readings="are kept")
        self.state, self.why = "waiting", str(error)
