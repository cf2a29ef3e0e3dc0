"""Limits of the kernel on a process and its children: memory, share of a processor, open files.

What it may use of a processor it also gets, however busy the machine is: the limit is the only one.
"""

import contextlib
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

CGROUP = Path("/sys/fs/cgroup")
WEIGHT_1, WEIGHT_2 = 262_144, 10_000  # the most that the kernel allows
PERIOD = 100_000  # microseconds, as systemd sets it for CPUQuota
# Source: the kernel's admin-guide/cgroup-v1/memory.rst, scheduler/sched-bwc.rst, cgroup-v2.rst.
FILES_1 = {"memory": "memory.limit_in_bytes", "cpu": "cpu.cfs_quota_us"}
FILES_2 = {"memory": "memory.max", "cpu": "cpu.max"}


class Limits(NamedTuple):
    """What a process may use: bytes of memory, a share of one processor, open files."""

    memory: int
    cpu: float
    files: int


def _groups(name: str) -> list[Path]:
    if (CGROUP / "cgroup.controllers").exists():
        return [CGROUP / name]
    return [CGROUP / controller / name for controller in FILES_1]


@cache
def why_not() -> str:
    """Say in one sentence why nothing can be limited here; empty if it can."""
    if os.geteuid() != 0:
        return "limiting a process needs root: run the tests as root, in a machine of their own"
    try:
        with _made("edge-agent-try", Limits(1 << 30, 1.0, 64)):
            return ""
    except OSError as error:
        return f"the kernel's control groups for memory and cpu cannot be used here: {error}"


@contextlib.contextmanager
def _made(name: str, limits: Limits) -> Iterator[list[Path]]:
    groups = _groups(name)
    try:
        for group in groups:
            group.mkdir()
        if len(groups) == 1:
            (CGROUP / "cgroup.subtree_control").write_text("+memory +cpu")
            (groups[0] / FILES_2["memory"]).write_text(str(limits.memory))
            (groups[0] / FILES_2["cpu"]).write_text(f"{round(limits.cpu * PERIOD)} {PERIOD}")
            (groups[0] / "cpu.weight").write_text(str(WEIGHT_2))
        else:
            memory, cpu = groups
            (memory / FILES_1["memory"]).write_text(str(limits.memory))
            (cpu / "cpu.cfs_period_us").write_text(str(PERIOD))
            (cpu / FILES_1["cpu"]).write_text(str(round(limits.cpu * PERIOD)))
            (cpu / "cpu.shares").write_text(str(WEIGHT_1))
        yield groups
    finally:
        for group in groups:
            with contextlib.suppress(OSError):
                group.rmdir()


@contextlib.contextmanager
def limited(limits: Limits) -> Iterator[tuple[str, ...]]:
    """Make limits until the block ends; give the words that run a command within them."""
    with _made(f"edge-agent-{os.getpid()}", limits) as groups:
        joining = "; ".join(f"echo $$ > {group}/cgroup.procs" for group in groups)
        yield "sh", "-c", f'{joining}; ulimit -n {limits.files}; exec "$@"', "limited"
