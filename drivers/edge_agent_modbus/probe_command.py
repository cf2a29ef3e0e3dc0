"""`edge-agent probe`: look at one Modbus device: who it is, which cells it has, how fast it is.

Reads only (function codes 1-4, 17 and 43), with pauses, and at most so many requests to a table.
"""

import argparse
from typing import TYPE_CHECKING

from edge_agent.command import (
    OK,
    USAGE,
    CommandFailed,
    columns,
    print_json,
    printable,
    shown,
)
from edge_agent.language import _

if TYPE_CHECKING:
    from edge_agent_modbus.onceread import Failure
    from edge_agent_modbus.probing import Probed
    from edge_agent_modbus.progress import Progress
    from edge_agent_modbus.survey import Cells
    from edge_agent_modbus.target import Endpoint, Line

EXAMPLE = "edge-agent probe 10.0.0.5 --unit 1"

_MOST_RANGES = 6  # that people are shown in a line
_MOST_REQUESTS = 150


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "target",
        metavar="TARGET",
        help=_("an address, or a serial port; its settings are found out"),
    )
    parser.add_argument(
        "--unit", type=int, default=1, metavar="N", help=_("number of the device (1)")
    )
    parser.add_argument(
        "--requests",
        type=int,
        default=_MOST_REQUESTS,
        metavar="N",
        help=_("at most, to each of its four tables ({most_requests})").format(
            most_requests=_MOST_REQUESTS
        ),
    )


def run(options: argparse.Namespace) -> int:
    """Look at the device, and show what was found."""
    import asyncio

    from edge_agent.driver import ConnectionLost
    from edge_agent_modbus.onceread import Failure, report
    from edge_agent_modbus.progress import Progress
    from edge_agent_modbus.scan import LineInUse

    target, progress = _target(options), Progress()
    try:
        found = asyncio.run(_probe(target, options, progress))
    except ConnectionLost as error:
        found = Failure("E-LINK-DOWN", str(error))
    except LineInUse as error:
        found = Failure("E-BUS-FOREIGN", str(error))
    finally:
        progress.clear()
    if isinstance(found, Failure):
        return report(found, options)
    if options.json:
        print_json({"target": options.target, **found.document()})
    else:
        _show(found, options)
    return OK


def _target(options: argparse.Namespace) -> "Line | Endpoint":
    from edge_agent_modbus.target import Line, Subnet, parse_target

    try:
        target = parse_target(options.target)
    except ValueError as error:
        raise CommandFailed(str(error), USAGE) from error
    if isinstance(target, Subnet):
        raise CommandFailed(
            _("{target} is a network: name one address").format(target=target), USAGE
        )
    first, last = (1, 247) if isinstance(target, Line) else (0, 255)
    if not first <= options.unit <= last:
        raise CommandFailed(
            _("unit {unit} does not exist here: write {first} to {last}").format(
                unit=options.unit, first=first, last=last
            ),
            USAGE,
        )
    if options.requests < 1:
        raise CommandFailed(_("--requests is a number from 1 on"), USAGE)
    return target


async def _probe(
    target: "Line | Endpoint", options: argparse.Namespace, progress: "Progress"
) -> "Probed | Failure":
    from edge_agent_modbus import discovery
    from edge_agent_modbus.onceread import Failure
    from edge_agent_modbus.probing import examine, way_to

    unit = _("unit {unit}").format(unit=options.unit)

    def tell(what: str) -> None:
        progress.note(f"{options.target} {unit}: {what}")

    tell(_("how it is reached"))
    way = await way_to(target, options.unit, discovery.LISTEN_SECONDS)
    if isinstance(way, Failure):
        return way
    return await examine(way, options.unit, options.requests, tell)


def _show(found: "Probed", options: argparse.Namespace) -> None:
    from edge_agent_modbus.finding import profiles_in_words

    unit = _("unit {unit}").format(unit=found.unit)
    print(f"{options.target} {unit}: {printable(str(found.identity))}")
    if found.suggestions:
        print(profiles_in_words(found.suggestions))
    reached = ", ".join(f"{key}: {value}" for key, value in found.connection.items())
    print(f"settings: {{{reached}}}")
    print(
        _(
            "{answers} answers: half of them within {half:g} ms, 95 of 100 within "
            "{most:g} ms, the slowest after {slowest:g} ms"
        ).format(
            answers=len(found.seconds),
            half=found.took(0.5),
            most=found.took(0.95),
            slowest=found.took(1),
        )
    )
    rows = [(str(table), _ranges(cells), _limit(cells)) for table, cells in found.tables.items()]
    print("\n".join(columns(rows)))
    for cells in found.tables.values():
        _show_decimals(cells)


def _ranges(cells: "Cells") -> str:
    if not cells.values:
        return _("none ({absent})").format(absent=printable(cells.absent))
    ranges = [f"{first}-{last}" if last > first else f"{first}" for first, last in cells.ranges]
    more = (
        _(" and {ranges} more").format(ranges=len(ranges) - _MOST_RANGES)
        if len(ranges) > _MOST_RANGES
        else ""
    )
    return ", ".join(ranges[:_MOST_RANGES]) + more


def _limit(cells: "Cells") -> str:
    if not cells.values:
        return ""
    said = (
        _("at most {limit}").format(limit=cells.limit)
        if cells.limit
        else _("at least {largest}").format(largest=cells.largest)
    )
    end = _("; not looked at to the end, see --requests") if cells.is_cut_short else ""
    return _("{said} at once{end}").format(said=said, end=end)


def _show_decimals(cells: "Cells") -> None:
    """Show what seem to be decimal numbers, as values."""
    from edge_agent_modbus.guess import guess

    for each in guess(cells.values) if not cells.table.of_bits else ():
        examples = ", ".join(f"{cells.table}:{at} = {shown(n)}" for at, n in each.examples)
        print(
            _("decimal numbers, as float32 with order {order}: {examples}, ...").format(
                order=each.order, examples=examples
            )
        )
