"""`python -m benchmarks.guard`: that the agent has not become dearer; for CI, in half a minute.

The agent and the least that could do its work (`bare.py`) run at the same time, each with a plant
and a broker of its own, so that both meet the same machine. What is judged is the ratio of their
CPU for each reading, never a time. Of each the cheapest of several short windows counts: what else
a machine does only ever adds to that. A window ends when enough has been delivered, so that a busy
machine only takes longer; and what is too much is measured again, from the start on: code that has
become dearer is so each time.
"""

import contextlib
import sys
import time
from typing import NamedTuple

from benchmarks import gateway
from benchmarks.comparison import running
from benchmarks.configuration import Load
from benchmarks.peers import BARE
from benchmarks.rig import Rig, rig
from benchmarks.usage import cpu_of_tree

LOAD = Load(50, 100, every=0.25)  # 20,000 readings a second
WINDOWS, READINGS = 6, 40_000  # of each side in a window: two seconds where nothing else runs
TRIES = 3
SETTLES = 120_000  # readings of each side before the first window: a start costs CPU too
GIVE_UP = 300.0  # seconds until that is delivered; fifty times of what it takes
MOST = 0.85
"""CPU of the agent for a reading, as a multiple of the bare one's."""


class Look(NamedTuple):
    """Seconds of CPU used so far, and the readings that the plant has given for it.

    Counted there, and not where they arrive: what is still on its way has cost its CPU already.
    """

    cpu: float
    readings: int


class Side(NamedTuple):
    """One of the two: what it works with, and its process."""

    around: Rig
    process: int

    def look(self) -> Look:
        """Tell how it stands."""
        return Look(cpu_of_tree(self.process), int(self.around.plant.report()["registers"]))

    def arrived(self) -> int:
        """Count what has arrived."""
        return int(self.around.audience.report()["readings"])

    def after(self, readings: int, since: Look) -> Look:
        """Wait until it has delivered so many more, and tell how it stands then.

        Raises:
            TimeoutError: It takes too long.
        """
        give_up = time.monotonic() + GIVE_UP
        while (now := self.look()).readings < since.readings + readings:
            if time.monotonic() > give_up:
                delivered = now.readings - since.readings
                raise TimeoutError(f"{delivered:,} of {readings:,} readings in {GIVE_UP:g} s")
            time.sleep(0.05)
        return now


def costs() -> list[tuple[float, float]]:
    """Measure each window: seconds of CPU for a reading, of the agent and of the bare one."""
    with contextlib.ExitStack() as stack:
        agent_rig = stack.enter_context(rig(gateway.here(), LOAD, "counting"))
        bare_rig = stack.enter_context(rig(gateway.here(), LOAD, "counting"))
        agent = Side(agent_rig, agent_rig.start_agent().number)
        numbers = (bare_rig.broker.port, LOAD.registers, LOAD.every, *bare_rig.plant.ports)
        words = [sys.executable, str(BARE), *map(str, numbers)]
        bare = Side(bare_rig, stack.enter_context(running(words, {}, bare_rig.folder)).pid)
        sides = (agent, bare)
        for side in sides:
            side.after(SETTLES, Look(0.0, 0))
        found = [_window(*sides) for _ in range(WINDOWS)]
        for side in sides:
            if side.arrived() < READINGS:
                raise RuntimeError("it reads, but does not deliver")
        return found


def _window(agent: Side, bare: Side) -> tuple[float, float]:
    early = agent.look(), bare.look()
    for side, since in zip((agent, bare), early, strict=True):
        side.after(READINGS, since)
    late = agent.look(), bare.look()
    own, floor = (
        (end.cpu - begin.cpu) / (end.readings - begin.readings)
        for begin, end in zip(early, late, strict=True)
    )
    return own, floor


def main() -> int:
    """Measure, print, and tell whether it is enough."""
    with gateway.alone():
        for _ in range(TRIES):
            own, floor = map(min, zip(*costs(), strict=True))
            sys.stdout.write(
                f"CPU for 1,000 readings: agent {own * 1e6:.2f} ms, bare pymodbus and paho-mqtt "
                f"{floor * 1e6:.2f} ms, ratio {own / floor:.2f}; at most {MOST}\n"
            )
            sys.stdout.flush()
            if own / floor <= MOST:
                return 0
    sys.stdout.write("dearer than it was: `make bench ARGS=figures` and a profiler show where\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
