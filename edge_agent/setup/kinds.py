"""Kinds of equipment, brought by driver packages: found by entry point, told where one is broken.

What a package brings is told in `edge_agent.setup.kind`.
"""

import importlib
from importlib.metadata import EntryPoint, entry_points
from typing import NamedTuple

from edge_agent import plugins
from edge_agent.errors import DriverUnavailable
from edge_agent.language import _
from edge_agent.setup.generic import generic_kind
from edge_agent.setup.kind import GROUP, Home, Kind


class Kinds(NamedTuple):
    """What can be set up here.

    Attributes:
        usable: In the order of the menu, which is that of the packages' names.
        complaints: One sentence for each package whose part of the wizard cannot be used.
    """

    usable: list[Kind]
    complaints: list[str]

    def named(self, word: str) -> Kind | None:
        """Find the kind of this word."""
        return next((kind for kind in self.usable if kind.word == word), None)


def find_kinds(home: Home) -> Kinds:
    """Ask every installed package; one that is broken costs only its own kinds.

    A driver whose package brings none gets one that asks for whatever it requires.
    """
    found = Kinds([], [])
    # one installation can be listed twice, but then with the same value
    entries = {(entry.name, entry.value): entry for entry in entry_points(group=GROUP)}
    for _key, entry in sorted(entries.items()):
        try:
            _add(found, entry, home)
        except Exception as error:  # noqa: BLE001 - whatever a package does, the others are there
            found.complaints.append(_complaint(entry, error))
    known = {kind.driver for kind in found.usable} | {entry.name for entry in entries.values()}
    found.usable.extend(generic_kind(name) for name in plugins.names() if name not in known)
    return found


def _add(found: Kinds, entry: EntryPoint, home: Home) -> None:
    brought = importlib.import_module(entry.value).kinds(home)
    for kind in brought:
        if not isinstance(kind, Kind):
            raise TypeError(f"{entry.value}.kinds() gave {kind!r}")
        if found.named(kind.word):
            raise ValueError(f"two packages bring the kind {kind.word!r}")
    found.usable.extend(brought)


def _complaint(entry: EntryPoint, error: Exception) -> str:
    """Say what is wrong with a package; a driver that cannot be loaded knows best itself."""
    if isinstance(error, ModuleNotFoundError) and entry.name in plugins.names():
        try:
            plugins.load(entry.name)
        except DriverUnavailable as unavailable:
            return str(unavailable)
    return _("{package} cannot be set up here: {error}. Install it anew.").format(
        package=_owner(entry), error=f"{type(error).__name__}: {error}"
    )


def _owner(entry: EntryPoint) -> str:
    return f"{entry.name} ({entry.dist.name} {entry.dist.version})" if entry.dist else entry.value
