"""Values whose power of ten stands in another register: read so that both belong together. Pure.

Within one answer they do. Where they cannot be asked for together, the exponent is read before and
after the value, and counts only if it is the same both times.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge_agent.driver import Flaw, Quality, Value, Why
from edge_agent_modbus.address import ModbusAddress
from edge_agent_modbus.conversion import scaled
from edge_agent_modbus.undecodable import Undecodable

_TORN = Flaw(
    Quality.BAD, Why.STALE, "its exponent changed or was read apart from it; the next poll reads on"
)


@dataclass(frozen=True, slots=True)
class Scaled:
    """Where the value and its exponents stand among what is read.

    Attributes:
        value: Position of the value, raw before and scaled afterwards.
        exponent: Position of the exponent that is asked for like everything else.
        around: Positions of exponents read before and after the value, if it is asked for apart.
    """

    value: int
    exponent: int
    around: tuple[int, int] | None = None

    def exponent_from(self, values: Sequence[Value], answers: Mapping[int, int]) -> Value:
        """Give the exponent that belongs to the value; None if none does.

        Args:
            values: What was read.
            answers: Position -> number of the answer that brought it, ascending with time.
        """
        if self._came_together(answers):
            return values[self.exponent]
        if self.around is None:
            return None
        before, after = self.around
        is_around = answers.get(before, 0) <= answers.get(self.value, 0) <= answers.get(after, 0)
        return values[before] if is_around and values[before] == values[after] else None

    def _came_together(self, answers: Mapping[int, int]) -> bool:
        return answers.get(self.value) == answers.get(self.exponent)

    @property
    def exponents(self) -> tuple[int, ...]:
        """Every position that holds an exponent of the value."""
        return (self.exponent, *(self.around or ()))


def with_exponents(addresses: Sequence[ModbusAddress]) -> tuple[list[ModbusAddress], list[Scaled]]:
    """Add to some addresses those of their exponents, each once."""
    wanted = list(addresses)
    places: dict[ModbusAddress, int] = {}
    found: list[Scaled] = []
    for position, address in enumerate(addresses):
        exponent = address.exponent_address
        if exponent is None:
            continue
        if exponent not in places:
            places[exponent] = len(wanted)
            wanted.append(exponent)
        found.append(Scaled(position, places[exponent]))
    return wanted, found


def scale(
    found: Sequence[Scaled],
    values: list[Value],
    flaws: dict[int, Flaw],
    answers: Mapping[int, int],
) -> None:
    """Multiply raw values by their powers of ten, in place; what cannot be gets a flaw."""
    for each in found:
        at = each.value
        if at not in flaws:
            flaw = _scale_one(each, values, flaws, answers)
            if flaw is not None:
                values[at], flaws[at] = None, flaw


def _scale_one(
    each: Scaled, values: list[Value], flaws: Mapping[int, Flaw], answers: Mapping[int, int]
) -> Flaw | None:
    exponent, raw = each.exponent_from(values, answers), values[each.value]
    if not isinstance(exponent, int):
        return next((flaws[at] for at in each.exponents if at in flaws), _TORN)
    try:
        values[each.value] = scaled(raw, exponent)  # type: ignore[arg-type]  # a number, by its type
    except Undecodable as error:
        return Flaw(Quality.BAD, error.why, str(error))
    return None
