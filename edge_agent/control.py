"""The socket through which `edge-agent status` asks the running daemon. It takes no commands."""

import asyncio
import contextlib
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
) -> AsyncIterator[None]:
    """Answer everyone who connects with one JSON line, while the block runs.

    Args:
        buffer_folder: Where the socket stands if there is no runtime folder to write to.
        describe: Makes what is answered.

    Raises:
        OSError: No socket can be made.
    """

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(ConnectionError):
            writer.write(msgspec.json.encode(describe()) + b"\n")
            await writer.drain()

    in_runtime, in_buffer = candidates(buffer_folder)
    path = in_runtime if os.access(in_runtime.parent, os.W_OK) else in_buffer
    path.unlink(missing_ok=True)
    server = await asyncio.start_unix_server(answer, path)
    path.chmod(0o660)
    try:
        yield
    finally:
        server.close()
        path.unlink(missing_ok=True)


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
