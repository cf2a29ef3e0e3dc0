"""What OPC UA costs: changes that a server of another house reports, beside bare asyncua.

The agent watches, and publishes to a broker; bare asyncua only counts what arrives
(`opcua_bare.py`). Both hear the same server one after the other, so that their ratio belongs to one
state of the machine.
"""

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.broker import Broker
from benchmarks.gateway import CACHE, ROOT
from benchmarks.rig import AgentProcess, Audience
from benchmarks.table import Figures
from benchmarks.usage import memory_mb, usage
from tests.rigs.node_opcua import OVEN, NodeOpcUa, running

BARE = Path(__file__).with_name("opcua_bare.py")
TICK = 0.1  # seconds between two handfuls of changes
SETTLES = 5.0  # seconds beside `every`, from the last item's creation until only changes come
ROUNDS = 3  # changes of each node in a window of measurement, at least
GIVE_UP = 120.0


class Case(NamedTuple):
    """So many nodes that change so often.

    Attributes:
        nodes: How many.
        every: Seconds between two changes of one node, and the interval of the subscription.
        watches: Whether changes are reported; else the agent polls.
        most_us: CPU of the agent for one change, in microseconds; None where nothing is demanded.
        most_ratio: The same as a multiple of bare asyncua's.
        most_seconds: From the session's start until everything is watched.
        most_memory: Resident megabytes of the agent.
    """

    nodes: int
    every: float
    watches: bool = True
    most_us: float | None = None
    most_ratio: float | None = None
    most_seconds: float | None = None
    most_memory: float | None = None

    @property
    def name(self) -> str:
        """Say it for people."""
        how = "watched" if self.watches else "polled"
        return f"{self.nodes:,} nodes {how} at {self.every:g} s"


CASES = (
    Case(1_000, 1.0, watches=False),
    Case(1_000, 1.0, most_ratio=1.3, most_us=12),
    Case(10_000, 10.0, most_ratio=1.3, most_us=12, most_seconds=15, most_memory=75),
    Case(10_000, 1.0, most_ratio=1.3, most_us=12, most_seconds=15, most_memory=75),
)


class Cost(NamedTuple):
    """What one of the two took.

    Attributes:
        per_change: Seconds of CPU.
        changes: Per second, as counted at its end.
        memory: Resident megabytes.
        watching: Seconds from its session's start until everything was watched.
    """

    per_change: float
    changes: float
    memory: float
    watching: float


