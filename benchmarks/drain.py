"""How long a million readings take that waited for the broker, while new ones go on arriving."""

import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.configuration import Load
from benchmarks.rig import AgentProcess, rig
from benchmarks.table import Figures

LOAD = Load(100, 100, every=0.2)  # 50,000 readings a second
WAITING = 1_000_000
GIVE_UP = 600.0
NEARLY = 2 * LOAD.points  # what is on its way at any time

Reached = Callable[[int], bool]


def drain(program: Path, figures: Figures) -> None:
    """Let a million readings wait, and deliver them once."""
    with rig(program, LOAD, "counting") as around:
        agent = around.start_agent()
        around.first_reading(agent)
        time.sleep(5)
        around.broker.stop()
        _until(agent, lambda waiting: waiting >= WAITING)
        waited = int(agent.status()["buffer"]["readings"])
        # from the broker's return, the wait for the next try included: what is sent before the
        # agent is seen as connected must not be left out
        begin = time.monotonic()
        around.broker.start()
        _until(agent, lambda waiting: waiting <= NEARLY)
        seconds = time.monotonic() - begin
    figures.note("drain of 1,000,000 buffered readings", seconds * WAITING / waited, "s", most=180)
    figures.note("readings that waited", waited, "")


def _until(agent: AgentProcess, is_reached: Reached) -> None:
    give_up = time.monotonic() + GIVE_UP
    while True:
        status = agent.status()
        if is_reached(status["buffer"]["readings"]):
            return
        if time.monotonic() > give_up:
            raise TimeoutError(f"not within {GIVE_UP:g} s")
        time.sleep(0.1)
