"""`edge-agent export`: writes points of the configuration as a register list."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edge_agent.command import CONFIG_INVALID, OK, USAGE, CommandFailed, print_json
from edge_agent.language import _

if TYPE_CHECKING:
    from edge_agent.config.model import Connection

EXAMPLE = "edge-agent export hall-3/press-1 --output press-1.csv"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("what", metavar="CONNECTION[/DEVICE]", help=_("whose points"))
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help=_("a new file, instead of the screen")
    )


def run(options: argparse.Namespace) -> int:
    """Write the points as CSV, which `edge-agent import` reads back as they are."""
    from edge_agent.registers.dialect import dialect_of
    from edge_agent.registers.export import list_of

    link, device = found(options.config, options.what)
    text = list_of(link, dialect_of(link.driver), [device] if device else [])
    if options.output is None:
        sys.stdout.write(text.replace("\r\n", "\n"))
        return OK
    try:
        with options.output.open("x", encoding="utf-8-sig", newline="") as file:
            file.write(text)
    except FileExistsError as error:
        message = _("{file} is there already: name another file").format(file=options.output)
        raise CommandFailed(message, USAGE) from error
    except OSError as error:
        message = _("cannot write {file}: {why}")
        raise CommandFailed(
            message.format(file=options.output, why=error.strerror), USAGE
        ) from error
    if options.json:
        print_json({"written": str(options.output), "points": text.count("\r\n") - 1})
    return OK


def found(config: Path, written: str) -> "tuple[Connection, str]":
    """Find `CONNECTION` or `CONNECTION/DEVICE`; give the connection, and the device's name.

    Raises:
        CommandFailed: The configuration has mistakes, or nothing of that name.
    """
    from edge_agent.config import load
    from edge_agent.errors import ConfigInvalid

    try:
        connections = load(config).connections
    except ConfigInvalid as error:
        raise CommandFailed(str(error), CONFIG_INVALID) from error
    name, _slash, device = written.partition("/")
    for link in connections:
        if link.name == name and (not device or device in [one.name for one in link.devices]):
            return link, device
    there = ", ".join(f"{link.name}/{one.name}" for link in connections for one in link.devices)
    raise CommandFailed(
        _("{config} has no {what}; there are: {there}").format(
            config=config, what=written, there=there
        ),
        USAGE,
    )