class Watched:
    """Measures the cases, again and again.

    Args:
        program: The command `edge-agent` under test, in an environment with asyncua.
        seconds: How long each window of measurement is.
        figures: Where the values go.
    """

    def __init__(self, program: Path, seconds: float, figures: Figures) -> None:
        self._program, self._seconds = program, seconds
        self._note = figures.note

    def run(self, cases: Sequence[Case] = CASES) -> None:
        """Measure every case once."""
        for case in cases:
            with running(many=case.nodes, fastest=case.every * 1000) as server:
                # A round through all nodes takes `every`.
                server.tick(round(case.nodes * TICK / case.every), TICK)
                self._case(case, server)

    def _case(self, case: Case, server: NodeOpcUa) -> None:
        bare = self._bare(case, server) if case.watches else None
        agent = self._agent(case, server)
        name = case.name
        self._note(f"{name}: readings", agent.changes, "per s")
        self._note(f"{name}: CPU per change", agent.per_change * 1e6, "us", most=case.most_us)
        self._note(f"{name}: resident memory", agent.memory, "MB", most=case.most_memory)
        if bare is None:
            return
        self._note(f"{name}: connect, resolve, watch", agent.watching, "s", most=case.most_seconds)
        self._note(f"{name}: bare asyncua, changes", bare.changes, "per s")
        self._note(f"{name}: bare asyncua, CPU per change", bare.per_change * 1e6, "us")
        self._note(f"{name}: bare asyncua, resident memory", bare.memory, "MB")
        self._note(f"{name}: bare asyncua, connect and watch", bare.watching, "s")
        ratio = agent.per_change / bare.per_change
        self._note(f"{name}: CPU of the agent to bare asyncua", ratio, "x", most=case.most_ratio)

    def _bare(self, case: Case, server: NodeOpcUa) -> Cost:
        with _bare(self._program, case, server) as process:
            watching = float(_line(process).split()[1])
            time.sleep(SETTLES + case.every)
            return self._window(case, process.pid, lambda: _asked(process), watching)

    def _agent(self, case: Case, server: NodeOpcUa) -> Cost:
        CACHE.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.TemporaryDirectory(dir=CACHE) as name,
            contextlib.ExitStack() as stack,
        ):
            broker = Broker(Path(name))
            stack.callback(broker.stop)
            audience = Audience(broker.port)
            stack.callback(audience.stop)
            config = _write(Path(name), case, server, broker.port)
            agent = AgentProcess(self._program, config)
            stack.callback(agent.stop)
            watching = _watched(case, server, agent)
            time.sleep(SETTLES + case.every)
            return self._window(case, agent.number, lambda: _good(audience.report()), watching)

    def _window(self, case: Case, process: int, count: Callable[[], int], watching: float) -> Cost:
        before, used, begin = count(), usage(process), time.monotonic()
        time.sleep(max(self._seconds, ROUNDS * case.every))
        spent, changes = usage(process) - used, count() - before
        if not changes:
            raise RuntimeError("no change arrives")
        seconds = time.monotonic() - begin
        return Cost(spent.cpu / changes, changes / seconds, memory_mb(process), watching)


def _good(report: Mapping[str, int]) -> int:
    return report["readings"] - report["bad"]


def _watched(case: Case, server: NodeOpcUa, agent: AgentProcess) -> float:
    """Wait until the server says that all nodes are watched; give the seconds from the session."""
    give_up = time.monotonic() + GIVE_UP
    began = None
    while True:
        counts = server.counts()
        if began is None and counts["sessions"]:
            began = time.monotonic()
        if began is not None and (not case.watches or counts["items"] >= case.nodes):
            return time.monotonic() - began
        agent.check()
        if time.monotonic() > give_up:
            raise TimeoutError(f"only {counts['items']} of {case.nodes} nodes are watched")
        time.sleep(0.02)


def _write(folder: Path, case: Case, server: NodeOpcUa, broker: int) -> Path:
    watch = "true" if case.watches else "false"
    lines = [
        "version: 1",
        "agent: {id: bench, site: works/bench}",
        f"mqtt: {{url: 'mqtt://127.0.0.1:{broker}'}}",
        f"buffer: {{path: {folder / 'buffer'}}}",
        "connections:",
        "  - name: session",
        "    driver: opcua",
        f"    settings: {{url: '{server.url}', security: none, watch: {watch}}}",
        "    devices:",
        "      - name: machine",
        f"        address: {{namespace: '{OVEN}'}}",
        f"        every: {case.every:g}s",
        "        points:",
        *(f"          value_{number}: {{address: s=v{number}}}" for number in range(case.nodes)),
    ]
    (folder / "buffer").mkdir()
    path = folder / "edge-agent.yaml"
    path.write_text("\n".join(lines) + "\n")
    return path


@contextmanager
def _bare(program: Path, case: Case, server: NodeOpcUa) -> Iterator["subprocess.Popen[str]"]:
    words = (server.url, server.namespace, case.nodes, case.every)
    process = subprocess.Popen(  # noqa: S603 - our own words
        [program.with_name("python"), BARE, *map(str, words)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=sys.stderr, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        process.wait(GIVE_UP)


def _line(process: "subprocess.Popen[str]") -> str:
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        raise RuntimeError("bare asyncua has ended")
    return line


def _asked(process: "subprocess.Popen[str]") -> int:
    if process.stdin is None:
        raise RuntimeError("bare asyncua has no ear")
    process.stdin.write("\n")
    process.stdin.flush()
    return int(_line(process))
