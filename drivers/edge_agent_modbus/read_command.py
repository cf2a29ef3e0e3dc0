"""`edge-agent read`: one raw read of a Modbus device, with everything that it may mean.

With `--expect` and the number on the device's display it names type, order, scale and address.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from edge_agent.command import (
    OK,
    USAGE,
    CommandFailed,
    columns,
    print_json,
    shown,
)
from edge_agent.language import _

if TYPE_CHECKING:
    from edge_agent_modbus.candidates import Candidate, Shown
    from edge_agent_modbus.config import ModbusSettings
    from edge_agent_modbus.onceread import Failure
    from edge_agent_modbus.pdu import Request
    from edge_agent_modbus.reading import Answered

EXAMPLE = "edge-agent read tcp://10.0.0.5:502 --unit 1 holding:100 --count 2 --expect 231.4"

_LISTED = 6  # candidates that people are shown


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "target",
        metavar="TARGET",
        help=_("tcp://10.0.0.5:502, rtu-over-tcp://HOST:PORT or serial:///dev/ttyUSB0?baud=9600"),
    )
    parser.add_argument(
        "address",
        metavar="ADDRESS",
        help=_(
            'register number as in the manual (40108), or counted from 0 (holding:107, "0x006B")'
        ),
    )
    parser.add_argument(
        "--unit", type=int, default=1, metavar="N", help=_("number of the device (1)")
    )
    parser.add_argument(
        "--count", type=int, metavar="N", help=_("registers or bits (as --type, or 2)")
    )
    parser.add_argument("--type", metavar="TYPE", help=_("only this type, such as float32"))
    parser.add_argument("--order", metavar="ORDER", help=_("only this order, such as CDAB"))
    parser.add_argument(
        "--expect",
        action="append",
        metavar="NUMBER",
        help=_("what the display shows now; may be given again for a second look"),
    )
    parser.add_argument(
        "--wait", type=float, default=5.0, metavar="SECONDS", help=_("before the second look (5)")
    )
    parser.add_argument("--timeout", type=float, metavar="SECONDS", help=_("for an answer"))


def run(options: argparse.Namespace) -> int:
    """Read once, and show what it may mean."""
    import asyncio

    from edge_agent.driver import ConnectionLost
    from edge_agent_modbus.onceread import Failure, report

    settings, request = _settings(options), _request(options)
    displays = _displays(options, request)
    try:
        answered = asyncio.run(_read(settings, request, len(displays), options))
    except ConnectionLost as error:
        answered = Failure("E-LINK-DOWN", str(error))
    if isinstance(answered, Failure):
        return report(answered, options)
    found = answered.candidates(displays)
    if options.json:
        document = answered.document(options.type, options.order, found if displays else None)
        print_json({"target": options.target, **document})
    else:
        _show(options, answered)
        _show_candidates(answered, displays, found)
    return OK


def _settings(options: argparse.Namespace) -> "ModbusSettings":
    from edge_agent_modbus.target import Subnet, parse_target, validated

    try:
        target = parse_target(options.target)
        if isinstance(target, Subnet):
            raise CommandFailed(
                _("{target} is a network: name one address").format(target=target), USAGE
            )
        settings = target.settings()
        if options.timeout is None:
            return settings
        given = settings.model_dump(exclude_unset=True)
        return validated({**given, "timeout": options.timeout})
    except ValueError as error:
        raise CommandFailed(str(error), USAGE) from error


def _request(options: argparse.Namespace) -> "Request":
    from edge_agent_modbus.interpretation import ORDERS, SINGLE
    from edge_agent_modbus.layout import KINDS, letters
    from edge_agent_modbus.notation import parse
    from edge_agent_modbus.pdu import Request

    options.order = str(letters(options.order or "")).upper()
    try:
        table, offset = parse(options.address)
        if options.type is not None and options.type not in SINGLE:
            raise ValueError(
                _("there is no type {type!r}; there are {single}").format(
                    type=options.type, single=", ".join(SINGLE)
                )
            )
        if options.order and options.order not in ORDERS:
            raise ValueError(
                _("there is no order {order!r}: write one such as CDAB").format(order=options.order)
            )
        _check_unit(options)
        width = KINDS[options.type].registers if options.type else 1 if table.of_bits else 2
        return Request(
            options.unit, table, offset, width if options.count is None else options.count
        )
    except ValueError as error:
        raise CommandFailed(str(error), USAGE) from error


def _check_unit(options: argparse.Namespace) -> None:
    last = 247 if options.target.startswith(("/", "serial:")) else 255
    first = 1 if last == 247 else 0
    if not first <= options.unit <= last:
        raise ValueError(
            _("unit {unit} does not exist here: write {first} to {last}").format(
                unit=options.unit, first=first, last=last
            )
        )


def _displays(options: argparse.Namespace, request: "Request") -> "list[Shown]":
    from edge_agent_modbus.candidates import parse_shown

    if options.expect and request.table.of_bits:
        raise CommandFailed(
            _("a {table} is one bit: leave --expect out").format(table=request.table), USAGE
        )
    try:
        return [parse_shown(text) for text in options.expect or ()]
    except ValueError as error:
        raise CommandFailed(str(error), USAGE) from error


async def _read(
    settings: "ModbusSettings", request: "Request", looks: int, options: argparse.Namespace
) -> "Answered | Failure":
    import asyncio

    from edge_agent_modbus.onceread import OneDevice
    from edge_agent_modbus.reading import look_around, read

    async with OneDevice(settings, options.target) as device:
        answered = await read(device, request)
        for look in range(looks):
            if look:
                print(
                    _("the second look is in {wait:g} s").format(wait=options.wait), file=sys.stderr
                )
                await asyncio.sleep(options.wait)
            await look_around(device, answered)
    return answered


def _show(options: argparse.Namespace, answered: "Answered") -> None:
    request = answered.request
    print(
        _("{target} {request}: {seconds:.0f} ms").format(
            target=options.target, request=request, seconds=1000 * answered.seconds
        )
    )
    if request.table.of_bits:
        bits = [
            (f"{request.table}:{at}", answered.number_of(at), shown(bit))
            for at, bit in answered.bits
        ]
        print("\n".join(columns(bits)))
        return
    rows = [
        (f"{request.table}:{at}", answered.number_of(at), f"0x{word:04X}", str(word))
        for at, word in answered.registers
    ]
    print("\n".join(columns(rows, right=[3])))
    if text := answered.text:
        print(_('as text: "{text}"').format(text=text))
    _show_values(options, answered)


def _show_values(options: argparse.Namespace, answered: "Answered") -> None:
    """Show each type in a line, its orders beside each other; what nobody measures is left out."""
    by_place: dict[tuple[int, str], dict[str, str]] = {}
    for each in answered.interpretations(options.type, options.order):
        if each.is_sensible or options.type:
            place = by_place.setdefault((each.offset, each.type), {})
            place[each.order] = shown(each.value)
    orders = list(dict.fromkeys(order for values in by_place.values() for order in values if order))
    rows = [("", "", "", *orders)] if orders else []
    for (offset, kind), values in by_place.items():
        beside = [values.get(order, "") for order in orders]
        rows.append((f"{answered.request.table}:{offset}", kind, values.get("", ""), *beside))
    print("\n".join(columns(rows)))


def _show_candidates(
    answered: "Answered", displays: "Sequence[Shown]", found: "Sequence[Candidate]"
) -> None:
    if not displays:
        return
    if not found:
        print(
            _(
                "nothing here shows that number: check the address against the manual, "
                "or whether the display shows something else (one of other phases, a "
                "sum, another unit)"
            )
        )
        return
    print(_("what shows that number, the likeliest first:"))
    rows = [
        (f"{rank})", f"{each.value:.7g}", answered.point(each), answered.remark(each))
        for rank, each in enumerate(found[:_LISTED], start=1)
    ]
    print("\n".join(columns(rows, right=[1])))
    if len(found) > _LISTED:
        print(
            _("and {found} that are less likely (--json shows all)").format(
                found=len(found) - _LISTED
            )
        )
    if len(found) > 1 and len(displays) == 1:
        print(_("another number, of another time, tells more: --expect FIRST --expect SECOND"))
