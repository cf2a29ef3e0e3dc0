"""Factors that turn digits into engineering values. Pure."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator

from edge_agent.language import _
from edge_agent_serial.expression import Scalar
from edge_agent_serial.part import Name, Part


def _not_zero(factor: float) -> float:
    if factor == 0:
        raise ValueError(_("a factor of 0 makes every value 0: leave it out, or write 1"))
    return factor


Factor = Annotated[float, AfterValidator(_not_zero)]


class Scale(Part):
    """A factor that depends on another value, such as a meter's data identifier."""

    by: Name
    """The value it depends on, as text."""
    table: Mapping[str, Factor]
    """Beginning of that text -> factor; the longest that fits counts."""

    def factor(self, key: Scalar) -> float | None:
        text = str(key)
        fits = [start for start in self.table if text.startswith(start)]
        return self.table[max(fits, key=len)] if fits else None
