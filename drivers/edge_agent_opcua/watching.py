"""Keeps nodes watched through one session: compares what is wanted with what is, and mends it.

asyncua would recreate subscriptions by itself after a reconnect, and drops for good what it cannot
recreate. Here nothing is recreated behind anybody's back: each new session starts from what the
configuration wants.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from asyncua import ua

from edge_agent.driver import ChangeQueue, Sample, WatchGroup
from edge_agent.language import _
from edge_agent_opcua.address import OpcUaAddress
from edge_agent_opcua.interval import Interval
from edge_agent_opcua.mending import Mender
from edge_agent_opcua.noticed import Noticed
from edge_agent_opcua.notification import Notification
from edge_agent_opcua.publishing import Publishing
from edge_agent_opcua.reading import NAMESPACES
from edge_agent_opcua.reconcile import State
from edge_agent_opcua.reporting import Reporter
from edge_agent_opcua.services import item, read
from edge_agent_opcua.session import Session
from edge_agent_opcua.stall import Remedy
from edge_agent_opcua.suspicion import GRACE, Suspicion

VERIFY = 60.0
"""Seconds between two comparisons of what is wanted with what the server really watches."""
START_TIME = ua.ObjectIds.Server_ServerStatus_StartTime

_FORGOTTEN = (ua.uaerrors.BadSubscriptionIdInvalid, ua.uaerrors.BadNoSubscription)


class _NewSession(Exception):  # noqa: N818 - it is a request
    """The session has to be created anew."""


class Watching:
    """Watches the nodes of some groups for as long as their session lives.

    Args:
        session: Open.
        groups: What is wanted.
        queue: Where changes go.
        noticed: Where is counted what is noticed.
        most: Changes of one node that the server keeps between two reports, at least.
    """

    def __init__(
        self,
        session: Session,
        groups: Sequence[WatchGroup[OpcUaAddress]],
        queue: ChangeQueue,
        noticed: Noticed,
        most: int,
    ) -> None:
        self._session, self._noticed = session, noticed
        noticed.begin(groups)
        self._suspicion = Suspicion()
        self._reporter = Reporter(session, queue, noticed, self._suspicion)
        self._mender = Mender(session, groups, self._reporter, most)
        self._wake = asyncio.Event()
        self._verify_at = 0.0
        self._seen: Sequence[object] = ()
        self._intervals: list[Interval] = []
        handle = 1
        for every in dict.fromkeys(group.every for group in groups):
            self._intervals.append(Interval.of(every, groups, handle))
            handle += len(self._intervals[-1].ledger.items)

    def compare(self, addresses: Sequence[OpcUaAddress], samples: Sequence[Sample]) -> None:
        """Compare what was read with what was reported."""
        read = dict(zip(map(str, addresses), samples, strict=True))
        for interval in self._intervals:
            for one in interval.ledger.of(State.WATCHED):
                sample = read.get(one.targets[-1].address)
                if sample is not None and not one.deadband:  # that makes the two differ
                    self._suspicion.read(one, sample, _now() + interval.delay_of(one) + GRACE)
        self._wake.set()

    def details(self) -> Mapping[str, Any]:
        """Tell how everything stands, for people."""
        return {"subscriptions": [interval.details() for interval in self._intervals]}

    async def run(self) -> None:
        """Watch until cancelled.

        Raises:
            ConnectionLost: The session is over, or nothing comes through it any more.
        """
        try:
            await self._run()
        except (OSError, ua.UaStatusCodeError) as error:
            raise self._session.lost(error) from error

    async def _run(self) -> None:
        protocol = self._session.client.uaclient.protocol
        if protocol is None:
            raise ConnectionError(_("the connection is closed"))
        publishing = Publishing(protocol, self._take, self._forget_all, self._undecodable)
        receiving = asyncio.create_task(publishing.run())
        try:
            while True:
                try:
                    await self._run_session(publishing, receiving)
                except _NewSession:
                    publishing.begin_session()
                    await self._session.renew()
        finally:
            receiving.cancel()
            await asyncio.gather(receiving, return_exceptions=True)

    async def _run_session(self, publishing: Publishing, receiving: "asyncio.Task[None]") -> None:
        try:
            self._verify_at = _now() + VERIFY
            self._seen = await self._look()
            while True:
                self._wake.clear()
                await self._tend(publishing)
                await self._pause(receiving)
        finally:
            self._suspicion.forget()
            for interval in self._intervals:
                interval.ended(_now())

    async def _pause(self, receiving: "asyncio.Task[None]") -> None:
        """Wait until something is to be done; the end of receiving is everything's end."""
        due = min(
            self._verify_at,
            self._suspicion.next_due(),
            *(interval.next_due() for interval in self._intervals),
        )
        waking = asyncio.create_task(self._wake.wait())
        try:
            await asyncio.wait(
                {receiving, waking},
                timeout=max(0.0, due - _now()),
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            waking.cancel()
        if receiving.done():
            receiving.result()

    # --- comparing and mending ------------------------------------------------------------------

    async def _tend(self, publishing: Publishing) -> None:
        self._give_up_stuck()
        for interval in self._intervals:
            if interval.is_stalled(_now()):
                await self._cure(interval)
            try:
                await self._mender.mend(interval)
            except _FORGOTTEN:
                self._lose(interval)
            publishing.serve(sum(one.subscription is not None for one in self._intervals))
        if _now() >= self._verify_at:
            await self._verify()
            self._verify_at = _now() + VERIFY

    def _give_up_stuck(self) -> None:
        for one in self._suspicion.stuck(_now()):
            one.stuck += 1
            one.trouble = _("the server does not report what it holds")
            self._noticed.count("items_stuck")
            for interval in self._intervals:
                if interval.ledger.items.get(one.handle) is one:
                    interval.gone.append(one)

    async def _verify(self) -> None:
        """Compare what is watched with what the server says it watches, and that with itself."""
        if await self._look() != self._seen:
            self._noticed.count("restarted")
            raise _NewSession
        for interval in self._intervals:
            if interval.subscription is None:
                continue
            watched = interval.ledger.of(State.WATCHED)
            try:
                lost = await interval.subscription.missing(watched)
                # Whatever the server meant, none must be there twice.
                await interval.subscription.forget(lost)
            except _FORGOTTEN:
                self._lose(interval)
                continue
            interval.ledger.lost(lost, _now())
            if lost:
                self._noticed.count("items_lost", len(lost))

    async def _look(self) -> list[object]:
        """Look at what changes when a server restarts, even if the session outlives that."""
        found = await read(self._session.client, [item(NAMESPACES), item(START_TIME)])
        return [value.Value.Value if value.Value else None for value in found]

    async def _cure(self, interval: Interval) -> None:
        """Build anew what may help against a server that says nothing."""
        why = _("the server reported nothing for {now:.0f} s").format(
            now=interval.stall.silence(_now())
        )
        self._noticed.count("stalled")
        self._reporter.silent(interval, why)
        remedy = interval.stall.remedy()
        if remedy is Remedy.CONNECTION:
            raise ConnectionError(why)
        if remedy is Remedy.SESSION:
            raise _NewSession
        if interval.subscription is not None:
            await interval.subscription.delete()
        interval.ended(_now())

    def _lose(self, interval: Interval) -> None:
        """Take note that the server has forgotten a subscription."""
        self._noticed.count("subscriptions_lost")
        interval.ended(_now())
        self._wake.set()

    # --- what the server says -------------------------------------------------------------------

    def _forget_all(self) -> None:
        for interval in self._intervals:
            if interval.subscription is not None:
                self._lose(interval)

    def _undecodable(self, error: Exception) -> None:
        """Poll everything: which values a message held that cannot be decoded is not known."""
        self._noticed.count("undecodable")
        for interval in self._intervals:
            for one in interval.ledger.of(State.WATCHED):
                interval.ledger.polled(
                    one, _("it cannot be decoded: {error!r}").format(error=error), _now()
                )
        self._wake.set()

    async def _take(self, notification: Notification) -> None:
        interval = self._find(notification.subscription)
        if interval is None:
            return  # of a subscription that was given up
        interval.stall.hear(_now())
        if notification.changes and await self._reporter.changed(interval, notification.changes):
            self._wake.set()
        if not interval.is_next(notification) or notification.status is not None:
            self._lose(interval)

    def _find(self, subscription: int) -> Interval | None:
        for interval in self._intervals:
            if interval.subscription is not None and interval.subscription.id == subscription:
                return interval
        return None


def _now() -> float:
    return asyncio.get_running_loop().time()
