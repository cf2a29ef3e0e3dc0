"""`edge-agent support-bundle`: packs what helps others to help, without secrets."""

import argparse
import sys
import time
from pathlib import Path

from edge_agent.command import FAULT, OK, USAGE, CommandFailed, columns, print_json
from edge_agent.language import _, refusal, retell, speaking

EXAMPLE = "sudo edge-agent support-bundle"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes, and say what is packed."""
    parser.description = _(
        "Packs what helps others to help into one file that only you can read: "
        "the configuration without passwords, keys, tokens and user names, what "
        "check, doctor and status say, versions, facts about the system, names "
        "and sizes of the buffer's files, and the last lines of the log. No "
        "readings. Look into it before you send it."
    )
    parser.add_argument(
        "file",
        nargs="?",
        type=Path,
        metavar="FILE",
        help=_("the file to write (edge-agent-support-<time>.tar.gz in this folder)"),
    )


def run(options: argparse.Namespace) -> int:
    """Gather, take secrets out, and write."""
    from edge_agent.bundle import archive
    from edge_agent.bundle.contents import gather
    from edge_agent.cli.doctor import asked, document
    from edge_agent.doctor.examination import examine, gateway_here
    from edge_agent.logs import configure

    configure("critical")
    file = options.file or Path(time.strftime("edge-agent-support-%Y%m%d-%H%M%S.tar.gz"))
    if file.exists():
        raise CommandFailed(
            _("{file} is there already; name another file").format(file=file), USAGE
        )
    print(_("gathering; no readings, no secrets: see --help ..."), file=sys.stderr)
    with speaking("en"):  # what those far away read
        gateway = gateway_here(options.config, asked(options))
        entries = gather(gateway, document(examine(gateway)))
    try:
        size = archive.write(file, entries)
    except OSError as error:
        raise CommandFailed(
            _("{file} cannot be written: {error}").format(file=file, error=refusal(error)),
            FAULT,
        ) from error
    listed = archive.manifest(entries)
    if options.json:
        print_json({"file": str(file), "bytes": size, "contents": listed})
        return OK
    rows = [(str(one["file"]), f"{one['bytes']:,}", retell(str(one["what"]))) for one in listed]
    print("\n".join(columns(rows, right=[1])))
    print(_("{file}: {size:,} bytes, readable for you alone").format(file=file, size=size))
    print(_("look into it before you send it: tar -xzf {file}").format(file=file))
    return OK
