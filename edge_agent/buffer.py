"""Keeps readings until the broker has acknowledged them: the lanes, and the disk behind them.

What is not acknowledged within `flush` seconds is on disk, in one transaction per flush; with a
healthy broker nothing is written per reading. No number is used that is not reserved on disk.
Everything runs in the event loop except disk work, which runs in one thread of its own.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog

from edge_agent.clock import Clock
from edge_agent.config.model import BufferLimits
from edge_agent.disk import Disk
from edge_agent.errors import BufferUnavailable
from edge_agent.lanes import Item
from edge_agent.row import Row
from edge_agent.store import DAMAGED, ERRORS, code
from edge_agent.threads import finished

TROUBLED_PAUSE = 1.0  # seconds; the disk must be back in use 5 s after it works again
SALVAGE_PAUSE = 60.0  # seconds; a disk that damages everything must not be worn out by copying


class Buffer:
    """The buffer of one agent; make one with `await Buffer.open(...)`, then keep `run()` running.

    Attributes:
        wake: Called when there is something new to send.
        synced: Whether the wall clock is known to be right; the agent keeps it up to date.
        trouble: Why the disk refuses the buffer at present; empty when it does not.
    """

    def __init__(self, limits: BufferLimits, clock: Clock, disk: Disk) -> None:
        self.wake: Callable[[], None] = lambda: None
        self.synced = clock.synced()
        self.trouble = ""
        self._flush = limits.flush
        self._clock = clock
        self._disk = disk
        self._lanes = disk.lanes
        self._hungry = asyncio.Event()
        self._salvaged_at = float("-inf")
        self._log = structlog.get_logger().bind(part="buffer")

    @classmethod
    async def open(cls, limits: BufferLimits, clock: Clock) -> "Buffer":
        """Open the folder, recover what it holds, and reserve numbers.

        Raises:
            BufferUnavailable: The disk cannot be used at present.
        """
        disk = Disk(limits, clock)
        await disk.start()
        return cls(limits, clock, disk)

    async def close(self) -> None:
        """Put everything that waits on disk, and give unused numbers back."""
        await self._disk.close()

    # --- readings in, messages out -------------------------------------------------------------

    @property
    def epoch(self) -> str:
        """Identity of the sequence of numbers; new only when the buffer is created anew."""
        return self._lanes.numbers.epoch

    def append(self, device: str, ts: int, mono: float, readings: int, body: bytes) -> None:
        """Keep what one poll of one device brought.

        Args:
            device: Its name.
            ts: Wall clock at the poll, ms since 1970 UTC.
            mono: Steady clock at the poll, seconds.
            readings: How many readings the body holds.
            body: The encoded readings.

        Raises:
            BufferUnavailable: No number is reserved, and the disk takes no reservation. A record
                of loss will count these readings once it does.
        """
        if self._lanes.numbers.exhausted:
            self._reserve_for(ts, readings)
        seq, prev = self._lanes.numbers.take(device)
        self._lanes.append(Row(seq, prev, device, ts, mono, self.synced, readings, body))
        self.wake()

    def _reserve_for(self, ts: int, readings: int) -> None:
        try:
            self._disk.reserve_at_once()
        except BufferUnavailable:
            self._lanes.ledger.count_unnumbered(ts, readings)
            raise

    def next(self, *, backlog: bool = True) -> Item | None:
        """Hand out what to send next: live rows, then records of loss, then the backlog.

        It stays the caller's until `ack`, `refuse` or `give_back`.
        """
        item = self._lanes.next(self._clock.mono(), backlog=backlog)
        if isinstance(item, Row):
            self._correct(item)
            if item.historical and self._lanes.backlog.hungry:
                self._hungry.set()
        return item

    def _correct(self, row: Row) -> None:
        """Give a row that was read by a wrong clock its right time, once the clock is right.

        The steady clock of this boot tells how long ago it was read; rows of another boot have
        none (`mono` is not a number) and keep their mark.
        """
        if not row.synced and self.synced and row.mono == row.mono:
            row.ts = self._clock.now() - round((self._clock.mono() - row.mono) * 1000)
            row.synced = True

    @staticmethod
    def is_historical(row: Row) -> bool:
        """Tell whether a row that was handed out counts as historical."""
        return row.historical

    def ack(self, item: Item) -> None:
        """Let an item go: the broker has it."""
        self._lanes.ack(item)

    def refuse(self, item: Item) -> None:
        """Give up a row that the broker will never take; a loss record names it.

        A record of loss itself is not given up: it is handed out again after `give_back`.
        """
        self._lanes.refuse(item)

    def give_back(self) -> None:
        """Take back everything that was handed out: its connection is lost."""
        self._lanes.give_back(self._clock.mono())

    # --- the disk ------------------------------------------------------------------------------

    async def run(self) -> None:
        """Flush, demote, read back and keep the limits, until cancelled."""
        while True:
            # While the disk refuses, each try packs everything in memory anew: not four a second.
            pause = max(TROUBLED_PAUSE, self._flush / 4) if self.trouble else self._flush / 4
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._hungry.wait()
            self._hungry.clear()
            await finished(self.tick())  # half-way, what the disk did could not be told any more

    async def tick(self) -> None:
        """Do what is due now; disk errors are noted in `trouble` and tried again next time.

        Every step is tried, because a disk that takes nothing more can still be read, and what is
        sent from it makes room.
        """
        disk = self._disk
        steps = (disk.flush_if_due, disk.reserve_if_low, self._keep_limits, disk.refill)
        troubles = [await self._trouble_of(step()) for step in steps]
        self._note_trouble(next(filter(None, troubles), ""))
        self._lanes.demote(self._clock.mono(), disk_works=not self.trouble)

    async def _trouble_of(self, step: Awaitable[bool | None]) -> str:
        """Do one step; say what went wrong with the disk, if anything did."""
        try:
            if await step:
                self.wake()
        except ERRORS as error:
            now = self._clock.mono()
            if code(error) in DAMAGED and now - self._salvaged_at > SALVAGE_PAUSE:
                self._salvaged_at = now
                return await self._trouble_of(self._disk.salvage())
            return str(error) or type(error).__name__
        return ""

    async def _keep_limits(self) -> bool:
        return await self._disk.keep_limits(synced=self.synced)

    def _note_trouble(self, trouble: str) -> None:
        if trouble and not self.trouble:
            self._log.error("disk_refuses_the_buffer", error=trouble, readings="stay in memory")
        elif self.trouble and not trouble:
            self._log.info("disk_takes_the_buffer_again")
        self.trouble = trouble

    # --- for people ----------------------------------------------------------------------------

    @property
    def used(self) -> int:
        """Bytes in use on disk."""
        return self._disk.used

    @property
    def waiting(self) -> int:
        """How many readings wait for their acknowledgement."""
        return self._lanes.waiting

    @property
    def losses(self) -> int:
        """How many records of loss wait for their acknowledgement."""
        return len(self._lanes.ledger)

    @property
    def lag(self) -> float:
        """Seconds that the oldest live row has been waiting to be sent."""
        return self._lanes.lag(self._clock.mono())

    @property
    def last_seq(self) -> int:
        """The number used last."""
        return self._lanes.numbers.last
