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
SYSTEM_PYTHON = "/usr/bin/python3"


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
    interpreter = prepared(environment)
    wheels = CACHE / "wheels"
    for old in wheels.glob("*.whl"):
        old.unlink()
    pip = ("-m", "pip", "--quiet", "--disable-pip-version-check")
    _run(sys.executable, *pip, "wheel", "--no-deps", "--no-build-isolation", "-w", wheels, ROOT)
    (wheel,) = wheels.glob("*.whl")
    wanted = f"{wheel}[{extra}]" if extra else wheel
    _run(interpreter, *pip, "install", "--constraint", _versions(wheels / "versions.txt"), wanted)
    _run(interpreter, *pip, "install", "--no-deps", "--force-reinstall", wheel)
    return environment / "bin" / "edge-agent"


@functools.cache
def python() -> str:
    """Name the Python of a gateway: the system's own, which `install.sh` takes too.

    A Python that was built for developers may be a fifth slower. Where the system has none that is
    new enough, it is the one that runs this.
    """
    new_enough = "import sys; sys.exit(sys.version_info < (3, 11))"
    found = Path(SYSTEM_PYTHON).exists() and not subprocess.call([SYSTEM_PYTHON, "-c", new_enough])  # noqa: S603 - our own words
    return SYSTEM_PYTHON if found else sys.executable


def python_version() -> str:
    """Give the version of that Python."""
    words = [python(), "-c", "import platform; print(platform.python_version())"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603 - our own words


def prepared(environment: Path) -> Path:
    """Make an environment of that Python, unless there is one; give its interpreter.

    What was made with another Python is made anew, without what had been installed.
    """
    interpreter = environment / "bin" / "python"
    if interpreter.resolve() != Path(python()).resolve():
        _run(ROOT / "tools" / "environment", python(), environment)
    return interpreter


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
