r"""Frames that end where something stands, or nothing comes: CR LF, ETX, a pause. Pure."""

import re
from typing import Literal

from pydantic import Field

from edge_agent.driver import Duration
from edge_agent_serial.cut import LONGEST, Cut, Verdict
from edge_agent_serial.framed import FramingPart, next_sync
from edge_agent_serial.part import Octets

ANY_END = re.compile(rb"[\r\n\x03]")
"""CR, LF, both, or ETX, since instruments and their manuals differ about it."""


class LineFraming(FramingPart):
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


class StartEndFraming(FramingPart):
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
    whole: bool = False
    """What looks like a frame inside a damaged one is none. For one long frame in answer to each
    question, with a checksum so short that it may be right by chance: a byte that arrived as the
    start would else make a shorter frame of the rest."""
    shortest: int = Field(default=0, ge=0, le=LONGEST)
    """Bytes from the start before which no end counts, where the end may stand in binary data."""
    longest: int = Field(default=1024, ge=2, le=LONGEST)
    """Bytes of the whole frame."""

    def begins(self, data: bytes, at: int) -> int:
        return next_sync(self.start, data, at)

    def attempt(self, data: bytes, at: int, *, quiet: bool) -> Cut | Verdict:
        inside = at + max(len(self.start), self.shortest)
        end = data.find(self.end, inside, at + self.longest)
        if end < 0:
            return self._unfinished(data, at, inside)
        if self._begins_anew and data.find(self.start, at + len(self.start), end) >= 0:
            return Verdict.DAMAGED
        return self._with_trailer(data, at, end + len(self.end), quiet=quiet)

    def _unfinished(self, data: bytes, at: int, inside: int) -> Verdict:
        if self._begins_anew and data.find(self.start, inside) >= 0:
            return Verdict.DAMAGED
        return Verdict.OVERLONG if len(data) - at >= self.longest else Verdict.WAIT

    @property
    def _begins_anew(self) -> bool:
        return not (self.start_inside or self.whole)

    @property
    def may_hide_another(self) -> bool:
        return not self.whole

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


class SilenceFraming(FramingPart):
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
