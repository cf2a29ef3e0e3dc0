"""The command line: one module per command, imported only when that command is called.

What such a module has is told in `edge_agent.command`. Driver packages bring commands too; they
are looked up only for the help and for a word that is no command of ours.
"""

import argparse
import importlib
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from edge_agent import __version__
from edge_agent.cli import brought
from edge_agent.command import OK
from edge_agent.errors import CommandFailed

DEFAULT_CONFIG = "/etc/edge-agent/config.yaml"

COMMANDS = {
    "demo": "a small simulated factory, a broker, the agent, and the messages as they arrive",
    "setup": "asks what is connected, tries it, and writes the configuration",
    "check": "finds every mistake in the configuration; opens nothing",
    "test": "reads every point once and shows a table; sends nothing",
    "run": "the daemon: poll, keep, publish until stopped",
    "status": "one screen from the running daemon",
    "watch": "what the running daemon reads, as it reads it",
    "restrict": "a drop-in that lets the service reach its broker and machines only",
    "doctor": "what is right and wrong with this gateway, each with a next step",
    "support-bundle": "packs what helps others to help, without secrets",
    "buffer": "carries what waits for the broker to another card, without a network",
    "verify": "the platform's side: follows the numbers and tells what is missing",
    "drivers": "the installed drivers, and a commented sample of one",
    "profiles": "what known models of equipment have: a list, a search, or one whole",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal that has no Chinese gets codes
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        options = _parse(words)
        return int(options.run(options))
    except CommandFailed as failure:
        print(f"edge-agent: {failure}", file=sys.stderr)
        return failure.code
    except BrokenPipeError:  # the reader of our output left, as in `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except KeyboardInterrupt:
        return 130


def _parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="edge-agent",
        description="Collects readings from machines, keeps them until the broker has them, "
        "and never changes anything in a machine.",
        epilog="exit codes: 0 ok, 1 fault, 2 usage, 3 configuration invalid, 4 a device cannot be "
        "read, 5 the broker cannot be reached, 6 partly ok\nexample: edge-agent demo",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"edge-agent {__version__}")
    _common(parser, config=_default_config(), json=False)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    first = next((word for word in words if not word.startswith("-")), None)
    offered = COMMANDS if first in COMMANDS else COMMANDS | brought.summaries()
    wanted = next((word for word in words if word in offered), None)  # as in `recipe test`
    for name, summary in offered.items():
        module = _module(name) if name == wanted else None
        command = commands.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            epilog=f"example: {module.EXAMPLE}" if module else None,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        _common(command, config=argparse.SUPPRESS, json=argparse.SUPPRESS)
        if module:
            module.arguments(command)
            command.set_defaults(run=module.run)
    return parser.parse_args(words)


def _module(name: str) -> ModuleType:
    if name in COMMANDS:
        return importlib.import_module(f"edge_agent.cli.{name.replace('-', '_')}")
    return brought.module(name)


def _default_config() -> Path:
    return Path(os.environ.get("EDGE_AGENT_CONFIG") or DEFAULT_CONFIG)


def _common(parser: argparse.ArgumentParser, *, config: object, json: object) -> None:
    parser.add_argument(
        "-c",
        "--config",
        type=Path,
        metavar="FILE",
        default=config,
        help="configuration file (else $EDGE_AGENT_CONFIG, else " + DEFAULT_CONFIG + ")",
    )
    parser.add_argument("--json", action="store_true", default=json, help="print JSON")
