"""Whether a file that holds a secret is one user's alone."""

import os
import stat
from pathlib import Path

from edge_agent.language import _


class Exposed(OSError):  # noqa: N818 - named after what happened
    """A secret that others can read is not used."""


def exposed(file: Path) -> str:
    """Say who else can read a secret, and the command that ends it; empty where nobody can.

    The group root is no stranger: systemd's credentials show themselves as readable by it, since
    the mode's group bits are the mask of their access list. What else systemd, or a container, puts
    into $CREDENTIALS_DIRECTORY is theirs to protect.

    Raises:
        OSError: The file cannot be looked at.
    """
    found = file.stat()
    strangers = stat.S_IRWXO | (stat.S_IRWXG if found.st_gid else 0)
    if not found.st_mode & strangers or _is_credential(file):
        return ""
    mode = f"{stat.S_IMODE(found.st_mode):04o}"
    what = _("can be read by other users of this machine (mode {mode})").format(mode=mode)
    return f"{what}: chmod 600 {file}"


def read_secret(file: Path) -> str:
    """Read a secret, without the end of its line.

    Raises:
        Exposed: Others can read it.
        OSError: It cannot be read.
    """
    demand_secrecy(file)
    return file.read_text().rstrip("\r\n")


def demand_secrecy(file: Path) -> None:
    """Refuse a secret that is none.

    Raises:
        Exposed: Others can read it.
        OSError: It cannot be looked at.
    """
    if what := exposed(file):
        raise Exposed(f"{file} {what}")


def _is_credential(file: Path) -> bool:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    return bool(folder) and file.parent == Path(str(folder))
