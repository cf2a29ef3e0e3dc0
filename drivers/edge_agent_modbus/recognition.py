"""Which profiles a unit may be, from what it says of itself and what a few registers hold. Pure.

A register that names the model decides. Everything else is weighed: how surprising would it be to
read this, if the unit were something else? What rests on plausible values alone is offered and
never called certain.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from edge_agent_modbus.address import ModbusAddress
from edge_agent_modbus.clues import PLATE, Clue, Notes, Presence
from edge_agent_modbus.identify import Identity
from edge_agent_modbus.pdu import Table

if TYPE_CHECKING:
    from edge_agent.command import Profile, ProfilePoint

MAKER = 8.0  # bits, as all of these
OTHER_MAKER = -12.0
PRESENT = 2.5  # at most, for a value that is there, with a unit that refuses what it has not
ENOUGH = 5.0  # that it takes to be offered
NEAR = 0.35  # of the best one's
MOST = 8  # profiles that are offered
CONTROL = 61237
"""An offset where no profile has anything: who gives that, gives whatever he is asked."""

_WORDS = re.compile(r"[A-Z0-9]+")
_MODEL = re.compile(r"(?=.*[0-9])(?=.*[A-Z])(?!.*XX).{5,}")  # shorter ones are no names yet

# What is measured where machines run, in the units of the profiles; lowest and highest. Wide, since
# a value outside speaks against a profile. By the beginning of a point's name where that says more.
_BY_NAME = {
    "voltage": (80.0, 500.0),
    "frequency": (45.0, 65.0),
    "power_factor": (0.01, 1.0),
    "ac_voltage": (80.0, 300.0),
    "dc_bus_voltage": (100.0, 900.0),
}
_BY_UNIT = {
    "V": (0.1, 1000.0),
    "A": (0.001, 6300.0),
    "mA": (0.01, 25.0),
    "W": (0.1, 1e7),
    "kW": (0.001, 1e4),
    "var": (0.1, 1e7),
    "V.A": (0.1, 1e7),
    "kW.h": (0.001, 1e8),
    "kvar.h": (0.001, 1e8),
    "Hz": (0.01, 600.0),
    "Cel": (0.1, 400.0),
    "%": (0.01, 150.0),
    "1/min": (1.0, 30000.0),
    "deg": (0.01, 360.0),
    "kPa": (1.0, 2000.0),
    "h": (0.01, 1e6),
    "m3": (0.001, 1e9),
    "m3/h": (0.001, 1e5),
    "m/s": (0.001, 30.0),
    "[ppm]": (100.0, 1e5),
}


@dataclass(frozen=True)
class Model:
    """A profile, and what it is weighed by."""

    name: str
    profile: "Profile"
    signs: Sequence[Clue]
    points: Sequence[Clue]

    @cached_property
    def words(self) -> frozenset[str]:
        """Model names that say which profile it is, without the maker's: `SDM630`, `PM5320`."""
        words = {word for model in self.profile.models for word in _WORDS.findall(model.upper())}
        return frozenset(word for word in words if _MODEL.fullmatch(word))

    @cached_property
    def places(self) -> frozenset[ModbusAddress]:
        """Where its values live."""
        return frozenset(clue.address for clue in self.points)

    @cached_property
    def maker(self) -> str:
        """The maker's first word."""
        return next(iter(_WORDS.findall(self.profile.maker.upper())), "")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A profile that a unit may be.

    Attributes:
        profile: Its name.
        is_certain: The unit, or a register of its, names the model, and fits no other profile.
        bits: How much speaks for it.
        value: One of its points and what was read there, to be shown to people.
    """

    profile: str
    title: str
    is_certain: bool
    bits: float = field(compare=False)
    value: tuple[str, float] | None = field(default=None, compare=False)

    def document(self) -> dict[str, object]:
        """Give it as JSON has it."""
        return {"profile": self.profile, "title": self.title, "certain": self.is_certain}


def models(profiles: "Mapping[str, Profile]", *, is_serial: bool) -> list[Model]:
    """Give the profiles that a unit can be compared with, those that name themselves first.

    Args:
        profiles: By name.
        is_serial: The unit hangs on a serial line, where nothing speaks TCP.
    """
    fitting = (
        (name, profile)
        for name, profile in profiles.items()
        if not is_serial or {"rtu", "ascii"} & {*profile.protocols}
    )
    found = [
        Model(name, profile, list(_signs(profile)), list(_points(profile)))
        for name, profile in fitting
    ]
    return sorted(found, key=lambda one: not any(clue.names_the_model for clue in one.signs))


def _signs(profile: "Profile") -> Iterator[Clue]:
    for sign in profile.recognise:
        low, high = sign.range or (0.0, 0.0)
        address = ModbusAddress.model_validate(sign.address)
        yield Clue(address, sign.scale, low or 0.01, high, sign)


def _points(profile: "Profile") -> Iterator[Clue]:
    """Give what tells most first: the essentials, as far as something is known of their values."""
    essential = [*profile.preset("essentials")]
    names = [*essential, *(name for name in profile.points if name not in {*essential})]
    clues = [_clue(name, profile.points[name]) for name in names]
    yield from sorted(clues, key=lambda clue: clue.worth <= 0)


def _clue(name: str, point: "ProfilePoint") -> Clue:
    address = ModbusAddress.model_validate(point.address)
    named = [window for begin, window in _BY_NAME.items() if re.fullmatch(f"{begin}(_.*)?", name)]
    low, high = (named or [_BY_UNIT.get(point.unit, (0.0, 0.0))])[0]
    return Clue(address, point.scale, low, high, point=name)


def presence(candidates: Sequence[Model], notes: Notes) -> dict[Table, Presence]:
    """Tell for each table how many bits it is worth that a value is there at all.

    Much where a unit refuses nearly everything else. Where it gives what nobody has (`CONTROL`), a
    0 tells nothing. Neighbours are mostly there together, so it counts low for each of them.
    """
    places = {clue.address for model in candidates for clue in (*model.signs, *model.points[:1])}
    data = [notes.data(place) for place in places]
    given = sum(any(each) for each in data if each is not None)
    nothing = sum(not any(each) for each in data if each is not None)
    refused = sum(notes.is_refused(place) for place in places)
    worth = min(PRESENT, -math.log2((given + 1) / (given + nothing + refused + 1)))
    return {
        table: Presence(worth, worth if notes.is_refused(control(table)) else 0.0)
        for table in Table
    }


def control(table: Table) -> ModbusAddress:
    """Give the place where no known model has anything."""
    return ModbusAddress(table=table, offset=CONTROL, type="bool" if table.of_bits else "uint16")


def weigh(model: Model, notes: Notes, identity: Identity, worth: Mapping[Table, Presence]) -> float:
    """Add up what speaks for a profile, in bits; -inf excludes it.

    Args:
        model: The profile.
        notes: What was read.
        identity: What the unit says of itself.
        worth: What `presence` tells.
    """
    clues = (clue.bits(notes, worth[clue.address.table]) for clue in (*model.signs, *model.points))
    return sum(bits for bits in clues if bits is not None) + _said(model, identity)


def _said(model: Model, identity: Identity) -> float:
    if _names(model, identity):
        return PLATE
    if not identity.objects.get("vendor"):
        return 0.0
    return MAKER if model.maker in said(identity) else OTHER_MAKER


def said(identity: Identity) -> frozenset[str]:
    """Give the words that a unit says of itself."""
    text = " ".join(identity.objects.values())
    if identity.server_id:
        text += " " + "".join(chr(b) if 32 <= b < 127 else " " for b in identity.server_id)
    return frozenset(_WORDS.findall(text.upper()))


def _names(model: Model, identity: Identity) -> bool:
    """Tell whether a unit names one of the profile's models, and no other maker."""
    words = said(identity)
    if identity.objects.get("vendor") and model.maker not in words:
        return False
    return any(word.startswith(name) for name in model.words for word in words)


