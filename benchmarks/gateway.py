"""The environment of a gateway: the project as a wheel with what it needs there, nothing else."""

import fcntl
import functools
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
# On a disk: what a file system in memory takes counts as nothing written.
CACHE = Path.home() / ".cache" / "edge-agent-bench"
ENVIRONMENT = CACHE / "environment"


@contextmanager
def alone() -> Iterator[None]:
    """Keep other benchmarks waiting: two at once would spoil each other's figures."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@functools.cache  # one measurement, one state of the code
def installed(extra: str = "") -> Path:
    """Install the project as it is now, and give its command.

    The versions are those of `requirements/gateway.lock`, so that a figure belongs to versions.

    Args:
        extra: A set of dependencies beside the base ones, such as `opcua`.
    """
    environment = ENVIRONMENT.with_name(f"{ENVIRONMENT.name}-{extra}") if extra else ENVIRONMENT
    python = environment / "bin" / "python"
    if not python.exists():
        _run(ROOT / "tools" / "environment", sys.executable, environment)
    wheels = CACHE / "wheels"
    for old in wheels.glob("*.whl"):
        old.unlink()
    pip = ("-m", "pip", "--quiet", "--disable-pip-version-check")
    _run(sys.executable, *pip, "wheel", "--no-deps", "--no-build-isolation", "-w", wheels, ROOT)
    (wheel,) = wheels.glob("*.whl")
    wanted = f"{wheel}[{extra}]" if extra else wheel
    _run(python, *pip, "install", "--constraint", _versions(wheels / "versions.txt"), wanted)
    _run(python, *pip, "install", "--no-deps", "--force-reinstall", wheel)
    return environment / "bin" / "edge-agent"


def here() -> Path:
    """Give the command of the environment that runs this."""
    return Path(sys.executable).parent / "edge-agent"


def _versions(path: Path) -> Path:
    """Write the locked versions without their hashes, which constraints may not have."""
    lock = (ROOT / "requirements" / "gateway.lock").read_text()
    path.write_text("\n".join(re.findall(r"^[\w.\[\]-]+==[^\s;\\]+", lock, re.MULTILINE)) + "\n")
    return path


def _run(*words: str | Path) -> None:
    subprocess.run(words, check=True, stdout=sys.stderr)  # noqa: S603 - our own words
