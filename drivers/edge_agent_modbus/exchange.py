"""One frame out, its answer back, and silence before: the part that waits. Judges nothing.

Times are seconds of the event loop's clock.
"""

import asyncio
import time
from collections.abc import Callable

from edge_agent.driver import ConnectionLost
from edge_agent.language import _
from edge_agent_modbus.enquiry import Asked
from edge_agent_modbus.framing import Framer
from edge_agent_modbus.link import Link
from edge_agent_modbus.pdu import Answer
from edge_agent_modbus.timing import Timing

# The event loop wakes up to a millisecond late; the last stretch of a silence is slept exactly.
_COARSE = 0.001
_FRAMES = frozenset({"late", "foreign", "mismatched", "damaged", "doubled"})


class Exchange:
    """Sends over one link and listens to it, over many opens.

    Attributes:
        note_late: Called when an answer to the last request comes and nobody waits for it; tells
            whether it is certain that it is this one's.
        why_lost: Why the link broke.
        heard_at: When the last bytes arrived.
        answer_due: When the answer to the last request would be complete if the device took no
            time at all.
    """

    def __init__(
        self, link: Link, framer: Framer, timing: Timing, note_late: Callable[[Answer], bool]
    ) -> None:
        link.receiver = self
        self._link, self._framer, self._timing = link, framer, timing
        self.note_late = note_late
        self.why_lost = ""
        self.heard_at = 0.0
        self.answer_due = 0.0
        self._waiter: asyncio.Future[Answer | None] | None = None
        has_pauses = timing.pause or timing.unit_pauses or timing.after_open
        self._settles = bool(not framer.tells_late or has_pauses)
        self._busy_until = 0.0
        self._rest_until = 0.0
        self._late_until = 0.0

    async def open(self) -> None:
        """Open the link.

        Raises:
            ConnectionLost: It cannot be opened.
        """
        self.why_lost = ""
        self._loop = asyncio.get_running_loop()
        await self._link.open()
        self._busy_until = self._loop.time()
        self._rest_until = self._busy_until + self._timing.after_open

    async def close(self) -> None:
        """Close the link; safe at any time."""
        await self._link.close()
        self._framer.reject()

    @property
    def is_open(self) -> bool:
        """Tell whether the link is there."""
        return self._link.is_open

    @property
    def now(self) -> float:
        """Read the clock that all times here are of."""
        return self._loop.time()

    def keep_quiet(self, seconds: float) -> None:
        """Leave the line unused for so long, or until the answer to the last request comes."""
        self._late_until = self._loop.time() + seconds

    async def settle(self, unit: int) -> bool:
        """Wait until this unit may be asked; False if the line does not come to rest.

        Raises:
            ConnectionLost: The link broke.
        """
        if not self._settles:
            return True
        await self._wait_out()
        timing = self._timing
        give_up = self._loop.time() + timing.timeout + timing.quarantine(timing.timeout)
        give_up = max(give_up, self._rest_until) + timing.pause_before(unit)
        while (wait := await self._wait_left(unit)) > 0:
            left = give_up - self._loop.time()
            if left < 0:
                return False
            await _sleep(min(wait, left + _COARSE))
        return True

    async def _wait_out(self) -> None:
        """Wait for an answer that is late, as long as the line has to be kept quiet."""
        while (left := self._late_until - self._loop.time()) > 0:
            late = await self._listen(left)
            if late is None:
                break
            self._come_late(late)

    async def _wait_left(self, unit: int) -> float:
        """Throw away what was said unasked, and give how long the line must still be silent."""
        await self._link.drain()
        if not self._link.is_open:
            raise ConnectionLost(self.why_lost or _("the link is not open"))
        now = self._loop.time()
        if self._framer.reject().keys() & _FRAMES:
            self._rest_until = max(self._rest_until, now + self._timing.rest)
        return max(self._busy_until + self._timing.pause_before(unit), self._rest_until) - now

    async def send(self, request: Asked, patience: float) -> Answer | None:
        """Send a request and wait for its answer; None when it does not come in time.

        Args:
            request: What to ask.
            patience: Seconds, from the end of the request to the beginning of the answer.

        Raises:
            ConnectionLost: The link broke.
        """
        now = self._loop.time()
        frame = self._framer.encode(request)
        self._busy_until = now + self._timing.on_wire(len(frame))
        answer = self._timing.on_wire(self._framer.wire_bytes(request)[1])
        self.answer_due = self._busy_until + answer
        self._link.send(frame)
        return await self._listen(self.answer_due - now + patience)

    async def _listen(self, patience: float) -> Answer | None:
        waiter: asyncio.Future[Answer | None] = self._loop.create_future()
        self._waiter = waiter
        timer = self._loop.call_later(patience, _run_out, waiter)
        try:
            return await waiter
        finally:
            timer.cancel()
            self._waiter = None

    def heard(self, data: bytes) -> None:
        self.heard_at = now = self._loop.time()
        self._busy_until = max(self._busy_until, now)
        answer = self._framer.feed(data)
        if answer is None:
            return
        if self._waiter is None or self._waiter.done():
            self._come_late(answer)
        else:
            self._waiter.set_result(answer)

    def _come_late(self, answer: Answer) -> None:
        if self.note_late(answer):
            self._late_until = 0.0

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
