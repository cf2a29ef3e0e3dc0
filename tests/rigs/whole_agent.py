"""The whole agent in this process: simulated equipment, a broker's port, a real buffer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

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


def line(name: str, *devices: str, every: float = 0.05) -> Connection:
    """Configure simulated devices of one point each."""
    points = (Point("wave", SineAddress(amplitude=2), every=every),)
    made = tuple(Device(one, points) for one in devices)
    return Connection(name, "simulated", SimulatedSettings(), made)


def configuration(home: Path, port: int, *connections: Connection, **limits: float) -> Config:
    """Configure an agent whose buffer is in `home`."""
    return Config(
        AgentIdentity("gw", "site"),
        Mqtt("127.0.0.1", port, client_id="edge-gw"),
        BufferLimits(home / "buffer", flush=0.2, **limits),
        connections,
    )


@asynccontextmanager
async def running(config: Config, clock: Clock | None = None) -> AsyncIterator[Agent]:
    """An agent at work; stopped as SIGTERM would at the end."""
    agent, stop, ready = Agent(config, clock or Clock()), asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(agent.run(config, stop, ready))
    waiting = asyncio.create_task(ready.wait())
    try:
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        yield agent
    finally:
        stop.set()
        waiting.cancel()
        await asyncio.wait_for(task, 60)
