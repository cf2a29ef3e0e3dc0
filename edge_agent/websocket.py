"""What paho's WebSocket lacks: an end of its handshake where the other side hangs up."""

import socket
from typing import Any

from edge_agent.access import HungUp


class PlainSocket(socket.socket):
    """Raises while it may block, as in the handshake, what else would be an empty answer.

    paho reads on and on there, a whole core busy and for ever, once nothing comes any more.
    """

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        data = super().recv(bufsize, flags)
        if not data and self.gettimeout() != 0:
            self.close()  # paho would leave it open
            raise HungUp
        return data


def inner(sock: Any) -> Any:
    """Give the socket that carries a WebSocket, which has no other way to it; else the same."""
    return getattr(sock, "_socket", sock)
