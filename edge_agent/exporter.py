"""Hands the metrics to who asks: over a port of this machine alone, or in a file.

The port answers GET /metrics and nothing else. It is bound to a loopback address; the name by which
it was asked must be one too, so that no web page can read it by a name of its own (DNS rebinding).
"""

import asyncio
import contextlib
import ipaddress
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import structlog

from edge_agent.config.model import Metrics
from edge_agent.health import replace
from edge_agent.metrics import CONTENT_TYPE

MOST_AT_ONCE = 8
LONGEST_REQUEST = 8192  # bytes; Prometheus sends about 300
PATIENCE = 5.0  # seconds for a request, and for taking the answer
FILE_SECONDS = 15.0  # between two writes of the file
RETRY_SECONDS = 10.0  # until a port in use, or a full disk, is tried again

Answer = tuple[str, bytes]
BAD, FORBIDDEN, UNKNOWN = "400 Bad Request", "403 Forbidden", "404 Not Found"
NOT_ALLOWED = "405 Method Not Allowed"


class Exporter:
    """Hands out what `text` makes, until `run` is cancelled."""

    def __init__(self, settings: Metrics, text: Callable[[], str]) -> None:
        self.port = 0
        self._settings, self._text = settings, text
        self._answering = 0
        self._log = structlog.get_logger().bind(part="metrics")

    async def run(self) -> None:
        """Serve and write, as far as it is configured; what fails is said and tried again."""
        async with asyncio.TaskGroup() as both:
            if self._settings.listen is not None:
                both.create_task(self._keep_trying(self._serve))
            if self._settings.file is not None:
                both.create_task(self._keep_trying(self._write))

    async def _keep_trying(self, work: Callable[[], Coroutine[Any, Any, None]]) -> NoReturn:
        said = ""
        while True:
            try:
                await work()
            except OSError as error:
                if str(error) != said:
                    self._log.warning("no_metrics", why=str(error), then="tried again")
                said = str(error)
                await asyncio.sleep(RETRY_SECONDS)

    # --- the file ------------------------------------------------------------------------------

    async def _write(self) -> None:
        file = self._settings.file or Path()
        try:
            while True:
                await asyncio.to_thread(replace, file, self._text().encode())
                await asyncio.sleep(FILE_SECONDS)
        except asyncio.CancelledError:
            with contextlib.suppress(OSError):
                file.unlink()  # else it would be taken for the present
            raise

    # --- the port ------------------------------------------------------------------------------

    async def _serve(self) -> None:
        host, port = self._settings.listen or ("", 0)
        server = await asyncio.start_server(self._answer, host, port, limit=LONGEST_REQUEST)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            await server.serve_forever()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._answering >= MOST_AT_ONCE:
            writer.close()
            return
        self._answering += 1
        try:
            async with asyncio.timeout(PATIENCE):
                status, body = await self._answer_to(reader)
                writer.write(_response(status, body))
                await writer.drain()
        except (OSError, TimeoutError, EOFError):
            pass  # who asked is gone, or slow: there is nobody to tell
        finally:
            self._answering -= 1
            writer.close()

    async def _answer_to(self, reader: asyncio.StreamReader) -> Answer:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            return BAD, b""
        if refused := refusal(head):
            return refused, b""
        return "200 OK", self._text().encode()


def refusal(head: bytes) -> str:
    """Judge the head of a request; empty where it is to be answered."""
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        return BAD
    if words[0] != "GET":
        return NOT_ALLOWED
    hosts = [line[5:].strip() for line in lines if line[:5].lower() == "host:"]
    if len(hosts) != 1 or not _is_this_machine(hosts[0]):
        return FORBIDDEN
    return "" if words[1].partition("?")[0] == "/metrics" else UNKNOWN


def _is_this_machine(host: str) -> bool:
    with contextlib.suppress(ValueError):
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    return False


def _response(status: str, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {CONTENT_TYPE}\r\nContent-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
