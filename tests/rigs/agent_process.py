"""The agent as it really runs: `edge-agent run` in a process of its own, with its log."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from edge_agent import control
from tests.rigs.until import until

HURRIED = Path(__file__).with_name("hurried_agent.py")
# No claim becomes weaker: what would be a minute of waiting in the field is a moment here.
HURRY = {
    "edge_agent.publisher.FIRST_DELAY": 0.05,
    "edge_agent.publisher.LAST_DELAY": 0.5,
    "edge_agent.poller.FIRST_DELAY": 0.05,
    "edge_agent.poller.LAST_DELAY": 0.5,
}
# What was read a second ago, instead of ten, is historical.
HURRY_HISTORY = {"edge_agent.reader.LIVE_SECONDS": 1, "edge_agent.lanes.LIVE_SECONDS": 1}


class AgentProcess:
    """Starts, stops and asks an agent; its buffer stays in the folder between starts.

    Args:
        folder: Where its configuration and its buffer are.
        config: The configuration; `agent` and the buffer's path are filled in.
        hurry: Constants of the agent to change, by their full names.
        environment: More variables of its environment.
        wrapper: Words of a command that runs it.

    Attributes:
        log: Every line it logged, decoded.
    """

    def __init__(
        self,
        folder: Path,
        config: dict[str, Any],
        hurry: dict[str, float] | None = None,
        environment: dict[str, str] | None = None,
        wrapper: tuple[str, ...] = (),
    ) -> None:
        self.folder = folder
        self.file = folder / "agent.yaml"
        self.buffer = folder / "buffer"
        self.log: list[dict[str, Any]] = []
        self.hurry = {**HURRY, **(hurry or {})}
        self._environment = environment or {}
        self._wrapper = wrapper
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self.write(config)

    def write(self, config: dict[str, Any]) -> None:
        """Write the configuration; JSON is YAML."""
        whole = {"version": 1, "agent": {"id": "gw", "site": "test"}, **config}
        whole["buffer"] = {"path": str(self.buffer), "flush": "1s", **config.get("buffer", {})}
        self.file.write_text(json.dumps(whole, indent=1))

    async def start(self) -> None:
        """Start it; `ready` waits for the rest."""
        words = [f"{name}={seconds}" for name, seconds in self.hurry.items()]
        # -P: what stands beside the script must not hide modules of the standard library.
        self._process = await asyncio.create_subprocess_exec(
            *self._wrapper,
            *(sys.executable, "-P", HURRIED, *words, "--", "run", "-c", self.file),
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **self._environment},
            limit=1 << 20,
        )
        self._reading = asyncio.create_task(self._read_log())

    async def _read_log(self) -> None:
        async for line in self._process.stderr:
            try:
                self.log.append(json.loads(line))
            except ValueError:
                self.log.append({"event": "no log line", "text": line.decode()})

    async def ready(self, seconds: float = 60) -> None:
        """Wait until it polls."""
        await until(lambda: self.running and self._answers(), seconds)

    def _answers(self) -> bool:
        with suppress(OSError, ValueError):
            return self.status()["agent"]["state"] == "polling"
        return False

    @property
    def running(self) -> bool:
        """Whether the process lives; an AssertionError with its log where it fell over."""
        code = self._process.returncode
        assert code is None or code <= 0, f"the agent ended with {code}: {self.log[-5:]}"
        return code is None

    @property
    def pid(self) -> int:
        return self._process.pid

    def status(self) -> dict[str, Any]:
        """Ask it how it stands."""
        return control.ask(self.buffer / control.SOCKET)

    @property
    def readings(self) -> int:
        """How many readings it made since its start."""
        return self.status()["agent"]["readings"]

    def events(self, name: str) -> list[dict[str, Any]]:
        """Give the log lines of an event."""
        return [line for line in self.log if line["event"] == name]

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    async def kill(self) -> None:
        """End it as a power cut would end a process."""
        with suppress(ProcessLookupError):
            self._process.kill()
        await self.ended()

    async def stop(self) -> float:
        """Stop it as systemd does; give the seconds it took."""
        began = time.monotonic()
        self._process.terminate()
        async with asyncio.timeout(60):
            await self.ended()
        assert self._process.returncode == 0, self.log[-5:]
        return time.monotonic() - began

    async def ended(self) -> None:
        """Wait for its end, and the end of its log."""
        await self._process.wait()
        await self._reading

    def memory_mb(self, kind: str = "VmRSS") -> float:
        """Give megabytes of its memory; `VmHWM` is the most it ever was."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        fields = dict(line.split(":", 1) for line in lines)
        return int(fields[kind].split()[0]) * 1024 / 1e6

    def disk_bytes(self) -> int:
        """Give the bytes of all files of its buffer."""
        return sum(file.stat().st_size for file in self.buffer.iterdir() if file.is_file())


def configure(port: int, *connections: dict[str, Any], **mqtt: Any) -> dict[str, Any]:
    """Make a configuration for a broker on this machine."""
    return {
        "mqtt": {"url": f"mqtt://127.0.0.1:{port}", **mqtt},
        "buffer": {"flush": "200ms"},
        "connections": list(connections),
    }


@asynccontextmanager
async def agent(
    folder: Path,
    config: dict[str, Any],
    hurry: dict[str, float] | None = None,
    environment: dict[str, str] | None = None,
    wrapper: tuple[str, ...] = (),
) -> AsyncIterator[AgentProcess]:
    """Run an agent until the block ends."""
    process = AgentProcess(folder, config, hurry, environment, wrapper)
    await process.start()
    try:
        await process.ready()
        yield process
    finally:
        await process.kill()
