"""Finds out where frames begin and end in what was heard, and how they show that they are whole.

Pure. Every usual way is tried; one that has a checksum which holds in all frames is the best.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from edge_agent_serial.checksums import ALGORITHMS, Checksum
from edge_agent_serial.framer import Framer
from edge_agent_serial.framing import Cut, Framing
from edge_agent_serial.learn_fields import form_of

LEAST = 3
"""Frames without which nothing is proposed."""

_STARTS = (b"\x02", b"\x01", b"$", b":", b"@", b"%", b"#", b"!")
_ENDS = (b"\x03", b"\x17", b"\x04", b"*\r\n", b"*\r", b"\r\n", b"\r", b"\n")
_TRAILERS = (0, 1, 2, 4)
_LINE_ENDS = (b"\r\n", b"\r", b"\n")


class Cutting(NamedTuple):
    """A way of finding frames, and what it finds.

    Attributes:
        framing: As a recipe writes it.
        checksum: As a recipe writes it; None if no checksum fits.
        cuts: The frames.
        share: How much of all bytes the frames hold.
    """

    framing: Mapping[str, Any]
    checksum: Mapping[str, Any] | None
    cuts: Sequence[Cut]
    share: float

    @property
    def rank(self) -> tuple[bool, float, bool]:
        """Sort by how much speaks for it."""
        return self.checksum is not None, round(self.share, 2), self.framing["kind"] != "line"

    @property
    def tail(self) -> int:
        """Give how many characters of the text, at its end, are the checksum and no value."""
        if self.checksum is None or self.framing.get("trailer"):
            return 0
        size = ALGORITHMS[self.checksum["kind"]].size
        return size + (1 if "to" in self.checksum else 0)


def cuttings(heard: bytes) -> Iterator[Cutting]:
    """Try every usual way of finding frames."""
    for framing in _framings(heard):
        cuts = _cut(framing, heard)
        if len(cuts) < LEAST:
            continue
        checksum = next(_checksums(framing, cuts), None)
        end = len(framing["end"]) if framing["kind"] == "line" else 0
        share = sum(len(cut.raw) + end for cut in cuts) / len(heard)
        yield Cutting(framing, checksum, cuts, share)


def _framings(heard: bytes) -> Iterator[dict[str, Any]]:
    """Give the framings of which at least the marks occur."""
    for start in (one for one in _STARTS if heard.count(one) >= LEAST):
        for end in (one for one in _ENDS if heard.count(one) >= LEAST):
            for trailer in _TRAILERS:
                framing = {"kind": "start-end", "start": start, "end": end}
                yield {**framing, "trailer": trailer} if trailer else framing
    for end in _LINE_ENDS:
        if heard.count(end) >= LEAST:
            yield {"kind": "line", "end": end}


def _cut(framing: Mapping[str, Any], heard: bytes) -> list[Cut]:
    model: Framing = TypeAdapter(Framing).validate_python(dict(framing))
    framer = Framer([model], lambda cut, _: True)
    cuts = [cut for cut in (*framer.feed(heard), *framer.silence()) if cut.body.strip()]
    return _whole(cuts) if framing["kind"] == "line" else cuts


def _whole(lines: list[Cut]) -> list[Cut]:
    """Leave out a first line that may have begun before we listened: it looks like no other."""
    if len(lines) <= LEAST:
        return lines
    forms = [form_of(line.body.decode("latin-1")) for line in lines]
    return lines if forms[0] in forms[1:] else lines[1:]


def _checksums(framing: Mapping[str, Any], cuts: Sequence[Cut]) -> Iterator[dict[str, Any]]:
    """Give the checksums that are right in all frames."""
    trailer = framing.get("trailer", 0)
    end = 0 if framing["kind"] == "line" or trailer else len(framing["end"])
    for kind, algorithm in ALGORITHMS.items():
        if trailer and trailer != algorithm.size:
            continue
        for first in (0, 1, 2):
            for written_ in _places(kind, algorithm.size, first, end):
                checksum = Checksum.model_validate(written_)
                if all(checksum.holds(cut.raw, {}) for cut in cuts):
                    yield written_


def _places(kind: str, size: int, first: int, end: int) -> Iterator[dict[str, Any]]:
    """Give where a checksum may stand: last of all or before the end, a delimiter before it."""
    checksum: dict[str, Any] = {"kind": kind}
    if first:
        checksum["from"] = first
    if end:
        checksum["at"] = -size - end
    yield checksum
    yield {**checksum, "to": -size - end - 1}
