"""How long something takes of the processor, since what the clock says hangs on the machine."""

import time
from collections.abc import Callable

TRIES = 5


def takes_at_most(seconds: float, work: Callable[[], object]) -> bool:
    """Tell whether this takes no more, at least once: next to busy neighbours all is dearer."""
    return any(_taken(work) <= seconds for _ in range(TRIES))


def _taken(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun
