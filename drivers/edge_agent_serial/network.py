"""Instruments on the network: we call, or they call us; datagrams have a module of their own."""

import asyncio
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import cast

from edge_agent.driver import ConnectionLost
from edge_agent.language import _, refusal
from edge_agent_serial import datagrams
from edge_agent_serial.allowed import Allowed
from edge_agent_serial.config import SerialSettings
from edge_agent_serial.link import Link, Receiver
from edge_agent_serial.own_socket import OwnSocket, why_not_listening

# TCP keep-alive in seconds: a converter that vanished is noticed after a minute, not hours.
_KEEP_ALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
# Who calls us is noticed sooner: as long as it seems to be there its new call is refused.
_KEEP_ALIVE_OF_CALLERS = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}


class SocketLink(OwnSocket[asyncio.Transport], asyncio.Protocol):
    """A TCP connection to a converter or instrument, whoever began it."""

    def __init__(self, place: str, receiver: Receiver) -> None:
        super().__init__(receiver)
        self.place = place

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        _keep_alive(transport.get_extra_info("socket"), _KEEP_ALIVE)

    def data_received(self, data: bytes) -> None:
        self._receiver.receive(data)

    def connection_lost(self, error: Exception | None) -> None:
        self._lose(
            _("{place} closed the connection ({error})").format(
                place=self.place, error=error or _("no reason given")
            )
        )

    def send(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            raise ConnectionLost(_("the connection to {place} is closed").format(place=self.place))
        self._transport.write(data)


async def _call(settings: SerialSettings, receiver: Receiver, evidence: "Counter[str]") -> Link:
    place = settings.line()
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(settings.timeout):
            _transport, link = await loop.create_connection(
                lambda: SocketLink(place, receiver), str(settings.host), int(settings.port)
            )
    except TimeoutError as error:
        raise ConnectionLost(
            _("{place} does not answer within {timeout:g} s: check cable and address").format(
                place=place, timeout=settings.timeout
            )
        ) from error
    except socket.gaierror as error:
        raise ConnectionLost(
            _("the host {host!r} is unknown: check the name").format(host=settings.host)
        ) from error
    except OSError as error:
        raise ConnectionLost(
            _(
                "{place} refuses the connection ({error}): check the port, and whether "
                "another client holds the only connection"
            ).format(place=place, error=refusal(error))
        ) from error
    return link


class ServerLink(Link):
    """One caller whom we listen to; whoever else calls is refused and counted."""

    def __init__(
        self, settings: SerialSettings, receiver: Receiver, evidence: "Counter[str]"
    ) -> None:
        self._place = settings.line()
        self._allowed = Allowed(settings.allow)
        self._receiver = receiver
        self._evidence = evidence
        self._server: asyncio.Server | None = None
        self._peer: _Caller | None = None
        self._connected = asyncio.Event()

    async def listen(self, address: str, port: int) -> None:
        """Listen until `close`."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Caller(self, self._receiver), address, port, backlog=4
        )

    async def wait_for_a_caller(self, patience: float) -> None:
        """Wait until somebody is connected; TimeoutError if nobody is in time."""
        async with asyncio.timeout(patience):
            await self._connected.wait()

    def admit(self, caller: "_Caller", address: str) -> bool:
        """Tell whether this one is listened to."""
        if address not in self._allowed:
            self._evidence["stranger"] += 1
            return False
        if self._peer is not None:
            self._evidence["second_peer"] += 1
            return False
        self._peer = caller
        self._connected.set()
        return True

    def send(self, data: bytes) -> None:
        if self._peer is None:
            raise ConnectionLost(_("nobody is connected to {place}").format(place=self._place))
        self._peer.send(data)

    async def close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
        if self._peer is not None:
            await self._peer.close()
        if server is not None:
            await server.wait_closed()


class _Caller(SocketLink):
    """A connection that the other side began."""

    def __init__(self, host: ServerLink, receiver: Receiver) -> None:
        super().__init__("", receiver)
        self._host = host
        self._is_admitted = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        address, port = transport.get_extra_info("peername")[:2]
        self.place = f"{address}:{port}"
        self._is_admitted = self._host.admit(self, address)
        if self._is_admitted:
            _keep_alive(transport.get_extra_info("socket"), _KEEP_ALIVE_OF_CALLERS)
        else:
            cast(asyncio.Transport, transport).abort()

    def data_received(self, data: bytes) -> None:
        if self._is_admitted:
            super().data_received(data)

    def connection_lost(self, error: Exception | None) -> None:
        if self._is_admitted:
            super().connection_lost(error)


async def _be_called(
    settings: SerialSettings, receiver: Receiver, evidence: "Counter[str]"
) -> Link:
    link = ServerLink(settings, receiver, evidence)
    try:
        await link.listen(settings.listening_at, int(settings.port))
        await link.wait_for_a_caller(settings.timeout)
    except TimeoutError as error:
        await link.close()
        raise ConnectionLost(
            _(
                "nobody has called {line}: enter this gateway's address and the port "
                "{port} in the converter or instrument, and see that no firewall is "
                "between"
            ).format(line=settings.line(), port=settings.port),
            retry_after=0.0,  # who calls meanwhile would be refused
        ) from error
    except OSError as error:
        await link.close()
        raise ConnectionLost(why_not_listening(settings, error)) from error
    except asyncio.CancelledError:
        await link.close()
        raise
    return link


def _keep_alive(connection: socket.socket, times: Mapping[str, int]) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, seconds in times.items():
        connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), seconds)


OPENERS: Mapping[str, Callable[[SerialSettings, Receiver, "Counter[str]"], Awaitable[Link]]] = {
    "tcp": _call,
    "tcp-server": _be_called,
    "udp": datagrams.exchange,
}
"""Transport -> what opens it."""
