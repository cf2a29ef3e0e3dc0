"""What one gateway costs; each measurement is a new process with an empty buffer."""

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.calibration import PACE, naive_ms
from benchmarks.configuration import Load
from benchmarks.lateness import lateness_ms, percentile, sleeper_ms
from benchmarks.rig import AgentProcess, Rig, rig
from benchmarks.table import Figures
from benchmarks.usage import cpu, cpu_with_children, memory_mb

FULL = Load(devices=100, registers=100)
SMALL = Load(devices=2, registers=100)
STARTS = 3  # in each run: they are quick, and differ
WARM_UP = 8.0  # seconds; a start costs CPU and memory that a running agent does not need
MEMORY_AFTER = 20.0  # seconds from the start
OUTAGE_SETTLES = 3.0  # seconds after the broker went until the agent writes evenly
DRAIN_SECONDS = 60.0


class Gateway:
    """Measures one gateway, again and again.

    Args:
        program: The command `edge-agent` under test.
        seconds: How long each window of measurement is.
        figures: Where the values go.
    """

    def __init__(self, program: Path, seconds: float, figures: Figures) -> None:
        self._program, self._seconds = program, seconds
        self._note = figures.note

    def run(self) -> None:
        """Measure everything once."""
        for _ in range(STARTS):
            self._help()
            self._start()
        self._small()
        self._full()

    def _help(self) -> None:
        begin = time.monotonic()
        subprocess.run([self._program, "--help"], check=True, stdout=subprocess.DEVNULL)  # noqa: S603
        self._note("edge-agent --help", (time.monotonic() - begin) * 1000, "ms", most=150)

    def _start(self) -> None:
        """A gateway with 200 points: how soon it delivers."""
        with rig(self._program, SMALL) as around:
            agent = around.start_agent()
            first = around.first_reading(agent)
            self._note("start to first reading, 200 points", first, "s", most=0.4)
            self._note("CPU until then, 200 points", cpu_with_children(agent.number), "s")

    def _small(self) -> None:
        """The same: how little it holds."""
        with rig(self._program, SMALL) as around:
            agent = around.start_agent()
            _sleep_until(agent.started + MEMORY_AFTER)
            self._memory(agent, "200 points", 40)

    def _full(self) -> None:
        """A gateway with 10,000 points at 1 s: what it costs to run."""
        with rig(self._program, FULL) as around:
            agent = around.start_agent()
            first = around.first_reading(agent)
            self._note("start to first reading, 10,000 points", first, "s", most=1.5)
            self._note("CPU until then, 10,000 points", cpu_with_children(agent.number), "s")
            _sleep_until(agent.started + WARM_UP)
            self._window(around, agent)
            _sleep_until(agent.started + MEMORY_AFTER)
            self._memory(agent, "10,000 points", 45)
            self._note(
                "most resident memory, while it starts", memory_mb(agent.number, "VmHWM"), "MB"
            )
            self._outage(around, agent)

    def _memory(self, agent: AgentProcess, size: str, most: float) -> None:
        self._note(f"resident memory, {size}", memory_mb(agent.number), "MB", most=most)
        self._note(f"of that its own, {size}", memory_mb(agent.number, "RssAnon"), "MB")

    def _window(self, around: Rig, agent: AgentProcess) -> None:
        calibration = naive_ms()
        around.plant.report()
        heard, used, begin = around.audience.report(), cpu(agent.number), time.monotonic()
        slept = sleeper_ms(self._seconds)
        seconds = time.monotonic() - begin
        spent, arrived = cpu(agent.number) - used, around.audience.report()
        asked = around.plant.report()
        calibration = (calibration + naive_ms()) / 2
        delivered = arrived["readings"] - heard["readings"]
        cost = spent * 1e6 / delivered
        self._note("readings delivered", delivered / seconds, "per s")
        self._note("CPU per 1,000 readings", cost, "ms", most=3)
        self._note(PACE, calibration, "ms")
        self._note("CPU as a multiple of naive encoding", cost / calibration, "x")
        self._lateness(asked, agent.status())
        self._note("lateness of a bare sleeper meanwhile, p99", percentile(slept, 0.99), "ms")
        ages = sorted(arrived["ages_ms"])
        self._note("age at the subscriber, p50", percentile(ages, 0.5), "ms")
        self._note("age at the subscriber, p99", percentile(ages, 0.99), "ms")

    def _lateness(self, asked: Mapping[str, Any], status: Mapping[str, Any]) -> None:
        late = lateness_ms(asked["arrivals"])
        self._note("poll lateness at the machine, p50", percentile(late, 0.5), "ms")
        self._note("poll lateness at the machine, p99", percentile(late, 0.99), "ms", most=5)
        skipped = sum(one["overruns"] for one in status["connections"])
        self._note("polls skipped since the start", skipped, "polls", most=0, in_each=True)
        own = sorted(one["lateness_p99_ms"] for one in status["connections"])
        self._note("its own p99 since the start, median connection", percentile(own, 0.5), "ms")
        self._note("its own p99 since the start, worst connection", own[-1], "ms")

    def _outage(self, around: Rig, agent: AgentProcess) -> None:
        """The broker away, then back: what reading costs meanwhile, and how fast it delivers."""
        around.broker.stop()
        time.sleep(OUTAGE_SETTLES)
        asked, used = around.plant.report(), cpu(agent.number)
        time.sleep(self._seconds)
        spent = cpu(agent.number) - used
        read = around.plant.report()["registers"] - asked["registers"]
        self._note("CPU per 1,000 readings, broker away", spent * 1e6 / read, "ms")
        waiting = agent.status()["buffer"]["readings"]
        around.broker.start()
        seconds = drained(agent)
        self._note("backlog delivered", waiting / seconds, "per s")


def drained(agent: AgentProcess) -> float:
    """Wait until what waits for the broker is delivered; give the seconds since it connected.

    Raises:
        TimeoutError: It takes too long.
    """
    give_up = time.monotonic() + DRAIN_SECONDS
    while agent.status()["broker"]["state"] != "connected":
        _check(give_up)
    begin = time.monotonic()
    while agent.status()["buffer"]["readings"] > FULL.points:
        _check(give_up)
    return time.monotonic() - begin


def _check(give_up: float) -> None:
    if time.monotonic() > give_up:
        raise TimeoutError(f"the backlog is not delivered within {DRAIN_SECONDS:g} s")
    time.sleep(0.1)


def _sleep_until(instant: float) -> None:
    time.sleep(max(0.0, instant - time.time()))
