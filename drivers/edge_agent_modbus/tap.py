"""Reads a line that another master polls: what it is answered becomes values, and nothing is sent.

The tap opens the link and listens. It has no way to send: it never calls `send`.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence

from edge_agent.driver import ConnectionLost, Flaw, NoResponse, Quality, Samples, Value, Why
from edge_agent.language import _
from edge_agent_modbus.address import ModbusAddress
from edge_agent_modbus.exponents import scale
from edge_agent_modbus.hearsay import Heard, Hearsay
from edge_agent_modbus.link import Link
from edge_agent_modbus.overheard import Overheard
from edge_agent_modbus.pdu import BUSY, GATEWAY, Miss, Refusal, Request
from edge_agent_modbus.plan import Block, ModbusPlan

FRESH_SECONDS = 10.0
"""How old what was heard may be, unless `timeout` says otherwise; masters mostly poll faster."""


class Tap:
    """One line that is listened to.

    Values are handed out once to each plan: a read waits until the other master has been answered
    anew. What it has not been for `fresh` seconds is stale, and not waited for any more.

    Args:
        link: Not yet open.
        fresh: Seconds.
        evidence: Takes `overheard`, answers that were understood; `foreign_writes`, messages of the
            other master that write and are none of ours; `ambiguous`, answers that may belong to
            an earlier request.
    """

    def __init__(self, link: Link, fresh: float, evidence: "Counter[str]") -> None:
        self.fresh = fresh
        self._link, self._evidence = link, evidence
        link.receiver = self
        self._overheard = Overheard()
        self._hearsay = Hearsay()
        self._handed_out: dict[Sequence[ModbusAddress], int] = {}
        self._opened = 0.0
        self._news = asyncio.Event()
        self._why_lost = ""

    async def open(self) -> None:
        """Listen from now on.

        Raises:
            ConnectionLost: The link cannot be opened.
        """
        self._overheard, self._hearsay = Overheard(), Hearsay()
        self._handed_out.clear()
        self._why_lost = ""
        await self._link.open()
        self._opened = asyncio.get_running_loop().time()

    async def close(self) -> None:
        """Listen no more."""
        await self._link.close()

    def heard(self, data: bytes) -> None:
        """Understand what another master and its devices say."""
        now = asyncio.get_running_loop().time()
        self._overheard.feed(data, now)
        for request, answer in self._overheard.take():
            self._hearsay.note(request, answer, now)
            self._evidence["overheard"] += not isinstance(answer, Miss)
            self._news.set()
        self._evidence["foreign_writes"] += self._overheard.writes.total()
        self._overheard.writes.clear()
        self._evidence["ambiguous"] += self._overheard.ambiguous
        self._overheard.ambiguous = 0

    def lost(self, reason: str) -> None:
        """Note that the link broke."""
        self._why_lost = reason
        self._news.set()

    async def read(self, plan: ModbusPlan) -> Samples:
        """Wait until everything has been heard since the last read of this plan, or is stale.

        Raises:
            NoResponse: Nothing of it was heard.
            ConnectionLost: The link broke, or is not open.
        """
        requests = tuple(block.request for block in plan.blocks)
        found = await self._listen_for(requests, self._handed_out.get(plan.addresses, 0))
        self._handed_out[plan.addresses] = self._hearsay.count
        values: list[Value] = [None] * plan.width
        flaws: dict[int, Flaw] = {}
        answers: dict[int, int] = {}
        for block, heard in zip(plan.blocks, found, strict=True):
            _put(block, heard, values, flaws)
            if heard is not None:
                answers.update(dict.fromkeys(block.positions, heard.number))
        if plan.scaled:
            scale(plan.scaled, values, flaws, answers)
        if all(heard is None or isinstance(heard.answer, Miss) for heard in found):
            raise NoResponse(self._silence(requests, found))
        wanted = len(plan.addresses)
        return Samples(values[:wanted], {at: flaw for at, flaw in flaws.items() if at < wanted})

    async def _listen_for(self, requests: Sequence[Request], seen: int) -> list[Heard | None]:
        """Give what is new to each request; None for what is stale."""
        loop = asyncio.get_running_loop()
        while True:
            await self._link.drain()  # what came while this process was held up counts
            if not self._link.is_open:
                raise ConnectionLost(self._why_lost or _("the link is not open"))
            oldest = loop.time() - self.fresh
            newest = [self._hearsay.newest(request) for request in requests]
            found = [heard if _is_new(heard, seen, oldest) else None for heard in newest]
            awaited = [
                heard.at if heard else self._opened
                for heard, new in zip(newest, found, strict=True)
                if not new
            ]
            if max(awaited, default=0.0) <= oldest:
                return found
            self._news.clear()
            await _at_most(max(awaited) - oldest, self._news)

    def _silence(self, requests: Sequence[Request], found: Sequence[Heard | None]) -> str:
        unanswered = next((heard.answer for heard in found if heard is not None), None)
        if isinstance(unanswered, Miss):
            return unanswered.detail
        if not self._overheard.bytes_heard:
            return _(
                "nothing was heard for {fresh:g} s: check wires, and that a master polls"
            ).format(fresh=self.fresh)
        if not self._hearsay.count:
            return _(
                "something is heard but no Modbus RTU is understood in it: check baud "
                "and parity (`edge-agent scan --listen PORT` tries the usual ones)"
            )
        return _("nobody asked for {requests} for {fresh:g} s").format(
            requests=requests[0], fresh=self.fresh
        )


def _is_new(heard: Heard | None, seen: int, oldest: float) -> bool:
    return heard is not None and heard.number > seen and heard.at >= oldest


async def _at_most(seconds: float, event: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


def _put(block: Block, heard: Heard | None, values: list[Value], flaws: dict[int, Flaw]) -> None:
    """Put what was heard for one block where its addresses stand."""
    if heard is not None and isinstance(heard.answer, bytes):
        decoded, spoilt = block.decode(heard.answer)
        for position, value in zip(block.positions, decoded, strict=True):
            values[position] = value
        flaws.update((block.positions[at], flaw) for at, flaw in spoilt.items())
        return
    flaw = _flaw(block.request, heard)
    flaws.update(dict.fromkeys(block.positions, flaw))


def _flaw(request: Request, heard: Heard | None) -> Flaw:
    if heard is None:
        return Flaw(
            Quality.BAD,
            Why.STALE,
            _("{request}: the other master was not heard asking for it").format(request=request),
        )
    if isinstance(heard.answer, Miss):
        return Flaw(Quality.BAD, heard.answer.why, heard.answer.detail)
    assert isinstance(heard.answer, Refusal)  # noqa: S101 - what is left
    code = heard.answer.code
    why = Why.DEVICE_BAD if code in BUSY or code > 3 else Why.REFUSED
    return Flaw(Quality.BAD, Why.TIMEOUT if code in GATEWAY else why, f"{request}: {heard.answer}")
