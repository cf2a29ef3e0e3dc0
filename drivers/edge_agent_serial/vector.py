"""Bytes of a recipe and what they stand for. Pure."""

from collections.abc import Mapping
from typing import Self

from pydantic import Field, model_validator

from edge_agent.language import _
from edge_agent_serial.expression import Scalar
from edge_agent_serial.part import Name, Octets, Part
from edge_agent_serial.quality import Verdict


class Outcome(Part):
    """What one frame must say."""

    fields: Mapping[str, Scalar] = {}
    """Field -> value; those not named are not compared."""
    flaw: Verdict = "good"
    """`good`, `uncertain:REASON`, `bad:REASON`."""
    flaws: Mapping[str, Verdict] = {}
    """Field -> its own flaw."""


class Exchange(Part):
    """One turn of a session: what was sent, or what was heard."""

    sends: Octets | None = None
    hears: Octets | None = None
    baud: int | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(one is not None for one in (self.sends, self.hears, self.baud)) != 1:
            raise ValueError(_("a turn has exactly one of sends, hears, baud"))
        return self


class Vector(Part):
    """Bytes and what they stand for. One of `bytes`, `sends`, `denied`, `session`."""

    name: str
    """What it shows."""
    source: str
    """Where it is from: a manual with page, a capture, or `built from the description`."""
    octets: Octets | None = Field(default=None, alias="bytes")
    """What arrives. With `fields` and `flaw`, or `frames` where it holds several, or `nothing`."""
    parameters: Mapping[Name, Scalar] = {}
    """Parameters of the instrument asked."""
    request: Name | None = None
    """Which request the bytes answer, or which one is built."""
    fields: Mapping[str, Scalar] = {}
    """Field -> value; those not named are not compared."""
    flaw: Verdict = "good"
    """`good`, `uncertain:REASON`, `bad:REASON`."""
    flaws: Mapping[str, Verdict] = {}
    """Field -> its own flaw."""
    frames: tuple[Outcome, ...] = ()
    """Where the bytes hold several frames: each in turn, in place of `fields` and `flaw`."""
    nothing: bool = False
    """The bytes hold no frame that may be taken: noise, a wrong checksum, somebody else's."""
    sends: Octets | None = None
    """What `request` must build from `parameters`."""
    denied: Octets | None = None
    """Bytes that must never be sent."""
    session: tuple[Exchange, ...] = ()
    """A whole session, turn by turn; with `fields` and `flaw`."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = (self.octets is not None, self.sends is not None, self.denied is not None)
        if sum((*given, bool(self.session))) != 1:
            raise ValueError(_("a vector has exactly one of bytes, sends, denied, session"))
        if self.sends is not None and self.request is None:
            raise ValueError(_("a vector with sends names the request that is built"))
        return self

    def outcomes(self) -> tuple[Outcome, ...]:
        """Give what each frame must say, in turn."""
        if self.nothing:
            return ()
        one = Outcome(fields=self.fields, flaw=self.flaw, flaws=self.flaws)
        return self.frames or (one,)
