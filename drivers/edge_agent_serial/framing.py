r"""Where a frame begins and ends, by the ways instruments have. Pure.

Each way looks at one place of what arrived and says: a frame, not a frame, or wait for more.
Text parsers see what stands between start and end; positions count from the frame's first byte.
"""

import re
from enum import Enum
from typing import Annotated, Literal, NamedTuple, TypeAlias

from pydantic import Field

from edge_agent.driver import Duration
from edge_agent_serial.checksums import Checksum
from edge_agent_serial.part import Octets, Part

LONGEST = 4096
"""Bytes of the longest frame any recipe may have, and so of all that is kept."""

ANY_END = re.compile(rb"[\r\n\x03]")
"""CR, LF, both, or ETX, since instruments and their manuals differ about it."""


class Verdict(Enum):
    """What a place in the buffer is, where it is no complete frame."""

    NOTHING = "no frame begins here"
    WAIT = "a frame may have begun, and more must come"
    OVERLONG = "a frame has begun and is longer than it can be"
    DAMAGED = "something like a frame, with a mark or length that cannot be"


class Cut(NamedTuple):
    """A frame cut out of what arrived.

    Attributes:
        raw: The whole frame.
        after: Where what follows it begins in the buffer.
        head: Bytes before the text.
        tail: Bytes after the text.
        has_trailer: Whether the optional trailer is there.
    """

    raw: bytes
    after: int
    head: int = 0
    tail: int = 0
    has_trailer: bool = True

    @property
    def body(self) -> bytes:
        """Give what stands between start and end."""
        return self.raw[self.head : len(self.raw) - self.tail]


class Mark(Part):
    """Bytes that must stand at a place of the frame."""

    at: int
    """Place in the frame; negative from its end."""
    octets: Octets = Field(alias="bytes", min_length=1)
    """What must stand there."""

    def holds(self, frame: bytes) -> bool:
        at = self.at if self.at >= 0 else len(frame) + self.at
        return frame[at : at + len(self.octets)] == self.octets


class _Framing(Part):
    checksum: Checksum | None = None
    """Where frames of this kind have another checksum than the recipe's, or `{kind: none}`."""

    def begins(self, data: bytes, at: int) -> int:
        """Give the next place at or after `at` where a frame may begin; -1 if there is none."""
        return at if at < len(data) else -1

    def attempt(self, data: bytes, at: int, *, quiet: bool) -> Cut | Verdict:
        """Try to cut a frame out at this place; `quiet` means that nothing more will come."""
        raise NotImplementedError

    def resume(self, data: bytes, at: int) -> int:
        """Give where to hunt on after what begins here was overlong; -1: not in these bytes."""
        return at + 1

    def without_trailer(self, data: bytes, cut: Cut) -> Cut | None:
        """Give the frame without its trailer, if the next one follows in its place."""
        return None

    @property
    def gap(self) -> float | None:
        """Seconds of silence that end a frame; None where silence means nothing."""
        return None

    @property
    def finds_itself(self) -> bool:
        """Whether a frame can be found in the middle of others."""
        return True


class LineFraming(_Framing):
    """Lines of text."""

    kind: Literal["line"]
    end: Octets | None = Field(default=None, min_length=1, max_length=4)
    """What ends a line; unless given, CR, LF, both, or ETX, and a leading STX does not count."""
    longest: int = Field(default=256, ge=1, le=LONGEST)
    """Bytes; a longer line is noise, or another baud rate."""

    def attempt(self, data: bytes, at: int, *, quiet: bool) -> Cut | Verdict:
        if self.end is None:
            found = ANY_END.search(data, at)
            stop, after = (found.start(), found.end()) if found else (-1, -1)
        else:
            stop = data.find(self.end, at)
            after = stop + len(self.end)
        if stop < 0:
            return Verdict.OVERLONG if len(data) - at > self.longest else Verdict.WAIT
        if stop - at > self.longest:
            return Verdict.OVERLONG
        head = 1 if self.end is None and data[at : at + 1] == b"\x02" else 0
        return Cut(data[at:stop], after, head)

    def resume(self, data: bytes, at: int) -> int:
        if self.end is None:
            found = ANY_END.search(data, at)
            return found.end() if found else -1
        stop = data.find(self.end, at)
        return stop + len(self.end) if stop >= 0 else -1

    @property
    def finds_itself(self) -> bool:
        return False


