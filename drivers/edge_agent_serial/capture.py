"""Captures what an instrument sends, from a port, the network or a file, for `recipe learn`."""

import argparse
import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from edge_agent.command import DEVICE_UNREADABLE, USAGE, CommandFailed
from edge_agent.driver import ConnectionLost
from edge_agent_serial.config import SerialSettings
from edge_agent_serial.link import open_link
from edge_agent_serial.part import octets

MOST_BYTES = 65536
"""Of a capture; three frames would do."""


Show = Callable[[str], None]


class Capture(NamedTuple):
    """What was heard, and what speaks against it; empty if nothing does."""

    data: bytes
    doubt: str = ""


def capture(options: argparse.Namespace, show: Show) -> Capture:
    """Give what is in the file, or what arrives; a device file and tcp:// are listened to.

    Args:
        options: Those of the command.
        show: Is given each line as it comes.
    """
    place = options.what
    path = Path(place)
    if not place.startswith("tcp://") and path.is_file():
        return Capture(_from_file(path))
    return asyncio.run(_listen(options, show))


def _from_file(path: Path) -> bytes:
    """Read captured bytes, or lines of `hex:02 4E ...`."""
    try:
        data = path.read_bytes()[:MOST_BYTES]
    except OSError as error:
        raise CommandFailed(f"{path} cannot be read: {error.strerror}", USAGE) from error
    if data.startswith(b"hex:"):
        try:
            return b"".join(octets(line) for line in data.decode("ascii").splitlines() if line)
        except ValueError as error:
            raise CommandFailed(f"{path}: {error}", USAGE) from error
    return data


async def _listen(options: argparse.Namespace, show: Show) -> Capture:
    """Listen. A misread character is left out, and so the frame it stands in fits nothing."""
    catcher = _Catcher(show)
    evidence: Counter[str] = Counter()
    try:
        link = await open_link(_settings(options), catcher, evidence)
        try:
            await asyncio.wait([catcher.gone], timeout=options.seconds)
        finally:
            await link.close()
    except ConnectionLost as error:
        raise CommandFailed(str(error), DEVICE_UNREADABLE) from error
    return Capture(bytes(catcher.heard), catcher.doubt)


class _Catcher:
    """Takes what arrives, and shows it line by line."""

    def __init__(self, show: Show) -> None:
        self.heard = bytearray()
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._show = show
        self._misread = 0
        self._line = b""

    def receive(self, data: bytes) -> None:
        self.heard += data[: MOST_BYTES - len(self.heard)]
        *lines, self._line = (self._line + data).replace(b"\r", b"\n").split(b"\n")
        for line in lines:
            if line:
                self._show(repr(line)[2:-1])
        if len(self.heard) >= MOST_BYTES:
            self.lose("")

    def spoil(self) -> None:
        self._misread += 1

    @property
    def doubt(self) -> str:
        """Say that characters were misread; empty if none was."""
        if not self._misread:
            return ""
        return f"{self._misread} characters had a wrong parity or stop bit: check baud and parity"

    def lose(self, reason: str) -> None:
        if not self.gone.done():
            self.gone.set_result(None)


def _settings(options: argparse.Namespace) -> SerialSettings:
    place = options.what
    given: dict[str, Any] = {"pattern": "(?P<all>.*)"}
    if place.startswith("tcp://"):
        host, _, port = place.removeprefix("tcp://").rpartition(":")
        given |= {"transport": "tcp", "host": host, "port": int(port) if port.isdigit() else 0}
    else:
        given |= {"transport": "serial", "port": place}
    for key in ("baud", "data_bits", "parity", "stop_bits"):
        if getattr(options, key) is not None:
            given[key] = getattr(options, key)
    try:
        return SerialSettings.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise CommandFailed(f"{place}: {first}", USAGE) from error
