"""A buffer at a standstill: opened while its agent is stopped, for commands. Blocks on disk."""

import asyncio
import contextlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from edge_agent.buffer import Buffer
from edge_agent.clock import Clock
from edge_agent.config.model import BufferLimits
from edge_agent.damage import ERRORS, code
from edge_agent.disk import DATABASE
from edge_agent.errors import BufferUnavailable, EdgeAgentError
from edge_agent.language import _
from edge_agent.recovery import unavailable
from edge_agent.reserve import COPIES
from edge_agent.store import Store


class BufferInUse(EdgeAgentError):  # noqa: N818 - named after what happened
    """The agent runs on the buffer."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            _(
                "the agent runs on {folder} and keeps it for itself: stop it first "
                "(`systemctl stop edge-agent`), then call this again"
            ).format(folder=folder)
        )


def is_there(folder: Path) -> bool:
    """Tell whether a folder holds a buffer."""
    return any((folder / name).exists() for name in (DATABASE, *COPIES))


@dataclass(frozen=True)
class Standstill:
    """A buffer that nobody else uses.

    Attributes:
        folder: Where it is; a copy where the buffer's own folder cannot be written to.
        store: Its database.
        epoch: Of its own numbers.
        used: Bytes in use.
    """

    folder: Path
    store: Store
    epoch: str
    used: int


@contextlib.contextmanager
def standstill(
    limits: BufferLimits, clock: Clock, *, may_copy: bool = False
) -> Iterator[Standstill]:
    """Recover a buffer as the agent's next start would, and keep it for this block alone.

    Args:
        limits: Of the buffer.
        clock: This machine's.
        may_copy: Where the folder cannot be written to, or its card is full, use a copy.

    Raises:
        BufferInUse: The agent runs.
        BufferUnavailable: The buffer cannot be used, or not even be read.
    """
    with contextlib.ExitStack() as stack:
        try:
            epoch, used = _recover(limits, clock)
        except BufferUnavailable:
            if not may_copy:
                raise
            limits = replace(limits, path=stack.enter_context(_copied(limits.path)))
            epoch, used = _recover(limits, clock)
        else:
            stack.callback(give_to_owner, limits.path)
        store = Store(limits.path / DATABASE)
        try:
            store.open()
        except ERRORS as error:
            raise in_words(limits.path, unavailable(limits.path, error), error) from error
        stack.callback(store.close)
        yield Standstill(limits.path, store, epoch, used)


def in_words(folder: Path, problem: EdgeAgentError, cause: BaseException | None) -> EdgeAgentError:
    """Put a problem with a buffer into a command's words: mostly it is only the agent that runs."""
    busy = isinstance(cause, Exception) and code(cause) == sqlite3.SQLITE_BUSY
    return BufferInUse(folder) if busy else problem


def _recover(limits: BufferLimits, clock: Clock) -> tuple[str, int]:
    """Open and close the buffer; give its epoch and the bytes in use."""

    async def recover() -> tuple[str, int]:
        buffer = await Buffer.open(limits, clock)
        found = buffer.epoch, buffer.used
        await buffer.close()
        return found

    try:
        return asyncio.run(recover())
    except BufferUnavailable as error:
        raise in_words(limits.path, error, error.__cause__) from error


@contextlib.contextmanager
def _copied(folder: Path) -> Iterator[Path]:
    """Copy a buffer to where it can be written to."""
    with tempfile.TemporaryDirectory(prefix="edge-agent-") as name:
        copy = Path(name)
        try:
            for file in folder.iterdir():
                if file.is_file() and ".corrupt" not in file.name:  # those are for people
                    shutil.copyfile(file, copy / file.name)
        except OSError as error:
            raise BufferUnavailable(
                _(
                    "the buffer in {folder} cannot be copied to {copy}: {error}; free some "
                    "space there, or name another folder with TMPDIR"
                ).format(folder=folder, copy=copy, error=error)
            ) from error
        yield copy


def give_to_owner(folder: Path) -> None:
    """Let the files belong to whom the folder does, where an administrator calls the command."""
    owner = folder.stat()
    if os.geteuid() == 0:
        for file in folder.iterdir():
            os.chown(file, owner.st_uid, owner.st_gid, follow_symlinks=False)
