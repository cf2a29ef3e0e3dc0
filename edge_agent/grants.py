"""Keeps numbers granted: writes in good time down how far they may be used, and what is known.

The writing runs in the thread of the disk; the event loop waits for it only when numbers run out
faster than they are renewed.
"""

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor

import msgspec

from edge_agent.clock import Clock
from edge_agent.errors import BufferUnavailable
from edge_agent.lanes import Lanes
from edge_agent.language import _
from edge_agent.reserve import Reservation, ReserveFile


class Grants:
    """Reserves numbers for the rows of these lanes.

    Attributes:
        stored: How far the database says that everything is accounted for. A database that says
            less at the next start has lost what it was told.
    """

    def __init__(
        self, file: ReserveFile, lanes: Lanes, clock: Clock, thread: ThreadPoolExecutor
    ) -> None:
        self.stored = 0
        self._refused: int | None = None
        self._is_noted = True
        self._file = file
        self._lanes = lanes
        self._clock = clock
        self._thread = thread

    async def renew_if_low(self) -> None:
        """Reserve more numbers in good time, and note how far everything is accounted for."""
        if self._lanes.numbers.running_low(self._clock.mono()):
            await self.renew()

    async def renew(self) -> None:
        """Reserve more numbers.

        Raises:
            OSError: The disk does not take the reservation.
        """
        reservation, mono = self._reservation()
        await self._write(reservation)
        self._granted(reservation, mono)

    def renew_at_once(self) -> None:
        """Reserve and wait for it: only when numbers run out faster than they are renewed.

        Raises:
            BufferUnavailable: The disk takes no reservation.
        """
        reservation, mono = self._reservation()
        try:
            self._thread.submit(self._file.write, reservation).result()
        except OSError as error:
            raise BufferUnavailable(
                _("no number can be reserved: {error}").format(error=error)
            ) from error
        self._granted(reservation, mono)

    async def give_back(self) -> None:
        """Note that nothing behind the last number was ever used: a clean stop."""
        numbers = self._lanes.numbers
        last = numbers.last
        await self._write(
            Reservation(
                numbers.epoch, last, last, self._clock.now(), clean=True, stored=self.stored
            )
        )

    async def refused(self, since: float) -> None:
        """Note that the disk takes no rows: until it does, a kill costs more than `flush`.

        A full disk, or one with a damaged database, takes this note all the same. One that takes
        nothing at all cannot note it: after a power cut nobody knows then how long it lasted.

        Args:
            since: When the oldest row was made that is in memory only, on the steady clock.
        """
        if self._refused is None:
            self._refused = self._clock.now() - round((self._clock.mono() - since) * 1000)
            self._is_noted = False
        if not self._is_noted:
            with contextlib.suppress(OSError):
                await self.renew()

    async def taken(self) -> None:
        """Note that all rows are on disk, or need not be."""
        if self._refused is not None:
            self._refused, self._is_noted = None, False
        if not self._is_noted:
            await self.renew()

    def _reservation(self) -> tuple[Reservation, float]:
        lanes, mono = self._lanes, self._clock.mono()
        made = lanes.numbers.reservation(lanes.accounted(), self._clock.now(), mono)
        return msgspec.structs.replace(made, stored=self.stored, refused=self._refused), mono

    async def _write(self, reservation: Reservation) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, self._file.write, reservation)

    def _granted(self, reservation: Reservation, mono: float) -> None:
        self._is_noted = reservation.refused == self._refused
        self._lanes.numbers.granted(reservation, mono)
        self._lanes.ledger.number()
