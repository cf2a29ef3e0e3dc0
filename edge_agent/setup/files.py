"""Puts secrets into files that only their owner may read."""

from pathlib import Path

from edge_agent.versions import write_whole

FILE = "file:"  # before the path at which a secret stands, in answers
SECRET_MODE = 0o600


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
        write_whole(path, secret.encode(), like=path, mode=SECRET_MODE)
        return path

    def _place_for(self, secret: bytes) -> Path:
        path, number = self._folder / self._name, 1
        while path.exists() and path.read_bytes() != secret:
            number += 1
            path = self._folder / f"{self._name}-{number}"
        return path
