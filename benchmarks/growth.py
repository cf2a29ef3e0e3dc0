"""How the cost grows with the work: from 100 points to 100,000, all read once a second."""

import time
from itertools import pairwise
from pathlib import Path

from benchmarks.configuration import Load
from benchmarks.rig import rig
from benchmarks.table import Figures
from benchmarks.usage import cpu, memory_mb

LOADS = (Load(1, 100), Load(10, 100), Load(100, 100), Load(1000, 100))
SETTLES = 5.0  # seconds beyond the first reading
LINEAR = 1.25  # the most that a further reading may cost with many, as a multiple of that with few


def growth(program: Path, seconds: float, figures: Figures) -> None:
    """Measure each size once, and whether each further reading costs the same.

    The agent's own pulse (timers, health, keep-alive) is in what an agent with few points costs; in
    the difference of two sizes it is not.
    """
    costs = [_size(program, load, seconds, figures) for load in LOADS]
    further = [
        (most - least) * 1e6 / (large.points - small.points)
        for (small, least), (large, most) in pairwise(zip(LOADS, costs, strict=True))
    ]
    for (small, large), cost in zip(pairwise(LOADS), further, strict=True):
        name = f"each further 1,000 readings, {small.points:,} to {large.points:,} points"
        figures.note(f"{name}: CPU", cost, "ms")
    name = "a further reading with many, as a multiple of one with few"
    figures.note(f"{name}: CPU", further[-1] / further[-2], "x", most=LINEAR)


def _size(program: Path, load: Load, seconds: float, figures: Figures) -> float:
    """Measure one size; give the seconds of CPU that a second takes."""
    with rig(program, load, "counting") as around:
        agent = around.start_agent()
        first = around.first_reading(agent)
        time.sleep(SETTLES + load.points / 20_000)
        heard, used, begin = around.audience.report(), cpu(agent.number), time.monotonic()
        time.sleep(seconds)
        passed, spent = time.monotonic() - begin, cpu(agent.number) - used
        arrived = around.audience.report()["readings"] - heard["readings"]
        name = f"{load.points:,} points"
        figures.note(f"{name}: CPU per 1,000 readings", spent * 1e6 / arrived, "ms")
        figures.note(f"{name}: resident memory", memory_mb(agent.number), "MB")
        figures.note(f"{name}: start to first reading", first, "s")
    return spent / passed
