"""Earlier versions of a configuration file: numbered, so that a clock that jumps confuses nobody.

A power cut at any moment leaves the old file or the new one, whole. Beside `config.yaml` there is

    versions/config.yaml.0007.20261126T081500Z    the last ten that were replaced
    versions/config.yaml.trial                    there while a new one is not proven yet
    versions/config.yaml.refused                  the last one that was taken back
"""

import contextlib
import fcntl
import json
import os
import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from edge_agent.errors import EdgeAgentError
from edge_agent.language import _
from edge_agent.reserve import sync_folder

FOLDER = "versions"
KEPT = 10
FILE_MODE = 0o644  # a configuration holds no secrets, and the service may run as another user
_TIME = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"(?P<config>.+)\.(?P<number>[0-9]{4,})\.(?P<time>[0-9]{8}T[0-9]{6}Z)")


class BeingChanged(EdgeAgentError):  # noqa: N818 - named after what happened
    """Somebody else is changing this configuration just now."""


class Version(NamedTuple):
    """A configuration that was in force.

    Attributes:
        number: Counts up for ever; what tells the order.
        replaced: When another one took its place, as `20261126T081500Z`, by the clock of then.
        path: Where it is kept.
    """

    number: int
    replaced: str
    path: Path


class Trial(NamedTuple):
    """A new configuration that is not proven.

    Attributes:
        before: The number of the version that was in force before; None if there was none.
    """

    before: int | None


class Versions:
    """The versions of one configuration file."""

    def __init__(self, config: Path) -> None:
        self.config = config
        self.folder = config.parent / FOLDER
        self.refused = self.folder / f"{config.name}.refused"
        self._trial = self.folder / f"{config.name}.trial"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep everybody else from changing it, while the block runs.

        Raises:
            BeingChanged: Somebody else does so just now.
            OSError: The folder cannot be written.
        """
        self.folder.mkdir(exist_ok=True)
        with (self.folder / f"{self.config.name}.lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise BeingChanged(
                    _(
                        "somebody else is changing {file} just now; wait until that has ended, a "
                        "minute or two, and try again"
                    ).format(file=self.config)
                ) from error
            yield

    def all(self) -> list[Version]:
        """Give those that are kept, the oldest first."""
        return sorted(self._found())

    def _found(self) -> Iterator[Version]:
        if not self.folder.is_dir():
            return
        for path in self.folder.iterdir():
            name = _NAME.fullmatch(path.name)
            if name and name["config"] == self.config.name:
                yield Version(int(name["number"]), name["time"], path)

    def present(self) -> bytes | None:
        """Give what is in force; None if there is nothing."""
        try:
            return self.config.read_bytes()
        except FileNotFoundError:
            return None

    def keep(self) -> Version | None:
        """Keep what is in force as the newest version; None if there is nothing to keep.

        An older version that says the same gives way to it, and so do those beyond the last ten.
        """
        data = self.present()
        if data is None:
            return None
        before = self.all()
        if before and before[-1].path.read_bytes() == data:
            return before[-1]
        number = before[-1].number + 1 if before else 1
        stamp = time.strftime(_TIME, time.gmtime())
        path = self.folder / f"{self.config.name}.{number:04}.{stamp}"
        write_whole(path, data, like=self.config)
        same = [one for one in before if one.path.read_bytes() == data]
        others = [one for one in before if one not in same]
        for one in same + others[: max(0, len(others) + 1 - KEPT)]:
            one.path.unlink()
        return Version(number, stamp, path)

    def put(self, data: bytes) -> None:
        """Put this in force, in one step; a link to the file stays one."""
        write_whole(self.config.resolve(), data, like=self.config)

    def remove(self) -> None:
        """Leave nothing in force, as it was before the first one."""
        self.config.unlink(missing_ok=True)
        sync_folder(self.config.parent)

    def refuse(self, data: bytes) -> Path:
        """Keep for people what was tried and taken back; tell where."""
        write_whole(self.refused, data, like=self.config)
        return self.refused

    # --- what is not proven yet -----------------------------------------------------------------

    def begin_trial(self, before: Version | None) -> None:
        """Write down that what comes next is not proven yet."""
        note = {"before": before.number if before else None}
        write_whole(self._trial, json.dumps(note).encode(), like=self.config)

    def end_trial(self) -> None:
        """Write down that what is in force may stay."""
        self._trial.unlink(missing_ok=True)
        sync_folder(self.folder)

    def trial(self) -> Trial | None:
        """Tell of a trial that goes on, or that was cut short; None if there is none."""
        try:
            return Trial(json.loads(self._trial.read_bytes())["before"])
        except FileNotFoundError:
            return None
        except (ValueError, KeyError):  # somebody was in there
            return Trial(None)


def write_whole(path: Path, data: bytes, like: Path, mode: int | None = None) -> None:
    """Write a file in one step: a power cut leaves the old one or the new one, never a part.

    Args:
        path: Where it will be.
        data: All of it.
        like: Whose owner and rights it gets, where that file is there.
        mode: Its rights, whatever those of that file are.
    """
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)  # what an interrupted one left, whoever it belongs to
    try:
        with open(fresh, "xb", opener=_private) as file:
            _give_rights(file.fileno(), like, mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _give_rights(handle: int, like: Path, mode: int | None) -> None:
    try:
        found = like.stat()
    except FileNotFoundError:
        os.fchmod(handle, FILE_MODE if mode is None else mode)
        return
    os.fchown(handle, found.st_uid, found.st_gid)
    os.fchmod(handle, stat.S_IMODE(found.st_mode) if mode is None else mode)
