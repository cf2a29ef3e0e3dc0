"""What a process has used, from /proc."""

import os
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


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
    """Look at a process. Source of the fields: proc(5), stat and io."""
    folder = Path(f"/proc/{process}")
    after_name = (folder / "stat").read_text().rpartition(")")[2].split()
    user, system = int(after_name[11]), int(after_name[12])  # utime and stime, fields 14 and 15
    written = _fields(folder / "io")["write_bytes"]
    return Usage((user + system) / TICKS, int(written))


def cpu_with_children(process: int) -> float:
    """Give the CPU seconds of a process and of those it has started and waited for."""
    after_name = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, after_name[11:15])) / TICKS  # utime, stime, cutime, cstime


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
