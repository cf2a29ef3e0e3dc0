"""Starts the agent as a system service, where this machine has systemd and our unit."""

import shutil
import subprocess
from pathlib import Path

from edge_agent.setup.draft import Values
from edge_agent.setup.files import CONFIG_MODE, SECRET_MODE, replace_file, write_file

SERVICE = "edge-agent"
SERVICE_CONFIG = Path("/etc/edge-agent/config.yaml")  # what the unit reads
CREDENTIAL_STORE = Path("/etc/credstore")  # where the unit's LoadCredential looks
CREDENTIALS = Path("/run/credentials/edge-agent.service")  # where the service finds them
PATIENCE = 60.0  # seconds for systemctl; the unit allows a start 90, but it answers in a few


def can_start(config: Path) -> bool:
    """Tell whether the service would run with this configuration."""
    return config == SERVICE_CONFIG and bool(shutil.which("systemctl")) and _run("cat")[0]


def adopt(document: Values, folder: Path, store: Path = CREDENTIAL_STORE) -> Values:
    """Put what the configuration refers to where the service's own user can read it.

    The password goes into systemd's credential store, the CA file beside the configuration.

    Args:
        document: The configuration with files of the person who answers.
        folder: Where the configuration will be.
        store: systemd's folder for credentials.

    Returns:
        The configuration with the files as the service sees them.
    """
    mqtt = dict(document["mqtt"])
    if "password_file" in mqtt:
        store.mkdir(mode=0o700, exist_ok=True)
        _put(Path(mqtt["password_file"]), store / "edge-agent.mqtt-password", SECRET_MODE)
        mqtt["password_file"] = str(CREDENTIALS / "mqtt-password")
    if "ca_file" in mqtt:
        ca_file = folder / "broker-ca.pem"
        _put(Path(mqtt["ca_file"]), ca_file, CONFIG_MODE)
        mqtt["ca_file"] = str(ca_file)
    return {**document, "mqtt": mqtt}


def _put(source: Path, target: Path, mode: int) -> None:
    data = source.read_bytes()
    if target.exists() and target.read_bytes() == data:
        return
    new = target.with_name(f".{target.name}.new")
    write_file(new, data, mode)
    replace_file(new, target)


def start() -> dict[str, str]:
    """Start the service, now and at every power-on; a running one is started anew.

    A reload would not do: systemd hands out a changed password at a start only.

    Returns:
        `problem`: what systemctl said; empty if it went well.
    """
    for words in (["enable"], ["restart"]):
        good, said = _run(*words)
        if not good:
            return {"problem": said}
    return {"problem": ""}


def command(config: Path) -> str:
    """Give the command that runs the agent by hand."""
    if config == SERVICE_CONFIG:
        return "edge-agent run"
    return f"edge-agent run -c {config}"


def _run(*words: str) -> tuple[bool, str]:
    systemctl = shutil.which("systemctl") or "systemctl"
    try:
        done = subprocess.run(  # noqa: S603 - fixed words, no shell
            [systemctl, *words, SERVICE],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return False, str(error)
    return done.returncode == 0, done.stderr.strip() or done.stdout.strip()
