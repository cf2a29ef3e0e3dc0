"""Names of epochs as names of empty files in the buffer's folder: `epoch-5f0c2d7e91ab34c8`.

A name can be read where no file can, and costs no write later on. So an epoch can be named in a
record of loss even when everything that held it is destroyed, or belongs to somebody else.
Blocks on disk.
"""

import contextlib
import re
from pathlib import Path

from edge_agent.reserve import sync_folder

PREFIX = "epoch-"
EPOCH = re.compile("[0-9a-f]{16}")


def names(folder: Path) -> list[str]:
    """Give the epochs that a folder knows by name."""
    found = (path.name.removeprefix(PREFIX) for path in folder.glob(f"{PREFIX}*"))
    return sorted(name for name in found if EPOCH.fullmatch(name))


def settle(folder: Path, epoch: str) -> None:
    """Make this the one that a folder knows; the others stand in records of loss by now.

    A disk that has no room for a name costs nothing but the name.
    """
    known = names(folder)
    if known == [epoch]:
        return
    with contextlib.suppress(OSError):
        (folder / f"{PREFIX}{epoch}").touch(mode=0o600)
        for other in set(known) - {epoch}:
            (folder / f"{PREFIX}{other}").unlink()
        sync_folder(folder)
