"""Brings bytes in from a serial port or a TCP connection. No meaning here, only the wire."""

import asyncio
import contextlib
import errno
import os
import socket
import termios
from abc import ABC, abstractmethod
from typing import Protocol, cast

import serial

from edge_agent.driver import ConnectionLost
from edge_agent_serial.config import SerialSettings

READ_SIZE = 4096

_PARITY = {"none": serial.PARITY_NONE, "even": serial.PARITY_EVEN, "odd": serial.PARITY_ODD}

# TCP keep-alive in seconds: a converter that vanished is noticed after a minute, not hours.
_KEEP_ALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}


class Receiver(Protocol):
    """Who wants to know what comes in."""

    def receive(self, data: bytes) -> None:
        """Take bytes, in any pieces."""

    def lose(self, reason: str) -> None:
        """Take note that nothing will come any more."""


class Link(ABC):
    """An open way to the instrument."""

    @abstractmethod
    def send(self, data: bytes) -> None:
        """Send a request. Raises ConnectionLost if the link does not take it."""

    @abstractmethod
    async def close(self) -> None:
        """Give the link up. Safe to call twice."""


async def open_link(settings: SerialSettings, receiver: Receiver) -> Link:
    """Open what the settings name.

    Raises:
        ConnectionLost: It cannot be opened; the message says what to do.
    """
    if settings.transport == "serial":
        return PortLink(_open_port(settings), receiver)
    return await _connect(settings, receiver)


class PortLink(Link):
    """A serial port, whose file descriptor is in the event loop."""

    def __init__(self, port: serial.Serial, receiver: Receiver) -> None:
        self._port = port
        self._receiver = receiver
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(port.fileno(), self._take)

    def _take(self) -> None:
        try:
            data = os.read(self._port.fileno(), READ_SIZE)
        except BlockingIOError:
            return
        # a pulled adapter raises termios.error, which is no OSError
        except (OSError, termios.error) as error:
            self._stop(str(error))
            return
        if not data:
            self._stop("the adapter is gone")
            return
        self._receiver.receive(data)

    def _stop(self, reason: str) -> None:
        self._loop.remove_reader(self._port.fileno())
        self._receiver.lose(
            f"the port {self._port.name} is lost ({reason}): is it still plugged in?"
        )

    def send(self, data: bytes) -> None:
        try:
            sent = os.write(self._port.fileno(), data)
        except (OSError, termios.error) as error:
            raise ConnectionLost(f"the port {self._port.name} takes no request: {error}") from error
        if sent < len(data):
            raise ConnectionLost(
                f"the port {self._port.name} took {sent} of {len(data)} bytes: is the line blocked?"
            )

    async def close(self) -> None:
        if self._port.is_open:
            self._loop.remove_reader(self._port.fileno())
            with contextlib.suppress(OSError, termios.error):  # it may be unplugged
                self._port.close()


def _open_port(settings: SerialSettings) -> serial.Serial:
    try:
        return serial.Serial(
            port=str(settings.port),
            baudrate=settings.baud,
            bytesize=settings.data_bits,
            parity=_PARITY[settings.parity],
            stopbits=settings.stop_bits,
            timeout=0,
            exclusive=True,
        )
    except (OSError, termios.error, ValueError) as error:
        raise ConnectionLost(_port_failure(settings, error)) from error


def _port_failure(settings: SerialSettings, error: Exception) -> str:
    port = settings.port
    number = error.args[0] if error.args and isinstance(error.args[0], int) else None
    advice = {
        errno.ENOENT: "there is no such port: is the adapter plugged in? see ls /dev/serial/by-id",
        errno.EACCES: "no permission: add the agent's user to the group that owns it (dialout)",
        errno.EAGAIN: "another program uses it: stop that program, or a second agent",
        errno.EBUSY: "another program uses it: stop that program, or a second agent",
        errno.EINVAL: f"it cannot do {_characters(settings)}: check baud, data_bits and parity",
    }.get(number or 0, f"{error}")
    return f"the port {port} cannot be opened: {advice}"


def _characters(settings: SerialSettings) -> str:
    parity = settings.parity[0].upper()
    return f"{settings.baud} baud {settings.data_bits}{parity}{settings.stop_bits}"


class SocketLink(Link, asyncio.Protocol):
    """A TCP connection to a converter or instrument."""

    def __init__(self, place: str, receiver: Receiver) -> None:
        self._place = place
        self._receiver = receiver
        self._transport: asyncio.Transport | None = None
        self._closed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        _keep_alive(transport.get_extra_info("socket"))

    def data_received(self, data: bytes) -> None:
        self._receiver.receive(data)

    def connection_lost(self, error: Exception | None) -> None:
        self._closed.set()
        self._receiver.lose(f"{self._place} closed the connection ({error or 'no reason given'})")

    def send(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            raise ConnectionLost(f"the connection to {self._place} is closed")
        self._transport.write(data)

    async def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()
            await self._closed.wait()


async def _connect(settings: SerialSettings, receiver: Receiver) -> Link:
    place = settings.line()
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(settings.timeout):
            _, link = await loop.create_connection(
                lambda: SocketLink(place, receiver), str(settings.host), int(settings.port)
            )
    except TimeoutError as error:
        raise ConnectionLost(
            f"{place} does not answer within {settings.timeout:g} s: check cable and address"
        ) from error
    except socket.gaierror as error:
        raise ConnectionLost(f"the host {settings.host!r} is unknown: check the name") from error
    except OSError as error:
        raise ConnectionLost(
            f"{place} refuses the connection ({error.strerror}): check the port, and whether "
            "another client holds the only connection"
        ) from error
    return link


def _keep_alive(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, seconds in _KEEP_ALIVE.items():
        connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), seconds)
