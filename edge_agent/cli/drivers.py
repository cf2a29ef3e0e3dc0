"""`edge-agent drivers`: the installed drivers, and a commented sample of one. Imports none."""

import argparse
from typing import NamedTuple

from edge_agent.command import OK, USAGE, columns, print_json
from edge_agent.errors import CommandFailed
from edge_agent.language import _

EXAMPLE = "edge-agent drivers modbus"

SAMPLE = "sample.yaml"


class DriverPackage(NamedTuple):
    """An installed driver, without importing it.

    Attributes:
        description: The first line of its package's docstring.
        sample: Its commented configuration; empty where it brings none.
    """

    name: str
    description: str
    sample: str


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("name", nargs="?", metavar="NAME", help=_("show this driver's sample"))


def run(options: argparse.Namespace) -> int:
    """List the drivers, or show the sample of one."""
    packages = _installed()
    if options.name is None:
        _show_all(packages, as_json=options.json)
    else:
        _show_one(_wanted(options.name, packages), as_json=options.json)
    return OK


def _installed() -> list[DriverPackage]:
    from importlib.metadata import entry_points

    from edge_agent.plugins import GROUP

    # One installation can be listed twice (editable and wheel metadata side by side).
    modules = {(entry.name, entry.module) for entry in entry_points(group=GROUP)}
    return [_package(name, module) for name, module in sorted(modules)]


def _package(name: str, module: str) -> DriverPackage:
    """Describe a driver from the files of its package; importing it could take a second."""
    import ast
    from importlib.machinery import SourceFileLoader
    from importlib.util import find_spec
    from pathlib import Path

    spec = find_spec(module.partition(".")[0])
    loader = spec.loader if spec else None
    if not isinstance(loader, SourceFileLoader):
        return DriverPackage(name, _("its package cannot be found"), "")
    docstring = ast.get_docstring(ast.parse(Path(loader.path).read_bytes())) or ""
    sample = Path(loader.path).with_name(SAMPLE)
    text = sample.read_text("utf-8") if sample.exists() else ""
    return DriverPackage(name, docstring.partition("\n")[0], text)


def _wanted(name: str, packages: list[DriverPackage]) -> DriverPackage:
    import difflib

    known = [package.name for package in packages]
    if name in known:
        return packages[known.index(name)]
    near = difflib.get_close_matches(name, known, n=1)
    hint = (
        _("did you mean {near!r}?").format(near=near[0])
        if near
        else _("installed are: {known}").format(known=", ".join(map(repr, known)))
    )
    raise CommandFailed(
        _("there is no driver {name!r}; {hint}").format(name=name, hint=hint), USAGE
    )


def _show_all(packages: list[DriverPackage], *, as_json: bool) -> None:
    if as_json:
        found = [{"name": package.name, "description": package.description} for package in packages]
        print_json({"drivers": found})
        return
    for row in columns([(package.name, _(package.description)) for package in packages]):
        print(row)


def _show_one(package: DriverPackage, *, as_json: bool) -> None:
    if not package.sample:
        raise CommandFailed(
            _("driver {name!r} brings no {sample}: see its README").format(
                name=package.name, sample=SAMPLE
            ),
            USAGE,
        )
    if as_json:
        print_json(package._asdict())
    else:
        print(package.sample, end="")
