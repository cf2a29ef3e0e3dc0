"""The part of `edge-agent scan` that only listens: another master's polling, and not a byte sent.

Without `--baud` the usual speeds and parities are tried until something is understood.
"""

import argparse
import sys
from typing import TYPE_CHECKING, Any

from edge_agent.command import DEVICE_UNREADABLE, OK, USAGE, CommandFailed, columns, print_json
from edge_agent.language import _

if TYPE_CHECKING:
    from edge_agent_modbus.discovery import LineSetting
    from edge_agent_modbus.overheard import Overheard


def run(options: argparse.Namespace) -> int:
    """Listen, and show what was understood."""
    import asyncio

    setting, overheard = asyncio.run(_listen(options))
    if options.json:
        print_json(_document(options.listen, setting, overheard))
    else:
        _show(options.listen, setting, overheard)
    return OK if overheard.answers or overheard.unanswered else DEVICE_UNREADABLE


async def _listen(options: argparse.Namespace) -> "tuple[LineSetting, Overheard]":
    """Try one setting after the other until something is understood; give the best try."""
    from edge_agent_modbus.discovery import LineSetting, line_settings

    settings = list(line_settings())
    if options.baud is not None:
        settings = [LineSetting(options.baud, options.parity, options.stop_bits)]
    tried = []
    for setting in settings:
        print(
            _("listening at {setting} for {seconds:g} s").format(
                setting=setting, seconds=options.seconds
            ),
            file=sys.stderr,
        )
        overheard = await _listen_at(options.listen, setting, options.seconds)
        if overheard.answers or not overheard.is_traffic:
            return setting, overheard  # on a silent line no other speed hears more
        tried.append((setting, overheard))
    return max(tried, key=lambda each: each[1].unanswered.total())


async def _listen_at(port: str, setting: "LineSetting", seconds: float) -> "Overheard":
    from edge_agent.driver import ConnectionLost
    from edge_agent_modbus.scan import listen, serial_link

    try:
        return await listen(serial_link(port, setting), seconds)
    except ValueError as error:
        raise CommandFailed(
            _("{setting} is no setting of a serial line: {error}").format(
                setting=setting, error=error
            ),
            USAGE,
        ) from error
    except ConnectionLost as error:
        raise CommandFailed(str(error), DEVICE_UNREADABLE) from error


def _show(port: str, setting: "LineSetting", overheard: "Overheard") -> None:
    print(
        _("{port} at {setting}: {bytes_heard} bytes heard").format(
            port=port, setting=setting, bytes_heard=overheard.bytes_heard
        )
    )
    table = [
        (_("unit {unit}").format(unit=unit), f"{table}:{offset}", f"x{count}", said)
        for unit, table, offset, count, said in rows(overheard)
    ]
    for line in columns(table) if table else [_why_nothing(overheard)]:
        print(line)
    for unit, times in sorted(overheard.writes.items()):
        print(
            _("unit {unit}: {times} messages that write, the other master's business").format(
                unit=unit, times=times
            )
        )


def rows(overheard: "Overheard") -> "list[tuple[int, str, int, int, str]]":
    """Give unit, table, offset, count and answer of everything that was asked."""
    from edge_agent_modbus.pdu import Refusal

    said = {
        request: str(answer) if isinstance(answer, Refusal) else answer.hex(" ", 2)
        for request, answer in overheard.answers.items()
    }
    for request, times in overheard.unanswered.items():
        said.setdefault(request, _("not answered, {times} times").format(times=times))
    return sorted(
        (request.unit, str(request.table), request.offset, request.count, text)
        for request, text in said.items()
    )


def _why_nothing(overheard: "Overheard") -> str:
    if not overheard.is_traffic:
        return _(
            "the line is silent: check the wires (A and B may be swapped), and that "
            "a master polls; listen longer with --seconds"
        )
    return _(
        "something is said, but no Modbus RTU is understood in it: give the "
        "line's --baud, --parity and --stop-bits; it may be another protocol"
    )


def _document(port: str, setting: "LineSetting", overheard: "Overheard") -> dict[str, Any]:
    return {
        "port": port,
        "baud": setting.baud,
        "parity": setting.parity,
        "stop_bits": setting.stop_bits,
        "bytes": overheard.bytes_heard,
        "heard": documents(overheard),
        "writes": {str(unit): times for unit, times in sorted(overheard.writes.items())},
    }


def documents(overheard: "Overheard") -> list[dict[str, Any]]:
    """Give the same as JSON has it."""
    keys = ("unit", "table", "offset", "count", "answer")
    return [dict(zip(keys, row, strict=True)) for row in rows(overheard)]
