"""`edge-agent profiles new`: makes a profile of a register list, or of a device that is read."""

import argparse
import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from edge_agent.command import CONFIG_INVALID, OK, PARTLY_OK, USAGE, CommandFailed, print_json
from edge_agent.language import _

if TYPE_CHECKING:
    from edge_agent.config.model import Connection, Device


class Source(NamedTuple):
    """Points that a profile is made of, and what is known of their device."""

    driver: str
    points: Mapping[str, Mapping[str, Any]]
    protocol: str
    where: str
    known: Mapping[str, str]
    is_whole: bool = True


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `profiles new` takes besides."""
    new = parser.add_argument_group(_("profiles new NAME: makes one"))
    new.add_argument(
        "--from", dest="source", metavar="FILE|CONNECTION/DEVICE",
        help=_("a register list, or a device of the configuration"),
    )  # fmt: skip
    new.add_argument("--driver", metavar="NAME", help=_("of a list: whose addresses (modbus)"))
    new.add_argument(
        "--answer", action="append", default=[], metavar="ID=WORD", help=_("as of `import`")
    )
    new.add_argument("--maker", help=_("as on the label; else what the device says"))
    new.add_argument("--model", action="append", help=_("likewise; may be repeated"))
    new.add_argument("--kind", default="device", help=_("such as energy meter"))
    new.add_argument("--zh", metavar="NAME", help=_("what people call it in Chinese"))
    new.add_argument("--essentials", metavar="NAME,...", help=_("the points of the usual preset"))
    new.add_argument("--offline", action="store_true", help=_("do not ask the device what it is"))


def make(options: argparse.Namespace, name: str) -> int:
    """Make the profile; it is unverified until somebody compares it with the display."""
    from edge_agent.errors import EdgeAgentError

    try:
        source = _source(options)
        file = _written(options, name, source)
    except CommandFailed:
        raise
    except (EdgeAgentError, ValueError) as error:
        raise CommandFailed(str(error), CONFIG_INVALID) from error
    except OSError as error:
        message = _("cannot write {file}: {why}")
        message = message.format(file=error.filename, why=error.strerror)
        raise CommandFailed(message, USAGE) from error
    _tell(options, name, file, source)
    return OK if source.is_whole else PARTLY_OK


def _written(options: argparse.Namespace, name: str, source: Source) -> Path:
    """Write the profile beside the configuration, and read it again."""
    from edge_agent.config.library import FOLDER, Library, read
    from edge_agent.config.values import name as checked_name
    from edge_agent.registers.dialect import dialect_of
    from edge_agent.registers.profiles import profile_text
    from edge_agent.versions import write_whole

    folder = options.config.parent
    if checked_name(name) in Library(folder).files.get(source.driver, {}):
        message = _("there is a profile {name!r}: choose another name").format(name=name)
        raise CommandFailed(message, USAGE)
    shared = dialect_of(source.driver).shared
    text = profile_text(_facts(options, source), source.points, shared)
    file: Path = folder / FOLDER / source.driver / f"{name}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, text.encode(), like=options.config)
    read(file)
    return file


def _source(options: argparse.Namespace) -> Source:
    if not options.source:
        raise CommandFailed(
            _("say what of: profiles new NAME --from FILE, or --from CONNECTION/DEVICE"), USAGE
        )
    path = Path(options.source)
    return _of_list(options, path) if path.is_file() else _of_device(options)


def _of_list(options: argparse.Namespace, path: Path) -> Source:
    from edge_agent.cli.import_ import answers_of
    from edge_agent.registers import read_list

    driver = options.driver or "modbus"
    found = read_list(path, driver, answers_of(options.answer), options.config.parent)
    if found.questions:
        ids = ", ".join(
            f"{one.id} ({', '.join(choice.word for choice in one.choices)})"
            for one in found.questions
        )
        message = _("the list leaves open: {ids}; write --answer ID=WORD").format(ids=ids)
        raise CommandFailed(message, CONFIG_INVALID)
    if len(found.devices) != 1:
        raise CommandFailed(_("the list has {n} devices, and a profile is of one").format(
            n=len(found.devices)), CONFIG_INVALID)  # fmt: skip
    print(found.summary(), file=sys.stderr)
    for row in found.rows:
        if row.code:
            print(f"{row.row}: {row.remark}", file=sys.stderr)
    (points,) = found.devices.values()
    return Source(
        driver, points, driver, path.name, {}, is_whole=len(found.used) == len(found.rows)
    )


def _of_device(options: argparse.Namespace) -> Source:
    from edge_agent.registers.dialect import dialect_of
    from edge_agent.registers.export import body_of

    link, device = _device(options.config, options.source)
    dialect = dialect_of(link.driver)
    points = {
        point.name: {"address": dialect.keys(point.address), **body_of(point)}
        for point in device.points
    }
    protocol = str(getattr(link.settings, "transport", link.driver))
    known = {} if options.offline or (options.maker and options.model) else _identity(link, device)
    where = _("the device {name} as it was read").format(name=device.name)
    return Source(link.driver, points, protocol, where, known)


def _device(config: Path, written: str) -> "tuple[Connection, Device]":
    from edge_agent.cli.export import found

    link, name = found(config, written)
    devices = [device for device in link.devices if device.name == name]
    if not devices:
        raise CommandFailed(_("{written} names no device: write CONNECTION/DEVICE").format(
            written=written), USAGE)  # fmt: skip
    return link, devices[0]


def _identity(link: "Connection", device: "Device") -> dict[str, str]:
    """Ask the device what it is; one that does not say is no obstacle."""
    from edge_agent.errors import ConnectionLost
    from edge_agent.registers.live import identity

    try:
        return asyncio.run(identity(link, device))
    except ConnectionLost as error:
        print(f"edge-agent: {error}", file=sys.stderr)
        return {}


def _facts(options: argparse.Namespace, source: Source) -> Any:
    from edge_agent.registers.profiles import Facts

    maker = options.maker or source.known.get("maker", "")
    models = options.model or [source.known[key] for key in ("model",) if key in source.known]
    if not (maker and models):
        raise CommandFailed(
            _("say whose and which it is: --maker NAME --model NAME, as on its label"), USAGE
        )
    zh = options.zh or f"{maker} {models[0]}"
    essentials = [one.strip() for one in (options.essentials or "").split(",") if one.strip()]
    return Facts(maker, models, options.kind, zh, [source.protocol], [source.where], (), essentials)


def _tell(options: argparse.Namespace, name: str, file: Path, source: Source) -> None:
    if options.json:
        print_json({"name": name, "driver": source.driver, "written": str(file),
                    "points": len(source.points), "unverified": True})  # fmt: skip
        return
    print(_("written: {file}, {n} points").format(file=file, n=len(source.points)))
    print(_("unverified: compare every value with the device's display, then use it with"))
    print(f"    profile: {name}")
