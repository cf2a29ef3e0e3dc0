"""How one field of a frame comes about. Pure.

A field never guesses: what cannot be read is no value, with a reason.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Literal, Self

from pydantic import Field as Key
from pydantic import field_validator, model_validator

from edge_agent.language import _
from edge_agent_serial.conversions import CONVERSIONS, Type, times, turned
from edge_agent_serial.expression import Calculation, Expression, ExpressionFailed, Scalar
from edge_agent_serial.numbers import to_int
from edge_agent_serial.parsing import Unreadable
from edge_agent_serial.part import Name, Part
from edge_agent_serial.patterns import compile_bounded
from edge_agent_serial.scale import Factor, Scale

MOST_PARTS = 512
"""Values that one text can be cut into with `each`."""


class Bits(Part):
    """Some bits of a number."""

    first: int = Key(ge=0, le=63)
    """The lowest one; 0 is the bit of value 1."""
    count: int = Key(ge=1, le=32)
    """How many."""


class Field(Part):
    """How one field comes about: from a raw value, or by calculation from other fields.

    The steps run in the order of the keys below.
    """

    from_: Name | tuple[Name, ...] | None = Key(default=None, alias="from")
    """The raw value or earlier field it is made of; several are joined. Unless given, the one of
    its own name."""
    strip: str | None = None
    """Characters taken away from both ends, and blanks."""
    match: str | None = None
    """A regular expression with one group, found in the text: the group is the value."""
    bit: int | None = Key(default=None, ge=0, le=63)
    """One bit of a number: true or false."""
    bits: Bits | None = None
    """Several bits of a number."""
    map: Mapping[str, Scalar] | None = None
    """Raw text -> value. What is not in it is no value."""
    each: int | None = Key(default=None, ge=1, le=64)
    """Cut the text into pieces of so many characters: fields `name.0`, `name.1`, ..."""
    wide: int | None = Key(default=None, ge=1, le=64)
    """With `each`: how long a piece is, where pieces overlap, such as the 32-bit number that
    begins at each register."""
    number_from: Calculation | None = None
    """With `each`: the number of the first piece, such as the first register asked for; 0 unless
    given."""
    number_to: Calculation | None = None
    """With `each`: the number of the last piece, so that a point that is not among them is told."""
    alone: Mapping[Name, Calculation] = {}
    """With `each`: how to ask for one piece, `piece` being its number, where a configuration gives
    none of these parameters."""
    low_first: Literal["bytes", "words"] | None = None
    """Hex digits come with the low byte (`0100` is 1), or the low word, first."""
    base: Literal[2, 10, 16] = 10
    """How digits of a whole number are written."""
    signed: int | None = Key(default=None, ge=2, le=64)
    """The whole number is a two's complement of so many bits."""
    type: Type | None = None
    """`number`, `int`, `bool`, `text`, `float` (IEEE 754 in hex digits); unless given, as it
    comes."""
    expression: Calculation | None = None
    """Calculated from earlier fields, raw values and parameters, instead of `from`."""
    scale: Factor | Scale | None = None
    """A factor, or a table of factors."""
    decimals: int | None = Key(default=None, ge=0, le=12)
    """Rounded to so many, to undo what binary fractions add."""
    null_if: Calculation | None = None
    """Where it is true, the field has no value."""
    unit: str | None = None
    """UCUM unit, where it is always the same; for people and for profiles."""
    help: str | None = None
    """What it is, in a few words."""
    status: bool = False
    """It tells how the instrument is (`stable`, `overload`), so quality rules leave it alone."""
    inner: bool = False
    """Only used by other fields; nobody can read it."""

    # Kept beside the keys, since pydantic's private attributes are slow to get at for each frame.
    @cached_property
    def _expression(self) -> Expression | None:
        return Expression(self.expression) if self.expression else None

    @cached_property
    def _null_if(self) -> Expression | None:
        return Expression(self.null_if) if self.null_if else None

    @cached_property
    def _number_from(self) -> Expression | None:
        return Expression(self.number_from) if self.number_from else None

    @cached_property
    def _match(self) -> re.Pattern[str] | None:
        return re.compile(self.match) if self.match else None

    @field_validator("match")
    @classmethod
    def _one_group(cls, match: str | None) -> str | None:
        if match is not None and compile_bounded(match, searched=True).groups != 1:
            raise ValueError(
                _("{match!r} needs exactly one group: what stands in ( ) is the value").format(
                    match=match
                )
            )
        return match

    @model_validator(mode="after")
    def _compile(self) -> Self:
        if self.expression and self.from_ is not None:
            raise ValueError(_("give either from or expression"))
        if self.bit is not None and self.bits is not None:
            raise ValueError(_("give either bit or bits"))
        if self.each is None and (self.wide or self.number_from or self.number_to or self.alone):
            raise ValueError(_("wide, number_from, number_to and alone belong to each"))
        return self

    def needs(self, name: str) -> set[str]:
        """Give the names it is made of."""
        needed: set[str] = set()
        for expression in (self._null_if, self._number_from):
            needed |= expression.names if expression else set()
        if isinstance(self.scale, Scale):
            needed.add(self.scale.by)
        if self._expression:
            return needed | self._expression.names
        return needed | set(self._sources(name))

    def _sources(self, name: str) -> Sequence[str]:
        if self.from_ is None:
            return (name,)
        return (self.from_,) if isinstance(self.from_, str) else self.from_

    def values(self, name: str, known: Mapping[str, Scalar]) -> Iterator[tuple[str, Scalar]]:
        """Give the field, or the fields it is cut into, from what is known so far.

        Raises:
            ExpressionFailed: `null_if` has no result.
        """
        if self._null_if and self._null_if(known):
            yield name, None
            return
        raw = self._raw(name, known)
        if self.each is None or not isinstance(raw, str) or isinstance(raw, Unreadable):
            yield name, self._finish(raw, known)
            return
        yield from self._pieces(name, raw, self.each, known)

    def _pieces(
        self, name: str, text: str, each: int, known: Mapping[str, Scalar]
    ) -> Iterator[tuple[str, Scalar]]:
        first = self._number_from(known) if self._number_from else 0
        if len(text) % each or len(text) > each * MOST_PARTS:
            yield (
                name,
                Unreadable(
                    _("{text} characters are no pieces of {each}").format(text=len(text), each=each)
                ),
            )
        elif not isinstance(first, int):
            yield (
                name,
                Unreadable(
                    _("the first piece has no number: {number_from} is {first}").format(
                        number_from=self.number_from, first=first
                    )
                ),
            )
        else:
            wide = self.wide or each
            for number, start in enumerate(range(0, len(text) - wide + 1, each), first):
                yield f"{name}.{number}", self._finish(text[start : start + wide], known)

    def _raw(self, name: str, known: Mapping[str, Scalar]) -> Scalar:
        if self._expression:
            try:
                return self._expression(known)
            except ExpressionFailed as error:
                return _why_not(self._expression, known, error)
        parts = [known.get(source) for source in self._sources(name)]
        if len(parts) == 1:
            return parts[0]
        if any(isinstance(part, Unreadable) for part in parts):
            return next(part for part in parts if isinstance(part, Unreadable))
        present = [str(part) for part in parts if part is not None]
        return "".join(present) if present else None

    def _finish(self, value: Scalar, known: Mapping[str, Scalar]) -> Scalar:
        for step in (self._picked, self._turned, self._bitten, self._mapped, self._typed):
            if value is None or isinstance(value, Unreadable):
                return value
            value = step(value)
        if value is None or isinstance(value, Unreadable):
            return value
        return self._scaled(value, known)

    def _picked(self, value: Scalar) -> Scalar:
        if isinstance(value, str) and self.strip is not None:
            value = value.strip(self.strip + " ")
        if self._match is not None:
            found = self._match.search(str(value))
            return found[1] if found else None
        return value

    def _turned(self, value: Scalar) -> Scalar:
        if self.low_first is None:
            return value
        digits = turned(str(value), self.low_first)
        return digits or Unreadable(
            _("{value!r} is no {low_first} in hex digits").format(
                value=value, low_first=self.low_first
            )
        )

    def _bitten(self, value: Scalar) -> Scalar:
        if self.bit is None and self.bits is None:
            return value
        number = value if isinstance(value, int) else to_int(str(value), self.base)
        if number is None:
            return Unreadable(_("{value!r} is no whole number and has no bits").format(value=value))
        if self.bits is not None:
            return (number >> self.bits.first) & ((1 << self.bits.count) - 1)
        return bool(number >> (self.bit or 0) & 1)

    def _mapped(self, value: Scalar) -> Scalar:
        if self.map is None:
            return value
        key = str(value).lower() if isinstance(value, bool) else str(value).strip()
        if key not in self.map:
            return Unreadable(
                _("{key!r} is none of {map}").format(key=key, map=", ".join(self.map))
            )
        return self.map[key]

    def _typed(self, value: Scalar) -> Scalar:
        if self.type is None and self.signed is None:
            return value
        made = CONVERSIONS[self.type or "int"](value, self.base)
        if made is None:
            return (
                Unreadable(_("{value!r} is no {type}").format(value=value, type=self.type or "int"))
                if value != ""
                else None
            )
        if self.signed is not None and isinstance(made, int) and made >> (self.signed - 1) & 1:
            made -= 1 << self.signed
        return made

    def _scaled(self, value: Scalar, known: Mapping[str, Scalar]) -> Scalar:
        if self.scale is not None:
            factor = self.scale
            if isinstance(factor, Scale):
                found = factor.factor(known.get(factor.by))
                if found is None:
                    return Unreadable(
                        _("no scale is known for {by!r}").format(by=known.get(factor.by))
                    )
                factor = found
            if isinstance(value, str | None):
                return Unreadable(_("{value!r} is no number to scale").format(value=value))
            value = times(value, factor)
        if self.decimals is not None and isinstance(value, float):
            value = round(value, self.decimals)
        return value


def _why_not(expression: Expression, known: Mapping[str, Scalar], error: Exception) -> Scalar:
    """Tell a missing value, which is none, from one that cannot be read."""
    values = [known.get(name) for name in expression.names]
    unreadable = next((value for value in values if isinstance(value, Unreadable)), None)
    if unreadable is not None:
        return unreadable
    return None if None in values else Unreadable(str(error))
