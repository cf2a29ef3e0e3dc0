"""Shows figures: what is wanted, what was measured. Pure."""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

HEAD = ("figure", "wanted", "median", "range", "")


@dataclass
class Figure:
    """One figure of several runs.

    Attributes:
        what: Its name, for people.
        unit: The unit of its values.
        most: What it may be at most; None where that is not demanded.
        least: What it has to be at least, likewise.
        values: One for each run.
    """

    what: str
    unit: str
    most: float | None = None
    least: float | None = None
    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The value in the middle."""
        return statistics.median(self.values)

    @property
    def mark(self) -> str:
        """Tell in one word whether the median is what is wanted."""
        if self.most is None and self.least is None:
            return ""
        most = self.most if self.most is not None else math.inf
        least = self.least if self.least is not None else -math.inf
        return "ok" if least <= self.median <= most else "MISSED"

    @property
    def wanted(self) -> str:
        """Say what is demanded."""
        if self.least is not None:
            return f"≥ {_short(self.least)} {self.unit}"
        return "" if self.most is None else f"≤ {_short(self.most)} {self.unit}"

    def row(self) -> tuple[str, ...]:
        """Give its line of the table."""
        span = f"{_short(min(self.values))} - {_short(max(self.values))}"
        return self.what, self.wanted, f"{_short(self.median)} {self.unit}", span, self.mark


class Figures:
    """Collects figures of several runs, in the order in which each was measured first.

    Args:
        say: Is told each value.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._known: dict[str, Figure] = {}

    @property
    def all(self) -> list[Figure]:
        """Give what was measured."""
        return list(self._known.values())

    def note(
        self,
        what: str,
        value: float,
        unit: str,
        *,
        most: float | None = None,
        least: float | None = None,
    ) -> None:
        """Take one more value of a figure."""
        self._known.setdefault(what, Figure(what, unit, most, least)).values.append(value)
        self._say(f"  {what}: {value:.4g} {unit}")


def text(figures: Sequence[Figure]) -> str:
    """Lay the figures out for a terminal."""
    rows = [HEAD, *(figure.row() for figure in figures if figure.values)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
             for row in rows)  # fmt: skip
    return "\n".join(line.rstrip() for line in lines)


def markdown(figures: Sequence[Figure]) -> str:
    """Lay the figures out for a document."""
    rows = [HEAD, ("---",) * len(HEAD), *(figure.row() for figure in figures if figure.values)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _short(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"
