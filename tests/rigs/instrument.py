"""Instruments that speak lines of text: on a pseudo-terminal or behind TCP."""

import asyncio
import contextlib
import os
import tty
from collections.abc import Callable


class Instrument:
    """What every instrument can do; where bytes go is up to the two below.

    Attributes:
        answer: Gives the answer to a request, or None for silence.
        requests: What was asked.
    """

    def __init__(self) -> None:
        self.answer: Callable[[bytes], bytes | None] = lambda _: None
        self.requests: list[bytes] = []
        self.asked = asyncio.Event()
        self._streaming: asyncio.Task[None] | None = None

    def send(self, data: bytes) -> None:
        raise NotImplementedError

    def hear(self, data: bytes) -> None:
        self.requests.append(data)
        self.asked.set()
        answer = self.answer(data)
        if answer is not None:
            self.send(answer)

    def silence(self) -> None:
        """Say nothing from now on; the link stays up."""
        self.answer = lambda _: None
        if self._streaming is not None:
            self._streaming.cancel()

    def stream(self, line: bytes, every: float = 0.02) -> None:
        """Say the same again and again."""
        self._streaming = asyncio.ensure_future(self._stream(line, every))

    async def _stream(self, line: bytes, every: float) -> None:
        while True:
            self.send(line)
            await asyncio.sleep(every)

    async def cut(self) -> None:
        """Take the instrument away with its link."""
        if self._streaming is not None:
            self._streaming.cancel()
            await asyncio.gather(self._streaming, return_exceptions=True)


class PtyInstrument(Instrument):
    """An instrument on a serial port: `port` is its path."""

    def __init__(self) -> None:
        super().__init__()
        self._master, port_end = os.openpty()
        tty.setraw(port_end)
        self.port = os.ttyname(port_end)
        os.close(port_end)
        os.set_blocking(self._master, False)
        asyncio.get_running_loop().add_reader(self._master, self._take)
        self._away = False

    def _take(self) -> None:
        with contextlib.suppress(OSError):  # nobody has the port open
            if data := os.read(self._master, 4096):
                self.hear(data)

    def send(self, data: bytes) -> None:
        with contextlib.suppress(BlockingIOError):  # nobody reads: lost, as on a real line
            os.write(self._master, data)

    async def cut(self) -> None:
        await super().cut()
        if not self._away:
            self._away = True
            asyncio.get_running_loop().remove_reader(self._master)
            os.close(self._master)


class TcpInstrument(Instrument):
    """An instrument behind a converter that listens at `port` on this machine."""

    def __init__(self) -> None:
        super().__init__()
        self.port = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with contextlib.suppress(OSError):
            while data := await reader.read(4096):
                self.hear(data)
        self._writers.discard(writer)
        writer.close()

    def send(self, data: bytes) -> None:
        for writer in self._writers:
            writer.write(data)

    async def cut(self) -> None:
        await super().cut()
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
