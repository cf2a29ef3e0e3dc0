"""Frames whose length is known: always the same, or told by themselves. Pure."""

import re
from typing import Literal

from pydantic import Field

from edge_agent_serial.cut import LONGEST, Cut, Mark, Verdict
from edge_agent_serial.framed import FramingPart, next_sync
from edge_agent_serial.part import Octets


class FixedFraming(FramingPart):
    """Frames that are always equally long."""

    kind: Literal["fixed"]
    sync: Octets = b""
    """What a frame begins with; needed unless the instrument only answers."""
    length: int = Field(ge=1, le=LONGEST)
    """Bytes of the whole frame."""
    marks: tuple[Mark, ...] = ()
    """Further bytes that must stand at their places."""

    def begins(self, data: bytes, at: int) -> int:
        return next_sync(self.sync, data, at)

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


class LengthFraming(FramingPart):
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
        return next_sync(self.sync, data, at)

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
