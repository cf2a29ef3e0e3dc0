"""Puts files on the disk so that a power cut leaves either the old or the new one."""

import os
import stat
import time
from pathlib import Path

SECRET_MODE = 0o600
CONFIG_MODE = 0o644  # it holds no secrets, and the service may run as a user of its own


def sync_folder(folder: Path) -> None:
    """Make creations and renames in a folder safe."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(new: Path, path: Path) -> Path | None:
    """Put a new file in the place of an old one, in one step.

    Whoever could read the old one can read the new one.

    Returns:
        Where the old one is kept; None if there was none.
    """
    kept = None
    if path.exists():
        kept, old = _keep_aside(path), path.stat()
        os.chown(new, old.st_uid, old.st_gid)
        new.chmod(stat.S_IMODE(old.st_mode))
    new.replace(path)
    sync_folder(path.parent)
    return kept


def _keep_aside(path: Path) -> Path:
    stem = f"{path.name}.bak-{time.strftime('%Y%m%dT%H%M%S')}"
    kept, number = path.with_name(stem), 1
    while kept.exists():
        number += 1
        kept = path.with_name(f"{stem}-{number}")
    # a copy, so that there is no moment without the old one
    write_file(kept, path.read_bytes(), stat.S_IMODE(path.stat().st_mode))
    return kept


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