def may_be_any(candidates: Sequence[Model], identity: Identity) -> bool:
    """Tell whether a unit may be any of these: a maker that it names is one of theirs."""
    words = said(identity)
    return not identity.objects.get("vendor") or any(one.maker in words for one in candidates)


def is_named(model: Model, notes: Notes, identity: Identity) -> bool:
    """Tell whether the unit itself says that it is this model."""
    by_register = any(clue.names_the_model and clue.bits(notes) == PLATE for clue in model.signs)
    return by_register or _names(model, identity)


def rank(candidates: Sequence[Model], notes: Notes, identity: Identity) -> list[Suggestion]:
    """Give the profiles that the unit may be, the likeliest first; none if nothing speaks for any.

    One is certain where the unit names the model, and names no other profile's.
    """
    worth = presence(candidates, notes)
    weighed = [(weigh(model, notes, identity, worth), model) for model in candidates]
    enough = (one for one in weighed if one[0] >= ENOUGH and _is_told(one[1], notes, identity))
    found = sorted(enough, key=lambda one: -one[0])
    best = found[0][0] if found else 0.0
    near = [one for one in found if one[0] >= NEAR * best][:MOST]
    named = [model.name for _, model in near if is_named(model, notes, identity)]
    return [
        Suggestion(
            model.name,
            short_title(model.profile),
            named == [model.name],
            round(bits, 1),
            _something(model, notes),
        )
        for bits, model in near
    ]


def _is_told(model: Model, notes: Notes, identity: Identity) -> bool:
    """Tell whether anything but zeros speaks for a profile: those, anything may have."""
    data = (notes.data(clue.address) for clue in (*model.signs, *model.points))
    return _said(model, identity) > 0 or any(any(each) for each in data if each is not None)


def _something(model: Model, notes: Notes) -> tuple[str, float] | None:
    """Give one value of it that people know."""
    for clue in model.points:
        number = clue.number(notes)
        if number is not None:
            return clue.point, float(f"{number:.7g}")  # as many digits as a float of 32 bits has
    return None


def short_title(profile: "Profile") -> str:
    """Give maker and first model, as people say it."""
    return f"{profile.maker} {profile.models[0]}"
