"""The steps of a conversation that has to be held for a reading. Pure."""

from collections.abc import Mapping
from typing import Literal, Self, TypeAlias

from pydantic import Field, model_validator

from edge_agent.driver import Duration
from edge_agent_serial.part import Part
from edge_agent_serial.patterns import compile_bounded
from edge_agent_serial.template import TemplateText


class Send(Part):
    """Send a question."""

    send: TemplateText
    """What; besides parameters it may use what earlier `expect` steps found."""


class Expect(Part):
    """Wait for an answer in text."""

    expect: str
    """Regular expression, found in what came since the last `send`; its named groups become
    parameters of the steps that follow."""
    timeout: Duration = Field(default=2.0, gt=0, le=120)
    """Seconds."""

    @model_validator(mode="after")
    def _bound(self) -> Self:
        compile_bounded(self.expect, searched=True)
        return self


class SetBaud(Part):
    """Change the speed of the line, after what was sent has left it."""

    set_baud: int | str
    """A number, or the name of a parameter found before."""
    table: Mapping[str, int] = {}
    """That parameter's text -> baud; what is not in it ends the session."""
    after: Duration = Field(default=0.0, le=5)
    """Seconds of silence before."""


class ReadFrames(Part):
    """Read frames as `framing` says, until one is valid."""

    read: Literal["frame"]
    """One frame."""
    timeout: Duration = Field(default=30.0, gt=0, le=600)
    """Seconds."""


Step: TypeAlias = Send | Expect | SetBaud | ReadFrames


class Session(Part):
    """A conversation that has to be held for every reading. It ends with the line as configured."""

    effect: Literal["read"]
    """Your word that nothing it sends changes anything."""
    min_interval: Duration = Field(default=0.0, le=86400)
    """Seconds that must lie between two: meters limit how often they are read."""
    steps: tuple[Step, ...] = Field(min_length=2, max_length=32)
    """One after the other."""
