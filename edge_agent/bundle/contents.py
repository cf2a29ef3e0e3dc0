"""Gathers what goes into a bundle. Reads only; holds no readings."""

import contextlib
import json
import os
import platform
import stat
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, NamedTuple

from edge_agent import __version__
from edge_agent.bundle.redaction import Scrubber, redacted, secrets_in, secrets_in_text
from edge_agent.config import source, yamlfile
from edge_agent.doctor.files import stored
from edge_agent.doctor.gateway import UNIT, Gateway, output
from edge_agent.errors import ConfigInvalid
from edge_agent.language import later

LARGEST = 4 << 20
"""Bytes of one file, at most."""
LOG_LINES = 3000
_LOG_LINES = later("the last {lines} lines of the service's log")
LOG_SECONDS = 20.0  # a large journal on a slow card takes its time
SYSTEM_FILES = (
    "etc/os-release", "proc/version", "proc/cmdline", "proc/uptime", "proc/loadavg", "proc/meminfo",
    "proc/self/mountinfo", "proc/device-tree/model", "proc/tty/drivers",
)  # fmt: skip


class Entry(NamedTuple):
    """A file of the bundle."""

    name: str
    meaning: str
    content: bytes


def gather(gateway: Gateway, doctor: dict[str, Any]) -> list[Entry]:
    """Gather everything, without secrets, each of a bounded size."""
    plain = written(gateway.file)
    clean = scrubber(gateway, plain)
    return [
        Entry(name, meaning, _bounded(_clean(what, clean)))
        for name, meaning, what in _pieces(gateway, doctor, plain)
    ]


def scrubber(gateway: Gateway, plain: Any, public: Iterable[str] = ()) -> Scrubber:
    """Make what removes the secrets of this gateway, as far as they can be seen from here.

    Args:
        gateway: This one.
        plain: Its configuration as `written` gives it.
        public: More words that are no secrets.
    """
    return Scrubber(_known_secrets(gateway, plain), {*_public(gateway), *public})


def _clean(what: Any, scrubber: Scrubber) -> str:
    """Write a document as JSON, or a text as it is, without secrets."""
    if isinstance(what, str):
        return scrubber.text(what)
    return json.dumps(scrubber.tree(what), ensure_ascii=False, indent=1, default=str) + "\n"


def _pieces(
    gateway: Gateway, doctor: dict[str, Any], written: Any
) -> Iterator[tuple[str, str, Any]]:
    found = gateway.inspection
    problems = {
        "errors": [one._asdict() for one in found.errors],
        "warnings": [one._asdict() for one in found.warnings],
    }
    yield "config.json", later("the configuration, without secrets and remarks"), redacted(written)
    yield "check.json", later("what edge-agent check says of it"), problems
    yield "doctor.json", later("what edge-agent doctor says"), doctor
    yield "status.json", later("what the running agent says of itself"), redacted(gateway.status)
    yield "versions.json", later("versions of the agent and of what it needs"), _versions()
    yield "unit.json", later("how systemd sees the service"), gateway.unit
    yield "system.txt", later("the system: kernel, memory, mounts, serial ports"), _system(gateway)
    yield (
        "buffer.txt",
        later("names and sizes of the buffer's files, no readings"),
        _listing(gateway),
    )
    yield "log.txt", _LOG_LINES.format(lines=LOG_LINES), _log()


def written(file: Path) -> Any:
    """Give what stands in the configuration; what cannot be taken apart is not let out."""
    try:
        return yamlfile.parse(source.read(file)).root
    except ConfigInvalid as error:
        return {"not packed": f"{len(error.problems)} mistakes, see check.json"}


def _known_secrets(gateway: Gateway, written: Any) -> Iterator[str]:
    yield from secrets_in(written)
    with contextlib.suppress(ConfigInvalid):
        yield from secrets_in_text(source.read(gateway.file))  # in remarks, or a broken file
    for file in _secret_files(gateway, written):
        try:
            with stored(gateway, file).open("rb") as opened:
                yield opened.read(LARGEST).decode("utf-8", "replace")
        except OSError:
            continue  # what we cannot read cannot get out


def _secret_files(gateway: Gateway, tree: Any) -> Iterator[Path]:
    """Find the files that are named under keys such as `password_file` and `user_key_file`."""
    values = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in values:
        if isinstance(value, dict | list):
            yield from _secret_files(gateway, value)
        elif isinstance(value, str) and str(key).endswith(("password_file", "key_file")):
            yield gateway.file.parent / value


def _public(gateway: Gateway) -> set[str]:
    """Give the words that everybody sees in topics: a user is often called like its gateway."""
    if gateway.config is None:
        return set()
    return {gateway.config.agent.id, *gateway.config.agent.site.split("/"), UNIT}


def _versions() -> dict[str, Any]:
    installed = {one.metadata["Name"]: one.version for one in distributions()}
    return {
        "edge-agent": __version__,
        "python": sys.version,
        "platform": platform.platform(),
        "packages": dict(sorted(installed.items())),
    }


def _system(gateway: Gateway) -> str:
    parts = [f"--- {name}\n{gateway.text(name)}\n" for name in SYSTEM_FILES]
    dev = gateway.root / "dev"
    ports = [*dev.glob("serial/by-*/*"), *dev.glob("tty[AUSm][AUSCm]*")]
    names = "\n".join(f"{port} -> {os.path.realpath(port)}" for port in sorted(ports))
    return "\n".join(
        [f"now {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", *parts, f"--- ports\n{names}\n"]
    )


def _listing(gateway: Gateway) -> str:
    try:
        files = sorted(one for one in gateway.buffer.rglob("*") if not one.is_dir())
        lines = (f"{_line(file)} {file.relative_to(gateway.buffer)}" for file in files)
        return "\n".join([str(gateway.buffer), *lines]) + "\n"
    except OSError as error:
        return f"{gateway.buffer} cannot be looked at: {error}\n"


def _line(file: Path) -> str:
    found = file.lstat()
    when = datetime.fromtimestamp(found.st_mtime, UTC)
    mode = stat.filemode(found.st_mode)
    return f"{mode} {found.st_uid:6} {found.st_size:12} {when:%Y-%m-%dT%H:%M:%SZ}"


def _log() -> str:
    words = ("--lines", str(LOG_LINES), "--output", "short-iso", "--no-pager", "--quiet")
    said = output("journalctl", "--unit", UNIT, *words, seconds=LOG_SECONDS)
    return said or "there is none, or this user may not see it\n"


def _bounded(text: str) -> bytes:
    """Cut off the beginning: of a log the end is what matters."""
    content = text.encode()
    return content if len(content) <= LARGEST else b"(cut)\n" + content[-LARGEST:]
