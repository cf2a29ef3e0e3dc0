"""Factors that turn digits into engineering values. Pure."""

from collections.abc import Mapping

from edge_agent_serial.expression import Scalar
from edge_agent_serial.part import Name, Part


class Scale(Part):
    """A factor that depends on another value, such as a meter's data identifier."""

    by: Name
    """The value it depends on, as text."""
    table: Mapping[str, float]
    """Beginning of that text -> factor; the longest that fits counts."""

    def factor(self, key: Scalar) -> float | None:
        text = str(key)
        fits = [start for start in self.table if text.startswith(start)]
        return self.table[max(fits, key=len)] if fits else None
