"""Everything around an agent under test: a plant, a broker, a subscriber, and the agent itself."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import configuration
from benchmarks.broker import Broker
from benchmarks.configuration import Load
from benchmarks.gateway import CACHE, ROOT
from tests.rigs.modbus_plant import Plant, compile_plant

STOP_SECONDS = 20.0
FIRST_READING_SECONDS = 30.0
STATUS_SECONDS = 10.0
DEVICES_OF_A_PLANT = 400  # a listener and a client each, below descriptor 1024
QUIET_SECONDS = 0.5  # nothing new for so long: everything that was sent has arrived


class Audience:
    """The process that subscribes: `subscriber`, which looks at everything, or `counting`."""

    def __init__(self, broker_port: int, module: str = "benchmarks.subscriber") -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own words
            [sys.executable, "-m", module, str(broker_port)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        if self._line() != "ready":
            raise RuntimeError("the subscriber does not get ready")

    @property
    def number(self) -> int:
        """Its process number."""
        return self._process.pid

    def _line(self) -> str:
        return self._process.stdout.readline().strip() if self._process.stdout else ""

    def report(self) -> dict[str, Any]:
        """Ask what has arrived so far; see `Tally.report`."""
        if self._process.stdin is None:
            raise RuntimeError("the subscriber has no ear")
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return dict(json.loads(self._line()))

    def when_quiet(self) -> dict[str, Any]:
        """Ask once nothing new arrives any more."""
        while True:
            report = self.report()
            if report["last_at"] and time.time() - report["last_at"] > QUIET_SECONDS:
                return report
            time.sleep(QUIET_SECONDS / 5)

    def stop(self) -> None:
        """End it."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait(STOP_SECONDS)


class Plants:
    """As many devices as are wanted; libmodbus waits with select(), so one plant has not enough.

    Attributes:
        ports: Of the devices.
    """

    def __init__(self, program: Path, load: Load) -> None:
        sizes = [
            min(DEVICES_OF_A_PLANT, load.devices - first)
            for first in range(0, load.devices, DEVICES_OF_A_PLANT)
        ]
        self._plants = [Plant(program, load.registers, devices=size, moving=True) for size in sizes]
        self.ports = [port for plant in self._plants for port in plant.ports]

    def report(self) -> dict[str, Any]:
        """Ask for the counters, and for the arrivals since the last time."""
        reports = [plant.report() for plant in self._plants]
        return {
            name: sum((one[name] for one in reports[1:]), reports[0][name]) for name in reports[0]
        }

    def stop(self) -> None:
        """End them. Fails if anything but a read arrived."""
        for plant in self._plants:
            plant.stop()


class AgentProcess:
    """`edge-agent run`, as a service manager starts it.

    Attributes:
        started: When, in seconds since 1970.
    """

    def __init__(self, program: Path, config: Path) -> None:
        self._program, self._config = program, config
        self._log = config.with_name("agent.log")
        self.start()

    def start(self) -> None:
        """Start it, also again after `kill`."""
        with self._log.open("ab") as log:
            self.started = time.time()
            self._process = subprocess.Popen(  # noqa: S603 - our own words
                [self._program, "run", "-c", self._config],
                cwd=self._config.parent, env=_environment(), stderr=log,
            )  # fmt: skip

    @property
    def number(self) -> int:
        """Its process number."""
        return self._process.pid

    def status(self) -> dict[str, Any]:
        """Ask it how it stands, with `edge-agent status --json`, as soon as it answers.

        Raises:
            RuntimeError: It has ended, or does not answer.
        """
        give_up = time.monotonic() + STATUS_SECONDS
        while (answer := self._ask()).returncode:
            self.check()
            if time.monotonic() > give_up:
                raise RuntimeError(f"the agent does not answer: {answer.stderr}")
            time.sleep(0.1)
        return dict(json.loads(answer.stdout))

    def _ask(self) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(  # noqa: S603 - our own words
            [self._program, "status", "--json", "-c", self._config],
            cwd=self._config.parent,
            env=_environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    def check(self) -> None:
        """Make sure that it still runs.

        Raises:
            RuntimeError: It does not; its log says why.
        """
        if self._process.poll() is not None:
            raise RuntimeError(f"the agent has ended: {self._log.read_text()[-2000:]}")

    def kill(self) -> None:
        """End it without a warning, as a power cut does."""
        self._process.kill()
        self._process.wait(STOP_SECONDS)

    def end(self) -> None:
        """Let it end properly, and wait for that; what it used can be asked for until `stop`.

        Raises:
            TimeoutError: It does not end.
        """
        self._process.terminate()
        give_up = time.monotonic() + STOP_SECONDS
        while os.waitid(os.P_PID, self.number, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
            if time.monotonic() > give_up:
                raise TimeoutError(f"the agent does not end within {STOP_SECONDS:g} s")
            time.sleep(0.01)

    def stop(self) -> None:
        """End it properly; safe twice.

        Raises:
            RuntimeError: It had ended by itself, or did not end well.
        """
        self._process.terminate()
        if code := self._process.wait(STOP_SECONDS):
            raise RuntimeError(f"the agent ended with {code}: {self._log.read_text()[-2000:]}")


def _environment() -> dict[str, str]:
    """Give the variables without those by which Python would take code from elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


class Rig:
    """A running plant, broker and subscriber, and a way to start agents against them."""

    def __init__(
        self,
        program: Path,
        load: Load,
        folder: Path,
        stack: contextlib.ExitStack,
        audience: str,
    ) -> None:
        self.load = load
        self.folder = folder
        self._program, self._stack = program, stack
        self.plant = Plants(compile_plant(folder), load)
        stack.callback(self.plant.stop)
        self.broker = Broker(folder)
        stack.callback(self.broker.stop)
        self.audience = Audience(self.broker.port, f"benchmarks.{audience}")
        stack.callback(self.audience.stop)
        self._config = configuration.write(folder, load, self.plant.ports, self.broker.port)

    def start_agent(self) -> AgentProcess:
        """Start the agent; it is stopped with the rig at the latest."""
        agent = AgentProcess(self._program, self._config)
        self._stack.callback(agent.stop)
        return agent

    def first_reading(self, agent: AgentProcess) -> float:
        """Wait for the first reading; give the seconds from the agent's start to its arrival.

        Raises:
            RuntimeError: The agent has ended, or nothing comes.
        """
        while (at := self.audience.report()["first_at"]) is None:
            agent.check()
            if time.time() - agent.started > FIRST_READING_SECONDS:
                raise RuntimeError(f"no reading arrives within {FIRST_READING_SECONDS:g} s")
            time.sleep(0.05)
        return float(at) - agent.started


@contextmanager
def rig(program: Path, load: Load, audience: str = "subscriber") -> Iterator[Rig]:
    """Run everything around an agent in a folder of its own; end and remove it afterwards.

    Args:
        program: The command `edge-agent` under test.
        load: What it has to do.
        audience: `subscriber` looks at every message; `counting` only counts, which costs little.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=CACHE) as folder,
        contextlib.ExitStack() as stack,
    ):
        yield Rig(program, load, Path(folder), stack, audience)
