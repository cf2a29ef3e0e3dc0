"""Files of certificates and keys: written whole or not at all; secrets are one user's alone."""

import os
import secrets
import stat
from pathlib import Path

from edge_agent.language import _, refusal

PUBLIC, SECRET = 0o644, 0o600
FOLDER = 0o755


class NotSecret(OSError):  # noqa: N818 - named after what happened
    """A file with a secret can be read by others."""


def read_secret(path: Path) -> bytes:
    """Read a file that only its owner, and root, may read.

    The group root is no stranger: systemd's credentials show themselves as readable by it.

    Raises:
        NotSecret: Others can read it.
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        found = os.fstat(file.fileno())
        strangers = stat.S_IRWXO | (stat.S_IRWXG if found.st_gid else 0)
        if found.st_mode & strangers:
            raise NotSecret(
                _("{path}: others can read it (mode {st_mode:o})").format(
                    path=path, st_mode=stat.S_IMODE(found.st_mode)
                )
            )
        return file.read()


def make_folder(path: Path) -> None:
    """Make a folder and those above it; each belongs to whom the one above belongs to."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(FOLDER, exist_ok=True)
        give_away(path)


def write(path: Path, content: bytes, mode: int = PUBLIC) -> None:
    """Put a file in place as a whole, for good; it belongs to whom its folder belongs to."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        _fill(draft, content, mode)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    settle(path.parent)


def _fill(draft: Path, content: bytes, mode: int) -> None:
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        os.fchmod(handle, mode)  # whatever the umask says
        file.write(content)
        file.flush()
        os.fsync(handle)
    give_away(draft)


def settle(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def give_away(path: Path) -> None:
    """Let root's file belong to the owner of its folder, so that the service can use it."""
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def reason(error: OSError) -> str:
    """Say what went wrong with which file."""
    if isinstance(error, NotSecret) or error.filename is None:
        return str(error)
    return f"{error.filename}: {refusal(error)}"
