"""Which disks this machine should have, and whether the one for a folder is there: fstab(5).

A disk that is not mounted (a stick that was pulled out, a file system that could not be mended at
boot) leaves its empty folder behind, on the disk of the system. What is written there would fill
and wear that one, and be hidden as soon as the right one is back.
"""

from pathlib import Path
from typing import NamedTuple

from edge_agent.mounts import plain

FSTAB = "/etc/fstab"
# These are mounted when somebody wants it, or are a part of another disk.
_OPTIONAL = frozenset({"noauto", "bind", "rbind"})


class Entry(NamedTuple):
    """A disk that should be there.

    Attributes:
        source: The device, or `UUID=...` and the like.
        point: The folder in which it should be.
    """

    source: str
    point: Path


def entries(text: str) -> list[Entry]:
    """Read what should be mounted at every boot; what is no entry is left out."""
    found = []
    for line in text.splitlines():
        source, point, _kind, options, *_ = [*line.split(), *[""] * 4]
        if point.startswith("/") and source[0] != "#" and not _OPTIONAL & {*options.split(",")}:
            found.append(Entry(plain(source), Path(plain(point))))
    return found


def absent(folder: Path) -> Entry | None:
    """Give the disk on which a folder should be, where that is not mounted; else None.

    Args:
        folder: It need not be there.
    """
    try:
        table = entries(Path(FSTAB).read_text("utf-8", "replace"))
    except OSError:
        return None
    folder = folder.resolve()
    around = [one.point for one in table if folder.is_relative_to(one.point)]
    *outer, point = sorted([Path("/"), *around], key=lambda one: len(one.parts))
    if not outer or point == Path("/"):
        return None
    # In the folder that contains it other disks may be in place, as for a service's own folder.
    others = {_disk(outer[-1]), _disk(point.parent)}
    if _disk(point) not in others:
        return None
    return next(one for one in table if one.point == point)


def _disk(folder: Path) -> int:
    """Give the number of the file system on which a folder is, or would be."""
    try:
        return folder.stat().st_dev
    except OSError:
        return _disk(folder.parent)
