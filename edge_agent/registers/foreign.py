"""Units in a configuration that are not UCUM: the platform could not tell what they mean. Pure."""

from collections.abc import Iterator

from edge_agent.config.findings import Complaint
from edge_agent.config.model import Config
from edge_agent.config.places import Path
from edge_agent.language import _, count
from edge_agent.registers.units import to_ucum


def foreign(config: Config) -> Iterator[Complaint]:
    """Doubt each unit that is not UCUM once, where it stands first."""
    places: dict[str, list[Path]] = {}
    for place, unit in _units(config):
        places.setdefault(unit, []).append(place)
    for unit, found in places.items():
        code, is_known = to_ucum(unit)
        if not is_known:
            what = _("{unit!r} is no unit of UCUM that is known here").format(unit=unit)
        elif code != unit:
            what = _("{unit!r} is not the UCUM code of what is probably meant").format(unit=unit)
        else:
            continue
        yield found[0], (_counted(what, len(found) - 1), _hint(code if is_known else None))


def _units(config: Config) -> Iterator[tuple[Path, str]]:
    for at, connection in enumerate(config.connections):
        for number, device in enumerate(connection.devices):
            above: Path = ("connections", at, "devices", number, "points")
            yield from (((*above, point.name, "unit"), point.unit) for point in device.points)


def _counted(what: str, others: int) -> str:
    if not others:
        return what
    more = count(others, "{n:,} more point has it", "{n:,} more points have it")
    return f"{what} ({more})"


def _hint(code: str | None) -> str:
    if code is None:
        return _(
            "write it in UCUM, such as kW.h, Cel or /min; words of your own in braces: {pieces}"
        )
    if not code:
        return _("leave it out: a value without a unit has none")
    return _("write {code}").format(code=code)
