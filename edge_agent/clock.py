"""The clocks of this gateway: wall clock and whether it is right, steady clock, and the boot."""

import asyncio
import ctypes
import time
from pathlib import Path
from typing import NamedTuple

STA_UNSYNC = 0x0040  # linux/timex.h: the kernel's clock is not disciplined
STEP = 1.0  # seconds off at once: the clock was set. NTP slews by 0.5 ms a second at most
LOOK = 1.0  # seconds between looks at a clock that is waited for
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
STAMP = Path("/run/systemd/timesync/synchronized")
"""Touched by systemd-timesyncd at each successful synchronisation; gone after a boot.

Source: systemd-timesyncd.service(8), since systemd 239.
"""
STAMP_HOLDS = 32_000.0
"""Seconds after which the kernel itself no longer calls a clock right that nobody corrects: it
counts 500 microseconds of error a second, and gives up at 16 s.

Source: linux/timex.h (MAXFREQ, NTP_PHASE_LIMIT), kernel/time/ntp.c (second_overflow).
"""


class _Timex(ctypes.Structure):
    """The part of struct timex that is read; source: adjtimex(2)."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


class _Seen(NamedTuple):
    """A stamp, and how far the wall clock was ahead of the steady one when it was first seen."""

    stamped: float
    ahead: float


class Clock:
    """Reads the clocks. `mono` does not stop at a step of the wall clock, `now` may jump."""

    def __init__(self) -> None:
        self.boot = BOOT_ID.read_text().strip() if BOOT_ID.exists() else "unknown"
        self._adjtimex = getattr(ctypes.CDLL(None, use_errno=True), "adjtimex", None)
        self._seen: _Seen | None = None

    def now(self) -> int:
        """Give the wall clock in milliseconds since 1970 UTC."""
        return time.time_ns() // 1_000_000

    def mono(self) -> float:
        """Give seconds on the steady clock of this boot."""
        return time.monotonic()

    def synced(self) -> bool:
        """Tell whether it is known that the wall clock is right; False where nothing tells.

        systemd moves a stale clock forward to its own build date at boot, so a plausible date
        proves nothing. The kernel knows; where it may not be asked, as in a service that is kept
        from the calls which set clocks, the stamp of systemd's time service is believed.
        """
        status = self._kernel_status()
        return self._stamp_holds() if status is None else not status & STA_UNSYNC

    @property
    def witness(self) -> str:
        """Name what tells whether the clock is right: `kernel`, `timesyncd`, or nothing: empty."""
        if self._kernel_status() is not None:
            return "kernel"
        return "timesyncd" if STAMP.parent.is_dir() else ""

    async def until_set(self, patience: float) -> None:
        """Wait until the wall clock is set or becomes right.

        Args:
            patience: Seconds after which it returns in any case.
        """
        end, synced, ahead = self.mono() + patience, self.synced(), self._ahead()
        while self.mono() < end:
            await asyncio.sleep(min(LOOK, patience))
            if abs(self._ahead() - ahead) > STEP or (self.synced() and not synced):
                return

    def _ahead(self) -> float:
        """Give the seconds by which the wall clock is ahead of the steady one."""
        return self.now() / 1000 - self.mono()

    def _kernel_status(self) -> int | None:
        """Ask the kernel, changing nothing (modes=0); None where it may not be asked."""
        if self._adjtimex is None:
            return None
        timex = _Timex()
        return int(timex.status) if self._adjtimex(ctypes.byref(timex)) >= 0 else None

    def _stamp_holds(self) -> bool:
        """Tell whether systemd's time service set the clock lately, and nobody has since."""
        try:
            stamped = STAMP.stat().st_mtime
        except OSError:  # not yet, or another time service
            return False
        ahead = self._ahead()
        if self._seen is None or self._seen.stamped != stamped:
            self._seen = _Seen(stamped, ahead)
        age = self.now() / 1000 - stamped
        return -STEP <= age <= STAMP_HOLDS and abs(ahead - self._seen.ahead) <= STEP
