"""What the agent writes to its card, from which cards wear out: with a broker, and without one.

Counted is what the kernel was given to write for the agent's process (`write_bytes` in
/proc/PID/io), and that until its end: so the database's log is in it twice, once as it is written
and once as it is folded back. What the file system writes for itself is not in it.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks.configuration import Load
from benchmarks.rig import AgentProcess, Rig, rig
from benchmarks.table import Figures
from benchmarks.usage import usage

SETTLES = 5.0  # seconds from the start, or from the broker's end, until the agent works evenly
HEALTHY_SETTLES = 120.0  # seconds until it has learnt how fast its devices answer
HEALTHY_SECONDS = 620.0  # numbers are reserved anew every ten minutes: one of these is in it
SECONDS_A_DAY = 86400


@dataclass(frozen=True)
class Case:
    """How much is read without a broker, and the bytes a reading may then take."""

    load: Load
    most: float

    @property
    def name(self) -> str:
        """Say it for people."""
        each = f"{self.load.devices} x {self.load.registers}"
        return f"written, broker away, {self.load.points:,} readings/s ({each})"


HEALTHY, HEALTHY_MB_A_DAY = Load(devices=10, registers=100), 5.0
HEALTHY_BYTES = 0.1  # for each reading, which is about none
AWAY = (
    Case(Load(devices=100, registers=100), 18),
    Case(Load(devices=10, registers=100), 30),
    Case(Load(devices=1, registers=100), 150),
    Case(Load(devices=10, registers=10), 150),
)


def outages(program: Path, seconds: float, figures: Figures) -> None:
    """Measure each case without a broker, for so many seconds.

    All of them side by side: what is counted is bytes, which do not depend on the machine's speed.
    """
    with ThreadPoolExecutor(len(AWAY)) as pool:
        found = list(pool.map(lambda case: away(program, case, seconds), AWAY))
    for case, value in zip(AWAY, found, strict=True):
        figures.note(case.name, value, "bytes per reading", most=case.most)


def healthy(program: Path, seconds: float, figures: Figures) -> None:
    """Measure what is written while the broker takes everything: for a reading, and in a day.

    For a reading counts what an agent writes that has settled; the day has one start in it.
    """
    with rig(program, HEALTHY) as around:
        agent = around.start_agent()
        around.first_reading(agent)
        time.sleep(HEALTHY_SETTLES)
        read, start, begin = _read(around), usage(agent.number).written, time.monotonic()
        time.sleep(seconds)
        spent, passed = usage(agent.number).written - start, time.monotonic() - begin
        read = _read(around) - read
    name = f"written, broker there, {HEALTHY.points:,} readings/s"
    figures.note(name, spent / read, "bytes per reading", most=HEALTHY_BYTES)
    figures.note(f"{name}: at the start, until it has settled", start / 1e3, "kB")
    a_day = start + spent / passed * SECONDS_A_DAY
    figures.note(f"{name}: in a day", a_day / 1e6, "MB", most=HEALTHY_MB_A_DAY)


def away(program: Path, case: Case, seconds: float) -> float:
    """Measure what is written for each reading while there is no broker."""
    with rig(program, case.load) as around:
        agent = around.start_agent()
        around.first_reading(agent)
        around.broker.stop()
        time.sleep(SETTLES)
        read, before = _read(around), usage(agent.number).written
        time.sleep(seconds)
        read, spent = _read(around) - read, _written_at_the_end(agent) - before
    return float(spent / read)


def _read(around: Rig) -> int:
    return int(around.plant.report()["registers"])


def _written_at_the_end(agent: AgentProcess) -> int:
    """Stop the agent, and give what it has written in all its life."""
    agent.end()
    return usage(agent.number).written  # told as long as nobody has asked how it ended
