"""`edge-agent profiles`: the device profiles that drivers bring; a list, a search, or one whole."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from edge_agent.cli import profiles_new
from edge_agent.command import OK, columns, print_json, wrap
from edge_agent.errors import ProfileUnavailable
from edge_agent.language import _, later, spoken

if TYPE_CHECKING:
    from edge_agent.config.profile import Parameter, Profile, ProfilePoint, Wording

EXAMPLE = "edge-agent profiles sdm630"

DOUBT = later("unverified")
"""Stands beside a profile whose values should be compared with the display before use."""
_WHY_DOUBT = later("compare every value with the device's display before you rely on it")
_LINE = 100
_SUMMARY = ("maker", "models", "kind", "zh", "confidence")


class Found(NamedTuple):
    """One profile of this installation."""

    name: str
    driver: str
    profile: "Profile"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "text",
        nargs="*",
        metavar="TEXT",
        help=_("letters of a name, maker or model, 中文 too; or `new NAME` to make one"),
    )
    profiles_new.arguments(parser)


def run(options: argparse.Namespace) -> int:
    """List the profiles that have all of these words, show one whole, or make a new one."""
    if options.source or (options.text[:1] == ["new"] and len(options.text) == 2):
        return profiles_new.make(options, options.text[-1])
    found = _installed(options.config.parent)
    words = " ".join(options.text).lower().split()
    exact = [one for one in found if words == [one.name]]
    if exact:
        _show_one(exact[0], as_json=options.json)
        return OK
    _show_all(_matching(found, words), " ".join(options.text), as_json=options.json)
    return OK


def _installed(folder: Path) -> list[Found]:
    from edge_agent.config.library import Library

    library, found = Library(folder), []
    for driver, files in sorted(library.files.items()):
        for name in files:
            try:
                found.append(Found(name, driver, library.load(driver, name)))
            except ProfileUnavailable as error:  # somebody's; the others are good
                print(f"edge-agent: {error}", file=sys.stderr)
    return found


def _matching(found: Sequence[Found], words: Sequence[str]) -> list[Found]:
    return [one for one in found if all(word in _haystack(one) for word in words)]


def _haystack(one: Found) -> str:
    profile = one.profile
    return " ".join((one.name, profile.title, profile.kind, profile.zh, one.driver)).lower()


def _show_all(found: Sequence[Found], text: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"profiles": [_summary(one) for one in found]})
        return
    if not found:
        print(
            _(
                "no profile has {text!r}; try fewer letters of the label on the device, "
                "or write its points by hand: `edge-agent drivers modbus` shows how"
            ).format(text=text),
            file=sys.stderr,
        )
    rows = [
        (one.name, _models(one.profile), one.profile.zh, _(DOUBT) * one.profile.is_unverified)
        for one in found
    ]
    for row in columns(rows):
        print(row)


def _models(profile: "Profile") -> str:
    models = ", ".join(profile.models[:3]) + (", ..." if len(profile.models) > 3 else "")
    return f"{profile.maker} {models}"


def _summary(one: Found) -> dict[str, Any]:
    profile = one.profile
    return {
        "name": one.name,
        "driver": one.driver,
        **{key: getattr(profile, key) for key in _SUMMARY},
        "unverified": profile.is_unverified,
        "points": len(profile.points),
    }


def _show_one(one: Found, *, as_json: bool) -> None:
    if as_json:
        content = one.profile.model_dump(mode="json")
        print_json(
            {
                "name": one.name,
                "driver": one.driver,
                **content,
                "unverified": one.profile.is_unverified,
            }
        )
        return
    for line in _described(one):
        print(line)


def _described(one: Found) -> Iterator[str]:
    profile = one.profile
    yield f"{one.name}: {profile.title}"
    protocols = ", ".join(profile.protocols)
    driver = _("driver {driver}, {protocols}").format(driver=one.driver, protocols=protocols)
    kind = "" if spoken() == "zh" else f"{profile.kind}, "
    yield f"{profile.zh}; {kind}{driver}"
    if profile.is_unverified:
        yield f"{_(DOUBT)}: {_(_WHY_DOUBT)}"
    yield from (_("source: {source}").format(source=source) for source in profile.sources)
    for note in profile.notes:
        yield from wrap(note, _LINE)
    for line in profile.serial:
        bits = _("{data_bits} data bits, {parity} parity, {stop_bits} stop bit(s)").format(
            data_bits=line.data_bits, parity=_(line.parity), stop_bits=line.stop_bits
        )
        unit = "" if line.unit is None else _(", unit {unit}").format(unit=line.unit)
        yield _("seen with {baud} baud, {bits}{unit}").format(baud=line.baud, bits=bits, unit=unit)
    for key, value in profile.settings.items():
        yield _("settings need `{key}: {value}`").format(key=key, value=value)
    for key, parameter in profile.parameters.items():
        yield from wrap(_question(key, parameter), _LINE)
    yield ""
    yield from _areas(profile)
    yield from _points(profile)
    yield ""
    yield from _usage(one)


def _both(text: "Wording", form: str) -> str:
    """Give a text of a profile: in English both, since the people on site may read Chinese."""
    return text.zh if spoken() == "zh" else form.format(en=text.en, zh=text.zh)


def _question(key: str, parameter: "Parameter") -> str:
    default = "" if parameter.default is None else f" [{parameter.default:g}]"
    question = _both(parameter.question, "{en} ({zh})")
    return _("parameter {key}: {question}{default}; scales {scales}").format(
        key=key, question=question, default=default, scales=", ".join(parameter.scales)
    )


def _areas(profile: "Profile") -> Iterator[str]:
    rows = [
        (
            _("{name} {first} to {last}").format(name=area.name, first=area.first, last=area.last),
            _("from {table}:{offset}").format(table=area.table, offset=area.offset),
            _("counts {counts}").format(counts=area.counts),
        )
        for area in profile.areas
    ]
    yield from columns(rows)


def _points(profile: "Profile") -> Iterator[str]:
    essential = {*profile.preset("essentials")}
    rows = [
        ("*" if name in essential else "", name, _address(point), f"{point.scale:g}", point.unit,
         _both(point.label, "{en}, {zh}"))
        for name, point in profile.points.items()
    ]  # fmt: skip
    if rows:
        head = ("", _("point"), _("address"), _("scale"), _("unit"), _("label"))
        yield from columns([head, *rows], right=[3])
        yield _("* is read with the preset essentials")


def _address(point: "ProfilePoint") -> str:
    return " ".join(f"{key}={value}" for key, value in point.address.items())


def _usage(one: Found) -> Iterator[str]:
    yield "  - name: NAME"
    yield f"    profile: {one.name}"
    needed = [key for key, each in one.profile.parameters.items() if each.default is None]
    if needed:
        yield f"    parameters: {{{', '.join(f'{key}: ...' for key in needed)}}}"
    if not one.profile.points:
        yield "    points: ..."
