"""A TCP endpoint whose answers a test decides byte by byte: right, late, short, foreign, none."""

import asyncio
import struct
from collections.abc import Callable, Sequence

Pieces = Sequence[tuple[float, bytes]]
"""What to send: after so many seconds, these bytes."""

Script = Callable[[bytes], Pieces]
"""Makes the answer to one request frame, as it came over the wire."""


class TcpPeer:
    """Listens on a free port and answers by a script, which a test may exchange at any time."""

    def __init__(self, script: Script, request_size: int = 12) -> None:
        self.script = script
        self.requests: list[bytes] = []
        self.connects = 0
        self._request_size = request_size
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self.hang_up()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    def hang_up(self) -> None:
        """Close the connections that are open and go on listening."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connects += 1
        self._writers.add(writer)
        try:
            while True:
                request = await reader.readexactly(self._request_size)
                self.requests.append(request)
                self._spawn(self._send(writer, self.script(request)))
        except (asyncio.IncompleteReadError, OSError):
            writer.transport.abort()

    def _spawn(self, sending) -> None:
        task = asyncio.ensure_future(sending)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, writer: asyncio.StreamWriter, pieces: Pieces) -> None:
        for delay, data in pieces:
            await asyncio.sleep(delay)
            if not writer.is_closing():
                writer.write(data)


def mbap(number: int, unit: int, pdu: bytes) -> bytes:
    return struct.pack(">HHHB", number, 0, len(pdu) + 1, unit) + pdu


def take_mbap(frame: bytes) -> tuple[int, int, bytes]:
    """Transaction number, unit and PDU of a frame."""
    number, _, _, unit = struct.unpack_from(">HHHB", frame)
    return number, unit, frame[7:]
