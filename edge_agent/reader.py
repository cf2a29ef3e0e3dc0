"""Reads the backlog back from the disk, in the thread of the disk, as it is needed."""

import asyncio
import math
from concurrent.futures import ThreadPoolExecutor

import structlog

from edge_agent.clock import Clock
from edge_agent.damage import ERRORS
from edge_agent.lanes import LIVE_SECONDS, Lanes
from edge_agent.row import Damaged, Row, Segment
from edge_agent.store import Store

# So long what only memory holds waits for older rows that the disk does not give: order among what
# is sent late is worth some patience, but not a stop.
UNREADABLE_SECONDS = 30.0


class Reader:
    """Reads segments of this store into these lanes."""

    def __init__(
        self, store: Store, lanes: Lanes, clock: Clock, thread: ThreadPoolExecutor
    ) -> None:
        self._store = store
        self._lanes = lanes
        self._clock = clock
        self._thread = thread
        self._unreadable_since = math.inf
        self._log = structlog.get_logger().bind(part="buffer")

    async def refill(self) -> bool:
        """Read more of the backlog back, if what was ready is nearly sent; tell whether it did."""
        try:
            refilled = await self._refill()
        except ERRORS:
            now = self._clock.mono()
            self._unreadable_since = min(self._unreadable_since, now)
            is_over = now - self._unreadable_since >= UNREADABLE_SECONDS
            self._lanes.backlog.unreadable = is_over
            raise
        self._unreadable_since, self._lanes.backlog.unreadable = math.inf, False
        return refilled

    async def _refill(self) -> bool:
        backlog, refilled = self._lanes.backlog, False
        while segment := backlog.wanted(self._lanes.first_live, self._is_ripe):
            rows = await self.rows(segment)
            if rows is None:
                self._lanes.give_up(segment, None, "corrupt")
            else:
                backlog.loaded(segment, rows, self._lanes.held)
            refilled = True
        return refilled

    async def rows(self, segment: Segment) -> list[Row] | None:
        """Read the rows of a segment that are not acknowledged; None if they are damaged."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._rows, segment)

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
