"""Byte links: what carries frames to equipment and back. Thin I/O, no protocol."""

import asyncio
import socket
from abc import ABC, abstractmethod
from typing import Protocol, cast

from edge_agent.driver import ConnectionLost
from edge_agent.language import _

CONNECT_TIMEOUT = 5.0
_MOST_AT_ONCE = 1024  # bytes; several of the longest frames
# A dead peer is noticed after 30 + 3 * 10 s even if nothing is asked (seconds, seconds, count).
_KEEPALIVE = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))


class Receiver(Protocol):
    """Who is told what a link hears."""

    def heard(self, data: bytes) -> None:
        """Bytes have arrived."""

    def lost(self, reason: str) -> None:
        """The link broke; it is told once, and not for a `close`."""


class Link(ABC):
    """A way for bytes, open or not.

    Attributes:
        receiver: Set it before `open`.
    """

    receiver: Receiver

    @abstractmethod
    async def open(self) -> None:
        """Open it.

        Raises:
            ConnectionLost: It cannot be opened; the message says what to do.
        """

    @abstractmethod
    def send(self, data: bytes) -> None:
        """Send bytes without waiting.

        Raises:
            ConnectionLost: The link is closed or broke.
        """

    @abstractmethod
    async def drain(self) -> None:
        """Hand over to the receiver what has arrived already."""

    @abstractmethod
    async def close(self) -> None:
        """Close it; safe at any time."""

    @property
    @abstractmethod
    def is_open(self) -> bool:
        """Tell whether bytes can be sent."""


class TcpLink(Link):
    """A TCP connection."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._stream: _Stream | None = None

    @property
    def is_open(self) -> bool:
        return self._stream is not None and not self._stream.gone.done()

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                transport, self._stream = await loop.create_connection(
                    lambda: _Stream(self.receiver), self._host, self._port
                )
        except TimeoutError as error:
            raise ConnectionLost(
                _(
                    "{host}:{port} does not answer within {connect_timeout:g} s: check "
                    "power, cable and address"
                ).format(host=self._host, port=self._port, connect_timeout=CONNECT_TIMEOUT)
            ) from error
        except OSError as error:
            raise ConnectionLost(_why_refused(self._host, self._port, error)) from error
        _keep_alive(transport.get_extra_info("socket"))

    def send(self, data: bytes) -> None:
        stream = self._stream
        if stream is None or stream.transport is None or stream.gone.done():
            raise ConnectionLost(
                _("{host}:{port} is not connected").format(host=self._host, port=self._port)
            )
        stream.transport.write(data)

    async def drain(self) -> None:
        # The event loop hands over what the socket has: it looks in the first turn, after this task
        # was put in line, and calls in the second.
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is None or stream.transport is None:
            return
        stream.is_closing = True
        stream.transport.abort()  # nothing that matters is ever on its way out
        await stream.gone


class _Stream(asyncio.BufferedProtocol):
    """Passes on what the event loop says about one connection.

    Bytes are received into a buffer of our own: for an ordinary protocol the event loop allocates
    256 KiB for every answer of a few hundred bytes.
    """

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self.transport: asyncio.Transport | None = None
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.is_closing = False
        self._has_heard = False
        self._buffer = bytearray(_MOST_AT_ONCE)

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self._has_heard = True
        self._receiver.heard(bytes(self._buffer[:nbytes]))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # what create_connection makes; another event loop's is no subclass of asyncio's
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.gone.done():
            self.gone.set_result(None)
        if not self.is_closing:
            self._receiver.lost(self._reason(exc))

    def _reason(self, exc: Exception | None) -> str:
        reason = _("it broke: {exc}").format(exc=exc) if exc else _("the other side closed it")
        if self._has_heard:
            return reason
        return _(
            "{reason} before it said anything: check whether another client holds "
            "its only connection (`connection: per_cycle` shares it), and whether it "
            "is Modbus at all"
        ).format(reason=reason)


def _keep_alive(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE:
        if option := getattr(socket, name, None):  # Linux; other systems keep their own times
            sock.setsockopt(socket.IPPROTO_TCP, option, value)


def _why_refused(host: str, port: int, error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError):
        return _(
            "{host}:{port} refuses connections: check the port, whether Modbus TCP "
            "is switched on there, and whether another client holds its only "
            "connection"
        ).format(host=host, port=port)
    if isinstance(error, socket.gaierror):
        return _("the name {host!r} is not known: check `host` and the name server").format(
            host=host
        )
    return _("{host}:{port} cannot be reached ({error}): check network and address").format(
        host=host, port=port, error=error
    )
