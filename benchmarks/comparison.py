"""The same work done by the agent, by others, and by the least that could do it, in turns.

All are measured in each round, beside a fixed piece of work, because the speed of a machine changes
by the minute: the ratios of one round are worth more than any number of milliseconds.
"""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.calibration import naive_ms
from benchmarks.configuration import Load
from benchmarks.peers import FLOOR, Peer
from benchmarks.rig import Rig, rig
from benchmarks.table import Figures
from benchmarks.usage import cpu_of_tree, memory_mb

FIRST_SECONDS = 60.0  # until a peer has delivered something
END_SECONDS = 10.0
WARM_UP = 6.0  # seconds beyond the first reading


class Cost(NamedTuple):
    """What one of them took.

    Attributes:
        cpu_ms: CPU of its whole tree of processes for 1,000 readings that arrived.
        delivered: Readings per second that arrived.
        memory: Resident megabytes of the process that was started.
        first: Seconds from its start to its first reading.
    """

    cpu_ms: float
    delivered: float
    memory: float
    first: float


def round_of(
    program: Path, load: Load, seconds: float, others: Sequence[Peer], figures: Figures
) -> None:
    """Measure the agent, the floor and the others once."""
    calibration = naive_ms()
    own = of_agent(program, load, seconds)
    costs = {"edge-agent": own}
    for peer in (FLOOR, *others):
        costs[peer.name] = of_peer(program, peer, load, seconds)
    calibration = (calibration + naive_ms()) / 2
    figures.note("naive encoding of 1,000 readings, for scale", calibration, "ms")
    for name, cost in costs.items():
        most = 3.0 if name == "edge-agent" else None
        figures.note(f"{name}: CPU per 1,000 readings", cost.cpu_ms, "ms", most=most)
        figures.note(
            f"{name}: the same, as a multiple of edge-agent", cost.cpu_ms / own.cpu_ms, "x"
        )
        figures.note(f"{name}: delivered", cost.delivered, "per s")
        figures.note(f"{name}: resident memory", cost.memory, "MB")
        figures.note(f"{name}: start to first reading", cost.first, "s")


def of_agent(program: Path, load: Load, seconds: float) -> Cost:
    """Measure the agent."""
    with rig(program, load, "counting") as around:
        agent = around.start_agent()
        first = around.first_reading(agent)
        return _window(around, agent.number, seconds, first)


def of_peer(program: Path, peer: Peer, load: Load, seconds: float) -> Cost:
    """Measure another program on the same plant and broker."""
    peer.install()
    behind_one = Load(1, load.registers, load.every)
    with rig(program, behind_one if peer.shared else load, "counting") as around:
        start = peer.command(around.folder, load, around.plant.ports, around.broker.port)
        with running(start.words, start.variables, around.folder) as process:
            begin = time.time()
            first = _first(around, process, begin) - begin
            return _window(around, process.pid, seconds, first)


def _window(around: Rig, process: int, seconds: float, first: float) -> Cost:
    time.sleep(WARM_UP)
    before, used, begin = around.audience.report(), cpu_of_tree(process), time.monotonic()
    time.sleep(seconds)
    spent, passed = cpu_of_tree(process) - used, time.monotonic() - begin
    arrived = around.audience.report()["readings"] - before["readings"]
    if not arrived:
        raise RuntimeError("nothing arrives")
    return Cost(spent * 1e6 / arrived, arrived / passed, memory_mb(process), first)


@contextmanager
def running(
    words: Sequence[str | Path], variables: Mapping[str, str], folder: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a program for this block; what it says goes into `peer.log` of the folder."""
    with (folder / "peer.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own words
            list(words), cwd=folder, env={**os.environ, **variables}, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _first(around: Rig, process: "subprocess.Popen[bytes]", begin: float) -> float:
    while (at := around.audience.report()["first_at"]) is None:
        if process.poll() is not None or time.time() - begin > FIRST_SECONDS:
            log = (around.folder / "peer.log").read_text(errors="replace")
            raise RuntimeError(f"it delivers nothing: {log[-2000:]}")
        time.sleep(0.02)
    return float(at)
