"""Moves rows between the lanes and the disk, without ever blocking the event loop.

All disk work runs in one thread of its own, one piece after the other. Errors of the disk are
raised as `store.ERRORS`; nothing is lost by them, and the same step can be tried again.
"""

import asyncio
import math
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
from edge_agent.lanes import LIVE_SECONDS, Lanes
from edge_agent.ledger import Ledger
from edge_agent.numbers import SPARE, Numbers
from edge_agent.recovery import Recovered, recover, unavailable
from edge_agent.reserve import Reservation, ReserveFile
from edge_agent.row import Damaged, Row, Segment
from edge_agent.salvage import Salvage
from edge_agent.store import DAMAGED, ERRORS, SCHEMA, Store, code

DATABASE = "buffer.db"

Notes = dict[str, str | int]
T = TypeVar("T")


class Disk:
    """The disk behind the lanes of one buffer.

    Attributes:
        lanes: What waits where; there after `start`.
        used: Bytes in use on disk.
    """

    def __init__(self, limits: BufferLimits, clock: Clock) -> None:
        self.used = 0
        self.lanes: Lanes
        self._limits = limits
        self._clock = clock
        self._store = Store(limits.path / DATABASE)
        self._reserve = ReserveFile(limits.path)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="disk")
        self._last_commit = clock.mono()
        self._log = structlog.get_logger().bind(part="buffer")

    async def start(self) -> None:
        """Open the folder, recover what it holds, and reserve numbers.

        Raises:
            BufferUnavailable: The disk cannot be used at present; everything is closed again.
        """
        try:
            await self._start()
        except BaseException as error:
            self._thread.submit(self._store.close)
            self._thread.shutdown(wait=False)
            if isinstance(error, ERRORS):
                raise unavailable(self._limits.path, error) from error
            raise

    async def _start(self) -> None:
        now, flush = self._clock.now(), self._limits.flush
        found = await self._run(lambda: recover(self._store, self._reserve, now, flush))
        numbers = Numbers(found.epoch, found.last, found.previous)
        backlog = Backlog(found.segments)
        self.lanes = Lanes(numbers, backlog, Ledger(numbers, found.losses))
        self._name_missing(found)
        if found.is_damaged:
            await self.salvage()
        # In one transaction, and before the reservation is renewed: killed in between, the next
        # start finds either the records or the same range to name.
        await self._commit_or_salvage({"epoch": found.epoch, "schema": SCHEMA})
        await self._renew_reservation()

    async def _commit_or_salvage(self, notes: Notes, *, everything: bool = False) -> None:
        """Commit notes, and all rows if so wanted; a damaged database is replaced first."""
        try:
            await self.commit(self.lanes.unsaved() if everything else [], notes)
        except ERRORS as error:
            if code(error) not in DAMAGED:
                raise
            await self.salvage()
            await self.commit(self.lanes.unsaved() if everything else [], notes)

    def _name_missing(self, found: Recovered) -> None:
        numbers = self.lanes.numbers
        # reserved by the transaction that holds the records
        numbers.reserved = numbers.last + len(found.missing) + SPARE
        for missing in found.missing:
            self.lanes.ledger.add(missing)
            self._log.warning("readings_may_be_missing", why=missing.why, last=missing.last)

    async def salvage(self) -> None:
        """Begin a new database with what can be read of a damaged one, and name the rest."""
        self._log.error("database_damaged", file=str(self._store.path), then="salvaged and renewed")
        lanes = self.lanes
        work = Salvage(self._store, list(lanes.backlog.segments.values()))
        for segment in await self._run(work.copy):
            if segment.id in lanes.backlog.segments:
                lanes.give_up(segment, None, "corrupt")
        records, epoch = lanes.ledger.records, lanes.numbers.epoch
        await self._run(lambda: work.finish(records, epoch))

    async def close(self) -> None:
        """Put everything that waits on disk, and give unused numbers back."""
        numbers = self.lanes.numbers
        try:
            previous = msgspec.json.encode(numbers.previous).decode()
            await self._commit_or_salvage({"previous": previous}, everything=True)
            last = numbers.last
            final = Reservation(numbers.epoch, last, last, self._clock.now(), clean=True)
            await self._run(lambda: self._reserve.write(final))
        except ERRORS as error:
            self._log.error("not_saved_at_the_stop", error=str(error))
        finally:
            await self._run(self._store.close)
            self._thread.shutdown()

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    # --- rows to the disk ----------------------------------------------------------------------

    async def flush_if_due(self) -> None:
        """Write what has waited long enough, and now and then what else changed."""
        now, flush = self._clock.mono(), self._limits.flush
        rows = self.lanes.due(now, flush)
        if rows or now - self._last_commit >= flush:
            await self.commit(rows)

    async def commit(self, rows: list[Row], notes: Notes | None = None) -> None:
        """Write rows and everything else that changed in one transaction."""
        try:
            await self._apply(rows, notes or {})
        except ERRORS:
            if rows:  # what was acknowledged may be deleted all the same, and makes room
                await self._apply([], {})
            raise

    async def _apply(self, rows: list[Row], notes: Notes) -> None:
        change = self.lanes.change(rows, self._clock.boot)
        change.notes.update(notes)
        if not change:
            return
        try:
            segment = await self._run(lambda: self._store.apply(change))
        except BaseException:
            self.lanes.restore(change)
            raise
        self._last_commit = self._clock.mono()
        if segment:
            self.lanes.saved(segment, rows)
        self.used = await self._run(self._store.used)

    # --- rows from the disk --------------------------------------------------------------------

    async def refill(self) -> bool:
        """Read more of the backlog back, if what was ready is nearly sent; tell whether it did."""
        backlog, refilled = self.lanes.backlog, False
        while segment := backlog.wanted(self.lanes.first_live, self._is_ripe):
            rows = await self._run(partial(self._rows, segment))
            if rows is None:
                self.lanes.give_up(segment, None, "corrupt")
            else:
                backlog.loaded(segment, rows, self.lanes.held)
            refilled = True
        return refilled

    def _rows(self, segment: Segment) -> list[Row] | None:
        try:
            rows = self._store.rows(segment)
        except Damaged as error:
            self._log.error("damaged_segment", first=segment.id, error=str(error))
            return None
        if segment.boot != self._clock.boot:
            for row in rows:
                row.mono = math.nan  # another boot's steady clock tells nothing here
        return rows

    def _is_ripe(self, segment: Segment) -> bool:
        """Tell whether all its rows are too old for the live lane; those of another boot are."""
        age = self._clock.mono() - segment.mono
        return segment.boot != self._clock.boot or not 0 <= age <= LIVE_SECONDS

    # --- numbers and limits --------------------------------------------------------------------

    async def reserve_if_low(self) -> None:
        """Reserve more numbers in good time, and note how far everything is accounted for."""
        if self.lanes.numbers.running_low(self._clock.mono()):
            await self._renew_reservation()

    async def _renew_reservation(self) -> None:
        reservation, mono = self._reservation()
        await self._run(lambda: self._reserve.write(reservation))
        self._granted(reservation, mono)

    def reserve_at_once(self) -> None:
        """Reserve and wait for it: only when numbers run out faster than they are renewed.

        Raises:
            BufferUnavailable: The disk takes no reservation.
        """
        reservation, mono = self._reservation()
        try:
            self._thread.submit(self._reserve.write, reservation).result()
        except OSError as error:
            raise BufferUnavailable(f"no number can be reserved: {error}") from error
        self._granted(reservation, mono)

    def _reservation(self) -> tuple[Reservation, float]:
        lanes, mono = self.lanes, self._clock.mono()
        return lanes.numbers.reservation(lanes.accounted(), self._clock.now(), mono), mono

    def _granted(self, reservation: Reservation, mono: float) -> None:
        self.lanes.numbers.granted(reservation, mono)
        self.lanes.ledger.number()

    async def keep_limits(self, *, synced: bool) -> bool:
        """Drop the oldest segments while they are too many or too old; tell whether any was.

        Args:
            synced: Whether the wall clock is known to be right.
        """
        lanes = self.lanes
        excess = self.used - self._limits.max_bytes
        dropped = False
        while (segment := lanes.droppable) and (
            excess > 0 or (synced and self._is_expired(segment))
        ):
            rows = await self._run(partial(self._rows, segment))
            if segment is not lanes.droppable:
                continue  # meanwhile it was acknowledged, or some of it is in flight
            lanes.give_up(segment, rows, "capacity" if excess > 0 else "age")
            excess -= segment.size
            dropped = True
        if dropped:
            await self.commit([])
        return dropped

    def _is_expired(self, segment: Segment) -> bool:
        """Only a clock that was right tells how old something is, or what came before it."""
        later = self.lanes.backlog.first_synced(segment.id)
        if later is None:
            return False
        if later.boot == self._clock.boot:  # then no step of the wall clock can deceive us
            return self._clock.mono() - later.mono > self._limits.max_age
        return (self._clock.now() - later.newest) / 1000 > self._limits.max_age
