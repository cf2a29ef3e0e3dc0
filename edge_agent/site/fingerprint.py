"""Tells whether the device of another site is like the one of the template. Pure.

Compared are what a device says of itself, the signs of its profile, and what its points are: which
give a value, of what kind and unit, and values that are much the same everywhere.
"""

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from edge_agent.config.model import Config
from edge_agent.config.profile import Profile, Sign
from edge_agent.language import _
from edge_agent.model import Value
from edge_agent.site.difference import Difference
from edge_agent.site.template import DevicePrint, PointPrint

Values = Mapping[str, Value]
"""Point -> its value; points that gave none are not in it."""

_NOMINAL = frozenset(["V", "kV", "Hz"])  # units of what is much the same at every site
_ALIKE = 1.5  # 230 and 240 V are alike, 230 and 400 are not
_SIGN = "sign-of-the-profile-{number}"
_PER_UNIT = frozenset(["serial_number", "application_name"])  # of one device, not of its model
_LARGE = re.compile(r"-?[0-9]{16,}")  # a running agent gives integers beyond 2^53 as texts


def take(values: Values, units: Mapping[str, str], identity: Mapping[str, str]) -> DevicePrint:
    """Say what a device is like.

    Args:
        values: What it gives.
        units: Point -> its unit.
        identity: What it says of itself.
    """
    return DevicePrint(
        identity={key: text for key, text in identity.items() if key not in _PER_UNIT},
        points={name: _point(value, units.get(name, "")) for name, value in values.items()},
    )


def _point(value: Value, unit: str) -> PointPrint:
    if isinstance(value, bool):
        return PointPrint(kind="switch", unit=unit)
    if isinstance(value, str) and _LARGE.fullmatch(value):
        return PointPrint(kind="number", unit=unit)
    if isinstance(value, int | float):
        seen = float(f"{value:.4g}") if unit in _NOMINAL and value else None
        return PointPrint(kind="number", unit=unit, seen=seen)
    return PointPrint(kind="text", unit=unit)


def compare(device: str, there: DevicePrint, here: DevicePrint) -> Iterator[Difference]:
    """Say how a device differs from the one of the template.

    Args:
        device: Its name.
        there: What the one of the template was like.
        here: What this one is like.
    """
    if here.identity:  # one that was not asked is not compared
        for key, text in there.identity.items():
            said = here.identity.get(key, _("nothing"))
            if said != text:
                what = _("says {key} {here}, and the one of the template {there}")
                yield Difference(device, what.format(key=key, here=said, there=text))
    for name, point in there.points.items():
        other = here.points.get(name)
        what = _("gives no value, and did in the template") if not other else _odd(point, other)
        if what:
            yield Difference(f"{device}.{name}", what)


def _odd(there: PointPrint, here: PointPrint) -> str:
    if there.kind != here.kind:
        what = _("is a {here}, and in the template a {there}")
        return what.format(here=here.kind, there=there.kind)
    if there.unit != here.unit:
        what = _("is in {here}, and in the template in {there}")
        return what.format(here=here.unit or _("no unit"), there=there.unit or _("no unit"))
    if there.seen and here.seen and not 1 / _ALIKE <= here.seen / there.seen <= _ALIKE:
        what = _("is {here:g} {unit}, and in the template {there:g}: another device, or scale?")
        return what.format(here=here.seen, there=there.seen, unit=here.unit)
    return ""


# --- the signs of profiles ----------------------------------------------------------------------


def signs_of(profiles: Mapping[str, Profile], device: Mapping[str, Any]) -> Sequence[Sign]:
    """Give the signs by which the model of a device, as it is written, is recognised."""
    profile = profiles.get(device.get("profile", ""))
    return profile.recognise if profile else ()


def with_signs(document: Mapping[str, Any], profiles: Mapping[str, Profile]) -> dict[str, Any]:
    """Add the signs of each device's profile to its points, so that they are read like others."""
    changed: dict[str, Any] = copy.deepcopy(dict(document))
    for link in changed.get("connections") or ():
        for device in link.get("devices") or ():
            points = device.get("points") or {}
            signs = enumerate(signs_of(profiles, device))
            added = {_SIGN.format(number=number): _read(sign) for number, sign in signs}
            device["points"] = {**points, **added}
    return changed


def _read(sign: Sign) -> dict[str, Any]:
    return {"address": sign.address, "scale": sign.scale}


def without_signs(values: Values) -> dict[str, Value]:
    """Give the values that are the device's own."""
    prefix = _SIGN.partition("{")[0]
    return {name: value for name, value in values.items() if not name.startswith(prefix)}


def judge_signs(
    device: Mapping[str, Any], profiles: Mapping[str, Profile], values: Values
) -> Iterator[Difference]:
    """Say which signs of its profile a device does not show.

    Args:
        device: As it is written.
        profiles: By name.
        values: What it gives, the signs among it; empty where it was not read at all.
    """
    for number, sign in enumerate(signs_of(profiles, device) if values else ()):
        value = values.get(_SIGN.format(number=number))
        if not _shows(sign, value):
            what = _("does not look like a {profile}: where it has {wanted}, this has {value}")
            told = _("no value") if value is None else value
            wanted = what.format(profile=device["profile"], wanted=_wanted(sign), value=told)
            yield Difference(device["name"], wanted)


def _shows(sign: Sign, value: Value) -> bool:
    if value is None:
        return False
    if sign.begins:
        return str(value).startswith(sign.begins)
    if not isinstance(value, int | float):
        return False
    if sign.range:
        low, high = sign.range
        return low <= value <= high
    return value in [one * sign.scale for one in sign.one_of]


def _wanted(sign: Sign) -> str:
    if sign.range:
        return _("{low:g} to {high:g}").format(low=sign.range[0], high=sign.range[1])
    return sign.begins or ", ".join(map(str, sign.one_of))


def units(config: Config) -> dict[str, dict[str, str]]:
    """Give device -> point -> unit."""
    return {
        device.name: {point.name: point.unit for point in device.points}
        for connection in config.connections
        for device in connection.devices
    }
