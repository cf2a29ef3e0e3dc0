"""The agent as a service: signals, the watchdog, the control socket."""

import asyncio
import signal
from pathlib import Path

import structlog

from edge_agent import control
from edge_agent.agent import Agent
from edge_agent.clock import Clock
from edge_agent.config.apart import load
from edge_agent.config.model import Config
from edge_agent.errors import ConfigInvalid
from edge_agent.notify import notify, watchdog_interval
from edge_agent.status import describe


class Daemon:
    """One agent under a service manager. SIGTERM and SIGINT stop it, SIGHUP reloads its file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stop = asyncio.Event()
        self._ready = asyncio.Event()
        self._reload = asyncio.Event()
        self._log = structlog.get_logger().bind(part="daemon")

    async def run(self, config: Config) -> None:
        """Run until a signal says to stop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload.set)
        agent = Agent(config, Clock())
        running = asyncio.create_task(agent.run(config, self._stop, self._ready))
        helpers = [
            asyncio.create_task(self._look_after(agent)),
            asyncio.create_task(self._feed_watchdog(agent)),
        ]
        try:
            await running
        finally:
            notify("STOPPING=1")
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)

    async def _look_after(self, agent: Agent) -> None:
        """Say that the agent is ready, answer `status`, and reload on demand."""
        notify("STATUS=opening the buffer")
        await self._ready.wait()
        notify("READY=1", "STATUS=polling")
        try:
            async with control.served(agent.limits.path, lambda: describe(agent)):
                await self._reload_on_demand(agent)
        except OSError as error:
            self._log.warning("no_control_socket", why=str(error))
            await self._reload_on_demand(agent)

    async def _reload_on_demand(self, agent: Agent) -> None:
        while True:
            await self._reload.wait()
            self._reload.clear()
            await self._reload_into(agent)

    async def _reload_into(self, agent: Agent) -> None:
        """Load the file anew; a broken one changes nothing."""
        notify("RELOADING=1")
        try:
            config = await asyncio.to_thread(load, self._path)
        except ConfigInvalid as error:
            self._log.error("not_reloaded", why=str(error), running="the old configuration")
            notify("READY=1", "STATUS=polling; the new configuration is broken, see the log")
            return
        changes = await agent.apply(config)
        self._log.info("reloaded", changes=changes or ["nothing"])
        notify("READY=1", "STATUS=polling")

    async def _feed_watchdog(self, agent: Agent) -> None:
        """Tell systemd that we live, but only while every part makes progress."""
        interval = watchdog_interval()
        if interval is None:
            return
        while True:
            if not self._ready.is_set() or (stuck := agent.stuck()) is None:
                notify("WATCHDOG=1")
            else:
                self._log.error("stuck", part_stuck=stuck, then="systemd starts the agent anew")
            await asyncio.sleep(interval)
