"""A frame cut out of what arrived, and what a place can be instead. Pure."""

from enum import Enum
from typing import NamedTuple

from pydantic import Field

from edge_agent_serial.part import Octets, Part

LONGEST = 4096
"""Bytes of the longest frame any recipe may have, and so of all that is kept."""


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
