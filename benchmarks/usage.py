"""What a process has used, from its clock and from /proc."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
CPUCLOCK_SCHED = 2


@dataclass(frozen=True)
class Usage:
    """A process at one instant; the difference of two is what lies between.

    Attributes:
        cpu: Seconds in user and system mode, of all threads.
        written: Bytes that it caused to be written to disk.
    """

    cpu: float
    written: int

    def __sub__(self, earlier: "Usage") -> "Usage":
        return Usage(self.cpu - earlier.cpu, self.written - earlier.written)


def usage(process: int) -> Usage:
    """Look at a process. Source of the field: proc(5), io."""
    return Usage(cpu(process), int(_fields(Path(f"/proc/{process}/io"))["write_bytes"]))


def cpu(process: int) -> float:
    """Give the CPU seconds of a process, of all its threads, also those that ended.

    By the clock of the process, which counts nanoseconds: utime and stime of /proc count ticks of
    10 ms, and an idle agent uses one of those in eight seconds. The number of that clock is what
    clock_getcpuclockid(3) gives; Python has no name for it. Source: Linux,
    include/linux/posix-timers_types.h, make_process_cpuclock() with CPUCLOCK_SCHED.
    """
    return time.clock_gettime(~process << 3 | CPUCLOCK_SCHED)


def cpu_with_children(process: int) -> float:
    """Give the CPU seconds of a process and of those it has started and waited for."""
    after_name = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return cpu(process) + sum(map(int, after_name[13:15])) / TICKS  # cutime and cstime


def cpu_of_tree(process: int) -> float:
    """Give the CPU seconds of a process and of all that descend from it, also those that ended."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return cpu_with_children(process) + sum(cpu_of_tree(int(child)) for child in children)


def memory_mb(process: int, kind: str = "VmRSS") -> float:
    """Give megabytes (10^6 bytes) of memory.

    Args:
        process: Its number.
        kind: `VmRSS` is resident, `RssAnon` its own part without files, `VmHWM` the most it was.
    """
    return int(_fields(Path(f"/proc/{process}/status"))[kind].split()[0]) * 1024 / 1e6


def _fields(file: Path) -> dict[str, str]:
    pairs = (line.partition(":") for line in file.read_text().splitlines())
    return {name: value.strip() for name, _, value in pairs}
