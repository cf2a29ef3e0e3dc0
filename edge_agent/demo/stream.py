"""Serves the scale as a stream of text lines over TCP, as serial device servers do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from edge_agent.demo.conversations import Conversations
from edge_agent.demo.machines import Scale
from edge_agent.demo.ports import HOST, known_or_any

EVERY = 0.2  # seconds between lines


def line(scale: Scale) -> str:
    """Write the weight as the A&D standard format does: stable or not, sign, digits, unit."""
    return f"{'ST' if scale.stable else 'US'},{scale.weight:+09.3f}  kg\r\n"


@asynccontextmanager
async def serve(scale: Scale, port: int) -> AsyncIterator[int]:
    """Serve the scale at this port, or another if it is taken, and give the port."""
    talking = Conversations()

    def connected(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talking.begin(_talk(scale, writer))

    server = await asyncio.start_server(connected, HOST, known_or_any(port))
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await talking.end()
        await server.wait_closed()


async def _talk(scale: Scale, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            writer.write(line(scale).encode("ascii"))
            await writer.drain()
            await asyncio.sleep(EVERY)
    except ConnectionError:  # the listener left
        return
    finally:
        writer.close()
