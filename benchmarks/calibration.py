"""How fast this machine is at this moment: figures in milliseconds mean little without it."""

import json
import platform
import statistics
import time
from importlib.metadata import version
from pathlib import Path

from benchmarks.broker import version as broker_version

READINGS = [{"p": f"value_{n:03}", "v": n * 1.25, "q": "good"} for n in range(1000)]
ROUNDS = 15
PACE = "naive encoding of 1,000 readings, for scale"
QUIET_SECONDS = 1.0
LIBRARIES = ("edge-agent", "paho-mqtt", "msgspec", "pydantic")


def naive_ms() -> float:
    """Encode 1,000 readings the naive way, dictionaries through `json`; give its ms of CPU."""
    return statistics.median(_once() for _ in range(ROUNDS))


def _once() -> float:
    begin = time.process_time()
    json.dumps([{**reading} for reading in READINGS])
    return (time.process_time() - begin) * 1000


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
        f"Linux {platform.release()}; Python {platform.python_version()}; {versions}; "
        f"{broker_version()}"
    )
