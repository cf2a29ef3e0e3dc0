"""Moves the bytes of one paho client: it reads and writes when the event loop finds it possible."""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho

from edge_agent.access import TlsSocket
from edge_agent.websocket import inner

Failed = Callable[[Exception], None]


class Pump:
    """Drives a client by the event loop in which it is made, from its connecting on.

    Args:
        client: Its socket callbacks are taken over.
        failed: Called with what a strange broker makes paho raise: it costs the connection.

    Attributes:
        alert: What the broker said when it ended TLS; None if nothing.
    """

    def __init__(self, client: paho.Client, failed: Failed) -> None:
        self._client = client
        self._failed = failed
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self.alert: ssl.SSLError | None = None
        self._writing = False
        self._stopped = False
        client.on_socket_open = self._opened
        client.on_socket_close = self._closed
        client.on_socket_register_write = self._write_wanted
        client.on_socket_unregister_write = self._write_done

    def tick(self) -> None:
        """Send keep-alives and notice a peer that went silent; call about once a second."""
        self._guard(self._client.loop_misc)

    def stop(self) -> None:
        """Send what can be sent at once, and release the socket; safe at any time."""
        self._stopped = True
        with contextlib.suppress(OSError, ValueError):
            self._client.loop_write()
        sock = self._client.socket()
        if sock is not None:
            self._closed(self._client, None, sock)
            with contextlib.suppress(OSError):
                sock.close()

    def _guard(self, work: Callable[[], Any]) -> bool:
        """Run a step of paho; tell whether it went well."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 - paho raises bare exceptions on bad packets
            self._failed(error)
            return False
        return True

    def _readable(self) -> None:
        client = self._client
        while self._guard(client.loop_read):
            sock = inner(client.socket())
            if not isinstance(sock, ssl.SSLSocket) or not sock.pending():
                break

    def _writable(self) -> None:
        client = self._client
        self._guard(client.loop_write)
        sock = client.socket()
        if sock is not None and client.want_write() and not self._writing:
            self._writing = True
            self._loop.add_writer(sock, self._writable)

    # paho calls the following from the connecting thread or from the event loop

    def _in_loop(self, work: Callable[..., Any], *arguments: Any) -> None:
        if threading.get_ident() == self._loop_thread:
            work(*arguments)
        else:
            with contextlib.suppress(RuntimeError):  # the loop may be gone
                self._loop.call_soon_threadsafe(work, *arguments)

    def _opened(self, _client: Any, _data: Any, sock: Any) -> None:
        inner(sock).setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._in_loop(self._watch, sock)

    def _watch(self, sock: Any) -> None:
        if self._stopped:
            sock.close()
        else:
            self._loop.add_reader(sock, self._readable)

    def _closed(self, _client: Any, _data: Any, sock: Any) -> None:
        if isinstance(tls := inner(sock), TlsSocket):
            self.alert = tls.last_words()
        if sock.fileno() >= 0:
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)
        self._writing = False

    def _write_wanted(self, _client: Any, _data: Any, _sock: Any) -> None:
        # Not add_writer: what is published in one turn of the loop goes out together after it.
        if threading.get_ident() == self._loop_thread:
            self._loop.call_soon(self._writable)
        else:
            self._in_loop(self._writable)

    def _write_done(self, _client: Any, _data: Any, sock: Any) -> None:
        if self._writing:
            self._writing = False
            self._loop.remove_writer(sock)
