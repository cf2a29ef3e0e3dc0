"""Who runs here and has what open. Source: proc(5)."""

import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Holder(NamedTuple):
    """A program that has a file open."""

    process: int
    name: str
    is_agent: bool


def processes(root: Path) -> Iterator[Path]:
    """Give the folders of all processes."""
    return (one for one in (root / "proc").glob("[0-9]*") if one.name.isdigit())


def is_running(root: Path, name: str) -> bool:
    """Tell whether a program of this name runs."""
    return any(_text(one / "comm") == name for one in processes(root))


def holders(root: Path, paths: set[str]) -> tuple[dict[str, tuple[Holder, ...]], bool]:
    """Find who has these paths open, we not among them.

    Returns:
        Path -> who; and whether every process let us look.
    """
    found: dict[str, tuple[Holder, ...]] = defaultdict(tuple)
    all_seen = True
    for process in processes(root) if paths else ():
        if process.name == str(os.getpid()):
            continue
        try:
            opened = {_target(link) for link in (process / "fd").iterdir()}
        except PermissionError:
            all_seen = False
            continue
        except OSError:  # it has ended
            continue
        for path in opened & paths:
            found[path] += (_holder(process),)
    return found, all_seen


def _holder(process: Path) -> Holder:
    command = _text(process / "cmdline").replace("\x00", " ")
    is_agent = "edge-agent" in command or "edge_agent" in command
    return Holder(int(process.name), _text(process / "comm"), is_agent)


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""


def _text(file: Path) -> str:
    try:
        return file.read_text(errors="replace").strip()
    except OSError:
        return ""
