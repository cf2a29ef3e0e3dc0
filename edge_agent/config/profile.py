"""A device profile: what one model of equipment has, written once and named by its devices. Pure.

Driver packages bring profiles as files `profiles/NAME.yaml` beside their code; what can stand in
one is told here, and `edge_agent.config.library` finds them. Addresses are the driver's own keys.
"""

import math
from collections.abc import Collection
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from edge_agent.config.shape import Factor, Name, Number, Shape, Text
from edge_agent.language import _

Preset = Literal["essentials", "all"]
Address = dict[str, Any]
Range = Annotated[list[Number], Field(min_length=2, max_length=2)]


class Wording(Shape):
    """One text in the languages that installers read."""

    en: Text
    zh: Text


class ProfilePoint(Shape):
    """One value that the model has; the keys mean what they mean in a configuration."""

    address: Address
    label: Wording
    unit: str = ""
    scale: Factor = 1.0
    add: Number = 0.0
    no_value: list[int | Number | str] = Field(default_factory=list)
    range: Range | None = None


class Parameter(Shape):
    """A number that only who stands before the device knows, such as the ratio of a transformer."""

    question: Wording
    scales: Annotated[list[Name], Field(min_length=1)]
    """Points whose value is multiplied by the answer."""
    default: Number | None = None
    """What is taken without an answer; where there is no default, an answer is demanded."""
    choices: list[Number] = Field(default_factory=list)
    """The only possible answers; any positive number if empty."""


class SerialSettings(Shape):
    """Line settings that this model was seen with; the first is the most likely."""

    baud: int
    parity: Literal["none", "even", "odd"]
    data_bits: Literal[7, 8] = 8
    stop_bits: Literal[1, 2] = 1
    unit: int | None = None


class Sign(Shape):
    """A value by which the model is recognised; exactly one of the three conditions is given."""

    address: Address
    scale: Factor = 1.0
    range: Range | None = None
    """Plausible only; many models share it."""
    one_of: list[int] = Field(default_factory=list)
    begins: str = ""

    @model_validator(mode="after")
    def _has_one_condition(self) -> Self:
        if [self.range is not None, bool(self.one_of), bool(self.begins)].count(True) != 1:
            raise ValueError(_("needs exactly one of range, one_of and begins"))
        return self


class Area(Shape):
    """Where the cells of a controller's program lie: cell `first` is at `offset` of the table."""

    name: Text
    table: Literal["coil", "discrete", "input", "holding"]
    offset: Annotated[int, Field(ge=0, le=65535)]
    first: Text
    last: Text
    counts: Text
    """How cells are numbered: decimal, octal, or in words of the maker."""


class Profile(Shape):
    """What one model, or a family of models with the same addresses, has."""

    maker: Text
    models: Annotated[list[Text], Field(min_length=1)]
    kind: Text
    """What it is, in a word or two."""
    zh: Text
    """What people call it in Chinese."""
    confidence: Literal["high", "medium", "low"]
    """high: the maker's document, or sources that agree; else nobody should trust it unseen."""
    protocols: Annotated[list[Text], Field(min_length=1)]
    sources: Annotated[list[Text], Field(min_length=1)]
    notes: list[Text] = Field(default_factory=list)
    serial: list[SerialSettings] = Field(default_factory=list)
    """Empty where the settings it leaves the works with are not known."""
    settings: dict[str, int | str | bool] = Field(default_factory=dict)
    """What the connection's settings should say for it, such as the most registers at once."""
    recognise: list[Sign] = Field(default_factory=list)
    parameters: dict[Name, Parameter] = Field(default_factory=dict)
    areas: list[Area] = Field(default_factory=list)
    """For controllers whose points are what their program puts there."""
    essentials: list[Name] = Field(default_factory=list)
    """The points of the preset `essentials`; all if empty."""
    points: dict[Name, ProfilePoint] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _names_its_own_points(self) -> Self:
        if not (self.points or self.areas):
            raise ValueError(_("has neither points nor areas"))
        named = [*self.essentials, *(one for p in self.parameters.values() for one in p.scales)]
        if strange := sorted({*named} - {*self.points}):
            raise ValueError(
                _("names points that it does not have: {strange}").format(
                    strange=", ".join(strange)
                )
            )
        return self

    @property
    def title(self) -> str:
        """Maker and models."""
        return f"{self.maker} {', '.join(self.models)}"

    @property
    def is_unverified(self) -> bool:
        """Tell whether its values should be compared with the device's display before use."""
        return self.confidence != "high"

    def preset(self, name: Preset) -> Collection[str]:
        """Name the points of a preset, in the order of the profile."""
        essentials = {*self.essentials} if name == "essentials" else set()
        return [point for point in self.points if not essentials or point in essentials]


def answer(written: object, parameter: Parameter) -> float:
    """Read the answer to a profile's question: a positive number, or a ratio such as `600/5`.

    Raises:
        ValueError: It is neither, or none of the possible answers.
    """
    number = _ratio(written)
    if number is None or not 0 < number < math.inf:
        raise ValueError(_("must be a number above 0, or a ratio; write it like 120 or 600/5"))
    if parameter.choices and number not in parameter.choices:
        known = ", ".join(f"{choice:g}" for choice in parameter.choices)
        raise ValueError(
            _("must be one of {known}; {en}").format(known=known, en=parameter.question.en)
        )
    return number


def _ratio(written: object) -> float | None:
    if isinstance(written, bool):
        return None
    if isinstance(written, int | float):
        return float(written)
    if not isinstance(written, str):
        return None
    first, slash, second = written.partition("/")
    try:
        return float(first) / float(second if slash else 1)
    except (ValueError, ZeroDivisionError):
        return None
