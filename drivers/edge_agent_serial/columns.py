"""Takes a line of columns apart: values between separators, each known by its place. Pure."""

import csv
from collections.abc import Iterator
from typing import Literal, Self

from pydantic import Field, model_validator

from edge_agent.language import _
from edge_agent_serial.expression import Scalar
from edge_agent_serial.framing import Cut
from edge_agent_serial.part import Name, Part

MOST_COLUMNS = 128
"""Of one line."""


class ColumnsParse(Part):
    """A line of values in columns, such as `12:30;1,5;kg`.

    What was lost on the line moves all columns behind it, so a line with another number of columns
    than it must have does not fit: write what they are `called`, or compare `count` in the recipe's
    `expect`.
    """

    kind: Literal["columns"]
    separator: Literal[",", ";", "\t", "|", " "]
    """What stands between two columns; a run of blanks counts once. Separators within double quotes
    separate nothing."""
    called: tuple[Name, ...] = Field(default=(), max_length=MOST_COLUMNS)
    """What they are called; unless given `column.1`, `column.2`, ..."""
    first: Name | None = None
    """The first column says what kind of line it is: it gets this name, and the others are called
    after it, such as `GPGGA.1`, `GPGGA.2`."""
    no_value: tuple[str, ...] = ()
    """Texts that mean that there is none."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.called and self.first is not None:
            raise ValueError(_("give either called or first"))
        return self

    def names(self) -> set[str]:
        return {*self.called, "count"} | ({self.first} if self.first else set())

    def parse(self, cut: Cut, text: str | None) -> dict[str, Scalar] | None:
        columns = self._split(text or "")
        if not self._fits(columns):
            return None
        raw: dict[str, Scalar] = {"count": len(columns)}
        for name, value in self._named(columns):
            raw[name] = None if value in self.no_value else value
        return raw

    def _fits(self, columns: list[str]) -> bool:
        if self.called:
            return len(columns) == len(self.called)
        return 2 <= len(columns) <= MOST_COLUMNS and (self.first is None or columns[0] != "")

    def _named(self, columns: list[str]) -> Iterator[tuple[str, str]]:
        if self.called:
            yield from zip(self.called, columns, strict=True)
            return
        place = "column"
        if self.first is not None:
            place, *columns = columns
            yield self.first, place
        for number, value in enumerate(columns, 1):
            yield f"{place}.{number}", value

    def _split(self, text: str) -> list[str]:
        """Cut at the separators; none where a quoted text has no end."""
        if self.separator == " ":
            return text.split()
        try:
            reader = csv.reader([text], delimiter=self.separator, strict=True)
            return [column.strip() for column in next(reader, [])]
        except csv.Error:
            return []
