"""The clocks of this gateway: wall clock and whether it is right, steady clock, and the boot."""

import ctypes
import time
from pathlib import Path

STA_UNSYNC = 0x0040  # linux/timex.h: the kernel's clock is not disciplined
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


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


class Clock:
    """Reads the clocks. `mono` does not stop at a step of the wall clock, `now` may jump."""

    def __init__(self) -> None:
        self.boot = BOOT_ID.read_text().strip() if BOOT_ID.exists() else "unknown"
        self._adjtimex = getattr(ctypes.CDLL(None, use_errno=True), "adjtimex", None)

    def now(self) -> int:
        """Give the wall clock in milliseconds since 1970 UTC."""
        return time.time_ns() // 1_000_000

    def mono(self) -> float:
        """Give seconds on the steady clock of this boot."""
        return time.monotonic()

    def synced(self) -> bool:
        """Tell whether the kernel knows that the wall clock is right.

        systemd moves a stale clock forward to its own build date at boot, so a plausible date
        proves nothing: only the kernel's synchronisation flag does. A read with modes=0 changes
        nothing and needs no rights.
        """
        if self._adjtimex is None:
            return False
        timex = _Timex()
        state = self._adjtimex(ctypes.byref(timex))
        return state >= 0 and not timex.status & STA_UNSYNC
