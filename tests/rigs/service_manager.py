"""A service manager as far as a watched service needs one: it listens, and restarts on silence.

Source: sd_notify(3), systemd.service(5) on WatchdogSec and Type=notify.
"""

import asyncio
import signal
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.rigs.agent_process import AgentProcess


class ServiceManager:
    """Runs an agent; when nothing is heard for the watchdog's time it is aborted and started anew.

    Attributes:
        heard: What was said, with the instant (time.monotonic).
        restarts: The instants at which the agent was started anew.
    """

    def __init__(self, folder: Path, watchdog: float) -> None:
        self.watchdog = watchdog
        self.heard: list[tuple[float, str]] = []
        self.restarts: list[float] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind(str(folder / "notify"))
        self._news = asyncio.Event()
        self.environment = {
            "NOTIFY_SOCKET": str(folder / "notify"),
            "WATCHDOG_USEC": str(int(watchdog * 1e6)),
        }

    @asynccontextmanager
    async def watching(self, gateway: AgentProcess) -> AsyncIterator[None]:
        """Watch a started agent until the block ends."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._socket, self._listen)
        task = asyncio.create_task(self._watch(gateway))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            loop.remove_reader(self._socket)
            self._socket.close()

    async def _watch(self, gateway: AgentProcess) -> None:
        await self._ready(0.0)
        while True:
            self._news.clear()
            try:
                async with asyncio.timeout(self.watchdog):
                    await self._news.wait()
            except TimeoutError:
                gateway.send(signal.SIGABRT)
                await gateway.ended()
                self.restarts.append(time.monotonic())
                await gateway.start()
                await self._ready(self.restarts[-1])

    async def _ready(self, since: float) -> None:
        """Wait for the end of the start: the watchdog's time begins there."""
        while not self.said("READY=1", since):
            self._news.clear()
            await self._news.wait()

    def said(self, line: str, since: float = 0.0) -> list[float]:
        """Give the instants at which a line was said."""
        return [at for at, heard in self.heard if heard == line and at >= since]

    def _listen(self) -> None:
        for line in self._socket.recv(65536).decode().splitlines():
            self.heard.append((time.monotonic(), line))
            if line in {"WATCHDOG=1", "READY=1"}:
                self._news.set()
