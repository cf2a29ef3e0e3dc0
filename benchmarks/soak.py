"""Whether memory grows while an agent does the same for a long time: 10,000 readings a second."""

import statistics
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.configuration import Load
from benchmarks.rig import rig
from benchmarks.table import Figures
from benchmarks.usage import memory_mb, usage

LOAD = Load(100, 100)
SETTLES = 120.0  # seconds until it has learnt how its devices answer and has reserved numbers twice
LOOK = 10.0  # seconds
MOST_MB = 2.0
NOTHING = 0.1  # bytes for each reading, which is about none: numbers are reserved now and then


def soak(program: Path, seconds: float, figures: Figures, say: Callable[[str], None]) -> None:
    """Watch the memory for so many seconds after it has settled; say it once a minute.

    Growth is the median of the last tenth less that of the first: what a single look finds depends
    on what is under way.
    """
    looks: list[float] = []
    figures.course.clear()
    with rig(program, LOAD, "counting") as around:
        agent = around.start_agent()
        around.first_reading(agent)
        time.sleep(min(SETTLES, seconds))
        heard, written = around.audience.report()["readings"], usage(agent.number).written
        begin = time.monotonic()
        while (passed := time.monotonic() - begin) < seconds:
            agent.check()
            looks.append(memory_mb(agent.number))
            figures.course.append((passed / 60, looks[-1]))
            if len(looks) % 6 == 1:
                say(f"  {passed / 60:.0f} min: {looks[-1]:.1f} MB")
            time.sleep(min(LOOK, seconds / 20))
        arrived = around.audience.report()["readings"] - heard
        written = usage(agent.number).written - written
    tenth = max(1, len(looks) // 10)
    grown = statistics.median(looks[-tenth:]) - statistics.median(looks[:tenth])
    figures.note(
        f"growth of memory over {seconds / 60:g} min at 10,000 readings/s",
        grown,
        "MB",
        most=MOST_MB,
    )
    figures.note("resident memory at the end", statistics.median(looks[-tenth:]), "MB")
    figures.note("readings delivered meanwhile", arrived, "")
    name = "written to disk meanwhile, broker there"
    figures.note(name, written / arrived, "bytes per reading", most=NOTHING)
