"""A small file in memory that tells other tools on this gateway how the agent is.

It stands in the service's runtime folder, is replaced as a whole, and is renewed at least every
half minute: an older one means that the agent is gone or hangs.
"""

import contextlib
import os
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import structlog

from edge_agent import __version__, control
from edge_agent.agent import Agent
from edge_agent.mounts import mount_of

FILE = "health.json"
LOOK_SECONDS = 2.0
"""Seconds between looks; what changed in between is one change."""
RENEW_SECONDS = 30.0
"""Seconds after which it is written anew although nothing changed."""
MODE = 0o644  # it holds no secret; the folder decides who may look


def describe(agent: Agent) -> dict[str, Any]:
    """Say how an agent is in a few words; times are ms since 1970 UTC."""
    stuck = agent.stuck() if agent.is_polling else None
    why = _trouble(agent, stuck)
    return {
        "v": 1,
        "state": "polling" if agent.is_polling else "opening",
        "health": "stuck" if stuck else "degraded" if why else "ok",
        "why": why,
        "id": agent.identity.id,
        "version": __version__,
        "pid": os.getpid(),
        "since": agent.started,
        "broker": agent.publisher.state if agent.is_polling else "waiting",
        "devices": dict(sorted(_states(agent).items())),
    }


def _trouble(agent: Agent, stuck: str | None) -> str:
    if not agent.is_polling:
        return agent.obstacle
    return f"{stuck} makes no progress" if stuck else agent.buffer.trouble


def _states(agent: Agent) -> Counter[str]:
    return Counter(
        str(standing.state)
        for one in agent.running.values()
        for standing in one.poller.devices.values()
    )


def _counts(agent: Agent) -> dict[str, Any]:
    """Give what always changes, and is therefore no reason to write."""
    polling = agent.is_polling
    return {
        "now": agent.clock.now(),
        "last_ack": agent.publisher.last_ack if polling else None,
        "waiting": agent.buffer.waiting if polling else None,
    }


class HealthFile:
    """Keeps the file up to date. Nothing happens where there is no folder in memory for it."""

    def __init__(self, folder: Path | None = None) -> None:
        folder = folder or control.RUNTIME_FOLDER
        self._path = folder / FILE if _is_suitable(folder) else None
        self._said: dict[str, Any] = {}
        self._written_at = float("-inf")

    def look(self, agent: Agent) -> None:
        """Write the file if there is something new to say, or if it is time."""
        said, now = describe(agent), agent.clock.mono()
        if self._path is None or (said == self._said and now < self._written_at + RENEW_SECONDS):
            return
        try:
            replace(self._path, msgspec.json.encode({**said, **_counts(agent)}) + b"\n")
        except OSError as error:
            structlog.get_logger().warning("no_health_file", why=str(error))
            self._path = None
        self._said, self._written_at = said, now

    def remove(self) -> None:
        """Take the file away: the agent ends."""
        if self._path is not None:
            with contextlib.suppress(OSError):
                self._path.unlink()


def replace(path: Path, content: bytes) -> None:
    """Put a file in place as a whole, readable for all who may look into its folder.

    Raises:
        OSError: It cannot be written.
    """
    draft = path.with_name(f".{path.name}.new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, MODE)
    with os.fdopen(handle, "wb") as file:
        os.fchmod(handle, MODE)  # whatever the umask says
        file.write(content)
    draft.replace(path)


def _is_suitable(folder: Path) -> bool:
    """Tell whether it can be written to without wearing out a card."""
    mount = mount_of(folder)
    return os.access(folder, os.W_OK) and mount is not None and mount.in_memory
