"""The socket through which the running daemon is asked how it stands, and watched as it reads.

Who connects and sends nothing gets the status, one JSON line. Who sends `watch DEVICE` gets a line
for everything that is read, until one of both ends it. There are no other requests.
"""

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from edge_agent.language import _

RUNTIME_FOLDER = Path("/run/edge-agent")
SOCKET = "control.sock"
ANSWER_SECONDS = 5.0
REQUEST_SECONDS = 0.2  # after which who has sent nothing wants the status
WATCH = b"watch"

Watch = Callable[[str], AsyncGenerator[dict[str, Any], None]]
"""Gives updates of a device, or of all if its name is empty, until it is closed."""


async def nothing_to_watch(device: str) -> AsyncGenerator[dict[str, Any], None]:
    """Give no updates of anything."""
    return
    yield {}


def candidates(buffer_folder: Path) -> list[Path]:
    """Give the places where the socket can be, in the order in which they are tried."""
    return [RUNTIME_FOLDER / SOCKET, buffer_folder / SOCKET]


@contextlib.asynccontextmanager
async def served(
    buffer_folder: Path,
    describe: Callable[[], dict[str, Any]],
    watch: Watch = nothing_to_watch,
) -> AsyncIterator[Path]:
    """Answer everyone who connects, while the block runs.

    Args:
        buffer_folder: Where the socket stands if there is no runtime folder to write to.
        describe: Makes the status.
        watch: Gives what is read from now on.

    Yields:
        Where the socket is.

    Raises:
        OSError: No socket can be made, or another agent's is there.
    """
    desk = _Desk(describe, watch)
    in_runtime, in_buffer = candidates(buffer_folder)
    path = in_runtime if os.access(in_runtime.parent, os.W_OK) else in_buffer
    _remove_leftover(path)
    server = await asyncio.start_unix_server(desk.answer, path)
    path.chmod(0o660)
    ours = path.stat().st_ino
    try:
        yield path
    finally:
        server.close()
        desk.close()
        with contextlib.suppress(OSError):
            if path.stat().st_ino == ours:
                path.unlink()


class _Desk:
    """Answers everyone who connects, each in a task of its own."""

    def __init__(self, describe: Callable[[], dict[str, Any]], watch: Watch) -> None:
        self._describe = describe
        self._watch = watch
        self._talks: set[asyncio.Task[Any]] = set()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        talk = asyncio.current_task()
        assert talk is not None  # noqa: S101 - a coroutine runs in a task
        self._talks.add(talk)
        talk.add_done_callback(self._talks.discard)
        with contextlib.closing(writer), contextlib.suppress(ConnectionError):
            request = await _request(reader)
            if request[:1] == [WATCH]:
                device = b" ".join(request[1:]).decode(errors="replace")
                await _show(self._watch(device), reader, writer)
            else:
                writer.write(msgspec.json.encode(self._describe()) + b"\n")
                await writer.drain()

    def close(self) -> None:
        """End all talks: a daemon that stops waits for no onlooker."""
        for talk in self._talks:
            talk.cancel()


async def _request(reader: asyncio.StreamReader) -> list[bytes]:
    """Give the words of a request; none where nothing is asked."""
    try:
        return (await asyncio.wait_for(reader.readline(), REQUEST_SECONDS)).split()
    except (TimeoutError, ValueError):  # nothing, or something endless
        return []


async def _show(
    updates: AsyncGenerator[dict[str, Any], None],
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    """Write updates until there are none, or until the other side hangs up."""

    async def write() -> None:
        async for update in updates:
            writer.write(msgspec.json.encode(update) + b"\n")
            await writer.drain()

    async def until_hung_up() -> None:
        while await reader.read(1024):
            pass

    writing, hung_up = asyncio.create_task(write()), asyncio.create_task(until_hung_up())
    try:
        await asyncio.wait((writing, hung_up), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (writing, hung_up):
            task.cancel()
        await asyncio.gather(writing, hung_up, return_exceptions=True)
        await updates.aclose()


def _remove_leftover(path: Path) -> None:
    """Remove what a killed agent left; not the socket of one that lives.

    Raises:
        OSError: An agent answers there.
    """
    with socket.socket(socket.AF_UNIX) as channel:
        try:
            channel.connect(str(path))
        except OSError:
            path.unlink(missing_ok=True)
            return
    raise OSError(errno.EADDRINUSE, _("another agent answers there"), str(path))


def ask(path: Path) -> dict[str, Any]:
    """Ask a daemon how it stands. Blocks.

    Raises:
        OSError: Nobody listens there.
    """
    with socket.socket(socket.AF_UNIX) as channel:
        channel.settimeout(ANSWER_SECONDS)
        channel.connect(str(path))
        channel.shutdown(socket.SHUT_WR)  # there is nothing else to ask
        answer = b"".join(iter(lambda: channel.recv(65536), b""))
    return dict(msgspec.json.decode(answer))


def answering(buffer_folder: Path) -> tuple[Path, dict[str, Any]] | None:
    """Find the daemon that runs; give its socket, and how it stands. None if none answers. Blocks.

    Args:
        buffer_folder: Of the configuration it should have.
    """
    for path in candidates(buffer_folder):
        try:
            return path, ask(path)
        except (OSError, ValueError):  # none there, or one that ends while it answers
            continue
    return None


def watched(path: Path, device: str, tick: float) -> Iterator[dict[str, Any] | None]:
    """Watch what a daemon reads, from now on. Blocks.

    Args:
        path: Its socket.
        device: Which device; all if empty.
        tick: Seconds after which None is given where nothing came.

    Ends when the daemon does.

    Raises:
        OSError: Nobody listens there.
    """
    with socket.socket(socket.AF_UNIX) as channel:
        channel.settimeout(ANSWER_SECONDS)
        channel.connect(str(path))
        channel.sendall(b"%b %b\n" % (WATCH, device.encode()))
        channel.settimeout(tick)
        rest = b""
        while True:
            try:
                received = channel.recv(65536)
            except TimeoutError:
                yield None
                continue
            if not received:
                return
            *lines, rest = (rest + received).split(b"\n")
            yield from map(msgspec.json.decode, lines)
