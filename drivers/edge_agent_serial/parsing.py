"""Takes a frame apart into named raw values. Pure.

Raw values are texts (regex, table, pairs, and most text forms of a layout) or numbers (the number
forms of a layout); fields make typed values of them.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Annotated, ClassVar, Literal, Self, TypeAlias

from pydantic import Field, PrivateAttr, field_validator, model_validator

from edge_agent.language import _
from edge_agent_serial.columns import ColumnsParse
from edge_agent_serial.expression import Scalar
from edge_agent_serial.forms import FORMS, Form
from edge_agent_serial.framing import Cut, Mark
from edge_agent_serial.part import Name, Part
from edge_agent_serial.patterns import LONGEST_TEXT, compile_bounded

MOST_ROWS = 512
"""Rows of one table, or pairs of one line."""

Raw: TypeAlias = dict[str, Scalar]


class Unreadable(str):
    """Stands for a value that was there and cannot be trusted: the text says why."""

    __slots__ = ()


class Absent(Unreadable):
    """Stands for a value of which the instrument says that it has none."""

    __slots__ = ()


class RegexParse(Part):
    """Regular expressions for the whole text; the first that fits names the values."""

    kind: Literal["regex"]
    patterns: tuple[str, ...] = Field(min_length=1, max_length=32)
    """With named groups, as `(?P<weight>...)`."""
    _compiled: tuple[re.Pattern[str], ...] = PrivateAttr(())

    @model_validator(mode="after")
    def _compile(self) -> Self:
        self._compiled = tuple(compile_bounded(text) for text in self.patterns)
        return self

    def names(self) -> set[str]:
        return {name for pattern in self._compiled for name in pattern.groupindex}

    def parse(self, cut: Cut, text: str | None) -> Raw | None:
        if text is None or len(text) > LONGEST_TEXT:
            return None
        for pattern in self._compiled:
            if found := pattern.fullmatch(text):
                return {**dict.fromkeys(self.names()), **found.groupdict()}
        return None


class Item(Part):
    """One value of a layout."""

    name: Name
    """What it is called."""
    at: int
    """Its first byte; negative from the end of the frame."""
    size: int | None = Field(default=None, ge=1, le=1024)
    """Its bytes; or give `to`."""
    to: int | None = None
    """First byte after it, negative from the end: for values whose length varies."""
    form: Form = "uint"
    """`uint` `int` binary, `bcd` two digits a byte, `signedbcd` with a sign in the highest bit,
    `digits` a number in text, `float` IEEE 754, `ascii` text, `hex` the bytes as text, `bcdtext`
    digits as text, `bits` as text of 0 and 1 with the lowest bit first; `...le` low byte first."""
    optional: bool = False
    """Where the frame is shorter, the value is missing; else the frame does not fit."""

    @model_validator(mode="after")
    def _have_an_end(self) -> Self:
        if (self.size is None) == (self.to is None):
            raise ValueError(_("{name}: give either size or to").format(name=self.name))
        return self

    def cut(self, frame: bytes) -> bytes | None:
        """Give its bytes; None where the frame has none there."""
        at = self.at if self.at >= 0 else len(frame) + self.at
        to = at + self.size if self.size is not None else (self.to or 0)
        to = to if to > 0 else len(frame) + to
        return frame[at:to] if 0 <= at < to <= len(frame) else None

    def read(self, there: bytes) -> Scalar:
        """Give the value these bytes stand for."""
        value: Scalar = FORMS[self.form](there)
        return (
            Unreadable(_("{there} is no {form}").format(there=there.hex(" "), form=self.form))
            if value is None
            else value
        )


class BytesParse(Part):
    """Values at fixed places of the frame."""

    kind: Literal["bytes"]
    when: tuple[Mark, ...] = ()
    """Only frames that have these bytes, where a family has frames of several layouts."""
    layout: tuple[Item, ...] = Field(min_length=1, max_length=128)
    """Where each value stands."""

    def names(self) -> set[str]:
        return {item.name for item in self.layout}

    def parse(self, cut: Cut, text: str | None) -> Raw | None:
        if not all(mark.holds(cut.raw) for mark in self.when):
            return None
        raw: Raw = {}
        for item in self.layout:
            there = item.cut(cut.raw)
            if there is None and not item.optional:
                return None
            raw[item.name] = None if there is None else item.read(there)
        return raw


class TableParse(Part):
    """Many rows in one frame, each a key and a value: the keys are the fields."""

    kind: Literal["table"]
    row: str
    """With the groups `key` and `value`, and perhaps `unit`, which becomes the field `key.unit`."""
    no_value: tuple[str, ...] = ()
    """Values that mean that there is none."""
    _compiled: re.Pattern[str] = PrivateAttr(re.compile(""))
    dynamic: ClassVar[bool] = True

    @model_validator(mode="after")
    def _compile(self) -> Self:
        self._compiled = compile_bounded(self.row, searched=True)
        if not {"key", "value"} <= set(self._compiled.groupindex):
            raise ValueError(
                _("{row!r} needs the groups (?P<key>...) and (?P<value>...)").format(row=self.row)
            )
        return self

    def names(self) -> set[str]:
        return set()

    def parse(self, cut: Cut, text: str | None) -> Raw | None:
        raw: Raw = {}
        for row in islice(self._rows(text or ""), MOST_ROWS):
            _put(raw, row["key"], row["value"], self.no_value)
            if row.get("unit") is not None:
                _put(raw, f"{row['key']}.unit", row["unit"])
        return raw or None

    def _rows(self, text: str) -> Iterator[dict[str, str]]:
        for line in re.split(r"[\r\n]+", text):
            if len(line) <= LONGEST_TEXT:
                yield from (found.groupdict() for found in self._compiled.finditer(line))


class PairsParse(Part):
    """A line of keys and values in turn, such as `time|key|value|key|value`."""

    kind: Literal["pairs"]
    separator: str = Field(min_length=1, max_length=4)
    """What stands between them."""
    first: Name | None = None
    """What the first value is, where it has no key."""
    skip: str | None = None
    """A regular expression: lines in which it is found hold no pairs and are passed over."""
    no_value: tuple[str, ...] = ()
    """Values that mean that there is none, such as UNAVAILABLE."""
    dynamic: ClassVar[bool] = True

    @field_validator("skip")
    @classmethod
    def _bound(cls, skip: str | None) -> str | None:
        if skip is not None:
            compile_bounded(skip, searched=True)
        return skip

    def names(self) -> set[str]:
        return {self.first} if self.first else set()

    def parse(self, cut: Cut, text: str | None) -> Raw | None:
        if text is None:
            return None
        if self.skip is not None and re.search(self.skip, text[:LONGEST_TEXT]):
            return {}
        parts = text.split(self.separator)
        raw: Raw = {}
        if self.first is not None:
            raw[self.first] = parts.pop(0)
        if not parts or len(parts) % 2 or len(parts) > 2 * MOST_ROWS:
            return None
        for key, value in zip(parts[0::2], parts[1::2], strict=True):
            _put(raw, key.strip(), value, self.no_value)
        return raw


Parse: TypeAlias = Annotated[
    RegexParse | BytesParse | TableParse | PairsParse | ColumnsParse,
    Field(discriminator="kind"),
]


def _put(raw: Raw, key: str, value: str, no_value: tuple[str, ...] = ()) -> None:
    known = raw.get(key)
    if value.strip() in no_value:
        value = Absent(_("the instrument says {value!r}").format(value=value.strip()))
    if known is None or known == value:
        raw[key] = value
    else:
        raw[key] = Unreadable(
            _("{key!r} stands twice in the frame, with different values").format(key=key)
        )
