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
from edge_agent.language import _, refusal
from edge_agent_serial.config import SerialSettings
from edge_agent_serial.link import open_link
from edge_agent_serial.part import octets

MOST_BYTES = 65536
"""Of a capture; three frames would do."""


Show = Callable[[str], None]
Enough = Callable[[bytes], bool]


class Capture(NamedTuple):
    """What was heard, and how many characters had a wrong parity or stop bit and were left out."""

    data: bytes
    misread: int = 0

    @property
    def doubt(self) -> str:
        """Say that characters were misread; empty if none was."""
        if not self.misread:
            return ""
        return f"{self.misread} characters had a wrong parity or stop bit: check baud and parity"


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
    try:
        return asyncio.run(hear(_settings(options), options.seconds, show))
    except ConnectionLost as error:
        raise CommandFailed(str(error), DEVICE_UNREADABLE) from error


def _from_file(path: Path) -> bytes:
    """Read captured bytes, or lines of `hex:02 4E ...`."""
    try:
        data = path.read_bytes()[:MOST_BYTES]
    except OSError as error:
        raise CommandFailed(
            _("{path} cannot be read: {error}").format(path=path, error=refusal(error)), USAGE
        ) from error
    if data.startswith(b"hex:"):
        try:
            return b"".join(octets(line) for line in data.decode("ascii").splitlines() if line)
        except ValueError as error:
            raise CommandFailed(f"{path}: {error}", USAGE) from error
    return data


def _never(heard: bytes) -> bool:
    return False


async def hear(
    settings: SerialSettings, seconds: float, show: Show, is_enough: Enough = _never
) -> Capture:
    """Listen; nothing is sent.

    A misread character is left out, and so the frame it stands in fits nothing.

    Args:
        settings: Where, and how characters travel; what they say of recipe or pattern is not used.
        seconds: How long, at most.
        show: Is given each line as it comes.
        is_enough: Told of everything heard so far; true ends it earlier.

    Raises:
        ConnectionLost: The link cannot be opened; the message says what to do.
    """
    catcher = _Catcher(show, is_enough)
    evidence: Counter[str] = Counter()
    link = await open_link(settings, catcher, evidence)
    try:
        await asyncio.wait([catcher.gone], timeout=seconds)
    finally:
        await link.close()
    return Capture(bytes(catcher.heard), catcher.misread)


class _Catcher:
    """Takes what arrives, and shows it line by line."""

    def __init__(self, show: Show, is_enough: Enough) -> None:
        self.heard = bytearray()
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._show, self._is_enough = show, is_enough
        self.misread = 0
        self._line = b""

    def receive(self, data: bytes) -> None:
        self.heard += data[: MOST_BYTES - len(self.heard)]
        *lines, self._line = (self._line + data).replace(b"\r", b"\n").split(b"\n")
        for line in lines:
            if line:
                self._show(repr(line)[2:-1])
        if len(self.heard) >= MOST_BYTES or self._is_enough(bytes(self.heard)):
            self.lose("")

    def spoil(self) -> None:
        self.misread += 1

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
