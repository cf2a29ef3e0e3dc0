"""`edge-agent browse`: show what an OPC UA server has to read: names, types and values now."""

import argparse
import sys
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from edge_agent.command import (
    DEVICE_UNREADABLE,
    OK,
    USAGE,
    CommandFailed,
    configured,
    print_json,
    printable,
    shown,
)
from edge_agent.language import _

if TYPE_CHECKING:
    from edge_agent_opcua.browse import Found
    from edge_agent_opcua.config import OpcUaSettings

EXAMPLE = "edge-agent browse opc.tcp://10.0.0.9:4840 --contains temperature --csv"

INDENT = "  "
SETTINGS = (
    "security", "policy", "username", "password_file", "server_name", "pki", "timeout"
)  # fmt: skip
"""Options of the command that are settings of the driver."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    where = parser.add_argument_group(_("which server, and how to reach it"))
    where.add_argument("url", nargs="?", metavar="URL", help=_("such as opc.tcp://10.0.0.9:4840"))
    where.add_argument(
        "--connection", metavar="NAME", help=_("take url and settings from the configuration (-c)")
    )
    where.add_argument(
        "--security",
        choices=("encrypt", "sign", "none"),
        help=_("what the connection has to do (encrypt)"),
    )
    where.add_argument("--policy", help=_("only this security policy, such as Basic256Sha256"))
    where.add_argument("--username", help=_("the user to read as (anonymous)"))
    where.add_argument("--password-file", metavar="FILE", help=_("with the user's password"))
    where.add_argument(
        "--server-name", metavar="NAME", help=_("what the server's certificate calls its host")
    )
    where.add_argument("--pki", metavar="FOLDER", help=_("folder of certificates"))
    where.add_argument("--timeout", metavar="SECONDS", help=_("how long to wait for an answer (5)"))
    what = parser.add_argument_group(_("what to show"))
    what.add_argument(
        "--start", default="", metavar="PATH", help=_("begin at, such as Oven/Zone 1")
    )
    what.add_argument(
        "--contains", default="", metavar="TEXT", help=_("only paths with this in it")
    )
    what.add_argument("--depth", type=_count, default=10, metavar="N", help=_("levels (10)"))
    what.add_argument(
        "--limit", type=_count, default=200, metavar="N", help=_("nodes a level (200)")
    )
    what.add_argument("--standard", action="store_true", help=_("also the server's own nodes"))
    how = parser.add_argument_group(_("how"))
    how.add_argument(
        "--csv", action="store_true", help=_("one row per value, to pick from and to import")
    )
    how.add_argument(
        "--elements", type=_count, default=16, metavar="N", help=_("rows an array at most (16)")
    )


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(_("{text!r} is no number from 1 on").format(text=text))
    return int(text)


def run(options: argparse.Namespace) -> int:
    """Walk through the server and print what is found: as it is found, where people look on."""
    import asyncio

    from edge_agent.driver import ConnectionLost

    settings = _settings(options)
    try:
        return asyncio.run(_browse(settings, options))
    except ConnectionLost as error:
        raise CommandFailed(str(error), DEVICE_UNREADABLE) from error
    except LookupError as error:
        raise CommandFailed(str(error), USAGE) from error


def _settings(options: argparse.Namespace) -> "OpcUaSettings":
    from pydantic import ValidationError

    from edge_agent_opcua.config import OpcUaSettings

    written = {key: getattr(options, key) for key in SETTINGS if getattr(options, key) is not None}
    if (options.url is None) == (options.connection is None):
        raise CommandFailed(
            _("name a server: either its URL, or a --connection of the file"), USAGE
        )
    if options.url is None:
        if written:
            key = next(iter(written)).replace("_", "-")
            raise CommandFailed(
                _(
                    "--{key} and --connection: the settings stand in the file; change them "
                    "there, or give the URL"
                ).format(key=key),
                USAGE,
            )
        return configured(options.config, options.connection, OpcUaSettings)
    try:
        return OpcUaSettings(url=options.url, **written)
    except ValidationError as error:
        reason = error.errors()[0]
        place = ".".join(map(str, reason["loc"]))
        message = reason["msg"].removeprefix("Value error, ")
        raise CommandFailed(f"{place}: {message}" if place else message, USAGE) from error


async def _browse(settings: "OpcUaSettings", options: argparse.Namespace) -> int:
    from edge_agent_opcua.browse import Wish, browsing

    wish = Wish(options.start, options.contains, options.depth, options.limit, options.standard)
    shows = _as_csv if options.csv else _as_json if options.json else _as_tree
    async with browsing(settings) as browser:
        is_cut = await shows(browser.walk(wish), options)
        if is_cut or browser.is_cut:
            print(_("some was left out: --start further down, or raise --limit"), file=sys.stderr)
    return OK


async def _as_json(all_found: "AsyncIterator[Found]", _: argparse.Namespace) -> bool:
    from edge_agent_opcua.choice import row_of

    nodes = [row_of(found) async for found in all_found]
    is_cut = any(node["more"] for node in nodes)
    print_json({"nodes": nodes})
    return is_cut


async def _as_csv(all_found: "AsyncIterator[Found]", options: argparse.Namespace) -> bool:
    import csv

    from edge_agent_opcua.choice import COLUMNS, Namer, rows

    writer = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
    writer.writeheader()
    namer, is_cut = Namer(), False
    async for found in all_found:
        writer.writerows(rows(found, namer, options.elements))
        is_cut |= found.is_cut
    return is_cut


async def _as_tree(all_found: "AsyncIterator[Found]", options: argparse.Namespace) -> bool:
    is_empty = True
    async for found in all_found:
        is_empty = False
        place = found.path if options.contains else INDENT * found.depth + found.name
        print(printable(place) + _described(found))
        for note in _notes(found):
            print(f"{INDENT * (found.depth + 1)}({note})")
    if is_empty:
        print(_("nothing found; --standard shows the server's own nodes too"), file=sys.stderr)
    return False  # said where it is


def _described(found: "Found") -> str:
    facts = found.facts
    if facts is None:
        return ""
    value = " ".join(filter(None, (shown(facts.now.value), facts.unit)))
    about = ", ".join(filter(None, (facts.type, facts.access)))
    flaw = facts.now.flaw
    trouble = f"  ({flaw.why}: {flaw.detail})" if flaw is not None else ""
    return printable(f" = {value}{trouble}  [{about}]  {found.node}")


def _notes(found: "Found") -> list[str]:
    notes = []
    if found.is_cut:
        notes.append(_("there is more below: --start here, or raise --limit or --depth"))
    if found.is_repeated:
        notes.append(_("shown already at another place"))
    return notes
