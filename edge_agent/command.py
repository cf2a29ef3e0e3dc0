"""What a command of the command line may use, whether it is ours or comes with a driver package.

A command is a module with `EXAMPLE`, `arguments(parser)` and `run(options) -> exit code`. The
first line of its docstring says what it does and stands in `edge-agent --help`. A driver package
brings one by an entry point of the group `edge_agent.commands`, such as
`browse = "edge_agent_opcua.browse_command"`. Its top-level imports stay light; what is heavy is
imported inside `run`, so that `--help` answers at once. stdout carries results only.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from edge_agent.errors import CommandFailed
from edge_agent.exitcodes import (
    BROKER_UNREACHABLE,
    CONFIG_INVALID,
    DEVICE_UNREADABLE,
    FAULT,
    OK,
    PARTLY_OK,
    USAGE,
)
from edge_agent.language import _, sentence
from edge_agent.layout import columns, cut, padded, printable, shown, width, wrap
from edge_agent.ports import serial_ports

if TYPE_CHECKING:
    from edge_agent.config.profile import Profile, ProfilePoint, Sign
    from edge_agent.driver import Settings, Value

__all__ = [
    "BROKER_UNREACHABLE",
    "CONFIG_INVALID",
    "DEVICE_UNREADABLE",
    "FAULT",
    "OK",
    "PARTLY_OK",
    "USAGE",
    "CommandFailed",
    "Profile",
    "ProfilePoint",
    "Sign",
    "columns",
    "configured",
    "connections_of",
    "cut",
    "exact",
    "padded",
    "print_json",
    "printable",
    "profiles_of",
    "sentence",
    "serial_ports",
    "shown",
    "width",
    "wrap",
]

S = TypeVar("S", bound="Settings")


def configured(config: Path, connection: str, settings_type: type[S]) -> S:
    """Give the settings of a connection in the configuration file.

    Args:
        config: The file, as in `options.config`.
        connection: Its name.
        settings_type: The settings of the driver that the command is for.

    Raises:
        CommandFailed: The file has mistakes, or no such connection of this driver.
    """
    fitting = connections_of(config, settings_type)
    if connection not in fitting:
        there = ", ".join(fitting) or _("none")
        raise CommandFailed(
            _(
                "{config} has no connection {connection!r} for this command; there are: {there}"
            ).format(config=config, connection=connection, there=there),
            USAGE,
        )
    return fitting[connection]


def connections_of(config: Path, settings_type: type[S]) -> dict[str, S]:
    """Give the name and settings of each connection in the configuration file that has such.

    Raises:
        CommandFailed: The file has mistakes.
    """
    from edge_agent.config import load  # noqa: PLC0415 - it would slow down every --help
    from edge_agent.errors import ConfigInvalid  # noqa: PLC0415

    try:
        connections = load(config).connections
    except ConfigInvalid as error:
        raise CommandFailed(str(error), CONFIG_INVALID) from error
    return {
        one.name: one.settings for one in connections if isinstance(one.settings, settings_type)
    }


def profiles_of(driver: str) -> "dict[str, Profile]":
    """Read the profiles for devices of a driver; those with mistakes are left out.

    `edge-agent profiles` tells of the mistakes.
    """
    from edge_agent.config.library import Library  # noqa: PLC0415 - it would slow down every --help
    from edge_agent.errors import ProfileUnavailable  # noqa: PLC0415

    library = Library()
    found: dict[str, Profile] = {}
    for name in library.files.get(driver, ()):
        try:
            found[name] = library.load(driver, name)
        except ProfileUnavailable:
            continue
    return found


def exact(value: "Value") -> "Value":
    """Give a value as JSON has it here: an integer beyond 2^53 is a string, as in the messages.

    Readers of JSON that use doubles would round it.
    """
    from edge_agent.payload import LARGEST_EXACT  # noqa: PLC0415 - it would slow down every --help

    return str(value) if isinstance(value, int) and abs(value) > LARGEST_EXACT else value


def print_json(document: object) -> None:
    """Print one JSON document on one line, Chinese as it is."""
    print(json.dumps(document, ensure_ascii=False), flush=True)
