"""Sends what the buffer holds, and keeps the retained status and description topics right.

This is the only place that tries again towards the broker. A row leaves the buffer only on its
own successful acknowledgement, in the connection on which it was sent.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Any

import structlog

from edge_agent import __version__, payload
from edge_agent.announcements import Announcements
from edge_agent.backoff import backoff
from edge_agent.breaker import Breaker
from edge_agent.buffer import Buffer
from edge_agent.clock import Clock
from edge_agent.config.model import Mqtt
from edge_agent.dial import dial
from edge_agent.errors import BrokerUnavailable
from edge_agent.lanes import Item
from edge_agent.mqtt import NotAllowed, Session, too_large
from edge_agent.notebook import Notebook
from edge_agent.row import LOSS_TOPIC, Row
from edge_agent.window import Pace, Window

STATUS_TOPIC = "_agent/status"
TICK = 1.0  # seconds between looks at the acknowledgement timer and the keep-alive
FIRST_DELAY, LAST_DELAY = 1.0, 60.0  # seconds between tries to connect
ONLY_PEOPLE_CAN_MEND = 60.0  # seconds before a refused login or right is tried again
PATIENCE = 150.0  # longer than any pause between tries and any connecting takes
GOODBYE_SECONDS = 2.0  # how long a stop waits for the broker to take the last status
# MQTT 5, 3.4.2.1: reason codes of a PUBACK
NO_SUBSCRIBER, FAILURE = 0x10, 0x80
NOT_AUTHORISED = 0x87
NEVER_TAKEN = {0x90, 0x95, 0x99}  # topic invalid, packet too large, payload format invalid


@dataclass(slots=True)
class Flight:
    """A message on its way: what it carries, when it left, in which lane, or what it clears."""

    item: Item | None
    sent_at: float
    backlog: bool = False
    clears: str = ""


class Publisher:
    """Publishes for one agent until cancelled.

    Attributes:
        state: `connecting`, `connected` or `waiting`, for people.
        why: Why it is not connected.
        last_ack: Wall clock of the last acknowledgement, ms since 1970 UTC.
        unheard: Whether the broker says that nobody subscribes.
        stuck_after: Instant of the steady clock by which the task will have moved on.
    """

    def __init__(
        self, settings: Mqtt, root: str, buffer: Buffer, notebook: Notebook, clock: Clock
    ) -> None:
        self.state, self.why = "connecting", ""
        self.last_ack: int | None = None
        self.unheard = False
        self.stuck_after = clock.mono() + PATIENCE
        self._settings = settings
        self._root = root
        self._buffer = buffer
        self._notebook = notebook
        self._clock = clock
        self._announcements = Announcements(root, notebook)
        self._flights: dict[int, Flight] = {}
        self._window = Window(1)
        self._breaker = Breaker()
        self._pace = Pace(settings.backlog_rate)
        self._session: Session | None = None
        self._over: asyncio.Future[None] | None = None
        self._landed = asyncio.Event()  # nothing is in flight, or the connection ended
        self._scheduled = False
        self._proven = False
        self._log = structlog.get_logger().bind(
            part="publisher", broker=f"{settings.host}:{settings.port}"
        )
        buffer.wake = self.wake

    def announce(self, topic: str, content: bytes) -> None:
        """Publish a retained message now and after every reconnect.

        Args:
            topic: Below the agent's root, such as `press-1/meta`.
            content: The payload; empty clears the topic and is published once.
        """
        self._announcements.put(topic, content)
        self.wake()

    def clear_all_but(self, topics: set[str]) -> None:
        """Clear the retained topics of earlier configurations.

        Args:
            topics: What is retained now, as full topics.
        """
        self._announcements.clear_all_but(topics)
        self.wake()

    def wake(self) -> None:
        """Send soon: everything that appears in one turn of the loop goes out together."""
        if self._session is not None and not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._send_all)

    async def run(self) -> None:
        """Connect, publish, and connect again after every loss; only cancelling ends it."""
        delays = backoff(FIRST_DELAY, LAST_DELAY)
        while True:
            self._proven = False
            self.stuck_after = self._clock.mono() + PATIENCE
            try:
                await self._serve_once()
            except NotAllowed as error:
                self._note_down(error)
                await asyncio.sleep(ONLY_PEOPLE_CAN_MEND)
                continue
            except BrokerUnavailable as error:
                self._note_down(error)
            if self._proven:
                delays = backoff(FIRST_DELAY, LAST_DELAY)
            await asyncio.sleep(next(delays))

    # --- one connection ------------------------------------------------------------------------

    async def _serve_once(self) -> None:
        session = await dial(self._settings, self._will(), self._acknowledged, self._notebook)
        self._log.info("connected", mqtt=session.version, window=session.receive_maximum)
        over = self._over = asyncio.get_running_loop().create_future()
        session.lost.add_done_callback(self._connection_ended)
        self._session = session
        try:
            self._begin(session)
            while not over.done():
                await asyncio.wait((over,), timeout=TICK)
                self._tick(session)
            over.result()
            session.lost.result()
        except asyncio.CancelledError:
            await self._say_goodbye(session)
            raise
        finally:
            self._session = self._over = None
            self._take_back()
            await session.close()

    def _take_back(self) -> None:
        """Return what was in flight, except a message on which the broker always breaks."""
        flying = {one.item.seq: one.item for one in self._flights.values() if one.item}
        self._flights.clear()
        condemned = self._breaker.ended(list(flying), proven=self._proven)
        if condemned is not None:
            self._dead_letter(flying[condemned], "the broker drops the connection on it")
        self._buffer.give_back()

    def _connection_ended(self, _lost: asyncio.Future[None]) -> None:
        self._landed.set()
        if self._over and not self._over.done():
            self._over.set_result(None)

    def _will(self) -> tuple[str, bytes]:
        content = payload.agent_status(
            "offline", None, self._buffer.epoch, __version__, "connection lost"
        )
        return f"{self._root}/{STATUS_TOPIC}", content

    def _begin(self, session: Session) -> None:
        self.state, self.why = "connected", ""
        size = min(self._settings.max_inflight, session.receive_maximum)
        self._window = Window(1 if self._breaker.careful else size)
        now = self._clock.now()
        online = payload.agent_status("online", now, self._buffer.epoch, __version__, "")
        self._announcements.begin(STATUS_TOPIC, online)
        self.wake()

    def _tick(self, session: Session) -> None:
        """Look after the connection; a broker that acknowledges nothing is as good as gone."""
        now = self._clock.mono()
        self.stuck_after = now + PATIENCE
        session.tick()
        oldest = next(iter(self._flights.values()), None)
        if oldest and now - oldest.sent_at > self._settings.ack_timeout:
            raise BrokerUnavailable(
                f"{session.where} acknowledges nothing for {self._settings.ack_timeout:g} s"
            )
        self.wake()

    async def _say_goodbye(self, session: Session) -> None:
        """Leave the status `offline` behind, if the broker takes it in time."""
        if session.lost.done():
            return
        content = payload.agent_status(
            "offline", self._clock.now(), self._buffer.epoch, __version__, "stopped"
        )
        farewell = session.publish(f"{self._root}/{STATUS_TOPIC}", content, retain=True)
        self._flights[farewell] = Flight(None, self._clock.mono())
        self._session = None  # nothing else is sent any more
        self._landed.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self._landed.wait()

    def _note_down(self, error: BrokerUnavailable) -> None:
        """Log why there is no connection: once, until the reason changes."""
        if (self.state, self.why) != ("waiting", str(error)):
            self._log.warning("not_connected", why=str(error), readings="are kept")
        self.state, self.why = "waiting", str(error)

    # --- sending -------------------------------------------------------------------------------

    def _send_all(self) -> None:
        """Send until the window is full or nothing waits. Called by the loop, after `wake`."""
        self._scheduled = False
        session, over = self._session, self._over
        if session is None or over is None or over.done():
            return
        try:
            while self._window.open and self._send_next(session):
                pass
        except Exception as error:  # noqa: BLE001 - ends the connection or, if a bug, the process
            over.set_exception(error)

    def _send_next(self, session: Session) -> bool:
        if announcement := self._announcements.next():
            topic, content = announcement
            mid = session.publish(topic, content, retain=True)
            self._fly(mid, Flight(None, self._clock.mono(), clears="" if content else topic))
            return True
        now = self._clock.mono()
        backlog = self._window.open_for_backlog and self._pace.allows(now)
        item = self._buffer.next(backlog=backlog)
        if item is None:
            return False
        topic, content = self._message(item)
        if isinstance(item, Row) and too_large(session, topic, content):
            self._dead_letter(item, f"{len(content)} bytes, the broker takes {session.largest}")
            return True
        historical = isinstance(item, Row) and item.historical
        self._fly(session.publish(topic, content), Flight(item, now, historical))
        if isinstance(item, Row) and historical:
            self._pace.spend(item.readings)
        return True

    def _fly(self, mid: int, flight: Flight) -> None:
        self._flights[mid] = flight
        self._window.sent(backlog=flight.backlog)

    def _message(self, item: Item) -> tuple[str, bytes]:
        epoch = self._buffer.epoch
        if isinstance(item, Row):
            content = payload.data_message(epoch, item, hist=self._buffer.is_historical(item))
            return f"{self._root}/{item.device}/data", content
        return f"{self._root}/{LOSS_TOPIC}", payload.loss_message(epoch, item)

    # --- acknowledgements ----------------------------------------------------------------------

    def _acknowledged(self, mid: int, code: int, reason: str) -> None:
        flight = self._flights.pop(mid, None)
        if flight is None:
            return  # twice, or for something never sent: nothing of ours
        now = self._clock.mono()
        self._window.acknowledged(flight.sent_at, now, backlog=flight.backlog)
        self._note_subscriber(flight, code)
        refused = code >= FAILURE or (code == NO_SUBSCRIBER and self._settings.require_subscriber)
        if refused:
            self._refused(flight, code, reason)
        else:
            self._proven = True
            self.last_ack = self._clock.now()
            if flight.item is not None:
                self._breaker.arrived(flight.item.seq)
                self._buffer.ack(flight.item)
            elif flight.clears:
                self._announcements.cleared(flight.clears)
        if not self._flights:
            self._landed.set()
        self.wake()

    def _note_subscriber(self, flight: Flight, code: int) -> None:
        if flight.item is not None and code < FAILURE:
            unheard = code == NO_SUBSCRIBER
            if unheard is not self.unheard:
                self._log.info("nobody_subscribes" if unheard else "somebody_subscribes")
            self.unheard = unheard

    def _refused(self, flight: Flight, code: int, reason: str) -> None:
        """Obey the broker: keep and retry slowly, or give up by name what it will never take."""
        if isinstance(flight.item, Row) and code in NEVER_TAKEN:
            self._dead_letter(flight.item, reason)
            return
        problem: Any = BrokerUnavailable(f"the broker refuses a message: {reason}")
        if code in {NOT_AUTHORISED, NO_SUBSCRIBER, *NEVER_TAKEN}:
            problem = NotAllowed(
                f"the broker refuses messages below {self._root}: {reason}; allow user "
                f"{self._settings.username or '(none)'!r} to publish there"
            )
        if self._over and not self._over.done():
            self._over.set_exception(problem)

    def _dead_letter(self, item: Item, reason: str) -> None:
        self._log.error("message_given_up", seq=item.seq, reason=reason)
        self._buffer.refuse(item)
