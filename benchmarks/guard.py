"""`python -m benchmarks.guard`: that the agent has not become dearer; for CI, in half a minute.

The agent and the least that could do its work (`bare.py`) run at the same time, each with a plant
and a broker of its own, so that both meet the same machine. What is judged is the ratio of their
CPU for each reading, never a time. The middle one of several short windows counts.
"""

import contextlib
import statistics
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

from benchmarks import gateway
from benchmarks.comparison import running
from benchmarks.configuration import Load
from benchmarks.peers import BARE
from benchmarks.rig import Rig, rig
from benchmarks.usage import cpu_of_tree

LOAD = Load(50, 100, every=0.1)  # 50,000 readings a second
WINDOWS, SECONDS = 3, 4.0
SETTLES = 6.0  # seconds from the first readings of both: a start costs CPU too
GIVE_UP = 20.0
MOST = 0.95
"""CPU of the agent for a reading, as a multiple of the bare one's."""


class Side(NamedTuple):
    """One of the two: what it works with, and its process."""

    around: Rig
    process: int

    def look(self) -> tuple[float, int]:
        """Give the seconds of CPU used so far, and the readings that have arrived."""
        return cpu_of_tree(self.process), int(self.around.audience.report()["readings"])


def ratios() -> list[float]:
    """Measure each window."""
    with contextlib.ExitStack() as stack:
        agent_rig = stack.enter_context(rig(gateway.here(), LOAD, "counting"))
        bare_rig = stack.enter_context(rig(gateway.here(), LOAD, "counting"))
        agent = Side(agent_rig, agent_rig.start_agent().number)
        numbers = (bare_rig.broker.port, LOAD.registers, LOAD.every, *bare_rig.plant.ports)
        words = [sys.executable, str(BARE), *map(str, numbers)]
        bare = Side(bare_rig, stack.enter_context(running(words, {}, bare_rig.folder)).pid)
        for side in (agent, bare):
            _until(lambda side=side: side.look()[1] > 0)  # type: ignore[misc]  # bound at once
        time.sleep(SETTLES)
        return [_window(agent, bare) for _ in range(WINDOWS)]


def _window(agent: Side, bare: Side) -> float:
    before = agent.look(), bare.look()
    time.sleep(SECONDS)
    after = agent.look(), bare.look()
    own, floor = (
        (late[0] - early[0]) / (late[1] - early[1])
        for early, late in zip(before, after, strict=True)
    )
    return own / floor


def _until(is_reached: Callable[[], bool]) -> None:
    give_up = time.monotonic() + GIVE_UP
    while not is_reached():
        if time.monotonic() > give_up:
            raise TimeoutError(f"no reading arrives within {GIVE_UP:g} s")
        time.sleep(0.05)


def main() -> int:
    """Measure, print, and tell whether it is enough."""
    with gateway.alone():
        found = ratios()
    ratio = statistics.median(found)
    each = ", ".join(f"{one:.2f}" for one in found)
    sys.stdout.write(
        f"CPU for a reading, agent to bare pymodbus and paho-mqtt: {ratio:.2f} ({each}); "
        f"at most {MOST}\n"
    )
    if ratio <= MOST:
        return 0
    sys.stdout.write("dearer than it was: `make bench ARGS=figures` and a profiler show where\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
