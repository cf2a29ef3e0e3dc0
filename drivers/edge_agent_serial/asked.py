"""Questions as a recipe describes them. Pure."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from edge_agent.driver import Duration
from edge_agent_serial.expression import Calculation, Scalar
from edge_agent_serial.part import Name, Part
from edge_agent_serial.template import TemplateText


def _presets(given: Any) -> Any:
    """Take a list of fields for fields without parameters of their own."""
    if isinstance(given, list | tuple):
        return {name: {} for name in given}
    if isinstance(given, Mapping):
        return {name: {} if preset is None else preset for name, preset in given.items()}
    return given


class FollowUp(Part):
    """How the rest of an answer is asked for, where one frame did not hold it all."""

    when: Calculation
    """True for a frame after which more is to be asked for; may use its fields."""
    send: TemplateText
    """What asks for more; besides parameters it may use `part` (1, 2, ...)."""
    join: tuple[Name, ...] = Field(min_length=1)
    """Raw values (texts) of the parts that are joined, in order."""
    most: int = Field(default=16, ge=1, le=64)
    """Parts at most."""


class Request(Part):
    """A question to the instrument."""

    name: Name
    """What it is called."""
    send: TemplateText
    """What is sent: text or `hex:`, with parameters in braces."""
    effect: Literal["read"]
    """Your word that it changes nothing. Nothing else can be written here."""
    let: Mapping[Name, Calculation] = {}
    """Further parameters, calculated from those that are given."""
    expect: Calculation | None = None
    """True for an answer to this very question: compares fields with parameters. Others are not
    taken, so compare whatever the answer repeats: station, command, item, length. With `follow`,
    `part` is the number of the part that is waited for; 0 for the first frame."""
    requires: Mapping[Calculation, str] = {}
    """Condition on the parameters -> what to write where it is not true; then it is not asked."""
    brings: Annotated[Mapping[str, Mapping[Name, Scalar]], BeforeValidator(_presets)] = {}
    """Fields it is asked for; unless given, all of them. A list, or field -> the parameters that
    are set for it (`voltage: {item: '02010100'}`): then it is no value in other answers."""
    timeout: Duration = Field(default=1.0, gt=0, le=120)
    """Seconds until the answer has come whole."""
    min_interval: Duration = 0.0
    """Seconds that must lie between two of them."""
    once: bool = False
    """Asked once after opening, such as a serial number."""
    follow: FollowUp | None = None
    """Where an answer may go on in further frames."""
