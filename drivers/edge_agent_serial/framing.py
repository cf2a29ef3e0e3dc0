r"""Where a frame begins and ends, by the ways instruments have. Pure.

Each way looks at one place of what arrived and says: a frame, not a frame, or wait for more.
Text parsers see what stands between start and end; positions count from the frame's first byte.
"""

from typing import Annotated, TypeAlias

from pydantic import Field

from edge_agent_serial.counted import FixedFraming, LengthFraming
from edge_agent_serial.cut import LONGEST, Cut, Mark, Verdict
from edge_agent_serial.delimited import LineFraming, SilenceFraming, StartEndFraming

__all__ = [
    "LONGEST",
    "Cut",
    "FixedFraming",
    "Framing",
    "LengthFraming",
    "LineFraming",
    "Mark",
    "SilenceFraming",
    "StartEndFraming",
    "Verdict",
]

Framing: TypeAlias = Annotated[
    LineFraming | StartEndFraming | FixedFraming | LengthFraming | SilenceFraming,
    Field(discriminator="kind"),
]
