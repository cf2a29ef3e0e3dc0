"""What the agent remembers beside readings: a small JSON file in the buffer's folder.

It holds what drivers learnt about devices, which MQTT version each broker speaks, and which
retained topics were published. Losing it costs time, never readings.
"""

import asyncio
import os
from pathlib import Path
from typing import Any

import msgspec
import structlog

FILE = "notebook.json"


class Notebook:
    """Sections of keys and JSON values, read from memory and written in the background."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._dirty = asyncio.Event()
        self._log = structlog.get_logger().bind(part="notebook")
        self._pages: dict[str, dict[str, Any]] = self._read()

    def get(self, section: str, key: str) -> Any:
        """Give what was remembered, or None."""
        return self._pages.get(section, {}).get(key)

    def keys(self, section: str) -> list[str]:
        """Give the keys of a section."""
        return list(self._pages.get(section, {}))

    def put(self, section: str, key: str, value: Any) -> None:
        """Remember a JSON value; None forgets it."""
        page = self._pages.setdefault(section, {})
        if page.get(key) == value:
            return
        if value is None:
            page.pop(key, None)
        else:
            page[key] = value
        self._dirty.set()

    async def run(self) -> None:
        """Save changes soon after they happen, until cancelled."""
        while True:
            await self._dirty.wait()
            await asyncio.sleep(1)  # several changes in a row are one write
            await self.save()

    async def save(self) -> None:
        """Write the file if anything changed; a failure is logged and costs no reading."""
        if not self._dirty.is_set():
            return
        self._dirty.clear()
        content = msgspec.json.format(msgspec.json.encode(self._pages))
        try:
            await asyncio.to_thread(_replace, self._path, content)
        except OSError as error:
            self._log.warning("not_saved", file=str(self._path), error=str(error))

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, dict[str, Any]])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.DecodeError) as error:
            self._log.warning("unreadable_starting_afresh", file=str(self._path), error=str(error))
            return {}


def _replace(path: Path, content: bytes) -> None:
    """Write a file so that after a power cut either the old or the new one is there."""
    fresh = path.with_suffix(".new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(handle, content)
        os.fsync(handle)
    finally:
        os.close(handle)
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
