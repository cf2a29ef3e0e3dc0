"""How much one core can do at most: the agent has one for itself, and everything else another.

More and more is asked of it, until it skips polls. What plant, broker, and subscriber use of the
other core is told beside it: where that is full, it was not the agent that could do no more.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.configuration import Load
from benchmarks.rig import AgentProcess, Rig, rig
from benchmarks.table import Figures
from benchmarks.usage import cpu

STEPS = tuple(Load(devices, 100, every=0.02) for devices in (50, 60, 72, 90, 110, 130))
SETTLES = 4.0  # seconds from the first reading: a start costs CPU too
KEPT_UP = 0.99  # share of what was asked; a single late wake-up skips polls of 20 ms
NAME = "ceiling, all values changing, on one core"


class Step(NamedTuple):
    """What came of one load; all of it is per second.

    Attributes:
        asked: Readings that were to be read.
        read: Readings that the plant gave: what is missing are polls that the agent left out.
        delivered: Readings that arrived at the subscriber.
        plant: CPU of the plant.
        agent: CPU of the agent.
        broker: CPU of the broker.
        subscriber: CPU of the subscriber.
    """

    asked: float
    read: float
    delivered: float
    plant: float
    agent: float
    broker: float
    subscriber: float

    @property
    def is_kept_up_with(self) -> bool:
        """Tell whether the agent did all that was asked, and all of it arrived."""
        return self.delivered >= KEPT_UP * self.asked


def ceiling(program: Path, seconds: float, figures: Figures) -> None:
    """Raise the load until the agent no longer keeps up, or there is no higher one.

    Raises:
        RuntimeError: There is only one core.
    """
    kept: Step | None = None
    failed: Step | None = None
    for load in STEPS:
        step = _step(program, load, seconds)
        if not step.is_kept_up_with:
            failed = step
            break
        kept = step
    most = kept.delivered if kept else 0.0
    figures.note(f"{NAME}: all of what was asked", most, "per s", least=350_000)
    if kept:
        _tell(kept, f"{NAME}, then", figures)
    if failed:
        _tell(failed, f"{NAME}, with more", figures)


def _tell(step: Step, name: str, figures: Figures) -> None:
    for what in ("asked", "read", "delivered"):
        figures.note(f"{name}: {what}", getattr(step, what), "per s")
    for who in ("agent", "plant", "broker", "subscriber"):
        of = "its core" if who == "agent" else "the other core"
        figures.note(f"{name}: CPU of the {who}", 100 * getattr(step, who), f"% of {of}")


def _step(program: Path, load: Load, seconds: float) -> Step:
    """Measure one load."""
    own, *others = sorted(os.sched_getaffinity(0), reverse=True)
    if not others:
        raise RuntimeError("the ceiling needs two cores: one for the agent, one for all else")
    with _on(others[-1]), rig(program, load, "counting") as around:
        with _on(own):
            agent = around.start_agent()
        around.first_reading(agent)
        time.sleep(SETTLES)
        begin, *early = _look(around, agent)
        time.sleep(seconds)
        end, *late = _look(around, agent)
    each = ((one - other) / (end - begin) for one, other in zip(late, early, strict=True))
    return Step(load.points / load.every, *each)


def _look(around: Rig, agent: AgentProcess) -> tuple[float, ...]:
    """Give the instant, and what there was of all until then, in the order of `Step`."""
    arrived, plant = around.audience.report()["readings"], around.plant.report()
    cpus = map(cpu, (agent.number, around.broker.number, around.audience.number))
    return (time.monotonic(), plant["registers"], arrived, plant["cpu_s"], *cpus)


@contextmanager
def _on(core: int) -> Iterator[None]:
    """Let what is started in this block run on one core only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
