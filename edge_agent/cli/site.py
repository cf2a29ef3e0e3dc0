"""`edge-agent site`: one gateway's configuration for others, and ways back to earlier ones."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edge_agent.language import _, count, later

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_agent.config.model import Config
    from edge_agent.site.template import DevicePrint

EXAMPLE = "edge-agent site apply answers.yaml --template site.yaml --check"

_EXAMPLES = {
    "export": "edge-agent site export -o site.yaml",
    "apply": EXAMPLE,
    "diff": "edge-agent site diff answers.yaml --template site.yaml",
    "versions": "edge-agent site versions",
    "back": "edge-agent site back 3",
}
_ACTIONS = {
    "export": later("makes a template of this gateway's configuration, without secrets"),
    "apply": later(
        "makes a configuration of a template and answers, and puts it in force if it works"
    ),
    "diff": later("says how this gateway differs from a template and answers"),
    "versions": later("lists the configurations that were in force"),
    "back": later("puts an earlier configuration in force again"),
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions, each with what it takes."""
    actions = parser.add_subparsers(dest="action", metavar=_("ACTION"), required=True)
    made = {}
    for name, summary in _ACTIONS.items():
        text = _(summary)
        made[name] = actions.add_parser(
            name,
            help=text,
            description=f"{text[0].upper()}{text[1:]}.",
            epilog=_("example: {example}").format(example=_EXAMPLES[name]),
            formatter_class=argparse.RawDescriptionHelpFormatter,  # an example to copy has one line
            allow_abbrev=False,
        )
        _common(made[name])
    made["export"].add_argument(
        "-o", "--output", type=Path, metavar="FILE", help=_("write it to this file, not to stdout")
    )
    made["export"].add_argument(
        "--no-look", action="store_true", help=_("do not read the devices, to know them again")
    )
    for name in ("apply", "diff"):
        _template(made[name])
    _apply(made["apply"])
    made["back"].add_argument(
        "number", nargs="?", type=int, metavar="N", help=_("which one; else the one before")
    )
    for name in ("apply", "back"):
        _proof(made[name])


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-c", "--config", type=Path, metavar="FILE", default=argparse.SUPPRESS,
        help=_("configuration file"),
    )  # fmt: skip
    parser.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help=_("print JSON")
    )


def _template(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "answers",
        nargs="?",
        type=Path,
        metavar="ANSWERS",
        help=_("file with one `question: answer` per line; without it a person is asked"),
    )
    parser.add_argument("--template", type=Path, metavar="FILE", help=_("what export has made"))


def _apply(parser: argparse.ArgumentParser) -> None:
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--check", action="store_true", help=_("only say what is wrong and what would change")
    )
    how.add_argument(
        "--dry-run",
        action="store_true",
        help=_("only read every device once, and compare it with the template's; send nothing"),
    )


def _proof(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--allow-silent",
        nargs="*",
        metavar="DEVICE",
        help=_("these devices need not give a value; no device need, if none is named"),
    )
    parser.add_argument(
        "--patience",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help=_("how long every device may take to its first value (60)"),
    )


def run(options: argparse.Namespace) -> int:
    """Do one action."""
    from edge_agent.command import CONFIG_INVALID, FAULT, USAGE
    from edge_agent.errors import CommandFailed, ConfigInvalid
    from edge_agent.rollout import RolloutRefused
    from edge_agent.setup.terminal import Left
    from edge_agent.versions import BeingChanged

    try:
        return _do(options)
    except ConfigInvalid as error:
        raise CommandFailed(str(error), CONFIG_INVALID) from error
    except (BeingChanged, RolloutRefused) as error:
        raise CommandFailed(str(error), USAGE) from error
    except Left as error:
        raise CommandFailed(_("nothing was done"), USAGE) from error
    except OSError as error:
        text = _("cannot write {file}: {why}; run it with sudo, or name another file with -c FILE")
        said = text.format(file=error.filename or options.config, why=error.strerror)
        raise CommandFailed(said, USAGE if isinstance(error, PermissionError) else FAULT) from error


def _do(options: argparse.Namespace) -> int:
    if options.action == "export":
        return _export(options)
    if options.action in {"apply", "diff"}:
        from edge_agent.cli import site_apply

        _refuse_no_template(options)
        return site_apply.diff(options) if options.action == "diff" else site_apply.apply(options)
    from edge_agent.cli import site_versions

    if options.action == "versions":
        return site_versions.show(options)
    return site_versions.back(options)


def _refuse_no_template(options: argparse.Namespace) -> None:
    from edge_agent.command import USAGE
    from edge_agent.errors import CommandFailed

    if options.template is None:
        raise CommandFailed(
            _(
                "this needs a template; name it with --template site.yaml. On a gateway that is "
                "as this one shall be, edge-agent site export -o site.yaml makes one"
            ),
            USAGE,
        )


def _export(options: argparse.Namespace) -> int:
    from edge_agent.command import OK, print_json
    from edge_agent.config import load
    from edge_agent.site.exporting import export, put
    from edge_agent.site.looking import take
    from edge_agent.site.template import read

    config = load(options.config)
    prints = {} if options.no_look else take(config)
    text, left = export(options.config, config, prints)
    if left:
        said = count(
            left,
            "{n} thing that may differ is not asked: the head of the template names it",
            "{n} things that may differ are not asked: the head of the template names them",
        )
        print(f"! {said}", file=sys.stderr)
    unknown = [] if options.no_look else _without_print(config, prints)
    if unknown:
        said = _(
            "these gave no value while it looked, so a template of now cannot tell whether others "
            "are like them: {devices}; export again once edge-agent status shows them up"
        )
        print(f"! {said.format(devices=', '.join(unknown))}", file=sys.stderr)
    if options.output:
        put(text, options.output)
    if options.json:
        print_json(read(text, "").model_dump(mode="json"))
    elif options.output:
        print(_("Written: {file}").format(file=options.output))
    else:
        print(text, end="")
    return OK


def _without_print(config: "Config", prints: "Mapping[str, DevicePrint]") -> list[str]:
    names = (device.name for connection in config.connections for device in connection.devices)
    return [name for name in names if name not in prints]
