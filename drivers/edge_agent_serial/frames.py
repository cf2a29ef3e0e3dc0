"""What one frame of an instrument said. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from edge_agent.driver import Flaw
from edge_agent_serial.expression import Scalar

NO_FLAWS: Mapping[str, Flaw] = {}


class Frame(NamedTuple):
    """What one frame said.

    Attributes:
        fields: Name -> value; None where it has none.
        flaw: What is wrong with all of them.
        flaws: Name -> what is wrong with that one.
        status: Fields that tell how the instrument is; `flaw` is not about them.
        raw: The bytes.
    """

    fields: Mapping[str, Scalar]
    flaw: Flaw | None = None
    flaws: Mapping[str, Flaw] = NO_FLAWS
    status: frozenset[str] = frozenset()
    raw: bytes = b""

    def flaw_of(self, name: str) -> Flaw | None:
        """Give what is wrong with one field."""
        if name in self.flaws:
            return self.flaws[name]
        return None if name in self.status else self.flaw
