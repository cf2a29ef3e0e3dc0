"""Keeps readings until the broker has acknowledged them: the lanes, and the disk behind them.

What is not acknowledged within `flush` seconds is on disk, in one transaction per flush; with a
healthy broker nothing is written per reading. No number is used that is not reserved on disk.
Everything runs in the event loop except disk work, which runs in one thread of its own.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog

from edge_agent.backlog import Backlog
from edge_agent.clock import Clock
from edge_agent.config.model import BufferLimits
from edge_agent.damage import DAMAGED, ERRORS, code
from edge_agent.disk import Disk
from edge_agent.errors import BufferUnavailable
from edge_agent.lanes import Item
from edge_agent.luggage import Luggage
from edge_agent.outlook import Outlook
from edge_agent.recovery import unavailable
from edge_agent.row import Row, pack
from edge_agent.threads import finished
from edge_agent.wear import Wear

TROUBLED_PAUSE = 1.0  # seconds; the disk must be back in use 5 s after it works again
LOOK_PAUSE = 10.0  # seconds between looks at what is written
SALVAGE_PAUSE = 60.0  # seconds; a disk that damages everything must not be worn out by copying


class Buffer:
    """The buffer of one agent; make one with `await Buffer.open(...)`, then keep `run()` running.

    Attributes:
        wake: Called when there is something new to send.
        synced: Whether the wall clock is known to be right; the agent keeps it up to date.
        trouble: Why the disk refuses the buffer at present; empty when it does not.
        wear: What the process writes to the card.
    """

    def __init__(self, limits: BufferLimits, clock: Clock, disk: Disk, luggage: Luggage) -> None:
        self.wake: Callable[[], None] = lambda: None
        self.synced = clock.synced()
        self.trouble = ""
        self.wear = Wear()
        self._limits = limits
        self._flush = limits.flush
        self._clock = clock
        self._disk = disk
        self._lanes = disk.lanes
        self._luggage = luggage
        self._outlook = Outlook(clock.mono(), limits.flush)
        self._looked_at = float("-inf")
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
        luggage = Luggage(limits.path, disk.lanes.ledger, clock)
        try:
            await asyncio.to_thread(luggage.open)
            if not disk.awaits_salvage:  # else both follow when it is done
                await disk.commit([])  # what names a loss first; then what is lost is forgotten
                await luggage.save()
        except BaseException as error:
            await disk.close()
            if isinstance(error, ERRORS):
                raise unavailable(limits.path, error) from error
            raise
        return cls(limits, clock, disk, luggage)

    async def close(self) -> None:
        """Put everything that waits on disk, and give unused numbers back."""
        with contextlib.suppress(*ERRORS):  # what was delivered is otherwise sent again
            await self._disk.commit([])
            await self._luggage.save()
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
        row = Row(seq, prev, device, ts, mono, self.synced, readings, body)
        self._lanes.append(row)
        self._outlook.add(row)
        self.wake()

    def _reserve_for(self, ts: int, readings: int) -> None:
        try:
            self._disk.grants.renew_at_once()
        except BufferUnavailable:
            self._lanes.ledger.count_unnumbered(ts, readings)
            raise

    def next(self, *, backlog: bool = True) -> Item | None:
        """Hand out what to send next: live rows, then records of loss, then the backlog.

        What was carried over from another card is older than all of the backlog, and goes first.
        An item stays the caller's until `ack`, `refuse` or `give_back`.
        """
        item = self._lanes.next(self._clock.mono(), backlog=False)
        if item is None and backlog:
            item = self._next_historical()
        if isinstance(item, Row) and self.synced:
            item.settle(self._clock.now(), self._clock.mono())
        return item

    def _next_historical(self) -> Item | None:
        source: Luggage | Backlog = self._luggage
        item = self._luggage.next()
        if item is None and (self._luggage.exhausted or self.trouble):
            source = self._lanes.backlog
            item = self._lanes.next(self._clock.mono(), backlog=True)
        if item is not None and source.hungry:
            self._hungry.set()
        return item

    def epoch_of(self, item: Item) -> str:
        """Give the epoch of an item's number."""
        return item.epoch or self.epoch

    @staticmethod
    def is_historical(row: Row) -> bool:
        """Tell whether a row that was handed out counts as historical."""
        return row.historical

    def ack(self, item: Item) -> None:
        """Let an item go: the broker has it."""
        (self._luggage.holder(item) or self._lanes).ack(item)

    def refuse(self, item: Item) -> None:
        """Give up a row that the broker will never take; a loss record names it.

        A record of loss itself is not given up: it is handed out again after `give_back`.
        """
        (self._luggage.holder(item) or self._lanes).refuse(item)

    def give_back(self) -> None:
        """Take back everything that was handed out: its connection is lost."""
        self._luggage.give_back()
        self._lanes.give_back(self._clock.mono())

    # --- the disk ------------------------------------------------------------------------------

    async def run(self) -> None:
        """Flush, demote, read back and keep the limits, until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause):
                    await self._hungry.wait()
            self._hungry.clear()
            await finished(self.tick())  # half-way, what the disk did could not be told any more

    @property
    def _pause(self) -> float:
        """Seconds until the next look: four in `flush`, and one when something must be written."""
        usual = self._flush / 4
        if self.trouble:  # each try packs everything in memory anew: not four a second
            return max(TROUBLED_PAUSE, usual)
        return min(usual, max(0.0, self._lanes.until_due(self._clock.mono(), self._flush)))

    async def tick(self) -> None:
        """Do what is due now; disk errors are noted in `trouble` and tried again next time.

        Every step is tried, because a disk that takes nothing more can still be read, and what is
        sent from it makes room.
        """
        disk = self._disk
        steps = (disk.flush_if_due, disk.grants.renew_if_low, self._keep_limits, disk.refill)
        troubles = [await self._trouble_of(step()) for step in steps]
        self._lanes.demote(self._clock.mono(), disk_works=not any(troubles))
        troubles.append(await self._trouble_of(self._carry_on()))
        self._note_trouble(next(filter(None, troubles), ""))
        await self._look()

    async def _look(self) -> None:
        """Look at what is made, what it takes, and what is written."""
        now, readings = self._clock.mono(), self._lanes.backlog.readings
        if sample := self._outlook.sample(now):
            packed = await asyncio.to_thread(pack, sample)
            self._outlook.learn(len(packed), sum(row.readings for row in sample))
        self._outlook.note(now, on_disk=self._disk.used, readings=readings)
        if now - self._looked_at >= LOOK_PAUSE:
            self._looked_at = now
            self.wear.look(now)

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
        dropped = await self._luggage.drop(self.used - self._limits.max_bytes)
        return await self._disk.keep_limits(synced=self.synced) or dropped

    async def _carry_on(self) -> bool:
        """Read more of what was carried over, and note now and then what of it is delivered."""
        refilled = await self._luggage.refill()
        if self._luggage.is_due:
            await self._disk.commit([])  # first what names a loss, as above
            await self._luggage.save()
        return refilled

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
        return self._disk.used + self._luggage.used

    @property
    def waiting(self) -> int:
        """How many readings wait for their acknowledgement."""
        return self._lanes.waiting + self._luggage.readings

    @property
    def losses(self) -> int:
        """How many records of loss wait for their acknowledgement."""
        return len(self._lanes.ledger) + self._luggage.losses

    @property
    def carried(self) -> list[dict[str, str | int]]:
        """What waits that was carried over from other cards: epoch, readings, records of loss."""
        return self._luggage.describe()

    @property
    def seconds_until_full(self) -> float | None:
        """Seconds until the oldest has to give way, to room or age, without a broker."""
        room = self._outlook.seconds_until_full(self._limits.max_bytes - self.used)
        if not room:
            return room
        age = self._disk.seconds_until_expired(synced=self.synced)
        return room if age is None else min(room, age)

    @property
    def lag(self) -> float:
        """Seconds that the oldest live row has been waiting to be sent."""
        return self._lanes.lag(self._clock.mono())

    @property
    def last_seq(self) -> int:
        """The number used last."""
        return self._lanes.numbers.last
