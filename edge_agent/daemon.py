"""The agent as a service: signals, the watchdog, and what tells others how it is."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncGenerator, Coroutine
from pathlib import Path
from typing import Any

import structlog

from edge_agent import control, health
from edge_agent.agent import Agent
from edge_agent.clock import Clock
from edge_agent.config.apart import load
from edge_agent.config.model import Config, Metrics
from edge_agent.errors import ConfigInvalid
from edge_agent.notify import notify, watchdog_interval
from edge_agent.status import describe

NO_WITNESS = (
    'nothing here tells whether the clock is right, so messages say "tq":"unsynced"; '
    "see docs/service.md, The clock"
)


class Daemon:
    """One agent under a service manager. SIGTERM and SIGINT stop it, SIGHUP reloads its file.

    A bug beside the agent, as in a reload, stops it in order and then ends the process: systemd
    starts it again, where a daemon that answers no more signals would go unnoticed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stop = asyncio.Event()
        self._ready = asyncio.Event()
        self._reload = asyncio.Event()
        self._exporting: asyncio.Task[None] | None = None
        self._log = structlog.get_logger().bind(part="daemon")

    async def run(self, config: Config) -> None:
        """Run until a signal says to stop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload.set)
        clock = Clock()
        if not clock.witness:
            self._log.warning("clock_unknown", then=NO_WITNESS)
        agent = Agent(config, clock)
        running = asyncio.create_task(agent.run(config, self._stop, self._ready))
        helpers = [
            self._help(self._look_after(agent, config)),
            self._help(self._feed_watchdog(agent)),
            self._help(self._keep_health_file(agent)),
        ]
        try:
            await running
        finally:
            notify("STOPPING=1")
            for helper in helpers:
                helper.cancel()
            ended = await asyncio.gather(*helpers, return_exceptions=True)
        for bug in ended:
            if isinstance(bug, Exception):
                raise bug

    def _help(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        helper = asyncio.create_task(work)
        helper.add_done_callback(self._stop_on_a_bug)
        return helper

    def _stop_on_a_bug(self, helper: asyncio.Task[None]) -> None:
        if not helper.cancelled() and (bug := helper.exception()) is not None:
            self._log.critical("bug", why=repr(bug), then="the agent stops and is started anew")
            self._stop.set()

    async def _look_after(self, agent: Agent, config: Config) -> None:
        """Say that the agent is ready, answer `status`, and reload on demand."""
        notify("STATUS=opening the buffer")
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self._stop_exporting)
            self._export(agent, config)
            socket = await self._answer_questions(agent, stack)
            await self._ready.wait()
            notify("READY=1", "STATUS=polling")
            if socket is None or not socket.exists():  # the disk it belongs on came only now
                await self._answer_questions(agent, stack)
            await self._reload_on_demand(agent)

    async def _answer_questions(
        self, agent: Agent, stack: contextlib.AsyncExitStack
    ) -> Path | None:
        """Open the control socket, where that is possible."""
        try:
            return await stack.enter_async_context(
                control.served(agent.limits.path, lambda: describe(agent), _watch(agent))
            )
        except OSError as error:
            if self._ready.is_set():
                self._log.warning("no_control_socket", why=str(error))
            return None

    def _export(self, agent: Agent, config: Config) -> None:
        if config.metrics == Metrics():
            return
        # A gateway that nobody asks for metrics need not hold what makes them: 0.1 MB.
        from edge_agent.exporter import Exporter  # noqa: PLC0415
        from edge_agent.metrics import exposition  # noqa: PLC0415

        exporter = Exporter(config.metrics, lambda: exposition(describe(agent)))
        self._exporting = self._help(exporter.run())

    async def _stop_exporting(self) -> None:
        if self._exporting is not None:
            self._exporting.cancel()
            await asyncio.gather(self._exporting, return_exceptions=True)
            self._exporting = None

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
        await self._stop_exporting()
        self._export(agent, config)
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

    async def _keep_health_file(self, agent: Agent) -> None:
        file = health.HealthFile()
        try:
            while True:
                file.look(agent)
                await asyncio.sleep(health.LOOK_SECONDS)
        finally:
            file.remove()


def _watch(agent: Agent) -> control.Watch:
    """Let others see what is read; before the buffer is open nothing is."""

    def watch(device: str) -> AsyncGenerator[dict[str, Any], None]:
        if not agent.is_polling:
            return control.nothing_to_watch(device)
        return agent.recorder.onlookers.watch(device)

    return watch
