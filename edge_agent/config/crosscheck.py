"""Checks what no single key shows: names used twice, keys that need or contradict each other."""

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from edge_agent.config.findings import Findings
from edge_agent.config.places import Path, Section, section, sections, written
from edge_agent.config.values import is_loopback
from edge_agent.language import _

IN_MEMORY = ("/run/", "/dev/shm/")  # noqa: S108 - no file of ours is made there


def check(root: Section, findings: Findings) -> None:
    """Check the whole file; works on what is there, whether or not the rest is right."""
    _broker(section(root.get("mqtt")), findings)
    _metrics(section(root.get("metrics")), findings)
    links: list[tuple[Path, Section]] = [
        (("connections", at), link) for at, link in sections(root.get("connections"))
    ]
    devices = list(_devices(links))
    _unique(links, findings)
    _unique(devices, findings)
    if root.get("connections") == []:
        findings.warning(("connections",), _("is empty, so nothing will be read"))
    for place, link in links:
        if link.get("devices") == []:
            findings.warning((*place, "devices"), _("is empty, so nothing will be read here"))
    for place, device in devices:
        _points(place, device, findings)


def _devices(links: Iterable[tuple[Path, Section]]) -> Iterator[tuple[Path, Section]]:
    for place, link in links:
        for at, device in sections(link.get("devices")):
            yield (*place, "devices", at), device


def _unique(named: Iterable[tuple[Path, Section]], findings: Findings) -> None:
    first: dict[Any, Path] = {}
    for place, item in named:
        name = item.get("name")
        if isinstance(name, str) and (there := first.setdefault(name, place)) is not place:
            message = _("{name!r} is the name of {there} already").format(
                name=name, there=written(there)
            )
            findings.error((*place, "name"), message, _("give each a name of its own"))


def _points(place: Path, device: Section, findings: Findings) -> None:
    points = device.get("points")
    if points in (None, {}) and "profile" not in device:
        findings.error((*place, "points"), _("has nothing to read"), _("add at least one point"))
    for name, point in section(points).items():
        if isinstance(point, Section) and "max_silence" in point and "deadband" not in point:
            findings.warning(
                (*place, "points", name, "max_silence"),
                _(
                    "has no effect without `deadband` where a point is polled, since every "
                    "poll's value is published"
                ),
                _("add `deadband: 0` to publish changes only"),
            )


def _broker(mqtt: Section, findings: Findings) -> None:
    for key, other in (("cert_file", "key_file"), ("key_file", "cert_file")):
        if key in mqtt and other not in mqtt:
            findings.error(
                ("mqtt", key),
                _("needs `{other}` beside it").format(other=other),
                _("add `{other}:`").format(other=other),
            )
    if "password_file" in mqtt and "username" not in mqtt:
        findings.warning(
            ("mqtt", "password_file"), _("stands without `username`"), _("add `username:`")
        )
    url = mqtt.get("url")
    if isinstance(url, str) and url.startswith(("mqtt://", "ws://")):
        _plain(mqtt, url, findings)


def _plain(mqtt: Section, url: str, findings: Findings) -> None:
    """Doubt a connection that is not encrypted."""
    for key in ("ca_file", "cert_file"):
        if key in mqtt:
            findings.warning(
                ("mqtt", key),
                _("is not used: this url does not encrypt"),
                _("write mqtts:// or wss://"),
            )
    if "username" in mqtt and not _is_here(url):
        findings.warning(
            ("mqtt", "url"),
            _("sends the password in clear over the network"),
            _("write mqtts:// or wss:// as soon as the broker offers it"),
        )


def _is_here(url: str) -> bool:
    """Tell whether a URL leads to this machine, or nowhere, of which others complain."""
    try:
        return is_loopback(urlsplit(url).hostname or "localhost")
    except ValueError:
        return True


def _metrics(metrics: Section, findings: Findings) -> None:
    file = metrics.get("file")
    if isinstance(file, str) and not file.startswith(IN_MEMORY):
        findings.warning(
            ("metrics", "file"),
            _("is written every 15 s, which wears out a card"),
            _("put it in memory: /run/edge-agent/metrics.prom"),
        )
