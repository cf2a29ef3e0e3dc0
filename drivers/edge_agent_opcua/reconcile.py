"""What is to be watched and what is watched, and when the difference is tried again. Pure.

A server may not know a node yet, may have too many items already, or may forget an item. Nothing is
ever dropped here for that: what is wanted stays wanted, and is tried again later and later.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from math import inf
from typing import NamedTuple

from edge_agent_opcua.address import OpcUaAddress

FIRST, LAST = 1.0, 30.0
"""Seconds until a node is tried again that could not be watched: doubled each time, up to."""
STUCK_TOO_OFTEN = 3
"""Times after which a server is not believed any more that it reports an item."""
POLLED = 300.0
"""Seconds until a node is tried again that the server cannot watch; meanwhile it is polled."""

_Groups = Mapping[int, tuple[Sequence[OpcUaAddress], Mapping[int, float]]]


class Target(NamedTuple):
    """Where a node's changes go: an address of a group, by its index, and what it is as text."""

    group: int
    place: int
    address: str


class State(Enum):
    """How an item stands."""

    WANTED = "not watched yet, or not any more"
    WATCHED = "watched"
    REFUSED = "cannot be watched now: its points are bad"
    POLLED = "the server cannot watch it: its points are polled"


@dataclass(slots=True, eq=False)
class Item:
    """One node that is wanted, whatever of its value goes to which points.

    Attributes:
        handle: By which the server names it in its notifications; another one at each try.
        targets: Where its changes go.
        sampling: Seconds between the server's looks that are asked for.
        deadband: Smallest change that is news; 0 means any.
        watch: Whether it may be watched at all; else it is always polled.
        id: The server's number of the monitored item; 0 while there is none.
        revised: Sampling interval (s) and queue size as the server has them; 0 while unknown.
        trouble: What was said about it last; empty where all is well.
        stuck: How often the server was found not to report it, although it says it does.
        reported: What it was reported to hold last, as `Suspicion` compares it; None before.
    """

    handle: int
    targets: tuple[Target, ...]
    sampling: float
    deadband: float = 0.0
    watch: bool = True
    state: State = State.WANTED
    id: int = 0
    revised: tuple[float, int] = (0.0, 0)
    trouble: str = ""
    retry_at: float = 0.0
    delay: float = 0.0
    stuck: int = 0
    reported: object = None


@dataclass(eq=False)
class Ledger:
    """The items of one subscription. `now` is seconds on a steady clock.

    Attributes:
        items: Handle -> item.
    """

    items: dict[int, Item] = field(default_factory=dict)
    _highest: int = 0
    _revised: tuple[float, int] = (0.0, 0)  # as most items have it, kept once

    def __post_init__(self) -> None:
        self._highest = max(self.items, default=0)

    def due(self, now: float) -> list[Item]:
        """Give what is not watched and may be tried now."""
        return [
            item
            for item in self.items.values()
            if item.state is not State.WATCHED and item.retry_at <= now
        ]

    def next_due(self) -> float:
        """Give when something is due; infinity where everything is watched."""
        waits = (i.retry_at for i in self.items.values() if i.state is not State.WATCHED)
        return min(waits, default=inf)

    def tried(self, items: Iterable[Item]) -> None:
        """Take note that these are tried now: under new handles.

        So what is still on its way from an earlier item of the same node is not taken for theirs.
        """
        for item in items:
            del self.items[item.handle]
            self._highest = item.handle = max(self._highest, item.handle) + 1
            self.items[item.handle] = item

    def watched(self, item: Item, number: int, revised: tuple[float, int]) -> None:
        """Take note that the server watches it."""
        if revised != self._revised:
            self._revised = revised
        item.state, item.id, item.revised = State.WATCHED, number, self._revised
        item.trouble, item.delay = "", 0.0

    def refused(self, item: Item, trouble: str, now: float) -> bool:
        """Take note that it cannot be watched now; tell whether that is news."""
        news = item.state is not State.REFUSED or item.trouble != trouble
        item.state, item.id, item.trouble = State.REFUSED, 0, trouble
        delay = item.delay or FIRST
        item.retry_at, item.delay = now + delay, min(LAST, 2 * delay)
        return news

    def polled(self, item: Item, trouble: str, now: float) -> bool:
        """Take note that the server cannot watch it; tell whether that is news."""
        news = item.state is not State.POLLED
        item.state, item.id, item.trouble = State.POLLED, 0, trouble
        item.retry_at = now + POLLED if item.watch else inf
        return news

    def lost(self, items: Iterable[Item], now: float) -> None:
        """Take note that the server does not watch these any more: they are wanted at once."""
        for item in items:
            if not item.watch:
                continue
            item.state, item.id = State.WANTED, 0
            item.retry_at, item.delay = now, 0.0

    def forget_all(self, now: float) -> None:
        """Take note that the subscription is gone with everything in it."""
        self.lost(self.items.values(), now)

    def of(self, state: State) -> list[Item]:
        """Give the items that stand so."""
        return [item for item in self.items.values() if item.state is state]

    def unwatched(self, group: int) -> list[int]:
        """Give the indices of a group that have to be polled."""
        return [
            target.place
            for item in self.of(State.POLLED)
            for target in item.targets
            if target.group == group
        ]


def items_of(
    groups: _Groups,
    sampling: float,
    first_handle: int,
) -> Ledger:
    """Make the items of one subscription: one per node, whoever wants it.

    Args:
        groups: Number of a group -> its addresses, and deadbands by index.
        sampling: Seconds between the server's looks, where an address does not say otherwise.
        first_handle: Handles are counted from here.
    """
    # All keys go before the first item is made: between items they leave holes (1.7 MB of 10,000).
    handles = array("I", (first_handle + number for number in _numbers(groups, sampling)))
    items: dict[int, Item] = {}
    for handle, wish in zip(handles, _wishes(groups, sampling), strict=True):
        target = Target(wish.group, wish.place, str(wish.address))
        if (item := items.get(handle)) is not None:
            item.targets += (target,)
            continue
        watch = wish.address.watch
        items[handle] = item = Item(handle, (target,), wish.sampling, wish.deadband, watch)
        if not watch:
            item.state, item.retry_at = State.POLLED, inf
    return Ledger(items)


class _Wish(NamedTuple):
    """That an address of a group be watched, and how."""

    group: int
    place: int
    address: OpcUaAddress
    sampling: float
    deadband: float


def _wishes(groups: _Groups, sampling: float) -> Iterator[_Wish]:
    for group, (addresses, deadbands) in groups.items():
        for place, address in enumerate(addresses):
            wanted = sampling if address.sampling is None else address.sampling
            # A part of a value changes when the server sees no change of the whole in its deadband.
            deadband = 0.0 if address.part or address.text else deadbands.get(place, 0.0)
            yield _Wish(group, place, address, wanted, deadband)


def _numbers(groups: _Groups, sampling: float) -> list[int]:
    """Number the items: give of each wish the number of the one that fulfils it."""
    found: dict[object, int] = {}
    return [
        found.setdefault(
            (one.address.node(), one.address.path, one.address.watch, one.sampling, one.deadband),
            len(found),
        )
        for one in _wishes(groups, sampling)
    ]
