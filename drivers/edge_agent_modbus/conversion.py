"""From raw numbers to what they measure: codes that mean none, 4-20 mA, straight lines. Pure.

What the agent's `scale` and `add` can say is said there. These are for what must be judged by the
raw number before anything else is done to it.
"""

from collections.abc import Callable
from functools import partial
from math import isfinite
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from edge_agent.driver import Described, Value, Why
from edge_agent.language import _
from edge_agent_modbus.notation import parse
from edge_agent_modbus.pdu import CELLS, Table
from edge_agent_modbus.undecodable import Undecodable

Whole = Annotated[int, Field(strict=True)]
"""A whole number, and not `true`, "7" or 7.0, which would be one to pydantic otherwise."""

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]

# NAMUR NE 43: 3.8 to 20.5 mA measure; at 3.6 mA and below, or 21 mA and above, a sensor or its
# wire reports a fault.
BROKEN_BELOW, BROKEN_ABOVE = 3.6, 21.0
_LIVE_ZERO, _LOOP_SPAN = 4.0, 16.0

_MODEL = ConfigDict(frozen=True, extra="forbid")


class Map(Described):
    """A straight line through two points: a raw number becomes what it measures."""

    model_config = _MODEL

    raw: tuple[Number, Number]
    """Two raw numbers, such as [0, 4095]."""
    to: tuple[Number, Number]
    """What those two mean, such as [0, 10]."""
    clamp: Annotated[bool, Field(strict=True)] = False
    """Keep what lies outside of the two at the nearer of them."""
    loop: Literal["4-20mA"] | None = None
    """The two raw numbers are those at 4 and 20 mA: 3.6 mA and less, and 21 mA and more, are then
    a broken sensor or wire and no value (NAMUR NE 43)."""

    @model_validator(mode="after")
    def _has_length(self) -> "Map":
        if self.raw[0] == self.raw[1]:
            raise ValueError(_("the two numbers of `raw` are the same: write two different ones"))
        if self.to[0] == self.to[1]:
            raise ValueError(_("the two numbers of `to` are the same: every value would be that"))
        return self

    def __str__(self) -> str:
        loop = f"{self.loop} " if self.loop else ""
        (one, two), (first, second) = self.raw, self.to
        return f"{loop}{one:g}..{two:g} -> {first:g}..{second:g}"


class Exponent(Described):
    """Where a power of ten stands by which a value is multiplied, as SunSpec's scale factors."""

    model_config = _MODEL

    table: Table | None = None
    """input or holding; that of the value if left out."""
    offset: Annotated[Whole, Field(ge=0, lt=CELLS)]
    """Its register, counted from 0 as on the wire."""
    type: Literal["int16", "uint16", "int8h", "int8l", "uint8h", "uint8l", "int16_sm", "bcd16"] = (
        "int16"
    )
    """What the register holds."""

    @model_validator(mode="before")
    @classmethod
    def _take_apart(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            data = {"at": data}
        if "at" not in data:
            return data
        table, offset = parse(data["at"])
        return {**{key: data[key] for key in data if key != "at"}, "table": table, "offset": offset}

    @model_validator(mode="after")
    def _is_a_register(self) -> "Exponent":
        if self.table is not None and self.table.of_bits:
            raise ValueError(
                _("an exponent is a register, no {table}: write holding or input").format(
                    table=self.table
                )
            )
        return self


LOWEST_EXPONENT, HIGHEST_EXPONENT = -10, 10  # SunSpec Device Information Model 1.1: type sunssf


def scaled(value: float, exponent: int) -> float:
    """Give value * 10**exponent, rounded once.

    Raises:
        Undecodable: The exponent is none: -32768 is SunSpec's code for "not given".
    """
    if not LOWEST_EXPONENT <= exponent <= HIGHEST_EXPONENT:
        raise Undecodable(
            _(
                "its exponent is {exponent}, not within {lowest_exponent} to {highest_exponent}"
            ).format(
                exponent=exponent,
                lowest_exponent=LOWEST_EXPONENT,
                highest_exponent=HIGHEST_EXPONENT,
            )
        )
    return value * 10.0**exponent if exponent >= 0 else value / 10.0**-exponent


def conversion_of(codes: frozenset[float], line: Map | None) -> Callable[[Any], Value]:
    """Make what turns a raw value into a measurement; it raises Undecodable where there is none."""
    refuse = partial(_refuse, codes)
    if line is None:
        return refuse
    return lambda raw: _mapped(line, refuse(raw))


def _refuse(codes: frozenset[float], raw: Any) -> Any:
    if raw in codes:
        raise Undecodable(
            _("raw value {raw} means that there is none").format(raw=raw), Why.NO_VALUE
        )
    return raw


def _mapped(line: Map, raw: float) -> float:
    if not isfinite(raw):
        return raw  # the agent says that it is no number
    (one, two), (first, second) = line.raw, line.to
    part = (raw - one) / (two - one)
    if line.loop is not None:
        _check_loop(_LIVE_ZERO + _LOOP_SPAN * part)
    value = first + (raw - one) * (second - first) / (two - one)
    return min(max(value, min(line.to)), max(line.to)) if line.clamp else value


def _check_loop(current: float) -> None:
    current = round(current, 6)
    if not BROKEN_BELOW < current < BROKEN_ABOVE:
        raise Undecodable(
            _(
                "{current:g} mA is no measurement but a fault: check the sensor and its wires"
            ).format(current=current),
            Why.OUT_OF_RANGE,
        )
