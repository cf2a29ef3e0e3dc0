"""A TCP relay between a driver and a server: it can be cut, silenced, and sees every byte."""

import asyncio
import contextlib
from collections.abc import Callable


class Relay:
    """Listens on a port of its own and passes bytes on to `upstream`, a port on this machine.

    Attributes:
        port: Where it listens.
        upstream: Where new connections are passed on to; may be changed at any time.
        watch: Called with every piece of bytes on its way to the server.
    """

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.port = 0
        self.watch: Callable[[bytes], None] = lambda _: None
        self._deaf = False
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Relay":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cut()

    async def drop(self) -> None:
        """End all connections; new ones are accepted."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def cut(self) -> None:
        """End all connections and accept no new ones."""
        if self._server is not None:
            self._server.close()
        await self.drop()

    def silence(self) -> None:
        """Swallow everything from now on, while connections stay open."""
        self._deaf = True

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await self._pass_on(reader, writer)
        finally:
            self._tasks.discard(task)
            await _close(writer)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        try:
            done, pending = await asyncio.wait(
                [
                    asyncio.ensure_future(self._pump(reader, up_writer, self._see)),
                    asyncio.ensure_future(self._pump(up_reader, writer, lambda _: None)),
                ],
                return_when=asyncio.FIRST_COMPLETED,
            )
            for task in pending:
                task.cancel()
            await asyncio.gather(*done, *pending, return_exceptions=True)
        finally:
            await _close(up_writer)

    def _see(self, data: bytes) -> None:
        self.watch(data)

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        see: Callable[[bytes], None],
    ) -> None:
        while data := await reader.read(65536):
            see(data)
            if not self._deaf:
                writer.write(data)
                await writer.drain()


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError, asyncio.CancelledError):
        await writer.wait_closed()
