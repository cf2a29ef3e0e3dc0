"""What a command of the command line may use, whether it is ours or comes with a driver package.

A command is a module with `EXAMPLE`, `arguments(parser)` and `run(options) -> exit code`. The
first line of its docstring says what it does and stands in `edge-agent --help`. A driver package
brings one by an entry point of the group `edge_agent.commands`, such as
`browse = "edge_agent_opcua.browse_command"`. Its top-level imports stay light; what is heavy is
imported inside `run`, so that `--help` answers at once. stdout carries results only.
"""

import json

from edge_agent.errors import CommandFailed
from edge_agent.layout import columns, printable, shown, width, wrap

__all__ = [
    "BROKER_UNREACHABLE",
    "CONFIG_INVALID",
    "DEVICE_UNREADABLE",
    "FAULT",
    "GROUP",
    "OK",
    "PARTLY_OK",
    "USAGE",
    "CommandFailed",
    "columns",
    "print_json",
    "printable",
    "shown",
    "width",
    "wrap",
]

GROUP = "edge_agent.commands"
"""Entry points of this group are commands that a driver package brings."""

OK, FAULT, USAGE, CONFIG_INVALID, DEVICE_UNREADABLE, BROKER_UNREACHABLE, PARTLY_OK = range(7)


def print_json(document: object) -> None:
    """Print one JSON document on one line, Chinese as it is."""
    print(json.dumps(document, ensure_ascii=False), flush=True)
