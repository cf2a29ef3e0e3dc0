"""How the cost grows with the work: from 100 points to 100,000, all read once a second."""

import time
from pathlib import Path

from benchmarks.configuration import Load
from benchmarks.rig import rig
from benchmarks.table import Figures
from benchmarks.usage import memory_mb, usage

LOADS = (Load(1, 100), Load(10, 100), Load(100, 100), Load(200, 500))
SETTLES = 5.0  # seconds beyond the first reading
QUIET = 20.0  # seconds: with few points the CPU of a short time is a handful of clock ticks


def growth(program: Path, seconds: float, figures: Figures) -> None:
    """Measure each size once."""
    for load in LOADS:
        name = f"{load.points:,} points"
        with rig(program, load, "counting") as around:
            agent = around.start_agent()
            first = around.first_reading(agent)
            time.sleep(SETTLES + load.points / 20_000)
            heard, used = around.audience.report(), usage(agent.number)
            time.sleep(max(seconds, QUIET if load.points <= 1000 else 0.0))
            spent = usage(agent.number) - used
            arrived = around.audience.report()["readings"] - heard["readings"]
            figures.note(f"{name}: CPU per 1,000 readings", spent.cpu * 1e6 / arrived, "ms")
            figures.note(f"{name}: resident memory", memory_mb(agent.number), "MB")
            figures.note(f"{name}: start to first reading", first, "s")
