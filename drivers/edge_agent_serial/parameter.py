"""What differs from one instrument or point to the next. Pure."""

import re
from typing import Literal, Self

from pydantic import Field, model_validator

from edge_agent.language import _
from edge_agent_serial.expression import Scalar
from edge_agent_serial.part import Part
from edge_agent_serial.patterns import compile_bounded


class Parameter(Part):
    """What differs from one instrument or point to the next: a meter's number, a register."""

    type: Literal["int", "text"] = "int"
    """`int`: a whole number from 0. `text`: printable ASCII."""
    min: int = Field(default=0, ge=0)
    """Smallest whole number."""
    max: int = Field(default=65535, ge=0)
    """Largest whole number."""
    pattern: str | None = None
    """Only for `text`, and needed there: what it may be, such as `[0-9]{12}`."""
    pad: int | None = Field(default=None, ge=1, le=64)
    """Only for `text`: filled up with zeros from the left to so many characters, so that a meter's
    number may be written without them."""
    default: Scalar = None
    """Unless given."""
    help: str = ""
    """What it is, and where to find it."""

    @model_validator(mode="after")
    def _fit(self) -> Self:
        if (self.type == "text") != (self.pattern is not None):
            raise ValueError(
                _("a parameter of type text needs a pattern, one of type int has none")
            )
        if self.pad is not None and self.type != "text":
            raise ValueError(_("pad is for a parameter of type text"))
        if self.pattern is not None:
            compile_bounded(self.pattern)
        if self.default is not None:
            self.check("default", self.default)
        return self

    def check(self, name: str, value: Scalar) -> Scalar:
        """Let a value pass that fits.

        Raises:
            ValueError: It does not; the message says what does.
        """
        if self.type == "text":
            text = str(value).rjust(self.pad or 0, "0")
            if len(text) > 64 or not text.isascii() or not re.fullmatch(self.pattern or "", text):
                advice = _(": write {help}").format(help=_(self.help)) if self.help else ""
                raise ValueError(
                    _("{name} is {str!r}, which does not fit {pattern!r}{advice}").format(
                        name=name, str=str(value), pattern=self.pattern, advice=advice
                    )
                )
            return text
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(  # noqa: TRY004 - pydantic makes sentences of these
                _("{name} is {value!r}, which is no whole number").format(name=name, value=value)
            )
        if not self.min <= value <= self.max:
            raise ValueError(
                _("{name} is {value}: write a number from {min} to {max}").format(
                    name=name, value=value, min=self.min, max=self.max
                )
            )
        return value
