"""How late requests reach a machine, seen from the machine; and how late anybody wakes up here."""

import math
import time
from collections import Counter, defaultdict
from collections.abc import Sequence

from edge_agent.agent import SLOT_SECONDS, SLOTS

SLOT_US = round(SLOT_SECONDS * 1_000_000)


def lateness_ms(arrivals: Sequence[tuple[int, int]], every: float = 1.0) -> list[float]:
    """Give how late each request arrived, ascending.

    The agent's polls are due at whole slots of the steady clock, which all processes of a machine
    share: ten to an interval, of 0.1 s at most. So the delay includes everything: the wake-up,
    those who had their turn before, the socket, and the plant's own wake-up. A device keeps its
    slot; it is the one in which most of its requests arrive.

    Args:
        arrivals: Device and instant in microseconds of the steady clock.
        every: Seconds between two requests of a device.
    """
    interval = round(every * 1_000_000)
    slot = min(SLOT_US, interval // SLOTS)
    slots: dict[int, Counter[int]] = defaultdict(Counter)
    for device, at in arrivals:
        slots[device][at % interval // slot] += 1
    due = {device: found.most_common(1)[0][0] * slot for device, found in slots.items()}
    return sorted((at - due[device]) % interval / 1000 for device, at in arrivals)


def sleeper_ms(seconds: float) -> list[float]:
    """Sleep from slot to slot, doing nothing; give how late each wake-up was, ascending.

    What even that is late is the machine's doing, not the agent's.
    """
    late = []
    slot = math.ceil(time.monotonic() / SLOT_SECONDS)
    last = slot + round(seconds / SLOT_SECONDS)
    while slot < last:
        time.sleep(max(0.0, slot * SLOT_SECONDS - time.monotonic()))
        late.append((time.monotonic() - slot * SLOT_SECONDS) * 1000)
        slot += 1
    return sorted(late)


def percentile(ascending: Sequence[float], share: float) -> float:
    """Give the smallest value that is not below this share of all; NaN without any."""
    if not ascending:
        return math.nan
    return ascending[max(0, math.ceil(share * len(ascending)) - 1)]