class StartEndFraming(_Framing):
    """Frames between a start and an end, such as STX ... ETX and a checksum."""

    kind: Literal["start-end"]
    start: Octets = Field(min_length=1, max_length=8)
    """What a frame begins with."""
    end: Octets = Field(min_length=1, max_length=8)
    """What ends it."""
    trailer: int = Field(default=0, ge=0, le=8)
    """Bytes that follow the end and belong to the frame: a checksum."""
    trailer_optional: bool = False
    """The instrument can be set up to leave the trailer away."""
    start_inside: bool = False
    """The start may also stand inside a frame. Unless true, a second start begins anew."""
    shortest: int = Field(default=0, ge=0, le=LONGEST)
    """Bytes from the start before which no end counts, where the end may stand in binary data."""
    longest: int = Field(default=1024, ge=2, le=LONGEST)
    """Bytes of the whole frame."""

    def begins(self, data: bytes, at: int) -> int:
        return _next_sync(self.start, data, at)

    def attempt(self, data: bytes, at: int, *, quiet: bool) -> Cut | Verdict:
        inside = at + max(len(self.start), self.shortest)
        end = data.find(self.end, inside, at + self.longest)
        if end < 0:
            return self._unfinished(data, at, inside)
        if not self.start_inside and data.find(self.start, at + len(self.start), end) >= 0:
            return Verdict.DAMAGED
        return self._with_trailer(data, at, end + len(self.end), quiet=quiet)

    def _unfinished(self, data: bytes, at: int, inside: int) -> Verdict:
        if not self.start_inside and data.find(self.start, inside) >= 0:
            return Verdict.DAMAGED
        return Verdict.OVERLONG if len(data) - at >= self.longest else Verdict.WAIT

    def _with_trailer(self, data: bytes, at: int, stop: int, *, quiet: bool) -> Cut | Verdict:
        after = stop + self.trailer
        whole = Cut(data[at:after], after, len(self.start), len(self.end) + self.trailer)
        if len(data) >= after:
            return whole
        if self.trailer_optional and (quiet or data.startswith(self.start, stop)):
            return self._bare(data, at, stop)
        return Verdict.WAIT

    def _bare(self, data: bytes, at: int, stop: int) -> Cut:
        return Cut(data[at:stop], stop, len(self.start), len(self.end), has_trailer=False)

    def without_trailer(self, data: bytes, cut: Cut) -> Cut | None:
        if not self.trailer or not self.trailer_optional or not cut.has_trailer:
            return None
        stop = cut.after - self.trailer
        return (
            self._bare(data, cut.after - len(cut.raw), stop)
            if data.startswith(self.start, stop)
            else None
        )

    @property
    def gap(self) -> float | None:
        return 0.05 if self.trailer_optional else None


class FixedFraming(_Framing):
    """Frames that are always equally long."""

    kind: Literal["fixed"]
    sync: Octets = b""
    """What a frame begins with; needed unless the instrument only answers."""
    length: int = Field(ge=1, le=LONGEST)
    """Bytes of the whole frame."""
    marks: tuple[Mark, ...] = ()
    """Further bytes that must stand at their places."""

    def begins(self, data: bytes, at: int) -> int:
        return _next_sync(self.sync, data, at)

    def attempt(self, data: bytes, at: int, *, quiet: bool) -> Cut | Verdict:
        if len(data) < at + self.length:
            return Verdict.WAIT
        raw = data[at : at + self.length]
        if not all(mark.holds(raw) for mark in self.marks):
            return Verdict.DAMAGED
        return Cut(raw, at + self.length, len(self.sync))

    def resume(self, data: bytes, at: int) -> int:
        return at + 1 if self.sync else -1

    @property
    def finds_itself(self) -> bool:
        return bool(self.sync)


