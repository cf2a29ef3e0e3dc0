"""What a driver's dialect of register lists may use; see `edge_agent.registers.dialect`."""

from edge_agent.config.profile import Area
from edge_agent.registers.dialect import (
    MODEL,
    Answers,
    Asked,
    Cells,
    Choice,
    Dialect,
    Place,
    Unclear,
    answered,
    as_cell,
    chosen,
    keys_of,
)

__all__ = [
    "MODEL",
    "Answers",
    "Area",
    "Asked",
    "Cells",
    "Choice",
    "Dialect",
    "Place",
    "Unclear",
    "answered",
    "as_cell",
    "chosen",
    "keys_of",
]
