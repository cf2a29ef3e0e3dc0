"""Puts secrets that were told in the answers where the agent will look for them."""

import contextlib
from collections.abc import Mapping
from pathlib import Path

from edge_agent.errors import CommandFailed
from edge_agent.language import _
from edge_agent.setup.service import CREDENTIAL_STORE, CREDENTIALS
from edge_agent.versions import write_whole

CONFIG_INVALID = 3  # the published exit code
SECRET_MODE = 0o600


class Deposit:
    """The secrets that were told, in the files in which the agent will look for them.

    Args:
        wanted: File as in the configuration -> secret.
        folder: Of the configuration; relative paths count from there.

    Raises:
        CommandFailed: A secret would go where a template has no business.
    """

    def __init__(self, wanted: Mapping[str, str], folder: Path) -> None:
        self._wanted = {_place(file, folder): secret.encode() for file, secret in wanted.items()}
        self._before: dict[Path, bytes | None] = {}

    @property
    def is_news(self) -> bool:
        """Tell whether a secret is another one than before."""
        return any(_content(file) != secret for file, secret in self._wanted.items())

    def put(self) -> None:
        """Put them in their places.

        Raises:
            OSError: That cannot be done.
        """
        for file, secret in self._wanted.items():
            self._before[file] = _content(file)
            if self._before[file] != secret:
                file.parent.mkdir(mode=0o700, exist_ok=True)
                write_whole(file, secret, like=file, mode=SECRET_MODE)

    def take_back(self) -> None:
        """Put back what was there before, for the configuration before."""
        for file, secret in self._before.items():
            if secret is None:
                file.unlink(missing_ok=True)
            elif _content(file) != secret:
                write_whole(file, secret, like=file, mode=SECRET_MODE)


def _place(file: str, folder: Path) -> Path:
    """Find where a secret is kept: what the service sees as a credential comes from a store.

    A template may come from anywhere, so it must not choose among all the files of this machine.
    """
    path = folder / file
    if path.parent == CREDENTIALS:
        return CREDENTIAL_STORE / f"edge-agent.{path.name}"
    if path.parent == folder and not path.is_symlink():
        return path
    raise CommandFailed(
        _(
            "a secret goes into {folder} or {credentials} only, not into {file}: put it there "
            "yourself, readable only for the agent, and answer file:{file}"
        ).format(folder=folder, credentials=CREDENTIALS, file=file),
        CONFIG_INVALID,
    )


def _content(file: Path) -> bytes | None:
    with contextlib.suppress(FileNotFoundError):
        return file.read_bytes()
    return None
