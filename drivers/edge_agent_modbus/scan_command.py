"""`edge-agent scan`: find Modbus devices on serial lines and in the network, or listen to a line.

Reads only: function codes 3 and 4, and of devices that are there 43 and 17, and a few cells by
which the profiles are told apart (1-4). A serial line is listened to first, and left alone where
somebody else talks.
"""

import argparse
import sys
from typing import TYPE_CHECKING, Any, TextIO

from edge_agent.command import (
    DEVICE_UNREADABLE,
    OK,
    USAGE,
    CommandFailed,
    columns,
    print_json,
    printable,
    serial_ports,
)
from edge_agent.language import _

if TYPE_CHECKING:
    from edge_agent_modbus.discovery import LineSetting, Manner
    from edge_agent_modbus.finding import Finding
    from edge_agent_modbus.hunt import Report, Trouble, Wish
    from edge_agent_modbus.target import Target

EXAMPLE = "edge-agent scan /dev/ttyUSB0 192.168.10.0/24"

LISTEN_SECONDS = 5.0
_LINK_DOWN = "E-LINK-DOWN"
LAST_UNIT = 247  # MODBUS over Serial Line V1.02, 2.2


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "targets",
        nargs="*",
        metavar="TARGET",
        help=_(
            "a serial port, an address, or a network such as 192.168.10.0/24 (else "
            "all serial adapters of this machine)"
        ),
    )
    what = parser.add_argument_group(_("what to look for"))
    what.add_argument(
        "--all", action="store_true", help=_("all numbers of units, 1-247 (else 1-16)")
    )
    what.add_argument(
        "--units", type=_units, metavar="LIST", help=_("these units, such as 1-16,100")
    )
    what.add_argument(
        "--all-settings", action="store_true", help=_("28 speeds and parities (else the usual six)")
    )
    what.add_argument(
        "--patient", action="store_true", help=_("wait longer, and ask for input registers as well")
    )
    what.add_argument("--baud", type=int, help=_("only this many bits per second"))
    what.add_argument(
        "--parity", choices=("none", "even", "odd"), default="none", help=_("with --baud (none)")
    )
    what.add_argument("--stop-bits", type=int, choices=(1, 2), default=1, help=_("with --baud (1)"))
    what.add_argument(
        "--tcp-port",
        type=_port,
        default=502,
        metavar="N",
        help=_("of addresses that name none (502)"),
    )
    what.add_argument(
        "--any-network", action="store_true", help=_("also a network that is not private")
    )
    parser.add_argument(
        "--yaml", action="store_true", help=_("print what to write into the configuration")
    )
    listening = parser.add_argument_group(_("listen only, where another master polls"))
    listening.add_argument("--listen", metavar="PORT", help=_("serial port of that line"))
    listening.add_argument(
        "--seconds",
        type=float,
        default=LISTEN_SECONDS,
        metavar="N",
        help=_("how long to listen at each speed ({listen_seconds:g})").format(
            listen_seconds=LISTEN_SECONDS
        ),
    )


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise argparse.ArgumentTypeError(_("{text!r} is no port from 1 to 65535").format(text=text))
    return int(text)


def _units(text: str) -> tuple[int, ...]:
    found: dict[int, None] = {}
    for part in text.split(","):
        bounds = part.split("-") if "-" in part else [part]
        if len(bounds) > 2 or not all(each.isascii() and each.isdigit() for each in bounds):
            raise argparse.ArgumentTypeError(
                _("{text!r} is no list such as 1-16,100").format(text=text)
            )
        found |= dict.fromkeys(range(int(bounds[0]), int(bounds[-1]) + 1))
        if not found or max(found) > LAST_UNIT or min(found) < 1:
            raise argparse.ArgumentTypeError(
                _("{part!r} is not within 1 to {last_unit}").format(part=part, last_unit=LAST_UNIT)
            )
    return tuple(found)


def run(options: argparse.Namespace) -> int:
    """Look everywhere, and show what was found; Ctrl-C shows what was found so far."""
    if options.listen is not None:
        return _listen(options)
    import asyncio

    from edge_agent_modbus.hunt import Report, hunt
    from edge_agent_modbus.progress import Progress

    targets, wish = _targets(options), _wish(options)
    progress = Progress()
    report = Report()

    def tell(title: str, part: float, seconds_left: float) -> None:
        progress.show(title, part, seconds_left, len(report.findings))

    report.told = tell
    report.found = (lambda each: print_json(each.document())) if options.json else _nothing
    try:
        asyncio.run(hunt(targets, wish, report))
    except KeyboardInterrupt:
        progress.note(_("stopped; this was found so far:"))
    progress.clear()
    report.end()
    _show(report, options, len(targets))
    return OK if report.findings else DEVICE_UNREADABLE


