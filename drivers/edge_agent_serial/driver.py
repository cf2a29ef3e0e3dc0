"""Reads the fields of lines that an instrument sends, by itself or when asked."""

import asyncio
import contextlib
from collections.abc import Sequence

from edge_agent.driver import ConnectionLost, Driver, Learnt, NoResponse, Plan, Samples
from edge_agent_serial.config import SerialAddress, SerialSettings
from edge_agent_serial.frames import Grammar, to_sample
from edge_agent_serial.inbox import Arrival, Inbox
from edge_agent_serial.lines import LineSplitter
from edge_agent_serial.link import Link, open_link
from edge_agent_serial.request import objection

QUIET = 0.05
"""Seconds without a byte after which a line that has begun will not go on."""
USUAL_ANSWER = 32
"""Bytes; only to estimate how long the line is busy."""

Addresses = tuple[SerialAddress, ...]


class SerialDriver(Driver[SerialSettings, SerialAddress]):
    """Reads one instrument.

    Streaming, it hands out the last line, but never one older than `timeout` and never the same
    line twice to the same points. Asking, it waits for the answer to its own request: a late
    answer to the one before is let pass first.
    """

    settings_type = SerialSettings
    address_type = SerialAddress

    def __init__(self, settings: SerialSettings) -> None:
        super().__init__(settings)
        self._grammar = Grammar(settings)
        self._link: Link | None = None
        self._inbox: Inbox | None = None
        self._handed_out: dict[Addresses, int] = {}
        self._owed: tuple[int, float] | None = None  # an answer after this line, until this time

    async def open(self) -> None:
        end = self.settings.end.encode("latin-1") if self.settings.end else None
        splitter = LineSplitter(end, from_the_middle=self.settings.mode == "stream")
        self._handed_out.clear()
        self._owed = None
        self._inbox = Inbox(self._grammar, splitter, self.evidence)
        self._link = await open_link(self.settings, self._inbox)

    def plan(self, addresses: Sequence[SerialAddress], learnt: Learnt) -> Plan[SerialAddress]:
        # asking: for a late answer, for a line to end, and for the answer
        waits = 3 if self.settings.mode == "poll" else 1
        return Plan(tuple(addresses), self._cost(), waits * self.settings.timeout + 1)

    def _cost(self) -> float:
        if self.settings.request is None or self.settings.transport == "tcp":
            return 0.0
        bits = 1 + self.settings.data_bits + (self.settings.parity != "none")
        characters = len(self.settings.request) + USUAL_ANSWER
        return characters * (bits + self.settings.stop_bits) / self.settings.baud

    async def read(self, plan: Plan[SerialAddress]) -> Samples:
        if self._link is None or self._inbox is None:
            raise ConnectionLost(f"{self.settings.line()} is closed: open it first")
        if self.settings.request is None:
            arrival = await self._hear(self._inbox, plan.addresses)
        else:
            arrival = await self._ask(self._link, self._inbox, self.settings.request)
        return Samples.of(to_sample(address, arrival.frame) for address in plan.addresses)

    async def _hear(self, inbox: Inbox, addresses: Addresses) -> Arrival:
        oldest = asyncio.get_running_loop().time() - self.settings.timeout
        seen = self._handed_out.get(addresses, 0)
        if inbox.latest is not None and inbox.latest.time < oldest:
            seen = inbox.count
        arrival = await inbox.next_after(seen, self.settings.timeout)
        self._handed_out[addresses] = arrival.number
        return arrival

    async def _ask(self, link: Link, inbox: Inbox, request: str) -> Arrival:
        if reason := objection(request):  # once more, at the last door
            raise ConnectionLost(f"{self.settings.line()} is not asked: {reason}")
        await self._settle(inbox)
        patience = self.settings.timeout
        self._owed = (inbox.count, asyncio.get_running_loop().time() + 2 * patience)
        link.send(request.encode("ascii"))
        arrival = await inbox.next_after(self._owed[0], patience)
        self._owed = None
        return arrival

    async def _settle(self, inbox: Inbox) -> None:
        """Let pass what still belongs to the request before."""
        for _ in range(2):  # what the system has received, the loop hands over in its next round
            await asyncio.sleep(0)
        if self._owed is not None:
            number, until = self._owed
            patience = max(0.0, until - asyncio.get_running_loop().time())
            with contextlib.suppress(NoResponse):
                await inbox.next_after(number, patience)
                self.evidence["late"] += 1
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.settings.timeout):
                await _wait_for_the_end_of_a_line(inbox)
        inbox.forget()

    async def close(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            await link.close()


async def _wait_for_the_end_of_a_line(inbox: Inbox) -> None:
    received = -1
    while inbox.is_mid_line() and received != inbox.received:
        received = inbox.received
        await asyncio.sleep(QUIET)
