"""Keeps readings until the broker has acknowledged them: the lanes, and the disk behind them.

What is not acknowledged within `flush` seconds is on disk, in one transaction per flush; with a
healthy broker nothing is written per reading. No number is used that is not reserved on disk.
Everything runs in the event loop except disk work, which runs in one thread of its own.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import msgspec
import structlog

from edge_agent.backlog import Backlog
from edge_agent.clock import Clock
from edge_agent.config.model import BufferLimits
from edge_agent.errors import BufferUnavailable
from edge_agent.lanes import LIVE_SECONDS, Item, Lanes
from edge_agent.ledger import Ledger
from edge_agent.numbers import Numbers
from edge_agent.recovery import Recovered, recover
from edge_agent.reserve import Reservation, ReserveFile
from edge_agent.row import Row
from edge_agent.store import Segment, Store

DATABASE = "buffer.db"
DISK_ERRORS = (OSError, sqlite3.Error)

T = TypeVar("T")


class Buffer:
    """The buffer of one agent; make one with `await Buffer.open(...)`, then keep `run()` running.

    Attributes:
        wake: Called when there is something new to send.
        synced: Whether the wall clock is known to be right; the agent keeps it up to date.
        trouble: Why the disk refuses the buffer at present; empty when it does not.
        used: Bytes on disk.
    """

    def __init__(self, limits: BufferLimits, clock: Clock) -> None:
        self.wake: Callable[[], None] = lambda: None
        self.synced = clock.synced()
        self.trouble = ""
        self.used = 0
        self._limits = limits
        self._clock = clock
        self._store = Store(limits.path / DATABASE)
        self._reserve = ReserveFile(limits.path)
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="disk")
        self._last_commit = clock.mono()
        self._log = structlog.get_logger().bind(part="buffer")
        self._lanes: Lanes

    @classmethod
    async def open(cls, limits: BufferLimits, clock: Clock) -> "Buffer":
        """Open the folder, recover what it holds, and reserve numbers.

        Raises:
            BufferUnavailable: The disk cannot be used at present.
        """
        buffer = cls(limits, clock)
        try:
            await buffer._start(
                await buffer._on_disk(
                    lambda: recover(buffer._store, buffer._reserve, clock.now(), limits.flush)
                )
            )
        except DISK_ERRORS as error:
            buffer._disk.shutdown(wait=False)
            raise BufferUnavailable(
                f"the buffer folder {limits.path} cannot be used: {error}"
            ) from error
        except BaseException:
            buffer._disk.shutdown(wait=False)
            raise
        return buffer

    async def _start(self, found: Recovered) -> None:
        numbers = Numbers(found.epoch, found.last, found.previous)
        self._lanes = Lanes(numbers, Backlog(found.segments), Ledger(numbers, found.losses))
        await self._renew_reservation()
        for missing in found.missing:
            self._lanes.ledger.add(missing)
            self._log.warning("readings_may_be_missing", why=missing.why, last=missing.last)
        await self._commit([])

    async def close(self) -> None:
        """Put everything that waits on disk, and give unused numbers back."""
        numbers = self._lanes.numbers
        try:
            previous = msgspec.json.encode(numbers.previous).decode()
            await self._commit(self._lanes.unsaved(), {"previous": previous})
            last = numbers.last
            final = Reservation(self.epoch, last, last, self._clock.now(), clean=True)
            await self._on_disk(lambda: self._reserve.write(final))
        except DISK_ERRORS as error:
            self._log.error("not_saved_at_the_stop", error=str(error))
        finally:
            await self._on_disk(self._store.close)
            self._disk.shutdown()

    async def _on_disk(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._disk, work)

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
            BufferUnavailable: No number is reserved, and the disk takes no reservation.
        """
        if self._lanes.numbers.exhausted:
            self._reserve_at_once()
        seq, prev = self._lanes.numbers.take(device)
        self._lanes.append(Row(seq, prev, device, ts, mono, self.synced, readings, body))
        self.wake()

    def next(self, *, backlog: bool = True) -> Item | None:
        """Hand out what to send next: live rows, then records of loss, then the backlog.

        It stays the caller's until `ack`, `refuse` or `give_back`.
        """
        return self._lanes.next(backlog=backlog)

    def is_historical(self, row: Row) -> bool:
        """Tell whether the row, sent now, counts as historical."""
        return self._lanes.is_historical(row, self._clock.mono())

    def ack(self, item: Item) -> None:
        """Let an item go: the broker has it."""
        self._lanes.ack(item)

    def refuse(self, item: Item) -> None:
        """Give up an item that the broker will never take; a loss record names it."""
        self._lanes.refuse(item)

    def give_back(self) -> None:
        """Take back everything that was handed out: its connection is lost."""
        self._lanes.give_back(self._clock.mono())

    # --- the disk ------------------------------------------------------------------------------

    async def run(self) -> None:
        """Flush, demote, read back and keep the limits, until cancelled."""
        while True:
            await asyncio.sleep(self._limits.flush / 4)
            await self.tick()

    async def tick(self) -> None:
        """Do what is due now; disk errors are noted in `trouble` and tried again next time."""
        try:
            await self._flush_if_due()
            if self._lanes.numbers.running_low:
                await self._renew_reservation()
            await self._keep_limits()
            await self.refill()
            self._note_trouble("")
        except DISK_ERRORS as error:
            self._note_trouble(str(error))
        self._lanes.demote(self._clock.mono(), disk_works=not self.trouble)

    async def refill(self) -> None:
        """Read more of the backlog back, if what was ready is nearly sent."""
        lanes = self._lanes
        segment = lanes.backlog.wanted(lanes.first_live, self._is_ripe)
        if segment is None:
            return
        try:
            rows = await self._on_disk(lambda: self._store.rows(segment))
        except ValueError as error:
            self._log.error("damaged_segment", error=str(error))
            lanes.give_up(segment, [], "corrupt")
            return
        lanes.backlog.loaded(segment, rows, lanes.held)
        self.wake()

    def _is_ripe(self, segment: Segment) -> bool:
        same_boot = segment.boot == self._clock.boot
        return not same_boot or self._clock.mono() - segment.mono > LIVE_SECONDS

    def _note_trouble(self, trouble: str) -> None:
        if trouble and not self.trouble:
            self._log.error("disk_refuses_the_buffer", error=trouble, readings="stay in memory")
        elif self.trouble and not trouble:
            self._log.info("disk_takes_the_buffer_again")
        self.trouble = trouble

    async def _flush_if_due(self) -> None:
        now = self._clock.mono()
        rows = self._lanes.due(now, self._limits.flush)
        if rows or now - self._last_commit >= self._limits.flush:
            await self._commit(rows)

    async def _commit(self, rows: list[Row], notes: dict[str, str | int] | None = None) -> None:
        """Write rows and everything else that changed in one transaction."""
        change = self._lanes.change(rows, self._clock.boot)
        change.notes.update(notes or {})
        if not change:
            return
        try:
            segment = await self._on_disk(lambda: self._store.apply(change))
        except BaseException:
            self._lanes.restore(change)
            raise
        self._last_commit = self._clock.mono()
        if segment:
            self._lanes.saved(segment, rows)
        self.used = await self._on_disk(self._store.used)

    async def _renew_reservation(self) -> None:
        reservation = self._reservation()
        await self._on_disk(lambda: self._reserve.write(reservation))
        self._lanes.numbers.granted(reservation)

    def _reserve_at_once(self) -> None:
        """Reserve in the event loop: only when numbers run out faster than they are renewed."""
        reservation = self._reservation()
        try:
            self._reserve.write(reservation)
        except OSError as error:
            raise BufferUnavailable(f"no number can be reserved: {error}") from error
        self._lanes.numbers.granted(reservation)

    def _reservation(self) -> Reservation:
        return self._lanes.numbers.reservation(
            self._lanes.accounted(), self._clock.now(), self._clock.mono()
        )

    async def _keep_limits(self) -> None:
        """Drop the oldest segments while they are too many or too old, and name them."""
        lanes = self._lanes
        excess = self.used - self._limits.max_bytes
        dropped = False
        while segment := lanes.backlog.oldest(lanes.held):
            why = "capacity" if excess > 0 else "age"
            if why == "age" and not self._is_expired(segment):
                break
            excess -= segment.size
            lanes.give_up(segment, await self._on_disk(partial(self._rows, segment)), why)
            dropped = True
        if dropped:
            await self._commit([])
            self.wake()

    def _rows(self, segment: Segment) -> list[Row]:
        try:
            return self._store.rows(segment)
        except ValueError:
            return []

    def _is_expired(self, segment: Segment) -> bool:
        """Only a clock that was right then and is right now tells how old something is."""
        age = (self._clock.now() - segment.newest) / 1000
        return segment.synced and self.synced and age > self._limits.max_age

    # --- for people ----------------------------------------------------------------------------

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
