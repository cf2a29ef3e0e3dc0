"""What the agent remembers beside readings: a small JSON file in the buffer's folder.

It holds what drivers learnt about devices, which MQTT version each broker speaks, and which
retained topics were published. Losing it costs time, never readings.
"""

import asyncio
import contextlib
import math
import os
from pathlib import Path
from typing import Any

import msgspec
import structlog

from edge_agent.reserve import sync_folder
from edge_agent.threads import finished

FILE = "notebook.json"
GATHER_SECONDS = 1.0  # several changes in a row are one write
PEOPLE_SECONDS = 60.0  # what only people will ask for makes no writes of its own in between
RETRY_SECONDS = 30.0  # after the disk refused


class Notebook:
    """Sections of keys and JSON values, read from memory and written in the background."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._due = math.inf  # when changes have to be written, on the loop's clock
        self._sooner = asyncio.Event()
        self._saving = asyncio.Lock()
        self._trouble = ""
        self._log = structlog.get_logger().bind(part="notebook")
        self._pages: dict[str, dict[str, Any]] = self._read()

    def get(self, section: str, key: str) -> Any:
        """Give what was remembered, or None."""
        return self._pages.get(section, {}).get(key)

    def keys(self, section: str) -> list[str]:
        """Give the keys of a section."""
        return list(self._pages.get(section, {}))

    def put(self, section: str, key: str, value: Any, *, within: float | None = None) -> None:
        """Remember a JSON value. What is no JSON is logged and not remembered.

        Args:
            section: Where.
            key: Under which name.
            value: The value; None forgets it.
            within: Seconds in which it has to be written; soon if left out. After a kill it is
                lost until then.
        """
        page = self._pages.setdefault(section, {})
        forgotten = value is None and page.pop(key, None) is not None
        if forgotten or (value is not None and self._put(page, key, value)):
            self._want_saved(GATHER_SECONDS if within is None else within)

    def _want_saved(self, within: float) -> None:
        seconds = max(within, RETRY_SECONDS) if self._trouble else within
        due = asyncio.get_running_loop().time() + seconds
        if due < self._due:
            self._due = due
            self._sooner.set()

    def _put(self, page: dict[str, Any], key: str, value: Any) -> bool:
        try:
            copy = msgspec.json.decode(msgspec.json.encode(value))
        except (TypeError, ValueError, OverflowError) as error:
            self._log.warning("not_json", key=key, error=str(error))
            return False
        changed: bool = page.get(key) != copy
        page[key] = copy
        return changed

    async def run(self) -> None:
        """Save changes soon after they happen, until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(None if math.isinf(self._due) else self._due):
                    await self._sooner.wait()
                self._sooner.clear()
                continue
            await self.save()

    async def save(self) -> None:
        """Write the file if anything changed; a failure is logged once and costs no reading."""
        async with self._saving:
            if math.isinf(self._due):
                return
            self._due = math.inf
            content = msgspec.json.format(msgspec.json.encode(self._pages))
            try:
                await finished(asyncio.to_thread(_replace, self._path, content))
            except OSError as error:
                self._note_trouble(str(error))
                self._want_saved(RETRY_SECONDS)
            else:
                self._note_trouble("")

    def _note_trouble(self, trouble: str) -> None:
        if trouble and trouble != self._trouble:
            self._log.warning("not_saved", file=str(self._path), error=trouble)
        self._trouble = trouble

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
    with open(fresh, "wb", opener=_private) as file:  # unlike os.write all of it, or it fails
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_folder(path.parent)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)
