"""Runs the demo: factory, broker, agent and subscriber in one process, until it is stopped."""

import asyncio
import logging
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from edge_agent import agent, config, logs
from edge_agent.config.model import Config
from edge_agent.demo import broker, plant, ports
from edge_agent.demo.audience import Audience
from edge_agent.demo.configuration import AGENT, FILE, SITE, Wiring, lent
from edge_agent.demo.factory import Factory
from edge_agent.demo.plant import Places, Plant
from edge_agent.demo.view import Interpreter, choose, is_screen
from edge_agent.language import _, later, speaking, spoken, use
from edge_agent.payload import root
from edge_agent.subscriber import subscribe

ROOT = root(SITE, AGENT)
EVERYBODY = root(SITE, "#")  # also the user's own agent, once there is one
SIMULATORS = ("amqtt", "asyncua", "pymodbus", "transitions")
TRY = later("try in another terminal, in that folder: edge-agent run -c {file}")
LEAVE = 10.0  # seconds the agent may take to publish what it still has


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user asked for.

    Attributes:
        broker: URL of a broker to use; None starts one.
        folder: Where to leave a configuration for the user's own agent.
        seconds: How long to run from now on; None runs until it is stopped.
        as_json: Print one JSON document per message.
    """

    broker: str | None = None
    folder: Path | None = None
    seconds: float | None = None
    as_json: bool = False


async def run(wishes: Wishes) -> None:
    """Run the demo, and leave nothing behind.

    Raises:
        BrokerUnavailable: The user's broker is not there, or refuses us.
        ConfigInvalid: The user's broker has no valid URL.
    """
    _keep_logs_low()
    stop = asyncio.Event()
    if wishes.seconds is not None:
        asyncio.get_running_loop().call_later(max(0.0, wishes.seconds), stop.set)
    with _signals(stop):
        async with AsyncExitStack() as stack:
            stage = await _build(wishes, stack)
            await stage.play(stop)


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that is open, ready to be played."""

    config: Config
    plant: Plant
    audience: Audience

    async def play(self, stop: asyncio.Event) -> None:
        """Run the agent in the moving factory until told to stop, then let it leave in order."""
        leave = asyncio.Event()
        agent_task = asyncio.create_task(agent.run(self.config, stop=leave))
        endless = (self.plant.run(), self.audience.watch(), self.audience.redraw(), stop.wait())
        tasks = {agent_task, *(asyncio.ensure_future(one) for one in endless)}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # only `stop` may end by itself; a failure ends the demo
            leave.set()
            await asyncio.wait_for(agent_task, LEAVE)
            await self.audience.wait_for_farewell()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _build(wishes: Wishes, stack: AsyncExitStack) -> Stage:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edge-agent-demo-")))
    lines = 1 if wishes.folder is None else 2
    factory = await stack.enter_async_context(plant.serve(Factory(), lines))
    url = wishes.broker or await _start_broker(stack)
    checked = _configure(folder, url, factory.places)
    _tell(
        _("machines: {places}").format(places=factory.places),
        _("broker: {url}, topics {root}/#").format(url=url, root=ROOT),
    )
    if wishes.folder is not None:
        _tell(
            stack.enter_context(lent(wishes.folder, url, factory.places)), _(TRY).format(file=FILE)
        )
    subscriber = await stack.enter_async_context(subscribe(checked.mqtt, EVERYBODY))
    tongue = spoken()
    view = Interpreter(
        choose(as_json=wishes.as_json, title=f"edge-agent demo, {url}", root=ROOT), tongue
    )
    use("en")  # what the agent publishes is the same in every language
    audience = Audience(subscriber, view, ROOT)
    stack.callback(lambda: _tell_in(tongue, audience.tally))
    stack.callback(view.close)
    if wishes.broker is not None:
        stack.push_async_callback(audience.sweep)
    return Stage(checked, factory, audience)


async def _start_broker(stack: AsyncExitStack) -> str:
    port = await stack.enter_async_context(broker.serve(ports.BROKER))
    return f"mqtt://{ports.HOST}:{port}"


def _configure(folder: Path, url: str, places: Places) -> Config:
    file = folder / FILE
    wiring = Wiring(
        AGENT, url, folder / "buffer", Path(places.lines[0]), Path(places.scales[0]), places
    )
    file.write_text(wiring.text(), "utf-8")
    return config.load(file)


def _keep_logs_low() -> None:
    # A warning in between would tear a table apart; the table shows by itself what is down.
    logs.configure("error" if is_screen(sys.stdout) else "warning")
    for name in SIMULATORS:  # they log every client that leaves
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _tell(*sentences: str) -> None:
    for sentence in sentences:
        print(f"demo: {sentence}", file=sys.stderr)  # noqa: T201 - stdout carries messages only


def _tell_in(language: str, tally: object) -> None:
    with speaking(language):
        _tell(str(tally))


@contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    """Turn Ctrl-C, SIGTERM and a closed terminal into an orderly end."""
    loop = asyncio.get_running_loop()
    wanted = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in wanted:
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in wanted:
            loop.remove_signal_handler(number)
