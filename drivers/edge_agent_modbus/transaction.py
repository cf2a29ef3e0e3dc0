"""One request at a time over a link, and only its own answer back. The rules that keep values true.

1. Before a request the line has been silent long enough, and what it said unasked is thrown away.
2. Only the framer decides what answers the request in flight.
3. A request that was not answered, for a timeout or because its caller went away, is *lost*: where
   frames carry no number the line then stays unused for `late_window`, and what arrives is counted.
4. An answer later than even that must not pass for another one: for a while, requests to this
   unit that would get an answer of the same look ask for a little more (`LostRequests`).

Source of the cases: public reports on other clients, listed in the README under "Quirks".
"""

import asyncio
import time
from collections import Counter

from edge_agent.driver import ConnectionLost, Why
from edge_agent_modbus.framing import Framer
from edge_agent_modbus.link import Link
from edge_agent_modbus.lost import LostRequests
from edge_agent_modbus.pdu import (
    ILLEGAL_ADDRESS,
    ILLEGAL_VALUE,
    Answer,
    Miss,
    Outcome,
    Refusal,
    Request,
)
from edge_agent_modbus.timing import Timing

# The event loop wakes up to a millisecond late; the last stretch of a silence is slept exactly.
_COARSE = 0.001
_MEMORY = 10  # how many times timeout and quarantine an answer is thought to be possible
_UNUSABLE = frozenset({"damaged", "mismatched"})


class Transactions:
    """Asks over one link, one request in flight. Lives as long as the driver, over many opens."""

    def __init__(
        self, link: Link, framer: Framer, timing: Timing, evidence: "Counter[str]"
    ) -> None:
        link.receiver = self
        self._link, self._framer, self._timing, self._evidence = link, framer, timing, evidence
        self._waiter: asyncio.Future[Answer | None] | None = None
        self._in_flight: Request | None = None
        self._lost = LostRequests(_MEMORY * (timing.timeout + timing.late_window))
        self._late_until = 0.0  # seconds of the loop's clock, as all times here
        self._free_at = 0.0
        self.why_lost = ""

    async def open(self) -> None:
        """Open the link.

        Raises:
            ConnectionLost: It cannot be opened.
        """
        self.why_lost = ""
        self._loop = asyncio.get_running_loop()
        await self._link.open()
        silence = max(self._timing.after_open, self._timing.pause)
        self._free_at = self._loop.time() + silence

    async def close(self) -> None:
        """Close the link; safe at any time."""
        await self._link.close()
        self._framer.reject()

    @property
    def is_open(self) -> bool:
        """Tell whether the link is there."""
        return self._link.is_open

    async def ask(self, request: Request) -> Outcome:
        """Send a request and wait for what comes back.

        Raises:
            ConnectionLost: The link broke.
        """
        if self._framer.tells_late:
            return await self._ask_once(request)
        distinct = self._lost.distinct(request, self._loop.time())
        outcome = await self._ask_once(distinct)
        if distinct is request:
            return outcome
        if isinstance(outcome, Refusal) and outcome.code in {ILLEGAL_ADDRESS, ILLEGAL_VALUE}:
            # There is nothing more to ask for; and since it answers again, nothing older is due.
            return await self._ask_once(request)
        return outcome[: request.size] if isinstance(outcome, bytes) else outcome

    async def _ask_once(self, request: Request) -> Outcome:
        if (self._free_at or not self._framer.tells_late) and not await self._settle():
            return Miss(
                Why.TIMEOUT,
                "the line is never silent, so nothing can be asked: check for another master, "
                "baud and parity",
            )
        frame = self._framer.encode(request)
        self._in_flight = request
        patience = self._timing.timeout
        if self._timing.character:
            sent_after = self._timing.on_wire(len(frame))
            patience += sent_after + self._timing.on_wire(self._framer.wire_bytes(request)[1])
            self._free_at = self._loop.time() + sent_after + self._timing.pause
        self._link.send(frame)
        try:
            answer = await self._listen(patience)
        except BaseException:
            self._give_up(request)
            raise
        if answer is None:
            self._give_up(request)
            return self._missed(request)
        return answer

    async def _listen(self, patience: float) -> Answer | None:
        """Wait for the answer to the request in flight; None when it does not come in time."""
        waiter: asyncio.Future[Answer | None] = self._loop.create_future()
        self._waiter = waiter
        timer = self._loop.call_later(patience, _run_out, waiter)
        try:
            return await waiter
        finally:
            timer.cancel()
            self._waiter = None

    def _give_up(self, request: Request) -> None:
        """Remember that an answer may come when nobody waits for it any more."""
        if not self._framer.tells_late:
            now = self._loop.time()
            self._lost.note(request, now)
            self._late_until = now + self._timing.late_window

    def _missed(self, request: Request) -> Miss:
        """Say what came instead of an answer."""
        found = self._framer.reject()
        heard = ", ".join(f"{kind} {count}" for kind, count in found.items()) or "nothing"
        if found.keys() & _UNUSABLE:
            return Miss(Why.DAMAGED, f"{request}: what came is no proper answer (heard: {heard})")
        return Miss(
            Why.TIMEOUT,
            f"{request}: no answer within {self._timing.timeout:g} s (heard: {heard})",
        )

    async def _settle(self) -> bool:
        """Wait until the line may be used; False if it does not come to rest."""
        quarantine = self._late_until - self._loop.time()
        if quarantine > 0 and await self._listen(quarantine) is not None:
            self._note_late()
        give_up = self._loop.time() + self._timing.timeout + self._timing.late_window
        while True:
            await self._link.drain()
            if not self._link.is_open:
                raise ConnectionLost(self.why_lost or "the link is not open")
            now = self._loop.time()
            if now >= self._free_at:
                self._free_at = 0.0
                return True
            if now > give_up:
                return False
            await _sleep(min(self._free_at, give_up + _COARSE) - now)

    def _note_late(self) -> None:
        """Count an answer that nobody waits for; nothing older can follow it."""
        self._evidence["late"] += 1
        self._late_until = 0.0
        if self._in_flight is not None:
            self._lost.forget(self._in_flight)

    def heard(self, data: bytes) -> None:
        if self._timing.pause:
            self._free_at = self._loop.time() + self._timing.pause
        answer = self._framer.feed(data)
        if answer is None:
            return
        if self._waiter is None or self._waiter.done():
            self._note_late()
        else:
            self._waiter.set_result(answer)

    def lost(self, reason: str) -> None:
        self.why_lost = reason
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(ConnectionLost(reason))


def _run_out(waiter: "asyncio.Future[Answer | None]") -> None:
    if not waiter.done():
        waiter.set_result(None)


async def _sleep(seconds: float) -> None:
    """Sleep exactly: with the event loop for all but the last millisecond, which it cannot do."""
    if seconds > _COARSE:
        await asyncio.sleep(seconds - _COARSE)
    else:
        time.sleep(seconds)  # noqa: ASYNC251 - at most a millisecond, on purpose
