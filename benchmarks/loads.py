"""How little an agent does where there is little to do, how punctual it is where there is much."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.configuration import Load
from benchmarks.lateness import lateness_ms, percentile, sleeper_ms
from benchmarks.rig import AgentProcess, Rig, rig
from benchmarks.table import Figures
from benchmarks.usage import cpu

SMALL, IDLE = Load(10, 10), Load(1, 1, every=60.0)
FAST = Load(100, 100, every=0.1)
SOCKETS = Load(1000, 10)
MOST_LATE = {FAST: 10.0, SOCKETS: 20.0}  # ms, the 99th percentile
SETTLES = 8.0  # seconds from the start; a start costs CPU that a running agent does not need


def all_of_them(program: Path, seconds: float, figures: Figures) -> None:
    """Measure each load once."""
    little(program, seconds, figures)
    fast(program, seconds, figures)
    sockets(program, seconds, figures)


def little(program: Path, seconds: float, figures: Figures) -> None:
    """Measure the load of a small workshop, and that of nothing."""
    for load, name, most in ((SMALL, "10 devices x 10 registers at 1 s", 1.0), (IDLE, "idle", 0.3)):
        with rig(program, load) as around:
            window = _window(around, around.start_agent(), seconds)
        share = 100 * window.spent / window.passed
        figures.note(f"{name}: CPU", share, "% of a core", most=most)


def fast(program: Path, seconds: float, figures: Figures) -> None:
    """Measure 100 devices that are read ten times a second."""
    with rig(program, FAST, "counting") as around:
        agent = around.start_agent()
        window = _window(around, agent, seconds)
        name = "100,000 readings/s"
        figures.note(f"{name}: delivered", window.arrived / window.passed, "per s")
        cost = window.spent * 1e6 / window.arrived
        figures.note(f"{name}: CPU per 1,000 readings", cost, "ms")
        _punctual(name, FAST, window, agent, figures)


def sockets(program: Path, seconds: float, figures: Figures) -> None:
    """Measure 1,000 devices, each behind a connection of its own."""
    with rig(program, SOCKETS, "counting") as around:
        agent = around.start_agent()
        window = _window(around, agent, seconds)
        name = "1,000 devices x 10 registers at 1 s"
        figures.note(f"{name}: delivered", window.arrived / window.passed, "per s")
        share = 100 * window.spent / window.passed
        figures.note(f"{name}: CPU", share, "% of a core", most=35)
        _punctual(name, SOCKETS, window, agent, figures)


class Window(NamedTuple):
    """Some seconds of an agent's life.

    Attributes:
        arrived: Readings at the subscriber.
        spent: Seconds of CPU of the agent.
        passed: How many seconds it were.
        asked: Device and instant of each request at the machines.
        bare: How late a process woke up that did nothing else, ms, 99th percentile.
    """

    arrived: int
    spent: float
    passed: float
    asked: Sequence[tuple[int, int]]
    bare: float


def _window(around: Rig, agent: AgentProcess, seconds: float) -> Window:
    around.first_reading(agent)
    time.sleep(max(0.0, agent.started + SETTLES - time.time()))
    around.plant.report()
    heard, used, begin = around.audience.report(), cpu(agent.number), time.monotonic()
    slept = sleeper_ms(seconds)
    passed, spent = time.monotonic() - begin, cpu(agent.number) - used
    arrived, asked = around.audience.report(), around.plant.report()
    late = percentile(slept, 0.99)
    return Window(arrived["readings"] - heard["readings"], spent, passed, asked["arrivals"], late)


def _punctual(name: str, load: Load, window: Window, agent: AgentProcess, figures: Figures) -> None:
    late, most = percentile(lateness_ms(window.asked, load.every), 0.99), MOST_LATE[load]
    figures.note(f"{name}: poll lateness at the machine, p99", late, "ms", most=most)
    figures.note(f"{name}: lateness of a bare sleeper meanwhile, p99", window.bare, "ms")
    skipped = sum(one["overruns"] for one in agent.status()["connections"])
    figures.note(f"{name}: polls skipped since the start", skipped, "polls", most=0, in_each=True)
