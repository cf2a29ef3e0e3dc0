"""The network between the agent and a broker: slow, silent, cut, or refusing, as a test says."""

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

CHUNK = 1400  # bytes: about what one packet carries
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with RST


class Network:
    """Listens on a port of its own and passes on to `upstream`, a port on this machine.

    Attributes:
        port: Where it listens.
        upstream: Where new connections go to; may change at any time.
        rate: Bytes per second in each direction; None does not limit.
        delay: Seconds that each packet travels.
        loss: Share of packets that are sent twice, half a second later: what TCP makes of loss.
        refusing: New connections are reset at once.
        connects: How many connections were tried.
        carried: Bytes that went towards the broker, as they were, for looking at.
        first_bytes: With which byte each connection to the broker began.
    """

    def __init__(self, upstream: int, host: str = "127.0.0.1", port: int = 0) -> None:
        self.upstream = upstream
        self.host, self.port = host, port
        self.rate: float | None = None
        self.delay = self.loss = 0.0
        self.refusing = False
        self._passing = asyncio.Event()
        self._passing.set()
        self.connects: list[float] = []
        self.carried = bytearray()
        self.first_bytes: set[int] = set()
        self._dead: set[asyncio.StreamWriter] = set()
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._chance = random.Random(1)

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """End every connection and accept no more."""
        if self._server is not None:
            self._server.close()
        self.reset()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def silence(self) -> None:
        """Drop every byte from now on; nobody is told. Open connections never work again."""
        self._passing.clear()
        self._dead |= self._open

    def heal(self) -> None:
        """Pass new connections on, also those that were begun during the silence."""
        self._passing.set()

    def reset(self) -> None:
        """Reset every connection."""
        for writer in tuple(self._open):
            _reset(writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connects.append(asyncio.get_running_loop().time())
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await self._connect(reader, writer)
        finally:
            self._tasks.discard(task)
            _reset(writer)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            return
        await self._passing.wait()
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        both = {writer, up_writer}
        self._open |= both
        pumps = [
            asyncio.create_task(self._pump(reader, up_writer, self.carried)),
            asyncio.create_task(self._pump(up_reader, writer, None)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            self._open -= both
            self._dead -= both
            _reset(up_writer)

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        carried: bytearray | None,
    ) -> None:
        """Pass packets on, each in its turn and at its time."""
        loop = asyncio.get_running_loop()
        road: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(64)  # a full road stops the sender
        driving = asyncio.create_task(self._deliver(road, writer))
        free_at, is_first = 0.0, carried is not None
        try:
            while data := await reader.read(CHUNK):
                if is_first:
                    self.first_bytes.add(data[0])
                    is_first = False
                if carried is not None:
                    carried += data
                free_at = max(free_at, loop.time()) + (len(data) / self.rate if self.rate else 0)
                again = 0.5 if self._chance.random() < self.loss else 0.0
                await road.put((free_at + self.delay + again, data))
        finally:
            driving.cancel()
            await asyncio.gather(driving, return_exceptions=True)

    async def _deliver(
        self, road: "asyncio.Queue[tuple[float, bytes]]", writer: asyncio.StreamWriter
    ) -> None:
        loop = asyncio.get_running_loop()
        while True:
            at, data = await road.get()
            if (wait := at - loop.time()) > 0:
                await asyncio.sleep(wait)
            if writer not in self._dead:
                writer.write(data)
                await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()


@asynccontextmanager
async def network(upstream: int, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Network]:
    """Put a network in front of a port."""
    between = Network(upstream, host, port)
    await between.start()
    try:
        yield between
    finally:
        await between.stop()
