"""Serves the whole factory: every machine on its own wire, all on this machine only."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from edge_agent.demo import line, oven, plc, ports, registers, stream
from edge_agent.demo.factory import Factory
from edge_agent.language import _

TICK = 0.1  # seconds
REFRESH_TICKS = 5  # between new values in the OPC UA server


@dataclass(frozen=True, slots=True)
class Places:
    """Where the machines can be reached.

    Attributes:
        press: TCP port of the PLC.
        oven: TCP port of the OPC UA server.
        lines: Paths of the meters' serial lines; every line shows the same two meters, because a
            serial line can have only one reader.
        scales: Paths of the scale's serial lines, of which every one shows the same scale.
    """

    press: int
    oven: int
    lines: tuple[str, ...]
    scales: tuple[str, ...]

    def __str__(self) -> str:
        host = ports.HOST
        return _(
            "press {host}:{press} (Modbus TCP), meters {lines} (Modbus RTU), oven "
            "{host}:{oven} (OPC UA), scale {scales} (Mettler Toledo)"
        ).format(
            host=host,
            press=self.press,
            lines=", ".join(self.lines),
            oven=self.oven,
            scales=", ".join(self.scales),
        )


class Plant:
    """A factory that is being served, and moves while `run` runs."""

    def __init__(self, factory: Factory, oven_server: oven.OvenServer, places: Places) -> None:
        self.factory = factory
        self.places = places
        self._oven = oven_server

    async def run(self) -> None:
        """Let the factory's time pass as fast as ours, until cancelled."""
        loop = asyncio.get_running_loop()
        seen, ticks = loop.time(), 0
        while True:
            if ticks % REFRESH_TICKS == 0:
                await self._oven.refresh()
            await asyncio.sleep(TICK)
            now = loop.time()
            self.factory.step(now - seen)
            seen, ticks = now, ticks + 1


@asynccontextmanager
async def serve(factory: Factory, lines: int = 1) -> AsyncIterator[Plant]:
    """Serve a factory, its meters and its scale on so many serial lines each."""
    meters = {
        1: partial(registers.press_meter, factory),
        2: partial(registers.oven_meter, factory),
    }
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        press = partial(registers.press, factory)
        press_port = await enter(plc.serve(press, ports.PRESS))
        paths = [await enter(line.serve(meters)) for _ in range(lines)]
        scales = [await enter(stream.serve(factory.scale)) for _ in range(lines)]
        oven_server = await enter(oven.serve(factory.oven, ports.OVEN))
        places = Places(press_port, oven_server.port, tuple(paths), tuple(scales))
        yield Plant(factory, oven_server, places)
