"""How fast this machine is at this moment: figures in milliseconds mean little without it."""

import platform
import subprocess
import time
from importlib.metadata import version
from pathlib import Path

from benchmarks.broker import version as broker_version
from benchmarks.gateway import python, python_version

NAIVE = Path(__file__).with_name("naive.py")
PACE = "naive encoding of 1,000 readings, for scale"
QUIET_SECONDS = 1.0
LIBRARIES = ("edge-agent", "paho-mqtt", "msgspec", "pydantic")


def naive_ms() -> float:
    """Encode 1,000 readings the naive way, dictionaries through `json`; give its ms of CPU.

    By the Python that runs the agent and the others, as it is their scale.
    """
    told = subprocess.run([python(), NAIVE], capture_output=True, text=True, check=True)  # noqa: S603 - our own words
    return float(told.stdout)


def others_share() -> float:
    """Give how busy the machine is with other things, in percent: what runs now is not ours yet.

    Source of the fields: proc(5), stat; the fourth and fifth of a core are idle time.
    """
    before = _ticks()
    time.sleep(QUIET_SECONDS)
    idle, all_of_it = (late - early for early, late in zip(before, _ticks(), strict=True))
    return 100 * (1 - idle / all_of_it)


def _ticks() -> tuple[int, int]:
    fields = list(map(int, Path("/proc/stat").read_text().partition("\n")[0].split()[1:9]))
    return sum(fields[3:5]), sum(fields)


def machine() -> str:
    """Name the machine and the versions that a figure belongs to."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        f"{models[0] if models else platform.machine()}, {len(models) or 'some'} cores; "
        f"Linux {platform.release()}; Python {python_version()} ({python()}); {versions}; "
        f"{broker_version()}"
    )
