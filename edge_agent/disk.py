"""Moves rows between the lanes and the disk, without ever blocking the event loop.

All disk work runs in one thread of its own, one piece after the other. Errors of the disk are
raised as `damage.ERRORS`; nothing is lost by them, and the same step can be tried again.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import msgspec
import structlog

from edge_agent import epochs
from edge_agent.backlog import Backlog
from edge_agent.clock import Clock
from edge_agent.config.model import BufferLimits
from edge_agent.damage import ERRORS, is_damage, is_lack_of_room
from edge_agent.database import SCHEMA
from edge_agent.grants import Grants
from edge_agent.lanes import Lanes
from edge_agent.ledger import Ledger
from edge_agent.missing import Recovered
from edge_agent.numbers import SPARE, Numbers
from edge_agent.reader import Reader
from edge_agent.recovery import recover, unavailable
from edge_agent.reserve import ReserveFile
from edge_agent.row import Row, Segment
from edge_agent.salvage import Salvage
from edge_agent.store import Store

DATABASE = "buffer.db"
AT_ONCE = 16 << 20  # bytes that any card copies before the agent has to be ready

Notes = dict[str, str | int]
T = TypeVar("T")


class Disk:
    """The disk behind the lanes of one buffer.

    Attributes:
        lanes: What waits where; there after `start`, as is the next.
        grants: Keeps numbers reserved.
        used: Bytes in use on disk.
    """

    def __init__(self, limits: BufferLimits, clock: Clock) -> None:
        self.used = 0
        self.lanes: Lanes
        self.grants: Grants
        self._reader: Reader
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
        self.lanes = Lanes(numbers, Backlog(found.segments), Ledger(numbers, found.losses))
        self.grants = Grants(self._reserve, self.lanes, self._clock, self._thread)
        self.grants.stored = found.stored
        self._reader = Reader(self._store, self.lanes, self._clock, self._thread)
        self._name_missing(found)
        if not found.is_damaged or await self._is_salvaged():
            # In one transaction, and before the reservation is renewed: killed in between, the
            # next start finds either the records or the same range to name.
            await self._commit_or_salvage({"epoch": found.epoch, "schema": SCHEMA})
            await self._run(lambda: epochs.settle(self._limits.path, found.epoch))
        await self.grants.renew()

    async def _is_salvaged(self) -> bool:
        """Salvage the database, if that takes no time and no room that is not there.

        Otherwise what can be read goes out all the same, new rows stay in memory, and the first
        commit begins the salvage, while the agent is at work already.
        """
        if sum(segment.size for segment in self.lanes.backlog.segments.values()) > AT_ONCE:
            await self._run(self._store.open_remnant)
            return False
        try:
            await self.salvage()
        except ERRORS as error:
            if not is_lack_of_room(error):
                raise
            self._log.error("not_salvaged", error=str(error), then="tried again; sending goes on")
            return False
        return True

    async def _commit_or_salvage(self, notes: Notes, *, everything: bool = False) -> None:
        """Commit notes, and all rows if so wanted; a damaged database is replaced first."""
        try:
            await self._run(self._store.check)
            await self.commit(self.lanes.unsaved() if everything else [], notes)
        except ERRORS as error:
            if not is_damage(error):
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
            if segment.id not in lanes.backlog.segments:
                continue
            if rows := lanes.remembered(segment):
                await self._run(partial(work.restore, segment, rows))
            else:
                lanes.give_up(segment, None, "corrupt")
        records, epoch, stored = lanes.ledger.records, lanes.numbers.epoch, self.grants.stored
        await self._run(lambda: work.finish(records, epoch, stored))

    @property
    def awaits_salvage(self) -> bool:
        """Whether the database is damaged, and there was no room or time yet to begin a new one."""
        return self._store.is_remnant

    async def close(self) -> None:
        """Put everything that waits on disk, and give unused numbers back."""
        try:
            previous = msgspec.json.encode(self.lanes.numbers.previous).decode()
            await self._commit_or_salvage({"previous": previous}, everything=True)
            await self.grants.give_back()
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
            if rows:
                await self.grants.refused(rows[0].mono)
                # what was acknowledged may be deleted all the same, and makes room
                await self._apply([], {})
            raise
        if rows or not self.lanes.unsaved():
            await self.grants.taken()

    async def _apply(self, rows: list[Row], notes: Notes) -> None:
        change = self.lanes.change(rows, self._clock.boot)
        change.notes.update(notes)
        if change.rows or change.losses:
            change.notes["accounted"] = self.lanes.accounted(rows)
        if not change:
            return
        try:
            segment = await self._run(lambda: self._store.apply(change))
        except BaseException:
            self.lanes.restore(change)
            raise
        self.grants.stored = int(change.notes.get("accounted", self.grants.stored))
        self._last_commit = self._clock.mono()
        if segment:
            self.lanes.saved(segment, rows)
        self.used = await self._run(self._store.used)

    # --- rows from the disk --------------------------------------------------------------------

    async def refill(self) -> bool:
        """Read more of the backlog back, if what was ready is nearly sent; tell whether it did."""
        return await self._reader.refill()

    # --- limits --------------------------------------------------------------------------------

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
            rows = await self._reader.rows(segment)
            if segment is not lanes.droppable:
                continue  # meanwhile it was acknowledged, or some of it is in flight
            lanes.give_up(segment, rows, "capacity" if excess > 0 else "age")
            excess -= segment.size
            dropped = True
        if dropped:
            await self.commit([])
        return dropped

    def seconds_until_expired(self, *, synced: bool) -> float | None:
        """Give the seconds until what waits is too old; None where no clock can tell.

        Args:
            synced: Whether the wall clock is known to be right.
        """
        if not synced:
            return None
        oldest = self.lanes.droppable
        if oldest is None:
            return self._limits.max_age
        age = self.lanes.backlog.age(oldest, self._clock)
        return None if age is None else max(0.0, self._limits.max_age - age)

    def _is_expired(self, segment: Segment) -> bool:
        age = self.lanes.backlog.age(segment, self._clock)
        return age is not None and age > self._limits.max_age
