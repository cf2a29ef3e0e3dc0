"""A guest with edge-agent's installation files in /src, and what those install."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rigs.guest import PROJECT, Guest, booted, layered, plain_root, why_not

SOURCE = ("install.sh", "tools", "requirements", "config", "systemd", "README.md", "LICENSE")
CONFIGURATION = """\
version: 1
agent: {id: gw-01, site: hall-3}
mqtt: {url: "mqtt://127.0.0.1"}
connections:
  - name: waves
    driver: simulated
    devices:
      - name: oven
        every: 200ms
        points: {temperature: {address: {middle: 180, amplitude: 5, period: 60}}}
"""


def wheels_of(folder: Path, *edits: tuple[str, str, str]) -> Path:
    """Build a gateway's wheels from a copy of the source with some edits (file, from, to)."""
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "edge_agent", "drivers", *SOURCE):
        here = PROJECT / name
        if here.is_dir():
            shutil.copytree(here, source / name, dirs_exist_ok=True)
        else:
            shutil.copy(here, source / name)
    for name, old, new in edits:
        text = (source / name).read_text("utf-8")
        assert old in text
        (source / name).write_text(text.replace(old, new, 1), "utf-8")
    wheels = folder / "wheels"
    architecture = subprocess.check_output(["dpkg", "--print-architecture"], text=True).strip()
    subprocess.run(
        [source / "tools/wheels", sys.executable, wheels, architecture, "3.11"], check=True
    )
    return wheels


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Give three versions: as it is, the next one, and one that falls over at start."""
    make = tmp_path_factory.mktemp
    version = ("edge_agent/__init__.py", '__version__ = "', '__version__ = "99.')
    start = ("edge_agent/daemon.py", '"""', 'raise RuntimeError("this version is broken")\n"""')
    return {
        "this": wheels_of(make("this")),
        "next": wheels_of(make("next"), version),
        "broken": wheels_of(make("broken"), version, start),
    }


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory, wheels: dict[str, Path]) -> Path:
    """Give a guest's folder with the installation files in /src; not booted, not changed."""
    if reason := why_not():
        pytest.skip(reason)
    made = tmp_path_factory.mktemp("guest") / "root"
    subprocess.run(["cp", "-a", plain_root(), made], check=True)
    (made / "src" / "wheels").mkdir(parents=True)
    for name in SOURCE:
        subprocess.run(["cp", "-a", PROJECT / name, made / "src" / name], check=True)
    for name, folder in wheels.items():
        shutil.copytree(folder, made / "src" / "wheels" / name)
    return made


@pytest.fixture
def guest(root: Path, tmp_path: Path) -> Iterator[Guest]:
    """Boot a guest on which nothing is installed."""
    with layered(root, tmp_path) as mine, booted(mine) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guest]:
    """Boot a guest on which the service runs and publishes to the guest's own broker."""
    with layered(root, tmp_path_factory.mktemp("gateway")) as mine, booted(mine) as running:
        running.writes("/etc/edge-agent/config.yaml", CONFIGURATION)
        running.shell("/src/install.sh --wheels /src/wheels/this")
        yield running
