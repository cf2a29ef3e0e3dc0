"""Lets other users of this machine reach what a test wrote."""

import stat
from pathlib import Path


def open_to_others(folder: Path) -> None:
    """Make a folder and those above it passable, up to the first one that is so already."""
    for each in (folder, *folder.parents):
        if each.stat().st_mode & stat.S_IXOTH:
            return
        each.chmod(0o755)