def _listen(options: argparse.Namespace) -> int:
    from edge_agent_modbus import listen_command

    if options.targets:
        raise CommandFailed(
            _("--listen listens to one line only: leave the other targets out"), USAGE
        )
    return listen_command.run(options)


def _nothing(_: "Finding") -> None:
    """Show nothing before the end."""


def _targets(options: argparse.Namespace) -> "list[Target]":
    from edge_agent_modbus.target import Line, Subnet, parse_target

    written = options.targets or serial_ports()
    if not written:
        raise CommandFailed(
            _(
                "this machine has no serial adapter: plug one in, or name an address or "
                "a network, such as 192.168.10.0/24"
            ),
            DEVICE_UNREADABLE,
        )
    try:
        targets = [parse_target(text) for text in written]
    except ValueError as error:
        raise CommandFailed(str(error), USAGE) from error
    for target in targets:
        if isinstance(target, Line) and target.is_ascii:
            raise CommandFailed(
                _(
                    "{target}: scan looks for Modbus RTU only; ask an ASCII device with "
                    "`edge-agent read` or `probe`"
                ).format(target=target),
                USAGE,
            )
        if isinstance(target, Subnet) and not (target.network.is_private or options.any_network):
            raise CommandFailed(
                _(
                    "{target} is not a private network: with --any-network it is searched "
                    "nevertheless, if it is yours"
                ).format(target=target),
                USAGE,
            )
    return [_at_port(target, options.tcp_port) for target in targets]


def _at_port(target: "Target", port: int) -> "Target":
    """Put a target that names no port of its own at this one."""
    from dataclasses import replace

    from edge_agent_modbus.config import TCP_PORT
    from edge_agent_modbus.target import Line

    if isinstance(target, Line) or target.port != TCP_PORT:
        return target
    return replace(target, port=port)


def _wish(options: argparse.Namespace) -> "Wish":
    from edge_agent_modbus.discovery import network_units, serial_units
    from edge_agent_modbus.hunt import Wish

    units = options.units or serial_units(everyone=options.all)
    in_network = network_units(everyone=True) if options.all else options.units
    return Wish(_settings(options), units, _manner(options), in_network)


def _settings(options: argparse.Namespace) -> "list[LineSetting]":
    from edge_agent_modbus.discovery import LIKELY_SETTINGS, LineSetting, line_settings

    if options.baud is not None:
        setting = LineSetting(options.baud, options.parity, options.stop_bits)
        try:
            setting.settings("/dev/null")
        except ValueError as error:
            reason = _("{setting} is no setting of a serial line: --baud is 50 to 4000000").format(
                setting=setting
            )
            raise CommandFailed(reason, USAGE) from error
        return [setting]
    if not options.all_settings:
        return list(LIKELY_SETTINGS)
    return list(dict.fromkeys((*LIKELY_SETTINGS, *line_settings())))


def _manner(options: argparse.Namespace) -> "Manner":
    from dataclasses import replace

    from edge_agent_modbus import discovery

    manner = discovery.PATIENT if options.patient else discovery.QUICK
    return replace(manner, listening=discovery.LISTEN_SECONDS)


def _show(report: "Report", options: argparse.Namespace, targets: int) -> None:
    if options.json:
        for trouble in report.troubles:
            print_json(_document(trouble))
        return
    _print_table(report, sys.stderr if options.yaml else sys.stdout)
    if options.yaml:
        _print_yaml(report)
    for trouble in report.troubles:
        _explain(trouble)
    shut = [trouble for trouble in report.troubles if trouble.code == _LINK_DOWN]
    if not (report.findings or options.patient or len(shut) == targets):  # else: nobody to wait for
        print(_("slow and unusual devices are found with --patient"), file=sys.stderr)


def _print_table(report: "Report", out: TextIO) -> None:
    rows = [[printable(cell) for cell in finding.row()] for finding in report.findings]
    for line in columns(rows):
        print(line, file=out)


def _print_yaml(report: "Report") -> None:
    import yaml

    from edge_agent_modbus.finding import connections

    print(yaml.safe_dump(connections(report.findings), sort_keys=False, allow_unicode=True), end="")


def _explain(trouble: "Trouble") -> None:
    where = "" if trouble.target in trouble.message else f"{trouble.target}: "
    print(f"{where}{trouble.message} ({trouble.code})", file=sys.stderr)
    if trouble.overheard is not None:
        for line in trouble.overheard.lines():
            print(f"  {line}", file=sys.stderr)


def _document(trouble: "Trouble") -> dict[str, Any]:
    from edge_agent_modbus.listen_command import documents

    document: dict[str, Any] = {
        "target": trouble.target,
        "code": trouble.code,
        "error": trouble.message,
    }
    if trouble.overheard is not None:
        document["heard"] = documents(trouble.overheard)
    return document
