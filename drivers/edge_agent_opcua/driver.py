"""Reads nodes of an OPC UA server through one session."""

import asyncio
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from edge_agent.driver import ConnectionLost, Driver, Learnt, Plan, Samples
from edge_agent_opcua import faults
from edge_agent_opcua.config import OpcUaAddress, OpcUaSettings

if TYPE_CHECKING:
    from edge_agent_opcua.session import Session

NODES_PER_TIMEOUT = 500
"""A read may take one timeout per so many nodes."""


class OpcUaDriver(Driver[OpcUaSettings, OpcUaAddress]):
    """Reads nodes by id, each with the server's own quality and time.

    A server that does not answer in time counts as a lost link, since only a new session is sure
    to bring it back.
    """

    settings_type = OpcUaSettings
    address_type = OpcUaAddress

    def __init__(self, settings: OpcUaSettings) -> None:
        super().__init__(settings)
        self._session: Session | None = None

    async def open(self) -> None:
        from edge_agent_opcua.session import Session  # noqa: PLC0415 - asyncua costs 40 MB

        session = Session(self.settings.url, self.settings.timeout)
        await session.open()
        self._session = session

    def plan(self, addresses: Sequence[OpcUaAddress], learnt: Learnt) -> Plan[OpcUaAddress]:
        return Plan(tuple(addresses), patience=self._deadline(len(addresses)) + 1)

    async def read(self, plan: Plan[OpcUaAddress]) -> Samples:
        if self._session is None:
            raise ConnectionLost(f"no session with {self.settings.url} is open: open it first")
        deadline = self._deadline(len(plan.addresses))
        try:
            async with asyncio.timeout(deadline):
                return Samples.of(await self._session.read(plan.addresses))
        except TimeoutError as error:
            raise ConnectionLost(faults.silent(self.settings.url, deadline)) from error

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _deadline(self, nodes: int) -> float:
        return self.settings.timeout * max(1, math.ceil(nodes / NODES_PER_TIMEOUT))
