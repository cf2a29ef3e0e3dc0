"""Puts files on the disk, and secrets into files that only their owner may read."""

import os
from pathlib import Path

from edge_agent.reserve import sync_folder

FILE = "file:"  # before the path at which a secret stands, in answers
SECRET_MODE = 0o600
CONFIG_MODE = 0o644  # it holds no secrets, and the service may run as a user of its own


def write_file(path: Path, data: bytes, mode: int) -> None:
    """Write a file and wait until it is on the disk; an old one of that name is overwritten."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)  # whatever the umask is, and whatever the old file had
        file.write(data)
        file.flush()
        os.fsync(descriptor)


class SecretFiles:
    """Keeps one session's secret in a file that only its owner may read.

    Typed again, it replaces what this session wrote. A file from before with another secret is
    never overwritten, since the configuration in force may refer to it.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._mine: Path | None = None

    def keep(self, secret: str) -> Path:
        """Put a secret away and tell where; it is on the disk when this returns."""
        path = self._mine or self._place_for(secret.encode())
        if not path.exists():
            self._mine = path
        write_file(path, secret.encode(), SECRET_MODE)
        sync_folder(self._folder)
        return path

    def _place_for(self, secret: bytes) -> Path:
        path, number = self._folder / self._name, 1
        while path.exists() and path.read_bytes() != secret:
            number += 1
            path = self._folder / f"{self._name}-{number}"
        return path
