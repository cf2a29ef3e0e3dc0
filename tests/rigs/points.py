"""Points without equipment, for tests of what happens to values."""

from typing import Any

from edge_agent.config.model import Deadband, Point
from edge_agent.driver import Address


class Plain(Address):
    """An address that says what type it claims to be, and nothing else."""

    type: str = "int16"

    def value_type(self) -> str:
        return self.type

    def __str__(self) -> str:
        return f"plain {self.type}"


def point(
    name: str = "p", kind: str = "int16", deadband: float | str | None = None, **others: Any
) -> Point:
    """Make a point; a deadband such as `2%` is relative."""
    band = None
    if deadband is not None:
        text = str(deadband)
        band = Deadband(float(text.rstrip("%")), percent=text.endswith("%"))
    return Point(name, Plain(type=kind), deadband=band, **others)
