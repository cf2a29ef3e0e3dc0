"""The same work done by the agent, by others, and by the least that could do it, in turns.

All are measured in each round, each after a fixed piece of work, because the speed of a machine
changes by the minute: the ratios of one round are worth more than any number of milliseconds. Each
round begins with another of them.
"""

import os
import statistics
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.calibration import PACE, naive_ms
from benchmarks.configuration import Load
from benchmarks.peers import FLOOR, MODPOLL, Peer
from benchmarks.rig import Rig, rig
from benchmarks.table import Figures
from benchmarks.thingsboard import WAYS
from benchmarks.usage import cpu_of_tree, memory_mb, usage

AGENT = "edge-agent"
OTHERS = (MODPOLL, *WAYS)

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
        written: Bytes that it wrote to disk for each reading that arrived.
    """

    cpu_ms: float
    delivered: float
    memory: float
    first: float
    written: float


def round_of(
    program: Path, load: Load, seconds: float, others: Sequence[Peer], turn: int, figures: Figures
) -> None:
    """Measure the agent, the floor and the others once, beginning with another one each `turn`."""
    contenders: list[Peer | None] = [None, FLOOR, *others]
    begin = turn % len(contenders)
    costs: dict[Peer | None, Cost] = {}
    paces = []
    for peer in contenders[begin:] + contenders[:begin]:
        paces.append(naive_ms())
        costs[peer] = (
            of_peer(program, peer, load, seconds) if peer else of_agent(program, load, seconds)
        )
    figures.note(PACE, statistics.median(paces), "ms")
    for peer in contenders:
        _tell(peer.name if peer else AGENT, costs[peer], costs[None], load, figures)


def _tell(name: str, cost: Cost, own: Cost, load: Load, figures: Figures) -> None:
    most = 3.0 if name == AGENT else None
    figures.note(f"{name}: CPU per 1,000 readings", cost.cpu_ms, "ms", most=most)
    if name != AGENT:
        ratio = cost.cpu_ms / own.cpu_ms
        figures.note(f"{name}: the same, as a multiple of {AGENT}", ratio, "x")
    share = 100 * cost.delivered * load.every / load.points
    figures.note(f"{name}: delivered", cost.delivered, "per s")
    figures.note(f"{name}: share of what was asked for", share, "%")
    figures.note(f"{name}: written to disk", cost.written, "bytes per reading")
    figures.note(f"{name}: resident memory", cost.memory, "MB")
    figures.note(f"{name}: start to first reading", cost.first, "s")


def versions() -> list[str]:
    """Name the others that are installed, with their versions; each once."""
    known = {peer.wants: peer for peer in (FLOOR, *OTHERS) if peer.is_installed}
    return [peer.version() for peer in known.values()]


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
    written = usage(process).written
    time.sleep(seconds)
    spent, passed = cpu_of_tree(process) - used, time.monotonic() - begin
    arrived = around.audience.report()["readings"] - before["readings"]
    written = usage(process).written - written
    if not arrived:
        raise RuntimeError("nothing arrives")
    each = spent * 1e6 / arrived
    return Cost(each, arrived / passed, memory_mb(process), first, written / arrived)


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
