"""What is done to a frame before it is taken apart. Pure.

Transforms run after the checksum was found right, one after the other, on a part of the whole
frame.
"""

from typing import Literal, Self

from pydantic import Field, model_validator

from edge_agent.language import _
from edge_agent_serial.part import Octets, Part

LOW_SEVEN = bytes(byte & 0x7F for byte in range(256))
"""For `bytes.translate`: bit 7 taken away."""


class Transform(Part):
    """One step, on the bytes `from` up to `to` of the frame; unless given, on all of it."""

    kind: Literal["subtract", "mask7", "hex-decode", "reverse", "strip"]
    """`subtract` a number from each byte; `mask7`: bit 7 off; `hex-decode`: two digits to one byte;
    `reverse` the order; `strip` bytes from both ends."""
    from_: int = Field(default=0, alias="from")
    """First byte; negative from the end."""
    to: int | None = None
    """First byte it no longer touches; unless given, to the end."""
    value: int | None = Field(default=None, ge=0, le=255)
    """Only for `subtract`: what is subtracted, modulo 256."""
    octets: Octets | None = Field(default=None, alias="bytes")
    """Only for `strip`: which bytes; unless given, blanks and zero bytes."""

    @model_validator(mode="after")
    def _fit(self) -> Self:
        if (self.kind == "subtract") != (self.value is not None):
            raise ValueError(_("value belongs to `kind: subtract`, which needs it"))
        if self.octets is not None and self.kind != "strip":
            raise ValueError(_("bytes belongs to `kind: strip`"))
        return self

    def apply(self, frame: bytes) -> bytes | None:
        """Give the changed frame; None where it cannot be, as for an odd number of hex digits."""
        start, stop, _ = slice(self.from_, self.to).indices(len(frame))
        stop = max(start, stop)
        part = self._changed(frame[start:stop])
        return None if part is None else frame[:start] + part + frame[stop:]

    def _changed(self, part: bytes) -> bytes | None:
        if self.kind == "subtract":
            return bytes((byte - (self.value or 0)) & 0xFF for byte in part)
        if self.kind == "mask7":
            return part.translate(LOW_SEVEN)
        if self.kind == "reverse":
            return part[::-1]
        if self.kind == "strip":
            return part.strip(b" \x00" if self.octets is None else self.octets)
        try:
            return bytes.fromhex(part.decode("ascii")) if part.isalnum() or not part else None
        except (ValueError, UnicodeDecodeError):
            return None
