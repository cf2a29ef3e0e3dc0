"""Notices items that the server says it watches, and does not. Pure.

Now and then the agent reads a watched node, to prove that it still holds what was reported. If it
holds something else, and no report of that follows, the item is stuck: servers are known whose
items die with a node that was deleted and made again.
"""

from math import inf

from edge_agent.driver import Sample
from edge_agent_opcua.reconcile import Item

GRACE = 2.0
"""Seconds that a report may take beyond the server's own intervals."""


class Suspicion:
    """What was read and not reported. `now` is on a steady clock."""

    def __init__(self) -> None:
        self._doubts: dict[Item, float] = {}  # and until when a report must come

    def reported(self, item: Item, sample: Sample) -> None:
        """Take note of a report."""
        item.reported = _content(sample)
        if self._doubts:
            self._doubts.pop(item, None)

    def read(self, item: Item, sample: Sample, until: float) -> None:
        """Take note of what was read; if it is news, its report must come until then."""
        if item.reported is not None and _content(sample) != item.reported:
            self._doubts.setdefault(item, until)

    def next_due(self) -> float:
        """Give when the next report must have come; infinity where none is missing."""
        return min(self._doubts.values(), default=inf)

    def stuck(self, now: float) -> list[Item]:
        """Give those of which nothing was reported although it was due."""
        due = [item for item, until in self._doubts.items() if until <= now]
        for item in due:
            del self._doubts[item]
        return due

    def forget(self) -> None:
        """Take note that everything is watched anew."""
        self._doubts.clear()


def _content(sample: Sample) -> object:
    """Give what is compared: the value, with its flaw if it has one."""
    return sample.value if sample.flaw is None else (sample.value, *sample.flaw[:2])
