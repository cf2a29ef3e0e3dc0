"""Sends what waits over one session at a time, and lets go of what the broker acknowledged."""

import asyncio
import contextlib

import structlog

from edge_agent.breaker import Breaker
from edge_agent.clock import Clock
from edge_agent.config.model import Mqtt
from edge_agent.errors import BrokerUnavailable
from edge_agent.flights import Flights
from edge_agent.language import _
from edge_agent.mqtt import NotAllowed, Session
from edge_agent.puback import FAILURE, NO_SUBSCRIBER, Verdict, judge
from edge_agent.row import Row
from edge_agent.supply import Outgoing, Supply


class Delivery:
    """Brings to the broker what the supply hands out; on a lost connection it hands it back.

    Attributes:
        last_ack: Wall clock of the last acknowledgement, ms since 1970 UTC.
        unheard: Whether the broker says that nobody subscribes.
        proven: Whether the broker acknowledged anything on this connection.
    """

    def __init__(self, settings: Mqtt, supply: Supply, clock: Clock) -> None:
        self.last_ack: int | None = None
        self.unheard = self.proven = False
        self._settings = settings
        self._supply = supply
        self._clock = clock
        self._breaker = Breaker()
        self._flights = Flights(1)
        self._session: Session | None = None
        self._over: asyncio.Future[None] | None = None
        self._scheduled = False
        self._log = structlog.get_logger().bind(
            part="publisher", broker=f"{settings.host}:{settings.port}"
        )

    def begin(self, session: Session) -> asyncio.Future[None]:
        """Send over this session from now on; the future is done when that cannot go on.

        It then gives nothing where the session is lost, and raises BrokerUnavailable where the
        broker refuses something.
        """
        size = min(self._settings.max_inflight, session.receive_maximum)
        self._flights = Flights(1 if self._breaker.careful else size)
        self.proven = False
        self._session = session
        self._over = asyncio.get_running_loop().create_future()
        session.on_ack = self._acknowledged
        session.lost.add_done_callback(self._session_lost)
        self.wake()
        return self._over

    def wake(self) -> None:
        """Send soon: everything that appears in one turn of the loop goes out together."""
        if self._session is not None and not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._send_all)

    def tick(self) -> None:
        """Look after the connection; a broker that acknowledges nothing is as good as gone.

        Raises:
            BrokerUnavailable: It acknowledges nothing.
        """
        if self._session is None:
            return
        self._session.tick()
        oldest, patience = self._flights.oldest, self._settings.ack_timeout
        if oldest is not None and self._clock.mono() - oldest > patience:
            raise BrokerUnavailable(
                _("{where} acknowledges nothing for {patience:g} s").format(
                    where=self._session.where, patience=patience
                )
            )
        self.wake()

    async def farewell(self, last: Outgoing, seconds: float) -> None:
        """Send a last message, and nothing after it; wait so long for what is in flight."""
        session, self._session = self._session, None
        if session is None or session.lost.done():
            return
        with contextlib.suppress(TimeoutError, BrokerUnavailable):
            self._send(session, last)
            async with asyncio.timeout(seconds):
                await self._flights.landed.wait()

    def end(self) -> None:
        """Hand back what was in flight, except a message on which the broker always breaks."""
        self._session = self._over = None
        flying = self._flights.outgoing
        self._flights = Flights(1)
        condemned = self._breaker.ended(list(flying), proven=self.proven)
        if condemned is not None:
            self._give_up(flying[condemned], _("the broker drops the connection on it"))
        self._supply.give_back()

    def _session_lost(self, _lost: asyncio.Future[None]) -> None:
        self._flights.landed.set()
        if self._over and not self._over.done():
            self._over.set_result(None)

    # --- sending -------------------------------------------------------------------------------

    def _send_all(self) -> None:
        """Send until the window is full or nothing waits. Called by the loop, after `wake`."""
        self._scheduled = False
        session, over = self._session, self._over
        if session is None or over is None or over.done():
            return
        try:
            while self._flights.window.open and self._send_next(session):
                pass
        except Exception as error:  # noqa: BLE001 - ends the connection or, if a bug, the process
            over.set_exception(error)

    def _send_next(self, session: Session) -> bool:
        backlog = self._flights.window.open_for_backlog
        outgoing = self._supply.next(self._clock.mono(), backlog=backlog)
        if outgoing is None:
            return False
        if isinstance(outgoing.item, Row) and outgoing.size > session.largest:
            self._give_up(
                outgoing,
                _("{size} bytes, the broker takes {largest}").format(
                    size=outgoing.size, largest=session.largest
                ),
            )
        else:
            self._send(session, outgoing)
        return True

    def _send(self, session: Session, outgoing: Outgoing) -> None:
        mid = session.publish(outgoing.topic, outgoing.content, retain=outgoing.item is None)
        self._flights.leave(mid, outgoing, self._clock.mono())

    # --- acknowledgements ----------------------------------------------------------------------

    def _acknowledged(self, mid: int, code: int, reason: str) -> None:
        outgoing = self._flights.land(mid, self._clock.mono())
        if outgoing is None:
            return  # twice, or for something never sent: nothing of ours
        self._note_subscriber(outgoing, code)
        verdict = judge(code, require_subscriber=self._settings.require_subscriber)
        if verdict is Verdict.ARRIVED:
            self._arrived(outgoing)
        elif verdict is Verdict.NEVER_TAKEN and isinstance(outgoing.item, Row):
            self._give_up(outgoing, reason)
        else:
            self._refused(verdict, code, reason)
        self.wake()

    def _arrived(self, outgoing: Outgoing) -> None:
        self.proven = True
        self.last_ack = self._clock.now()
        if outgoing.item is not None:
            self._breaker.arrived(outgoing.item.key)
        self._supply.arrived(outgoing)

    def _note_subscriber(self, outgoing: Outgoing, code: int) -> None:
        if outgoing.item is not None and code < FAILURE:
            unheard = code == NO_SUBSCRIBER
            if unheard is not self.unheard:
                self._log.info("nobody_subscribes" if unheard else "somebody_subscribes")
            self.unheard = unheard

    def _refused(self, verdict: Verdict, code: int, reason: str) -> None:
        """End a connection on which the broker refuses a message; everything is kept."""
        problem = BrokerUnavailable(
            _("the broker refuses a message: {reason}").format(reason=reason)
        )
        if code == NO_SUBSCRIBER:
            problem = NotAllowed(
                _(
                    "nobody subscribes to messages below {root}, and `require_subscriber` keeps "
                    "them until somebody does; start who shall receive them"
                ).format(root=self._supply.root)
            )
        elif verdict is not Verdict.NOT_NOW:
            problem = NotAllowed(
                _(
                    "the broker refuses messages below {root}: {reason}; allow user "
                    "{username!r} to publish there"
                ).format(
                    root=self._supply.root,
                    reason=reason,
                    username=self._settings.username or "(none)",
                )
            )
        if self._over and not self._over.done():
            self._over.set_exception(problem)

    def _give_up(self, outgoing: Outgoing, reason: str) -> None:
        seq = outgoing.item.seq if outgoing.item else None
        self._log.error("message_given_up", seq=seq, reason=reason)
        self._supply.refuse(outgoing)
