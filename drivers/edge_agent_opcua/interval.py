"""What is watched at one interval: what is wanted, and the subscription that brings it."""

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

from edge_agent.driver import WatchGroup
from edge_agent_opcua.address import OpcUaAddress
from edge_agent_opcua.notification import Notification
from edge_agent_opcua.reconcile import POLLED, Item, Ledger, State, items_of
from edge_agent_opcua.stall import Stall
from edge_agent_opcua.subscription import Subscription

SAMPLES = 2
"""Looks of the server per interval, so that a change is reported in the interval it happens in."""
LARGEST = 2**32
"""Numbers of messages go up to below this, and begin again at 1. Source: OPC 10000-4, 7.9."""


class Interval:
    """The points of one interval. `now` is seconds on a steady clock.

    Attributes:
        every: Seconds.
        groups: The numbers of their groups.
        ledger: How their nodes stand.
        subscription: What brings their changes; None while there is none.
        create_at: When a subscription may be tried (again).
        stall: Notices silence.
        gone: Items whose nodes the server says it has not got any more.
        may_learn: Whether there may be browse paths that are not known yet.
    """

    def __init__(self, every: float, groups: Sequence[int], ledger: Ledger) -> None:
        self.every, self.groups, self.ledger = every, groups, ledger
        self.subscription: Subscription | None = None
        self.create_at = -inf
        self.stall = Stall()
        self.gone: list[Item] = []
        self.may_learn = False
        self._next: int | None = None

    @classmethod
    def of(
        cls, every: float, groups: Sequence[WatchGroup[OpcUaAddress]], first_handle: int
    ) -> "Interval":
        """Gather what has this interval."""
        here = {n: (g.addresses, g.deadbands) for n, g in enumerate(groups) if g.every == every}
        return cls(every, list(here), items_of(here, every / SAMPLES, first_handle))

    def began(self, subscription: Subscription, now: float) -> None:
        """Take note that there is a subscription now."""
        self.subscription = subscription
        self._next = None
        self.stall.begin(subscription.timing.keep_alive, now)

    def ended(self, now: float) -> None:
        """Take note that there is none any more; all that was watched is wanted."""
        self.subscription, self.create_at = None, -inf
        self.gone = []
        self.ledger.forget_all(now)

    def cannot_be(self, trouble: str, now: float) -> None:
        """Take note that the server makes no subscription for these."""
        self.create_at = now + POLLED
        for item in self.ledger.items.values():
            self.ledger.polled(item, trouble, now)

    def is_next(self, notification: Notification) -> bool:
        """Tell whether no message is missing before this one."""
        if not notification.has_news:
            return True
        expected, following = self._next, notification.sequence + 1
        self._next = following if following < LARGEST else 1
        return expected is None or notification.sequence == expected

    def is_stalled(self, now: float) -> bool:
        """Tell whether the server was silent for too long."""
        return self.subscription is not None and now >= self.stall.until

    def delay_of(self, item: Item) -> float:
        """Give the seconds until a change of a watched node is reported, at most."""
        publishing = self.subscription.timing.publishing if self.subscription else 0.0
        return SAMPLES * (publishing + item.revised[0])

    def next_due(self) -> float:
        """Give when there is something to be done."""
        if self.subscription is None:
            return self.create_at
        return min(self.stall.until, self.ledger.next_due())

    def watched_by_group(self) -> Mapping[int, list[int]]:
        """Give the indices that are watched, by group."""
        found: dict[int, list[int]] = {}
        for item in self.ledger.of(State.WATCHED):
            for target in item.targets:
                found.setdefault(target.group, []).append(target.place)
        return found

    def details(self) -> Mapping[str, Any]:
        """Tell how it stands, for people; what the server made of our wishes is among it."""
        watched = self.ledger.of(State.WATCHED)
        subscription = self.subscription
        timing = subscription.timing if subscription else None
        return {
            "every_s": self.every,
            "publishing_s": timing and timing.publishing,
            "keep_alive_s": timing and timing.keep_alive,
            "sampling_s": _range([item.revised[0] for item in watched]),
            "queue": _range([item.revised[1] for item in watched]),
            "watched": len(watched),
            "polled": len(self.ledger.of(State.POLLED)),
            "refused": len(self.ledger.of(State.REFUSED)),
        }


def _range(numbers: Sequence[float]) -> list[float]:
    return [min(numbers), max(numbers)] if numbers else []
