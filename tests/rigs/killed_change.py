"""Changes a configuration again and again, killed one step later each time; prints what is left.

Runs as a program: `killed_change.py FOLDER works|fails`, after whether the new configuration works.
One JSON line for each kill, then one for the change that was not killed, with its steps.
"""

import json
import os
import signal
import stat
import sys
from collections.abc import Callable
from pathlib import Path

from edge_agent.changeover import Changeover, Nothing
from edge_agent.proof import Finding
from edge_agent.versions import Versions


class Steps:
    """Counts what is done to the disk, and ends this process before one of these steps."""

    def __init__(self, fatal: int) -> None:
        self.done: list[str] = []
        self._fatal = fatal
        for name in ("fsync", "replace", "unlink"):
            setattr(os, name, self._counted(name, getattr(os, name)))

    def _counted(self, name, call):
        def counted(*args, **kwargs):
            self.note(f"{name} {_kind(args[0])}")
            return call(*args, **kwargs)

        return counted

    def note(self, step: str) -> None:
        if len(self.done) == self._fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        self.done.append(step)


def _kind(what) -> str:
    if isinstance(what, int):
        return "folder" if stat.S_ISDIR(os.fstat(what).st_mode) else "file"
    return Path(what).name


class Service:
    """Starts nothing, and dies before it would, like everything here."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note

    def runs(self) -> bool:
        return True

    def start(self) -> None:
        self._note("start")

    def stop(self) -> None:
        self._note("stop")

    def ended(self) -> str:
        return ""

    def settle(self) -> str:
        self._note("settle")
        return ""


def change(
    versions: Versions, document: bytes, *, works: bool, note: Callable[[str], None] = str
) -> None:
    """Change over as a rollout does."""
    finding = Finding({"a": {"why": "dead"}}, () if works else ("a",))
    with versions.locked():
        changeover = Changeover(versions, Service(note), str, Nothing(), was_running=True)
        changeover.make(document, lambda: finding)


def state(versions: Versions) -> dict:
    return {
        "config": versions.config.read_text(),
        "versions": [one.path.read_text() for one in versions.all()],
        "trial": versions.trial() is not None,
    }


def attempt(folder: Path, fatal: int, *, works: bool) -> bool:
    """Do a change that is killed before this step; tell whether it was."""
    folder.mkdir()
    versions = Versions(folder / "config.yaml")
    versions.config.write_text("older")
    change(versions, b"old", works=True)
    child = os.fork()
    if child == 0:
        steps = Steps(fatal)
        change(versions, b"new", works=works, note=steps.note)
        print(json.dumps({"steps": steps.done, **state(versions)}), flush=True)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status):
        return False
    left = state(versions)
    change(versions, b"new", works=works)  # whatever was left is no obstacle
    print(json.dumps({**left, "after": state(versions)}), flush=True)
    return True


def main(folder: Path, *, works: bool) -> None:
    fatal = 0
    while attempt(folder / str(fatal), fatal, works=works):
        fatal += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]), works=sys.argv[2] == "works")
