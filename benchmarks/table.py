"""Shows figures: what is wanted, what was measured. Pure."""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

HEAD = ("figure", "wanted", "median", "range", "runs", "")


@dataclass
class Figure:
    """One figure of several runs.

    Attributes:
        what: Its name, for people.
        unit: The unit of its values.
        most: What it may be at most; None where that is not demanded.
        least: What it has to be at least, likewise.
        in_each: Whether every run has to hold, and not only the median: what must never happen.
        values: One for each run.
    """

    what: str
    unit: str
    most: float | None = None
    least: float | None = None
    in_each: bool = False
    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The value in the middle."""
        return statistics.median(self.values)

    @property
    def mark(self) -> str:
        """Tell in one word whether it is what is wanted."""
        if self.most is None and self.least is None:
            return ""
        most = self.most if self.most is not None else math.inf
        least = self.least if self.least is not None else -math.inf
        judged = self.values if self.in_each else [self.median]
        return "ok" if all(least <= value <= most for value in judged) else "MISSED"

    @property
    def wanted(self) -> str:
        """Say what is demanded."""
        sign, limit = ("≥", self.least) if self.least is not None else ("≤", self.most)
        if limit is None:
            return ""
        words = f"{sign} {_short(limit)} {self.unit}".rstrip()
        return f"{words}, in each run" if self.in_each else words

    def row(self) -> tuple[str, ...]:
        """Give its line of the table."""
        span = f"{_short(min(self.values))} - {_short(max(self.values))}"
        median, runs = f"{_short(self.median)} {self.unit}".rstrip(), str(len(self.values))
        return self.what, self.wanted, median, span, runs, self.mark


class Figures:
    """Collects figures of several runs, in the order in which each was measured first.

    Args:
        say: Is told each value.

    Attributes:
        course: How something went while it was measured, as instants and values, for a picture.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self.course: list[tuple[float, float]] = []
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
        in_each: bool = False,
    ) -> None:
        """Take one more value of a figure; see `Figure`."""
        figure = self._known.setdefault(what, Figure(what, unit, most, least, in_each))
        figure.values.append(value)
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