class LengthFraming(_Framing):
    """Frames that say themselves how long they are."""

    kind: Literal["length"]
    sync: Octets = Field(min_length=1, max_length=8)
    """What a frame begins with."""
    length_at: int = Field(ge=0, le=64)
    """Where the length stands."""
    length_size: int = Field(default=1, ge=1, le=8)
    """Bytes of the length."""
    length_form: Literal["uint", "uintle", "hex", "digits"] = "uint"
    """How the length is written: high byte first, low byte first, or as text."""
    overhead: int = Field(ge=0, le=64)
    """Bytes of the whole frame that the length does not count."""
    marks: tuple[Mark, ...] = ()
    """Bytes that must stand at their places, such as a second start and the end."""
    longest: int = Field(default=512, ge=2, le=LONGEST)
    """Bytes of the whole frame; a larger length is noise."""

    def begins(self, data: bytes, at: int) -> int:
        return _next_sync(self.sync, data, at)

    def attempt(self, data: bytes, at: int, *, quiet: bool) -> Cut | Verdict:
        known = data[at : at + self.longest]
        if any(mark.at >= 0 and self._contradicts(mark, known) for mark in self.marks):
            return Verdict.NOTHING
        if len(known) < self.length_at + self.length_size:
            return Verdict.WAIT
        length = self._length(known[self.length_at : self.length_at + self.length_size])
        if length is None or length + self.overhead > self.longest:
            return Verdict.DAMAGED
        whole = length + self.overhead
        if len(known) < whole:
            return Verdict.WAIT
        raw = known[:whole]
        if not all(mark.holds(raw) for mark in self.marks):
            return Verdict.DAMAGED
        return Cut(raw, at + whole, len(self.sync))

    @staticmethod
    def _contradicts(mark: Mark, known: bytes) -> bool:
        there = known[mark.at : mark.at + len(mark.octets)]
        return not mark.octets.startswith(there)

    def _length(self, field: bytes) -> int | None:
        if self.length_form == "uint":
            return int.from_bytes(field, "big")
        if self.length_form == "uintle":
            return int.from_bytes(field, "little")
        wanted = rb"[0-9]+" if self.length_form == "digits" else rb"[0-9A-Fa-f]+"
        if not re.fullmatch(wanted, field):
            return None
        return int(field, 10 if self.length_form == "digits" else 16)


class SilenceFraming(_Framing):
    """Frames that only a pause ends. Weak: give a checksum, or a pattern that is exact."""

    kind: Literal["silence"]
    gap_: Duration = Field(alias="gap", gt=0, le=10)
    """How long nothing comes after a frame."""
    longest: int = Field(default=256, ge=1, le=LONGEST)
    """Bytes; more without a pause is noise."""

    def attempt(self, data: bytes, at: int, *, quiet: bool) -> Cut | Verdict:
        if len(data) - at > self.longest:
            return Verdict.OVERLONG
        return Cut(data[at:], len(data)) if quiet else Verdict.WAIT

    def resume(self, data: bytes, at: int) -> int:
        return -1

    @property
    def gap(self) -> float | None:
        return self.gap_

    @property
    def finds_itself(self) -> bool:
        return False


Framing: TypeAlias = Annotated[
    LineFraming | StartEndFraming | FixedFraming | LengthFraming | SilenceFraming,
    Field(discriminator="kind"),
]


def _next_sync(sync: bytes, data: bytes, at: int) -> int:
    if at >= len(data):
        return -1
    found = data.find(sync, at)
    if found >= 0:
        return found
    for held in range(len(sync) - 1, 0, -1):
        if len(data) - held >= at and data.endswith(sync[:held]):
            return len(data) - held
    return -1
