"""The gateway as the checks see it: its configuration, its daemon, its unit, its system files."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from edge_agent.config.loading import Inspection
from edge_agent.config.model import Config

UNIT = "edge-agent"
DEFAULT_BUFFER = Path("/var/lib/edge-agent")
PATIENCE = 5.0  # seconds for a command of the system
PROPERTIES = (
    "LoadState", "ActiveState", "SubState", "UnitFileState", "NRestarts", "MainPID", "DynamicUser",
    "User", "SupplementaryGroups",
)  # fmt: skip


class Identity(NamedTuple):
    """As whom the service runs; uid is None where that is decided at its start."""

    uid: int | None
    groups: frozenset[int]

    def may_read(self, found: os.stat_result, bits: int = 4) -> bool:
        """Tell whether the mode of a file lets it be read, as far as a mode says so."""
        if self.uid == 0:
            return True
        if found.st_uid == self.uid:
            return bool(found.st_mode >> 6 & bits == bits)
        shift = 3 if found.st_gid in self.groups else 0
        return found.st_mode >> shift & bits == bits


@dataclass(frozen=True)
class Gateway:
    """What is known before the checks begin.

    Attributes:
        file: The configuration's.
        inspection: What the file was found to be.
        status: What the running daemon says of itself; None where none answers.
        unit: Properties of the service; None where systemd does not run.
        root: Where the system's own files are seen.
    """

    file: Path
    inspection: Inspection
    status: dict[str, Any] | None = None
    unit: dict[str, str] | None = None
    root: Path = Path("/")

    @property
    def config(self) -> Config | None:
        """The configuration, if it has no mistakes."""
        return self.inspection.config

    @property
    def buffer(self) -> Path:
        """The folder of the buffer."""
        return self.config.buffer.path if self.config else DEFAULT_BUFFER

    @property
    def is_service(self) -> bool:
        """Whether the agent is, or would be, started by systemd."""
        return bool(self.unit) and self.unit_says("LoadState") == "loaded"

    def unit_says(self, name: str) -> str:
        """Give a property of the service; empty where there is none."""
        return (self.unit or {}).get(name, "")

    def text(self, path: str) -> str:
        """Give what one of the system's files says; empty where it says nothing."""
        try:
            return (self.root / path).read_text(errors="replace").strip("\x00\n ")
        except OSError:
            return ""

    @cached_property
    def identity(self) -> Identity:
        """As whom the agent runs, or would run; who asks, where that is not told."""
        process = self.unit_says("MainPID") or "0"
        if process != "0" and (running := _identity_of(self.text(f"proc/{process}/status"))):
            return running
        if not self.is_service:
            return Identity(os.geteuid(), frozenset({os.getegid(), *os.getgroups()}))
        groups = self.unit_says("SupplementaryGroups").split()
        known = frozenset(filter(None, (self._group_id(name) for name in groups)))
        if self.unit_says("DynamicUser") == "yes":
            return Identity(None, known)
        try:
            user = pwd.getpwnam(self.unit_says("User") or "root")
        except KeyError:
            return Identity(None, known)
        return Identity(user.pw_uid, known | {user.pw_gid})

    def _group_id(self, name: str) -> int | None:
        for line in self.text("etc/group").splitlines():
            fields = line.split(":")
            if fields[0] == name:
                return int(fields[2])
        return None


def unit_properties() -> dict[str, str] | None:
    """Ask systemd about the service; None where it does not run here."""
    if not Path("/run/systemd/system").is_dir():
        return None
    names = [f"--property={name}" for name in PROPERTIES]
    said = output("systemctl", "show", UNIT, *names)
    return dict(line.split("=", 1) for line in said.splitlines() if "=" in line) or None


def output(*command: str, seconds: float = PATIENCE) -> str:
    """Give what a command of the system prints; empty where it fails, hangs, or is not there."""
    try:
        ran = subprocess.run(  # noqa: S603 - fixed words, no shell
            command, capture_output=True, text=True, timeout=seconds, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ran.stdout if ran.returncode == 0 else ""


def _identity_of(status: str) -> Identity | None:
    """Read who a process is. Source: proc_pid_status(5)."""
    lines = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    try:
        uid = int(lines["Uid"].split()[1])
        groups = {int(one) for one in lines["Groups"].split()} | {int(lines["Gid"].split()[1])}
    except (KeyError, ValueError, IndexError):
        return None
    return Identity(uid, frozenset(groups))
