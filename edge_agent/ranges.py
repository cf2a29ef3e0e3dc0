"""Sets of whole numbers kept as ranges: a year of sequence numbers in a few bytes. Pure."""

from bisect import bisect_right
from collections.abc import Iterable


class Ranges:
    """A set of whole numbers, as ranges that neither touch nor overlap.

    Args:
        ranges: First and last number of each range to begin with.
    """

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for first, last in ranges:
            self.add(first, last)

    def add(self, first: int, last: int | None = None) -> bool:
        """Add a number, or all from first to last; False if all of them were there already."""
        last = first if last is None else last
        # The ranges from `begin` up to but not including `end` touch or overlap the new one.
        begin = bisect_right(self._firsts, first)
        if begin and self._lasts[begin - 1] >= first - 1:
            begin -= 1
        end = bisect_right(self._firsts, last + 1)
        if begin < end:
            if self._firsts[begin] <= first and last <= self._lasts[begin]:
                return False
            first = min(first, self._firsts[begin])
            last = max(last, self._lasts[end - 1])
        self._firsts[begin:end] = [first]
        self._lasts[begin:end] = [last]
        return True

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._firsts, number) - 1
        return at >= 0 and number <= self._lasts[at]

    def __len__(self) -> int:
        return sum(last - first + 1 for first, last in self.pairs())

    def pairs(self) -> list[tuple[int, int]]:
        """Give the ranges as pairs of first and last number, ascending."""
        return list(zip(self._firsts, self._lasts, strict=True))

    def gaps(self) -> list[tuple[int, int]]:
        """Give what is missing between the lowest and the highest number, likewise."""
        following = self._firsts[1:]
        return [(last + 1, first - 1) for last, first in zip(self._lasts, following, strict=False)]

    @property
    def lowest(self) -> int | None:
        """Give the lowest number."""
        return self._firsts[0] if self._firsts else None

    @property
    def highest(self) -> int | None:
        """Give the highest number."""
        return self._lasts[-1] if self._lasts else None
