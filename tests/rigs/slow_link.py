"""A TCP proxy that lets everything arrive later, such as a radio link with 1.2 s of round trip."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def slow_link(upstream: int, round_trip: float) -> AsyncIterator[int]:
    """Pass connections on to a port of this machine, each way late by half a round trip.

    What is sent meanwhile travels behind, as on a real link: delay is no lack of bandwidth.

    Args:
        upstream: The port passed on to.
        round_trip: Seconds.

    Yields:
        The port to connect to.
    """
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", upstream)
        both = (
            _pass_on(reader, up_writer, round_trip / 2),
            _pass_on(up_reader, writer, round_trip / 2),
        )
        mine = {asyncio.ensure_future(way) for way in both}
        tasks.update(mine)
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait(mine)
        for stream in (writer, up_writer):
            stream.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, late: float) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    while data := await _read(reader):
        loop.call_later(late, _write, writer, data)
    loop.call_later(late, ended.set)
    await ended.wait()
    writer.close()


async def _read(reader: asyncio.StreamReader) -> bytes:
    with contextlib.suppress(OSError):
        return await reader.read(65536)
    return b""


def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    if not writer.is_closing():
        writer.write(data)
