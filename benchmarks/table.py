"""Shows figures: what is wanted, what was measured. Pure."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

HEAD = ("figure", "wanted", "median", "range", "")


@dataclass
class Figure:
    """One figure of several runs.

    Attributes:
        what: Its name, for people.
        unit: The unit of its values.
        most: What it may be at most; None where nothing is demanded.
        values: One for each run.
    """

    what: str
    unit: str
    most: float | None = None
    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The value in the middle."""
        return statistics.median(self.values)

    @property
    def mark(self) -> str:
        """Tell in one word whether the median is what is wanted."""
        if self.most is None:
            return ""
        return "ok" if self.median <= self.most else "MISSED"

    def row(self) -> tuple[str, ...]:
        """Give its line of the table."""
        wanted = "" if self.most is None else f"≤ {_short(self.most)} {self.unit}"
        span = f"{_short(min(self.values))} - {_short(max(self.values))}"
        return self.what, wanted, f"{_short(self.median)} {self.unit}", span, self.mark


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
