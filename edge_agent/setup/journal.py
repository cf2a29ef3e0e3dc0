"""The journal beside the configuration: JSON lines, each on the disk before the next question.

A line is an answer, something seen, or `{"cut": n}`: only the first n entries hold any more.
`{"version": v}` tells which program wrote it: what another one has seen is looked at anew, since a
look may tell more in a later version.
Secrets never come here; in their place stands where they were put.
"""

import errno
import fcntl
import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from edge_agent import __version__
from edge_agent.doctor.processes import holders
from edge_agent.errors import CommandFailed
from edge_agent.language import _
from edge_agent.reserve import sync_folder
from edge_agent.setup.interview import Answered, Entry, Seen

NAME = ".setup-journal"


class Journal:
    """One wizard's memory; holds a lock so that two sessions cannot mix their answers.

    Attributes:
        entries: What was written before, as far as it can be read.
        finished: What `finish` noted, if the wizard came to its end.
        changed_at: Seconds since 1970 when it was last written; None if it is new.
    """

    def __init__(self, folder: Path) -> None:
        """Open or create it.

        Raises:
            OSError: The folder cannot be written.
            CommandFailed: Another session uses it.
        """
        self.path = folder / NAME
        self._open()

    def _open(self) -> None:
        # 0600: a device's values are nobody else's business
        self._fd = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._fd)
            raise CommandFailed(_already_running(self.path), 2) from error
        sync_folder(self.path.parent)
        text = self.path.read_bytes().decode(errors="replace")
        if text and not text.endswith("\n"):
            os.write(self._fd, b"\n")  # the power went in the middle of a line
        self.changed_at = self.path.stat().st_mtime if text else None
        lines = [line for line in text.split("\n") if line]
        self.entries, self.finished = read(lines)
        if version_of(lines) != __version__:
            self._adopt()

    def _adopt(self) -> None:
        """Keep the answers of another version, and nothing that it has seen."""
        note = self.finished
        answers = [entry for entry in self.entries if isinstance(entry, Answered)]
        self._write({"version": __version__})
        if len(answers) < len(self.entries):
            self.cut(0)
            for answer in answers:
                self.keep(answer)
            if note is not None:
                self.finish(note)
            self.entries = list(answers)

    def keep(self, entry: Entry) -> None:
        """Write an entry down; it is on the disk when this returns."""
        self._write(entry._asdict())

    def cut(self, length: int) -> None:
        """Write down that only the first so many entries hold any more."""
        self._write({"cut": length})

    def finish(self, note: str) -> None:
        """Write down that the configuration was written; the answers stay for the next time."""
        self._write({"finished": note})

    def replace(self, entries: Iterable[Entry], note: str) -> None:
        """Hold a whole conversation that has come to its end, in place of what was there."""
        os.ftruncate(self._fd, 0)
        self._write({"version": __version__})
        for entry in entries:
            self.keep(entry)
        self.finish(note)

    def reopen(self, last: str) -> None:
        """Take back the end, from the question with this id on."""
        ids = [entry.id for entry in self.entries]
        self.cut(ids.index(last) if last in ids else len(ids))
        del self.entries[ids.index(last) if last in ids else len(ids) :]
        self.finished = None

    def start_over(self) -> Path:
        """Put the old journal aside, begin an empty one, and tell where the old one is."""
        aside = self.path.with_name(f"{NAME}.bak-{time.strftime('%Y%m%dT%H%M%S')}")
        self.path.rename(aside)
        self.close()
        self._open()
        return aside

    def close(self) -> None:
        """Let go of it."""
        os.close(self._fd)

    def _write(self, line: dict[str, Any]) -> None:
        data = json.dumps(line, ensure_ascii=False).encode() + b"\n"
        size = os.fstat(self._fd).st_size
        if os.write(self._fd, data) != len(data):
            os.ftruncate(self._fd, size)  # half a line would spoil the next one
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
        os.fsync(self._fd)


def read(lines: Iterable[str]) -> tuple[list[Entry], str | None]:
    """Read entries; a damaged line was never finished, so its question was asked again.

    Returns:
        The entries that hold, and the note of the end if it was reached.
    """
    entries: list[Entry] = []
    finished: str | None = None
    for line in lines:
        item = _parsed(line)
        if "cut" in item:
            del entries[item["cut"] :]
        elif "answer" in item:
            entries.append(Answered(item["id"], item["answer"]))
        elif "seen" in item:
            entries.append(Seen(item["id"], item["seen"], item.get("lasting", False)))
        if "version" not in item:
            finished = item.get("finished")
    return entries, finished


def version_of(lines: Iterable[str]) -> str:
    """Tell which version wrote a journal last; empty where none is named."""
    named = [item["version"] for item in map(_parsed, lines) if "version" in item]
    return str(named[-1]) if named else ""


def _parsed(line: str) -> dict[str, Any]:
    try:
        item = json.loads(line)
    except ValueError:
        return {}
    return item if isinstance(item, dict) else {}


def _already_running(journal: Path) -> str:
    """Say that another session has the journal, and which, where we may see that."""
    file = os.path.realpath(journal)
    held, _all_seen = holders(Path("/"), {file})
    if not held:
        return _("the setup is already running in another session; end it there first")
    return _(
        "the setup is already running in another session (process {process}); end it there first"
    ).format(process=held[file][0].process)
