"""Which file system a path is on. Source: proc_pid_mountinfo(5)."""

import re
from pathlib import Path
from typing import NamedTuple

MOUNTINFO = "proc/self/mountinfo"
IN_MEMORY = frozenset({"tmpfs", "ramfs"})
_ESCAPED = re.compile(r"\\([0-7]{3})")


class Mount(NamedTuple):
    """A file system in its place.

    Attributes:
        kind: Such as `ext4`.
        source: The device, where it has one.
        read_only: Whether nothing can be written: switched so, or after an error.
    """

    point: Path
    kind: str
    source: str
    read_only: bool

    @property
    def in_memory(self) -> bool:
        """Whether what is written there wears out no card."""
        return self.kind in IN_MEMORY


def mount_of(path: Path, root: Path = Path("/")) -> Mount | None:
    """Give the mount on which an absolute path is, or would be; None where that is not told.

    Args:
        path: It need not be there.
        root: Where this machine's file system is seen.
    """
    try:
        text = (root / MOUNTINFO).read_text()
    except OSError:
        return None
    mounts = [_mount(line) for line in text.splitlines()]
    around = [one for one in mounts if path.is_relative_to(one.point)]
    # The deepest one counts, and of several in one place the one mounted last.
    return max(reversed(around), key=lambda one: len(one.point.parts), default=None)


def _mount(line: str) -> Mount:
    place, _, system = line.partition(" - ")
    fields, (kind, source, options) = place.split(" "), system.split(" ")[:3]
    flags = {*fields[5].split(","), *options.split(",")}
    return Mount(Path(plain(fields[4])), kind, plain(source), "ro" in flags)


def plain(field: str) -> str:
    """Undo the octal escapes of spaces and the like, which fstab(5) has as well."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 8)), field)
