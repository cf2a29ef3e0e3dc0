"""A real broker: mosquitto on a free port of this machine."""

import asyncio
import contextlib
import os
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

ATTEMPTS = 5  # another test may take the port between our look and mosquitto's


def find() -> str | None:
    """Find the program; Debian keeps it where a user's shell does not look."""
    return shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")


@asynccontextmanager
async def mosquitto(folder: Path, *lines: str, port: int = 0) -> AsyncIterator[int]:
    """Run a broker with these lines of configuration, on a free port or this one; gives it."""
    process, port = await _started(folder, lines, port)
    reader = asyncio.ensure_future(process.stderr.read())  # so that its log never fills the pipe
    try:
        yield port
    finally:
        await _stop(process)
        await reader


async def _stop(process: asyncio.subprocess.Process) -> None:
    """End it; a signal that comes right after its "running" line is lost on mosquitto 2.0.11."""
    while process.returncode is None:
        process.terminate()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await process.wait()


async def _started(
    folder: Path, lines: tuple[str, ...], wanted: int
) -> tuple[asyncio.subprocess.Process, int]:
    program = find()
    assert program, "mosquitto is not installed here; `make test` installs it"
    for _ in range(ATTEMPTS):
        port = wanted or _free_port()
        file = folder / f"mosquitto-{port}.conf"
        file.write_text("\n".join([f"listener {port} 127.0.0.1", *lines, ""]))
        process = await asyncio.create_subprocess_exec(
            program, "-c", file, stderr=asyncio.subprocess.PIPE
        )
        said = b""
        async for line in process.stderr:
            said += line
            if b" running" in line:
                return process, port
        await process.wait()
    raise AssertionError(f"mosquitto did not start: {said.decode()}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
