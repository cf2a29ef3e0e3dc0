"""Readings reach a broker through a WebSocket, plain and with TLS, and none hangs up unnoticed."""

import asyncio
import getpass
import socket
import threading
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from edge_agent_simulated import SimulatedSettings, SineAddress

from edge_agent.agent import Agent
from edge_agent.clock import Clock
from edge_agent.config.model import (
    AgentIdentity,
    BufferLimits,
    Config,
    Connection,
    Device,
    Mqtt,
    Point,
)
from edge_agent.errors import BrokerUnavailable
from edge_agent.mqtt import Session
from tests.rigs.certificates import Authority
from tests.rigs.mosquitto import mosquitto
from tests.rigs.until import until

OPEN = ("allow_anonymous true", f"user {getpass.getuser()}")
WILL = ("will", b"")


def configuration(folder, mqtt):
    points = (Point("wave", SineAddress(amplitude=2), every=0.01),)
    link = Connection("line", "simulated", SimulatedSettings(), (Device("a", points),))
    return Config(AgentIdentity("gw", "site"), mqtt, BufferLimits(folder / "buffer"), (link,))


@asynccontextmanager
async def websockets(folder, *lines):
    """Run a broker that has a WebSocket; mosquitto 2.0.11 starts only with a plain port besides."""
    async with AsyncExitStack() as stack:
        for last in (False, False, False, False, True):  # another test may take our port
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = free.getsockname()[1]
            listener = f"listener {port} 127.0.0.1", "protocol websockets", *lines
            try:
                await stack.enter_async_context(mosquitto(folder, *OPEN, *listener))
                break
            except AssertionError:
                if last:
                    raise
        yield port


async def delivered(config, count):
    """Run an agent until the broker has acknowledged so many messages."""
    agent, stop = Agent(config, Clock()), asyncio.Event()
    task = asyncio.create_task(agent.run(config, stop))
    try:
        await until(lambda: task.done() or agent.is_polling)
        await until(lambda: task.done() or agent.buffer.last_seq - agent.buffer.waiting > count)
    finally:
        stop.set()
        await asyncio.wait_for(task, 60)


async def test_readings_pass_through_a_websocket(tmp_path):
    async with websockets(tmp_path) as port:
        mqtt = Mqtt("127.0.0.1", port, client_id="gw", websocket_path="/mqtt")
        await delivered(configuration(tmp_path, mqtt), 100)


async def test_readings_pass_through_a_websocket_with_tls(tmp_path):
    authority = Authority(tmp_path, "authority")
    async with websockets(tmp_path, *authority.issue("broker")) as port:
        mqtt = Mqtt(
            "localhost", port, client_id="gw", websocket_path="/mqtt", tls=True,
            ca_file=authority.file,
        )  # fmt: skip
        await delivered(configuration(tmp_path, mqtt), 100)


async def test_a_port_that_hangs_up_instead_of_a_websocket_costs_one_try(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up():
            with server.accept()[0] as peer:
                peer.recv(1000)

        thread = threading.Thread(target=hang_up)
        thread.start()
        port = server.getsockname()[1]
        session = Session(Mqtt("127.0.0.1", port, client_id="gw", websocket_path="/"), "5", WILL)
        with pytest.raises(BrokerUnavailable, match="before there was a WebSocket"):
            await session.open()
        await session.close()
        thread.join()
    names = lambda: {one.name for one in threading.enumerate()}  # noqa: E731
    await until(lambda: "mqtt-connect" not in names())
