"""`edge-agent report`: the commissioning report, one page to print, sign and keep."""

import argparse
from pathlib import Path

from edge_agent.command import CONFIG_INVALID, OK, USAGE, CommandFailed
from edge_agent.language import _

EXAMPLE = "sudo edge-agent report --by 'Wang Fang'"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.description = _(
        "Writes what is installed here, what was compared with which display, what is read now and "
        "what the doctor finds into one HTML file, to print and to sign. Reads only. "
        "`edge-agent doctor --compare FILE` tells later what has changed since."
    )
    parser.add_argument(
        "-o",
        "--output",
        "--out",
        dest="out",
        type=Path,
        metavar="FILE",
        help=_("where to (else beside the configuration, named after gateway and day)"),
    )
    parser.add_argument("--by", metavar="NAME", help=_("who installed it; kept for later reports"))
    parser.add_argument(
        "--seconds",
        type=float,
        metavar="N",
        help=_("wait at most so long for points that are read seldom (else a minute)"),
    )


def run(options: argparse.Namespace) -> int:
    """Make the report; prints where it is, or the whole as JSON."""
    from edge_agent.errors import ConfigInvalid
    from edge_agent.logs import configure
    from edge_agent.report import record
    from edge_agent.report.gathering import gather
    from edge_agent.report.making import usual_place, write
    from edge_agent.report.page import as_json, write_html

    configure("critical")  # what is to be known stands in what is printed
    try:
        if options.by is not None:
            record.keep(options.config, by=options.by)
        report = gather(options.config, options.seconds)
        if options.json and options.out is None:
            print(as_json(report))
            return OK
        file = options.out or usual_place(options.config, report)
        write(file, write_html(report))
    except ConfigInvalid as error:
        raise CommandFailed(str(error), CONFIG_INVALID) from error
    except OSError as error:
        raise CommandFailed(
            _("cannot write {file}: {why}; name another file with --output, or use sudo").format(
                file=error.filename, why=error.strerror
            ),
            USAGE,
        ) from error
    print(as_json(report) if options.json else file)
    return OK
