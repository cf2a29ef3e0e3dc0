"""Watches and reads nodes of an OPC UA server through one session."""

import asyncio
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from edge_agent.driver import (
    ChangeQueue,
    Changes,
    ConnectionLost,
    Diagnosis,
    Learnt,
    Plan,
    Samples,
    WatchGroup,
    WatchingDriver,
)
from edge_agent.language import _
from edge_agent_opcua import faults, library
from edge_agent_opcua.address import OpcUaAddress
from edge_agent_opcua.addresses import Addresses
from edge_agent_opcua.config import OpcUaSettings
from edge_agent_opcua.noticed import Noticed
from edge_agent_opcua.plan import OpcUaPlan, lesson, paths_in, paths_of
from edge_agent_opcua.routes import Routes

if TYPE_CHECKING:
    from edge_agent_opcua.session import Session
    from edge_agent_opcua.watching import Watching

NODES_PER_REQUEST = 100
"""A read may take one timeout per so many nodes; some servers allow few in one request."""
FIRST_READ = 20
"""Requests that a session's first read may take besides: paths, and types of structures."""
NAMES = 6
"""Requests that the names of one enumeration may take."""


class OpcUaDriver(WatchingDriver[OpcUaSettings, OpcUaAddress]):
    """Watches and reads nodes by id, each with the server's own quality and time.

    A server that does not answer in time counts as a lost link, since only a new session is sure
    to bring it back.
    """

    settings_type = OpcUaSettings
    address_type = OpcUaAddress

    def __init__(self, settings: OpcUaSettings) -> None:
        super().__init__(settings)
        self.remedy = _("look them up with: edge-agent browse {url}").format(url=settings.url)
        self._session: Session | None = None
        self._noticed = Noticed(self.evidence)
        self._queue = ChangeQueue()
        self._watching: Watching | None = None
        self._task: asyncio.Task[None] | None = None
        self._routes = Routes((settings.url, *settings.standby_urls))

    async def open(self) -> None:
        library.load()
        from edge_agent_opcua.session import Session  # noqa: PLC0415 - asyncua costs 25 MB

        session = Session(self.settings, self._routes.current)
        try:
            await session.open()
        except ConnectionLost:
            self._routes.failed()
            raise
        self._routes.opened()
        self._session = session

    def plan(self, addresses: Sequence[OpcUaAddress], learnt: Learnt) -> Plan[OpcUaAddress]:
        patience = self._deadline(addresses) + 1
        return OpcUaPlan(Addresses.of(addresses), patience=patience, paths=paths_in(learnt))

    async def read(self, plan: Plan[OpcUaAddress]) -> Samples:
        session = self._opened()
        deadline = self._deadline(plan.addresses)
        try:
            async with asyncio.timeout(deadline):
                read, new = await session.read(plan.addresses, paths_of(plan))
        except TimeoutError as error:
            raise faults.silent(self._routes.current, deadline) from error
        samples = Samples.of(read)
        if self._watching is not None:
            self._watching.compare(plan.addresses, read)
        if new:
            samples.learnt = lesson({**paths_of(plan), **new})
        self._noticed.add_read(plan.addresses, faults.noticed(samples.flaws.values()))
        self._count_concerns()
        return samples

    async def identify(self, plan: Plan[OpcUaAddress]) -> Mapping[str, str]:
        return await self._opened().identify()

    def noticed(self, plan: Plan[OpcUaAddress]) -> "Counter[str] | None":
        return self._noticed.of(plan.addresses)

    def diagnose(self, evidence: Mapping[str, int]) -> Diagnosis | None:
        return faults.diagnose(evidence)

    @property
    def is_watching(self) -> bool:
        return self.settings.watch

    async def watch(self, groups: Sequence[WatchGroup[OpcUaAddress]]) -> None:
        from edge_agent_opcua.watching import Watching  # noqa: PLC0415 - asyncua costs 25 MB

        self._queue = ChangeQueue()
        self._watching = Watching(
            self._opened(), groups, self._queue, self._noticed, self.settings.queue
        )
        self._task = asyncio.create_task(self._keep_watching(self._watching, self._queue))

    async def _keep_watching(self, watching: "Watching", queue: ChangeQueue) -> None:
        try:
            await watching.run()
        except Exception as error:  # noqa: BLE001 - the agent raises it where it fetches
            queue.end(error)

    async def changes(self) -> Sequence[Changes]:
        changes = await self._queue.take()
        self._count_concerns()
        return changes

    def _count_concerns(self) -> None:
        if self._session is not None:
            self._noticed.add_everywhere(self._session.concerns(datetime.now(UTC)))

    def details(self) -> Mapping[str, Any]:
        session = self._session.details() if self._session else {}
        return {**session, **(self._watching.details() if self._watching else {})}

    async def close(self) -> None:
        task, self._task, self._watching = self._task, None, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _opened(self) -> "Session":
        if self._session is None:
            raise faults.ended(self._routes.current, _("it is not open"))
        return self._session

    def _deadline(self, addresses: Sequence[OpcUaAddress]) -> float:
        """Give the seconds that all requests of a read may take; each has its own timeout."""
        named = sum(address.text for address in addresses)
        requests = math.ceil(len(addresses) / NODES_PER_REQUEST) + FIRST_READ + NAMES * named
        return self.settings.timeout * requests
