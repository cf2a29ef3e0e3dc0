"""What a search has found, for people, for programs and for the configuration file. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edge_agent.language import _
from edge_agent_modbus.recognition import Suggestion
from edge_agent_modbus.roundcall import Found

_NOT_IN_NAMES = re.compile("[^a-z0-9_-]+")
_LONGEST_NAME = 64
_NAMED = 3  # profiles that are named in a line


@dataclass(frozen=True, slots=True)
class Finding:
    """A unit, and the connection that leads to it.

    Attributes:
        target: Where it was looked for.
        connection: Settings of the driver, as the configuration has them.
        suggestions: Profiles that it may be, the likeliest first.
    """

    target: str
    connection: Mapping[str, Any]
    found: Found
    suggestions: tuple[Suggestion, ...] = ()

    @property
    def line(self) -> str:
        """How the line is set, or how frames are carried."""
        setting = self.found.setting
        return str(setting) if setting else str(self.connection["transport"])

    def document(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        found = self.found
        return {
            "target": self.target,
            "unit": found.unit,
            "any_unit": found.is_any_unit,
            "ms": round(1000 * found.seconds, 1),
            "answered": {str(table): said for table, said in found.answered.items()},
            "identity": dict(found.identity.objects),
            "server_id": found.identity.server_id.hex() if found.identity.server_id else None,
            "profiles": [each.document() for each in self.suggestions],
            "connection": dict(self.connection),
        }

    def row(self) -> tuple[str, ...]:
        """Give it as a row of a table."""
        unit = (
            _("any unit")
            if self.found.is_any_unit
            else _("unit {unit}").format(unit=self.found.unit)
        )
        took = f"{1000 * self.found.seconds:.0f} ms"
        return self.target, self.line, unit, took, self._who(), profiles_in_words(self.suggestions)

    def _who(self) -> str:
        if self.found.identity:
            return str(self.found.identity)
        said = "; ".join(f"{table}:0 {text}" for table, text in self.found.answered.items())
        return _("does not say who it is ({said})").format(said=said)


def profiles_in_words(suggestions: Sequence[Suggestion]) -> str:
    """Say which profiles it may be; what is not certain says so."""
    if not suggestions:
        return ""
    names = [each.profile for each in suggestions]
    if suggestions[0].is_certain:
        return _("profile {name}").format(name=names[0])
    more = ", ..." if len(names) > _NAMED else ""
    return _("perhaps profile {names}").format(names=", ".join(names[:_NAMED]) + more)


def connections(findings: Iterable[Finding]) -> dict[str, Any]:
    """Give what to write into the configuration, one connection for each line or address."""
    by_line: dict[tuple[tuple[str, Any], ...], list[Finding]] = {}
    for finding in findings:
        by_line.setdefault(tuple(finding.connection.items()), []).append(finding)
    names: set[str] = set()
    return {"connections": [_connection(dict(key), of, names) for key, of in by_line.items()]}


def _connection(settings: dict[str, Any], findings: list[Finding], names: set[str]) -> Any:
    name = _new_name(_name_of(settings), names)
    devices = [
        {
            "name": f"{name[: _LONGEST_NAME - 9]}-unit-{each.found.unit}",
            "address": {"unit": each.found.unit},
            "points": dict(_points(each.found)),
        }
        for each in findings
    ]
    return {"name": name, "driver": "modbus", "settings": settings, "devices": devices}


def _points(found: Found) -> Iterator[tuple[str, Any]]:
    """Give what was read, so that the file works before the manual is at hand."""
    for table, said in found.answered.items():
        if not said.startswith("exception"):
            yield f"{table}_0", {"address": {"table": str(table), "offset": 0}}
    if all(said.startswith("exception") for said in found.answered.values()):
        label = _("refused: write an address of the device's manual here")
        yield "first", {"label": label, "address": {"table": "holding", "offset": 0}}


def _name_of(settings: Mapping[str, Any]) -> str:
    place = settings.get("host") or str(settings["port"]).rpartition("/")[2]
    return _NOT_IN_NAMES.sub("-", str(place).lower()).strip("-_")[: _LONGEST_NAME - 14] or "line"


def _new_name(name: str, names: set[str]) -> str:
    number = 1
    new = name
    while new in names:
        number += 1
        new = f"{name}-{number}"
    names.add(new)
    return new
