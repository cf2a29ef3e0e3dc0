"""Instruments that send datagrams: nobody calls; who is meant is told by an address."""

import asyncio
import socket
from collections import Counter
from typing import cast

from edge_agent.driver import ConnectionLost
from edge_agent.language import _
from edge_agent_serial.allowed import Allowed
from edge_agent_serial.config import SerialSettings
from edge_agent_serial.link import Link, Receiver
from edge_agent_serial.own_socket import OwnSocket, why_not_listening


class DatagramLink(OwnSocket[asyncio.DatagramTransport], asyncio.DatagramProtocol):
    """UDP with one instrument: the one that is named, or the one that spoke last and is allowed."""

    def __init__(
        self, settings: SerialSettings, receiver: Receiver, evidence: "Counter[str]"
    ) -> None:
        super().__init__(receiver)
        self._place = settings.line()
        self._allowed = Allowed(settings.allow)
        self._evidence = evidence
        self._peer: tuple[str | int, ...] | None = None
        self._is_bound = settings.host is None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, source: tuple[str | int, ...]) -> None:
        # To a connected socket the system hands over what its peer sends, and nothing else.
        if self._is_bound and str(source[0]) not in self._allowed:
            self._evidence["stranger"] += 1
            return
        self._peer = source
        self._receiver.receive(data)

    def error_received(self, error: Exception) -> None:
        self._receiver.lose(
            _("{place} does not listen ({error}): check address and port").format(
                place=self._place, error=error
            )
        )

    def connection_lost(self, error: Exception | None) -> None:
        self._lose(
            _("the socket for {place} is closed ({error})").format(
                place=self._place, error=error or _("by us")
            )
        )

    def send(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            raise ConnectionLost(_("the socket for {place} is closed").format(place=self._place))
        if self._is_bound and self._peer is None:
            raise ConnectionLost(
                _("nothing has come to {place} yet: whom to ask is unknown").format(
                    place=self._place
                )
            )
        self._transport.sendto(data, self._peer if self._is_bound else None)


async def exchange(settings: SerialSettings, receiver: Receiver, evidence: "Counter[str]") -> Link:
    """Open a socket for datagrams.

    Raises:
        ConnectionLost: The host is unknown, or the port is taken.
    """
    loop = asyncio.get_running_loop()
    port = int(settings.port)
    try:
        _transport, link = await loop.create_datagram_endpoint(
            lambda: DatagramLink(settings, receiver, evidence),
            local_addr=(settings.listening_at, port) if settings.host is None else None,
            remote_addr=(settings.host, port) if settings.host is not None else None,
        )
    except socket.gaierror as error:
        raise ConnectionLost(
            _("the host {host!r} is unknown: check the name").format(host=settings.host)
        ) from error
    except OSError as error:
        raise ConnectionLost(why_not_listening(settings, error)) from error
    return link
