"""Whether secrets and certificates are there and readable, and secrets secret; opens none of them.

At the start a secret that is missing is waited for, as the broker is: readings are collected
without it. A person who checks a file, or loads it into a running agent, is told at once.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from edge_agent.config.findings import Complaint
from edge_agent.config.model import Config
from edge_agent.config.places import Path as Place
from edge_agent.language import _
from edge_agent.secrecy import exposed


def missing(config: Config) -> Iterator[Complaint]:
    """Complain about each file that who asks cannot read, and each secret that others can too."""
    for place, file in _certificates(config):
        if what := _trouble(file):
            hint = _("put it there, readable for the user that the agent runs as, or correct this")
            yield place, (f"{file} {what}", hint)
    for place, file in _secrets(config):
        if what := _trouble(file):
            hint = _(
                "create it, readable only for the user that the agent runs as, or correct this"
            )
            yield place, (f"{file} {what}", hint)
        elif what := exposed(file):
            what, _mark, command = what.partition(": ")
            yield place, (f"{file} {what}", command)


def missing_here(config: Config) -> Iterator[Complaint]:
    """Complain only where the folder is there: else this is not the gateway, or not the service."""
    out_of_sight = {place for place, file in _files(config) if not _is_in_sight(file)}
    return (complaint for complaint in missing(config) if complaint[0] not in out_of_sight)


def out_of_sight(config: Config) -> Iterator[Complaint]:
    """Name each file that cannot be looked for from here."""
    for place, file in _files(config):
        if not _is_in_sight(file):
            hint = _("see that it is there for the agent, on the gateway and while it runs")
            yield place, (_("{file} cannot be looked for from here").format(file=file), hint)


def _files(config: Config) -> Iterator[tuple[Place, Path]]:
    yield from _certificates(config)
    yield from _secrets(config)


def _certificates(config: Config) -> Iterator[tuple[Place, Path]]:
    """Give the broker's and the gateway's certificates, which are no secrets, where TLS is used."""
    for key in ("ca_file", "cert_file"):
        file = getattr(config.mqtt, key)
        if config.mqtt.tls and file is not None:
            yield ("mqtt", key), file


def _secrets(config: Config) -> Iterator[tuple[Place, Path]]:
    """Give the secrets for the broker, then those for equipment."""
    for key in ("password_file", "key_file"):
        file = getattr(config.mqtt, key)
        if file is not None:
            yield ("mqtt", key), file
    for index, connection in enumerate(config.connections):
        for key, file in connection.settings.secret_files().items():
            yield ("connections", index, "settings", key), file


def _is_in_sight(file: Path) -> bool:
    """Tell whether its folder is there and may be looked into."""
    return os.access(file.parent, os.X_OK)


def _trouble(file: Path) -> str:
    if os.path.isdir(file):  # noqa: PTH112 - unlike Path.is_dir it is false where one may not look
        return _("is a folder, not a file")
    if os.access(file, os.R_OK):
        return ""
    return _("cannot be read by this user") if os.path.lexists(file) else _("does not exist")
