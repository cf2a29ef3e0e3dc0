"""`edge-agent buffer`: carries what waits for the broker to another card, without a network."""

import argparse
import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_agent.command import CONFIG_INVALID, FAULT, OK, PARTLY_OK, USAGE, print_json
from edge_agent.errors import CommandFailed
from edge_agent.language import _, refusal

if TYPE_CHECKING:
    from edge_agent.config.model import Config
    from edge_agent.parcel import Contents, Entry, Parcel

EXAMPLE = "edge-agent buffer export /media/usb"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what only this command takes."""
    parser.description = _(
        "Carries readings that the broker does not have yet to another card, on "
        "a USB stick.\n"
        "1. Stop the agent: systemctl stop edge-agent\n"
        "2. On the old card: edge-agent buffer export /media/usb\n"
        "3. On the new card, with the same agent.id in its configuration and the "
        "agent stopped:\n"
        "   edge-agent buffer import /media/usb/FILE\n"
        "4. Start the agent: systemctl start edge-agent"
    )
    parser.add_argument(
        "action",
        choices=["export", "import"],
        help=_("export copies what waits into a file, and removes nothing; import takes a file in"),
    )
    parser.add_argument(
        "path", type=Path, metavar="FILE", help=_("the file; for export also the folder for it")
    )
    parser.add_argument(
        "--folder",
        type=Path,
        metavar="DIR",
        help=_("the buffer's folder, where it is not the configuration's: an old card in a reader"),
    )


def run(options: argparse.Namespace) -> int:
    """Export or import; 6 if some of it could not be read."""
    from edge_agent.damage import ERRORS
    from edge_agent.errors import EdgeAgentError
    from edge_agent.logs import configure

    configure("critical")  # what is to be known stands in what is printed
    config = _configuration(options)
    try:
        return (_export if options.action == "export" else _import)(options, config)
    except CommandFailed:
        raise
    except (EdgeAgentError, *ERRORS) as error:
        raise CommandFailed(str(error), FAULT) from error


def _configuration(options: argparse.Namespace) -> "Config":
    from edge_agent.config import load
    from edge_agent.errors import ConfigInvalid

    try:
        config = load(options.config)
    except ConfigInvalid as error:
        raise CommandFailed(str(error), CONFIG_INVALID) from error
    if options.folder is None:
        return config
    return dataclasses.replace(
        config, buffer=dataclasses.replace(config.buffer, path=options.folder)
    )


# --- export --------------------------------------------------------------------------------------


def _export(options: argparse.Namespace, config: "Config") -> int:
    from edge_agent import packinglist
    from edge_agent.clock import Clock
    from edge_agent.packer import export
    from edge_agent.standstill import is_there

    if not is_there(config.buffer.path):
        raise CommandFailed(
            _(
                "{path} holds no buffer of edge-agent; name the right folder with "
                "--folder, such as --folder /media/old-card/var/lib/edge-agent"
            ).format(path=config.buffer.path),
            USAGE,
        )
    clock = Clock()
    target = _target(options.path, config.agent.id, clock.now())
    packed = export(config.buffer, config.agent, target, clock)
    if packed is None:
        _show(options, {"file": None, **packinglist.counts((), 0)}, _nothing(config))
        return OK
    contents, unreadable = packed.contents, packed.unreadable
    size = target.stat().st_size
    document = {"file": str(target), "bytes": size, **packinglist.described(contents, unreadable)}
    _show(options, document, _exported(contents, unreadable, target, size))
    return PARTLY_OK if unreadable else OK


def _target(path: Path, agent: str, now: int) -> Path:
    from edge_agent import packinglist
    from edge_agent.parcel import SUFFIX

    if path.is_dir():
        return path / f"{agent}-{packinglist.local_time(now, '%Y%m%d-%H%M%S')}{SUFFIX}"
    if path.exists():
        raise CommandFailed(
            _("{path} is there already; name another file, or a folder").format(path=path), USAGE
        )
    if not path.parent.is_dir():
        raise CommandFailed(
            _("there is no folder {parent}; is the stick mounted?").format(parent=path.parent),
            USAGE,
        )
    return path


def _nothing(config: "Config") -> list[str]:
    return [
        _("nothing waits in {path}: the broker has everything; no file was made").format(
            path=config.buffer.path
        )
    ]


def _exported(
    contents: "Contents", unreadable: "list[Entry]", target: Path, size: int
) -> list[str]:
    from edge_agent import packinglist

    lines = [
        _("{agent} at {site}: what waits for the broker").format(
            agent=contents.agent, site=contents.site
        )
    ]
    lines += packinglist.by_epoch(contents)
    if unreadable:
        lines.append(
            _(
                "  {unreadable} of these readings cannot be read from this card any "
                "more; the new one will name them to the platform as lost"
            ).format(unreadable=packinglist.readings_of(unreadable))
        )
    return [
        *lines,
        _("written to {target} ({size}), read back and checked; nothing was removed here").format(
            target=target, size=packinglist.size_of(size)
        ),
        _(
            "next: on the new card, with agent.id {agent} in its configuration and "
            "the agent stopped: edge-agent buffer import {name}"
        ).format(agent=contents.agent, name=target.name),
    ]


# --- import --------------------------------------------------------------------------------------


def _import(options: argparse.Namespace, config: "Config") -> int:
    from edge_agent import packinglist
    from edge_agent.clock import Clock
    from edge_agent.receiver import receive

    parcel = _parcel(options.path)
    _check_agent(parcel.contents, config, options.config)
    received = receive(parcel, config.buffer, Clock())
    document = {
        "file": str(options.path),
        "known_messages": received.known,
        **packinglist.described(received.taken, received.damaged),
    }
    lines = _imported(options.path, received.taken, received.damaged, received.known)
    if parcel.contents.site != config.agent.site:
        lines.append(
            _(
                "note: they were read at {site}, and will be published below "
                "{agent_site}, as the configuration says"
            ).format(site=parcel.contents.site, agent_site=config.agent.site)
        )
    _show(options, document, lines)
    return PARTLY_OK if received.damaged else OK


def _parcel(path: Path) -> "Parcel":
    from edge_agent.parcel import NotAParcel, Parcel

    try:
        return Parcel(path)
    except OSError as error:
        raise CommandFailed(
            _("{path} cannot be read: {error}").format(path=path, error=refusal(error)),
            USAGE,
        ) from error
    except NotAParcel as error:
        raise CommandFailed(str(error), USAGE) from error


def _check_agent(contents: "Contents", config: "Config", file: Path) -> None:
    if contents.agent != config.agent.id:
        raise CommandFailed(
            _(
                "these are readings of {agent}, and this gateway is {id}: they would "
                "arrive under a wrong name. If it takes the place of {agent}, write `id: "
                "{agent}` under `agent` in {file} and call this again; nothing was "
                "changed"
            ).format(agent=contents.agent, id=config.agent.id, file=file),
            CONFIG_INVALID,
        )


def _imported(path: Path, contents: "Contents", damaged: "list[Entry]", known: int) -> list[str]:
    from edge_agent import packinglist

    if not contents.entries and not contents.losses:
        return [
            _(
                "{path} brings nothing new: {known} messages were here before; nothing changed"
            ).format(path=path, known=known)
        ]
    lines = [
        _("taken in from {path}, read by {agent} at {site}").format(
            path=path, agent=contents.agent, site=contents.site
        )
    ]
    lines += packinglist.by_epoch(contents, damaged)
    if known:
        lines.append(
            _("  {known} messages were here before, and were left out").format(known=known)
        )
    for entry in damaged:
        lines.append(
            _(
                "  damaged in this file: numbers {first} to {last}, {readings} readings "
                "from {oldest}"
            ).format(
                first=entry.first,
                last=entry.last,
                readings=entry.readings,
                oldest=packinglist.span(entry.oldest, entry.newest),
            )
        )
    if damaged:
        lines.append(
            _(
                "  these are named to the platform as lost; if the old card is still "
                "there, export again and import that file too: it fills the gap"
            )
        )
    return [*lines, _("next: start the agent; it sends them as soon as the broker is there")]


def _show(options: argparse.Namespace, document: dict[str, Any], lines: Iterable[str]) -> None:
    if options.json:
        print_json(document)
    else:
        print("\n".join(lines))
