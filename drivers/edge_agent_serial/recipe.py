"""A recipe: all that is to be known about one instrument family, as data. Pure.

A recipe says what comes over the line and what it means; there is no code in it. It carries its
own vectors, bytes with the values they stand for, and without them it is refused.
`RECIPES.md` shows how to write one in fifteen minutes.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from edge_agent.driver import Duration
from edge_agent_serial.asked import FollowUp, Request
from edge_agent_serial.checksums import Checksum
from edge_agent_serial.columns import ColumnsParse
from edge_agent_serial.denied import Family
from edge_agent_serial.expression import Calculation
from edge_agent_serial.fields import Field as RecipeField
from edge_agent_serial.framing import Framing
from edge_agent_serial.parameter import Parameter
from edge_agent_serial.parsing import PairsParse, Parse, TableParse
from edge_agent_serial.part import Encoding, Name, Part
from edge_agent_serial.patterns import compile_bounded
from edge_agent_serial.quality import Rules, Verdict
from edge_agent_serial.soundness import unsound
from edge_agent_serial.steps import Expect, ReadFrames, Send, Session, SetBaud
from edge_agent_serial.transforms import Transform
from edge_agent_serial.vector import Exchange, Outcome, Vector

__all__ = [
    "Event",
    "Exchange",
    "Expect",
    "FollowUp",
    "LineDefaults",
    "Match",
    "Outcome",
    "Parameter",
    "ReadFrames",
    "Recipe",
    "Request",
    "Send",
    "Session",
    "SetBaud",
    "Vector",
    "Weighing",
]


def _several(given: Any) -> Any:
    return given if isinstance(given, list | tuple) else [given]


class LineDefaults(Part):
    """How instruments of this kind leave the factory; a configuration may say otherwise."""

    baud: int = Field(default=9600, ge=50, le=4_000_000)
    """Bits per second."""
    data_bits: Literal[7, 8] = 8
    """Bits per character, without parity."""
    parity: Literal["none", "even", "odd"] = "none"
    """The check bit of each character."""
    stop_bits: Literal[1, 2] = 1
    """Bits between two characters."""
    xonxoff: bool = False
    """Flow control by the characters XON and XOFF."""
    mask7: bool = False
    """Take bit 7 off each byte: it may be a parity bit that the port does not know about."""
    tcp_port: int | None = Field(default=None, ge=1, le=65535)
    """Where the instrument listens, if it has a network of its own."""


class Weighing(Part):
    """What makes one weighing, for `only: weighings` in a configuration."""

    field: Name
    """The weight."""
    zero: float = Field(default=0.0, ge=0)
    """At or below it the scale counts as empty; 0: unless the configuration says so."""


class Event(Part):
    """What makes one event of an instrument that sends only when something happens."""

    same_within: Duration = 0.0
    """Seconds within which the same frame again is the same event: a trigger held too long."""


class Match(Part):
    """How this family is known from what it sends, for `edge-agent recipe learn` and `setup`."""

    pattern: str
    """Regular expression for one frame as bytes (written as latin-1 text)."""
    frames: int = Field(default=3, ge=1, le=20)
    """So many must fit, one after the other."""

    @model_validator(mode="after")
    def _bound(self) -> Self:
        compile_bounded(self.pattern)
        return self


class Recipe(Part):
    """All that is to be known about one instrument family."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")
    """What a configuration calls it; also the name of its file."""
    title: str
    """One line for people."""
    maker: str
    """Who makes the instruments."""
    models: tuple[str, ...] = ()
    """Instruments it is for."""
    sources: tuple[str, ...] = Field(min_length=1)
    """Manuals and captures it was written from."""
    notes: tuple[str, ...] = ()
    """What an installer must know: menu settings, cables, traps."""
    line: LineDefaults = LineDefaults()
    """Line settings as delivered."""
    encoding: Encoding = "ascii"
    """How text is written in bytes."""
    mode: Literal["stream", "poll", "session", "event"]
    """`stream`: sends by itself all the time. `poll`: answers requests. `session`: needs a
    conversation. `event`: sends when something happens, such as a scanned code."""
    family: Family | None = None
    """Which list of forbidden requests applies; needed where something is sent."""
    deny: tuple[str, ...] = ()
    """Regular expressions for further requests (as latin-1 text) that must never be sent."""
    framing: Annotated[tuple[Framing, ...], BeforeValidator(_several), Field(min_length=1)]
    """Where a frame begins and ends; several where the family has several kinds of frames."""
    checksum: Checksum = Checksum(kind="none")
    """How a frame shows that it is whole."""
    transform: tuple[Transform, ...] = ()
    """What is done to a frame before it is taken apart."""
    parse: Annotated[tuple[Parse, ...], BeforeValidator(_several), Field(min_length=1)]
    """How it is taken apart; of several the first that fits."""
    fields: Mapping[str, RecipeField] = {}
    """What it means, in the order in which fields build on each other."""
    expect: Calculation | None = None
    """True for the frames that are meant, by comparing fields with parameters: of several kinds of
    lines the one wanted. Others are not taken. A request has one of its own."""
    signs: Mapping[str, Verdict] = {}
    """Regular expression found in the text of a frame -> quality. A frame that a sign calls bad
    needs not fit `parse`: overload and errors often look quite different."""
    quality: Rules = Field(default={})
    """Condition -> `good`, `uncertain:REASON` or `bad:REASON`; the first that is true counts."""
    parameters: Mapping[Name, Parameter] = {}
    """What differs from one instrument to the next."""
    requests: tuple[Request, ...] = ()
    """Questions to the instrument."""
    session: Session | None = None
    """Only for `mode: session`."""
    weighing: Weighing | None = None
    """Where the instrument is a scale."""
    event: Event = Event()
    """Only for `mode: event`."""
    match: Match | None = None
    """How the family is known from what it sends."""
    vectors: tuple[Vector, ...] = ()
    """Bytes with what they stand for; a recipe without any is refused."""

    @field_validator("signs")
    @classmethod
    def _bound_signs(cls, signs: Mapping[str, str]) -> Mapping[str, str]:
        for pattern in signs:
            compile_bounded(pattern, searched=True)
        return signs

    @property
    def is_dynamic(self) -> bool:
        """Whether frames name their fields themselves, as tables and pairs do."""
        return any(
            isinstance(parse, TableParse | PairsParse)
            or (isinstance(parse, ColumnsParse) and not parse.called)
            for parse in self.parse
        )

    def raw_names(self) -> set[str]:
        """Give the names of the raw values."""
        return {name for parse in self.parse for name in parse.names()}

    def field_names(self) -> list[str]:
        """Give the names a point can be read from, as far as the recipe knows them."""
        named = [name for name, field in self.fields.items() if not field.inner]
        return [*named, *sorted(self.raw_names() - self.fields.keys() - self.hidden_names())]

    def hidden_names(self) -> set[str]:
        """Give the names nobody can read: inner fields, and raw values that fields are made of."""
        used = {each for name, field in self.fields.items() for each in field.needs(name)}
        inner = {name for name, field in self.fields.items() if field.inner}
        return used - self.fields.keys() | inner

    def request(self, name: str) -> Request:
        """Give a request by its name. Raises KeyError."""
        return next(request for request in self.requests if request.name == name)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if mistakes := list(unsound(self)):
            raise ValueError("; ".join(mistakes))
        return self
