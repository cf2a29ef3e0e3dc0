"""Reads a report from a file again, and tells whether it is as it was made."""

import html
import re
from pathlib import Path
from typing import NamedTuple

import msgspec

from edge_agent.report.model import Report, decode, seal_of

LARGEST = 16 << 20  # bytes; a report of 10,000 points takes about 3 MB
_DATA = re.compile(
    rb'<script type="application/json" id="report" data-sha256="([0-9a-f]*)">(.*?)</script>',
    re.DOTALL,
)


class Sealed(NamedTuple):
    """A report, and whether its seal fits it."""

    report: Report
    is_intact: bool


class _Document(msgspec.Struct):
    """What `edge-agent report --json` prints."""

    sha256: str
    report: msgspec.Raw


def read(file: Path) -> Sealed:
    """Read a report, HTML or JSON.

    Raises:
        OSError: The file cannot be read.
        ValueError: It holds no report.
    """
    with file.open("rb") as opened:
        content = opened.read(LARGEST)
    found = _DATA.search(content)
    if found:
        seal, data = html.unescape(found[1].decode()), found[2]
    else:
        seal, data = _from_json(content)
    return Sealed(decode(data), seal_of(data) == seal)


def _from_json(content: bytes) -> tuple[str, bytes]:
    try:
        document = msgspec.json.decode(content, type=_Document)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError("it is no report of edge-agent, neither HTML nor JSON") from error
    return document.sha256, bytes(document.report)
