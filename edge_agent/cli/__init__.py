"""The command line: one module per command, imported only when that command is called.

What such a module has is told in `edge_agent.command`. Driver packages bring commands too; they
are looked up only for the help and for a word that is no command of ours.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from keyword import iskeyword
from pathlib import Path
from types import ModuleType

from edge_agent import __version__, language
from edge_agent.cli import brought, mistyped, speech
from edge_agent.errors import CommandFailed
from edge_agent.exitcodes import OK
from edge_agent.language import _, later, sentence

DEFAULT_CONFIG = "/etc/edge-agent/config.yaml"

COMMANDS = {
    "demo": later(
        "a small simulated factory, a broker, the agent, and the messages as they arrive"
    ),
    "setup": later("asks what is connected, tries it, and writes the configuration"),
    "site": later("one gateway's configuration for others, and ways back to earlier ones"),
    "check": later("finds every mistake in the configuration; opens nothing"),
    "test": later("reads every point once and shows a table; sends nothing"),
    "run": later("the daemon: poll, keep, publish until stopped"),
    "status": later("one screen from the running daemon"),
    "watch": later("what the running daemon reads, as it reads it"),
    "restrict": later("a drop-in that lets the service reach its broker and machines only"),
    "doctor": later("what is right and wrong with this gateway, each with a next step"),
    "report": later("the commissioning report: one page to print, sign and keep"),
    "support-bundle": later("packs what helps others to help, without secrets"),
    "buffer": later("carries what waits for the broker to another card, without a network"),
    "verify": later("the platform's side: follows the numbers and tells what is missing"),
    "import": later("reads a maker's register list, CSV or spreadsheet, into points"),
    "export": later("writes points of the configuration as a register list"),
    "drivers": later("the installed drivers, and a commented sample of one"),
    "profiles": later("what known models of equipment have: a list, a search, or one whole"),
}


class _Help(argparse.RawDescriptionHelpFormatter):
    """Knows the terminal's width without `shutil`, which takes the daemon 0.5 MB."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns() - 2)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    lang = speech.asked_for(words)
    words = speech.begin_as_wished(words, _default_config())
    try:
        options = _parse(words)
        options.lang = lang
        if options.command == "run":
            language.use("en")  # the daemon's log is read by programs, and by those far away
        return int(options.run(options))
    except CommandFailed as failure:
        print(f"edge-agent: {language.retell(str(failure))}", file=sys.stderr)
        return failure.code
    except BrokenPipeError:  # the reader of our output left, as in `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except KeyboardInterrupt:
        return 130


def _parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="edge-agent",
        description=_(
            "Collects readings from machines, keeps them until the broker has them, "
            "and never changes anything in a machine."
        ),
        epilog=_(
            "exit codes: 0 ok, 1 fault, 2 usage, 3 configuration invalid, 4 a device cannot be "
            "read, 5 the broker cannot be reached, 6 partly ok\nexample: {example}"
        ).format(example="edge-agent demo"),
        formatter_class=_Help,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--version",
        action="version",
        version=f"edge-agent {__version__}",
        help=_("show program's version number and exit"),
    )
    _common(parser, config=_default_config(), json=False)
    commands = parser.add_subparsers(dest="command", metavar=_("COMMAND"), required=True)
    first = mistyped.command_in(words)
    offered = COMMANDS if first in COMMANDS else COMMANDS | brought.summaries()
    mistyped.refuse_unknown(words, offered)
    wanted = next((word for word in words if word in offered), None)  # as in `recipe test`
    for name, summary in offered.items():
        module = _module(name) if name == wanted else None
        command = commands.add_parser(
            name,
            help=_(summary),
            description=sentence(_(summary)),
            epilog=_("example: {example}").format(example=module.EXAMPLE) if module else None,
            formatter_class=_Help,
            allow_abbrev=False,
        )
        _common(command, config=argparse.SUPPRESS, json=argparse.SUPPRESS)
        if module:
            module.arguments(command)
            command.set_defaults(run=module.run)
    options, left = parser.parse_known_args(words)
    if left:
        mistyped.refuse_file(left, options.command)
        parser.error(_("unrecognized arguments: %s") % " ".join(left))
    return options


def _columns() -> int:
    """Give the terminal's width as `shutil.get_terminal_size` does."""
    written = os.environ.get("COLUMNS", "")
    if written.isdecimal() and int(written):
        return int(written)
    try:
        return os.get_terminal_size().columns or 80
    except OSError:
        return 80


def _module(name: str) -> ModuleType:
    if name in COMMANDS:
        word = f"{name}_" if iskeyword(name) else name.replace("-", "_")
        return importlib.import_module(f"edge_agent.cli.{word}")
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
        help=_("configuration file (else $EDGE_AGENT_CONFIG, else {file})").format(
            file=DEFAULT_CONFIG
        ),
    )
    parser.add_argument("--json", action="store_true", default=json, help=_("print JSON"))
    speech.option(parser)
