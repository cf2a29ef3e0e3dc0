"""`edge-agent test`: reads every point once and shows what came; sends it only if told to."""

import argparse
import difflib
import importlib.util
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from edge_agent.cli.labels import Labels, labels, named
from edge_agent.cli.mistyped import refuse_file
from edge_agent.command import (
    BROKER_UNREACHABLE,
    CONFIG_INVALID,
    DEVICE_UNREADABLE,
    FAULT,
    OK,
    PARTLY_OK,
    USAGE,
)
from edge_agent.errors import CommandFailed
from edge_agent.language import _, later

if TYPE_CHECKING:
    from edge_agent.config.model import Config, Connection
    from edge_agent.dispatch import Sent
    from edge_agent.trial import DeviceResult, TrialReading

EXAMPLE = "edge-agent test press-1"

HEAD = (later("device"), later("point"), later("value"), later("unit"), later("quality"))
VALUE_COLUMN = 2


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("device", nargs="?", metavar="DEVICE", help=_("only this device"))
    parser.add_argument(
        "--publish",
        action="store_true",
        help=_(
            "also send it once, with the next numbers of the agent, which must be "
            "stopped; what the broker does not take is kept for the agent's start"
        ),
    )


def run(options: argparse.Namespace) -> int:
    """Read, show, send if wanted, and tell by the exit code how far that went."""
    import asyncio

    from edge_agent.trial import try_connections

    refuse_file([options.device or ""], "test")
    config = _load(options)
    connections = _wanted(config, options.device)
    if options.publish:
        return asyncio.run(_read_and_send(config, connections, as_json=options.json))
    results = asyncio.run(try_connections(connections, prompt=_prompt))
    _show(results, as_json=options.json, known=labels(connections, options.config.parent))
    return _verdict(results)


async def _read_and_send(
    config: "Config", connections: "list[Connection]", *, as_json: bool
) -> int:
    """Read and send; the buffer is opened first, since a running agent reads the same machines."""
    from edge_agent.dispatch import dispatch
    from edge_agent.errors import BrokerUnavailable, BufferUnavailable
    from edge_agent.logs import configure
    from edge_agent.standstill import BufferInUse
    from edge_agent.trial import try_connections

    configure("critical")  # what is to be known stands in what is printed
    try:
        async with dispatch(config) as way:
            results = await try_connections(connections, prompt=_prompt)
            try:
                sent = await way.send(results)
            except BrokerUnavailable as error:
                _show(results, as_json=as_json)
                raise CommandFailed(str(error), BROKER_UNREACHABLE) from error
    except BufferInUse as error:
        raise CommandFailed(str(error), USAGE) from error
    except BufferUnavailable as error:
        raise CommandFailed(str(error), FAULT) from error
    _show(results, as_json=as_json, sent=sent)
    return _verdict(results)


def _prompt(device: str, action: str) -> None:
    print(
        _("{device}: {action} now").format(device=device, action=action),
        file=sys.stderr,
        flush=True,
    )


def _load(options: argparse.Namespace) -> "Config":
    from edge_agent.config import load
    from edge_agent.errors import ConfigInvalid

    try:
        return load(options.config)
    except ConfigInvalid as error:
        raise CommandFailed(str(error), CONFIG_INVALID) from error


def _wanted(config: "Config", name: str | None) -> "list[Connection]":
    """Keep only the wanted device and its connection."""
    from dataclasses import replace

    if name is None:
        return list(config.connections)
    for connection in config.connections:
        chosen = tuple(device for device in connection.devices if device.name == name)
        if chosen:
            return [replace(connection, devices=chosen)]
    known = [device.name for connection in config.connections for device in connection.devices]
    near = difflib.get_close_matches(name, known, n=1)
    hint = (
        _("did you mean {near!r}?").format(near=near[0])
        if near
        else _("there are: {known}").format(known=", ".join(known) or _("none"))
    )
    raise CommandFailed(
        _("there is no device {name!r} in the configuration; {hint}").format(name=name, hint=hint),
        USAGE,
    )


def _verdict(results: "Sequence[DeviceResult]") -> int:
    wanted = sum(len(result.readings) for result in results)
    good = sum(result.good for result in results)
    if good == wanted:
        return OK
    return PARTLY_OK if good else DEVICE_UNREADABLE


def _show(
    results: "Sequence[DeviceResult]",
    *,
    as_json: bool,
    sent: "Sent | None" = None,
    known: Labels | None = None,
) -> None:
    if as_json:
        _show_json(results, sent)
    else:
        _show_table(results, known or {})
        if sent:
            numbers = ", ".join(map(str, sent.numbers)) or _("none")
            print(
                _("sent and acknowledged: epoch {epoch}, numbers {numbers}").format(
                    epoch=sent.epoch, numbers=numbers
                )
            )
    for result in results:
        if result.why:
            code = f", {result.code}" if result.code else ""
            print(
                _("{device} is {state}{code}: {why}").format(
                    device=result.device, state=_(result.state.value), code=code, why=result.why
                ),
                file=sys.stderr,
            )


def _show_json(results: "Sequence[DeviceResult]", sent: "Sent | None") -> None:
    import json

    devices = [
        {
            "device": result.device,
            "state": result.state.value,
            "ms": result.ms,
            "code": result.code,
            "detail": result.why,
            "readings": [_as_json(reading) for reading in result.readings],
        }
        for result in results
    ]
    document: dict[str, Any] = {"devices": devices}
    if sent:
        document["published"] = {"epoch": sent.epoch, "seq": sent.numbers}
    print(json.dumps(document, ensure_ascii=False, allow_nan=False))


def _as_json(reading: "TrialReading") -> dict[str, Any]:
    from edge_agent.command import exact

    return {
        "p": reading.point,
        "v": exact(reading.value),
        "q": reading.quality.name.lower(),
        "why": reading.why and reading.why.value,
        "detail": reading.detail,
        "unit": reading.unit,
    }


def _show_table(results: "Sequence[DeviceResult]", known: Labels) -> None:
    rows = [_row(result, reading, known) for result in results for reading in result.readings]
    if sys.stdout.isatty() and importlib.util.find_spec("rich"):
        _show_rich(rows)
        return
    from edge_agent.layout import columns

    for line in columns([[*map(_, HEAD)], *rows], right=[VALUE_COLUMN]):
        print(line)


def _row(result: "DeviceResult", reading: "TrialReading", known: Labels) -> tuple[str, ...]:
    from edge_agent.layout import printable, shown

    quality = _(reading.quality.name.lower())
    if reading.why:
        quality += f": {_(reading.why.value)}"
    if reading.detail and reading.detail != result.why:
        quality += f" ({printable(reading.detail)})"
    point = named(known, result.device, reading.point)
    return result.device, point, shown(reading.value), reading.unit, quality


def _show_rich(rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None)
    for index, title in enumerate(HEAD):
        table.add_column(_(title), justify="right" if index == VALUE_COLUMN else "left")
    for row in rows:
        style = "red" if row[-1].startswith(_("bad")) else ""
        table.add_row(*(Text(cell, style=style) for cell in row))
    Console().print(table)
