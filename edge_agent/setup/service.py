"""What the configuration refers to, as the service's own user will see it."""

import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_agent.language import _
from edge_agent.setup.certificate import copied
from edge_agent.setup.draft import Values, settings_of
from edge_agent.supervisor import UNIT_CONFIG

CREDENTIAL_STORE = Path("/etc/credstore")  # where the unit's LoadCredential looks
CREDENTIALS = Path("/run/credentials/edge-agent.service")  # where the service finds them


@dataclass(slots=True)
class Adopted:
    """A configuration for the service.

    Attributes:
        document: With files as the service sees them.
        secrets: What has to be in the credential store: file as in the configuration -> secret.
    """

    document: Values
    secrets: dict[str, str] = field(default_factory=dict)
    _files: dict[str, str] = field(default_factory=dict)

    def take(self, file: str, name: str) -> str:
        """Take a secret from a file; give where the service finds it.

        Raises:
            OSError: The file cannot be read.
            ValueError: Two different files want the same place in the store; a sentence.
        """
        seen_by_service = str(CREDENTIALS / name)
        if file == seen_by_service:
            return file
        if self._files.setdefault(name, file) != file:
            raise ValueError(
                _(
                    "the service has one place for {name}, and two are needed: see LoadCredential= "
                    "in edge-agent.service, and write the second one into the file by hand"
                ).format(name=name)
            )
        self.secrets[seen_by_service] = Path(file).read_text(encoding="utf-8")
        return seen_by_service


def adopt(document: Values, folder: Path) -> Adopted:
    """Make a configuration with files of the person who answers one for the service.

    Secrets will come from systemd's credential store; a CA file that is elsewhere is copied beside
    the configuration, under a name of its own content.

    Args:
        document: The configuration.
        folder: Where it will be.

    Raises:
        OSError: A file cannot be read, or the folder not be written.
        ValueError: Two different secrets want the same place in the store; a sentence.
    """
    adopted = Adopted(document)
    mqtt = dict(document["mqtt"])
    if "password_file" in mqtt:
        mqtt["password_file"] = adopted.take(mqtt["password_file"], "mqtt-password")
    if "ca_file" in mqtt:
        mqtt["ca_file"] = str(_beside(Path(mqtt["ca_file"]), folder))
    connections = [_for_service(one, adopted) for one in document.get("connections", ())]
    adopted.document = {**document, "mqtt": mqtt, "connections": connections}
    return adopted


def _for_service(connection: Values, adopted: Adopted) -> Values:
    """Name a connection's secrets `DRIVER-KEY`, under which the unit loads them."""
    driver, settings = connection["driver"], dict(connection["settings"])
    secrets: Mapping[str, Any] = settings_of(driver, settings).secret_files()
    for key in secrets:
        if key in settings:
            name = f"{driver}-{key.removesuffix('_file').replace('_', '-')}"
            settings[key] = adopted.take(str(settings[key]), name)
    return {**connection, "settings": settings}


def _beside(file: Path, folder: Path) -> Path:
    """Copy a file beside the configuration for every user to read, unless such a one is there."""
    if file.parent == folder and file.stat().st_mode & stat.S_IROTH:
        return file
    return copied(file, folder)


def command(config: Path) -> str:
    """Give the command that runs the agent by hand."""
    if config == UNIT_CONFIG:
        return "edge-agent run"
    return f"edge-agent run -c {config}"
