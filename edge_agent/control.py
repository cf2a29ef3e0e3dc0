"""The socket through which `edge-agent status` asks the running daemon. It takes no commands."""

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec

RUNTIME_FOLDER = Path("/run/edge-agent")
SOCKET = "control.sock"
ANSWER_SECONDS = 5.0


def candidates(buffer_folder: Path) -> list[Path]:
    """Give the places where the socket can be, in the order in which they are tried."""
    return [RUNTIME_FOLDER / SOCKET, buffer_folder / SOCKET]


@contextlib.asynccontextmanager
async def served(
    buffer_folder: Path, describe: Callable[[], dict[str, Any]]
) -> AsyncIterator[Path]:
    """Answer everyone who connects with one JSON line, while the block runs.

    Args:
        buffer_folder: Where the socket stands if there is no runtime folder to write to.
        describe: Makes what is answered.

    Yields:
        Where the socket is.

    Raises:
        OSError: No socket can be made, or another agent's is there.
    """

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(ConnectionError):
            writer.write(msgspec.json.encode(describe()) + b"\n")
            await writer.drain()

    in_runtime, in_buffer = candidates(buffer_folder)
    path = in_runtime if os.access(in_runtime.parent, os.W_OK) else in_buffer
    _remove_leftover(path)
    server = await asyncio.start_unix_server(answer, path)
    path.chmod(0o660)
    ours = path.stat().st_ino
    try:
        yield path
    finally:
        server.close()
        with contextlib.suppress(OSError):
            if path.stat().st_ino == ours:
                path.unlink()


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
    raise OSError(errno.EADDRINUSE, "another agent answers there", str(path))


def ask(path: Path) -> dict[str, Any]:
    """Ask a daemon how it stands. Blocks.

    Raises:
        OSError: Nobody listens there.
    """
    with socket.socket(socket.AF_UNIX) as channel:
        channel.settimeout(ANSWER_SECONDS)
        channel.connect(str(path))
        answer = b"".join(iter(lambda: channel.recv(65536), b""))
    return dict(msgspec.json.decode(answer))
