"""Writes a bundle: one file that only its maker can read, with a list of what is in it."""

import io
import json
import os
import tarfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edge_agent.bundle.contents import Entry

FOLDER = "edge-agent-support"
MANIFEST = "manifest.json"
MODE = 0o600


def manifest(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """List the files: name, what it is, bytes."""
    return [{"file": one.name, "what": one.meaning, "bytes": len(one.content)} for one in entries]


def write(file: Path, entries: Sequence[Entry]) -> int:
    """Write the bundle.

    Returns:
        Its size in bytes.

    Raises:
        FileExistsError: There is such a file already.
        OSError: It cannot be written; nothing is left of it.
    """
    listed = {"v": 1, "made": int(time.time() * 1000), "files": manifest(entries)}
    first = Entry(MANIFEST, "", json.dumps(listed, ensure_ascii=False, indent=1).encode())
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)
    try:
        with os.fdopen(handle, "wb") as opened:
            with tarfile.open(fileobj=opened, mode="w:gz") as archive:
                for one in (first, *entries):
                    _add(archive, one)
            return opened.tell()
    except BaseException:
        file.unlink(missing_ok=True)
        raise


def _add(archive: tarfile.TarFile, entry: Entry) -> None:
    member = tarfile.TarInfo(f"{FOLDER}/{entry.name}")
    member.size, member.mode, member.mtime = len(entry.content), MODE, int(time.time())
    archive.addfile(member, io.BytesIO(entry.content))
