"""Commands that driver packages bring: found by entry point, imported only when called."""

import importlib
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from edge_agent.errors import CommandFailed
from edge_agent.exitcodes import FAULT
from edge_agent.language import _

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "edge_agent.commands"
"""Entry points of this group are commands that a driver package brings."""


def summaries() -> dict[str, str]:
    """Name the commands with what they do, from the files of their packages; imports none."""
    from importlib.metadata import entry_points

    found = {entry.name: _summary(entry.value) for entry in entry_points(group=GROUP)}
    return {name: summary for name, summary in sorted(found.items()) if summary}


def module(name: str) -> ModuleType:
    """Import the module of one of these commands.

    Raises:
        CommandFailed: Two packages bring it, or it cannot be imported.
    """
    from importlib.metadata import entry_points

    entries = {entry.value: entry for entry in entry_points(group=GROUP, name=name)}
    if len(entries) > 1:  # one installation can be listed twice, but then with the same value
        owners = _(" and ").join(sorted(_owner(entry) for entry in entries.values()))
        raise CommandFailed(
            _("the command {name!r} is provided twice, by {owners}: uninstall one of them").format(
                name=name, owners=owners
            ),
            FAULT,
        )
    (entry,) = entries.values()
    try:
        return importlib.import_module(entry.value)
    except ImportError as error:
        raise CommandFailed(
            _(
                "the command {name!r} of {entry} cannot be imported ({error}): install "
                "that package anew"
            ).format(name=name, entry=_owner(entry), error=error),
            FAULT,
        ) from error


def _summary(module_name: str) -> str:
    """Give the first line of a module's docstring, without "`edge-agent name`: " and full stop."""
    import ast
    from importlib.util import find_spec

    package, *inside = module_name.split(".")
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder, *inside).with_suffix(".py")
        if path.exists():
            first = (ast.get_docstring(ast.parse(path.read_bytes())) or "").partition("\n")[0]
            return first.rpartition("`: ")[2].rstrip(".")
    return ""


def _owner(entry: "EntryPoint") -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value
