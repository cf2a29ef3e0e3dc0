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
    """What was reported last, and what was read and not reported. `now` is on a steady clock."""

    def __init__(self) -> None:
        self._reported: dict[Item, Sample] = {}
        self._doubts: dict[Item, tuple[Sample, float]] = {}

    def reported(self, item: Item, sample: Sample) -> None:
        """Take note of a report."""
        self._reported[item] = sample

    def read(self, item: Item, sample: Sample, until: float) -> None:
        """Take note of what was read; if it is news, its report must come until then."""
        last = self._reported.get(item)
        if last is not None and _content(sample) != _content(last):
            self._doubts.setdefault(item, (last, until))

    def next_due(self) -> float:
        """Give when the next report must have come; infinity where none is missing."""
        return min((until for _, until in self._doubts.values()), default=inf)

    def stuck(self, now: float) -> list[Item]:
        """Give those of which nothing was reported although it was due."""
        due = [item for item, (_, until) in self._doubts.items() if until <= now]
        doubts = [(item, self._doubts.pop(item)) for item in due]
        return [item for item, (last, _) in doubts if self._reported[item] is last]

    def forget(self) -> None:
        """Take note that everything is watched anew."""
        self._doubts.clear()


def _content(sample: Sample) -> tuple[object, object]:
    return sample.value, sample.flaw and sample.flaw[:2]
