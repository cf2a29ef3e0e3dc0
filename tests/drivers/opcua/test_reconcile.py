"""What is wanted stays wanted, whatever the server says."""

from math import inf

import pytest
from edge_agent_opcua.interval import Interval
from edge_agent_opcua.reconcile import FIRST, LAST, POLLED, State, items_of
from hypothesis import given
from hypothesis import strategies as st

from tests.rigs.opcua_watch import at


def ledger_of(*addresses, deadbands=None, sampling=0.5):
    return items_of({0: (list(addresses), deadbands or {})}, sampling, first_handle=10)


def test_every_node_is_one_item_whoever_wants_it():
    limits = at("Batch", part="Limits.Low") + at("Batch", part="Limits.High")
    ledger = items_of({0: (at("A", "B"), {}), 3: ([*limits, *at("A")], {})}, 0.5, 10)
    found = {
        item.handle: [(t.group, t.place) for t in item.targets] for item in ledger.items.values()
    }
    assert found == {10: [(0, 0), (3, 2)], 11: [(0, 1)], 12: [(3, 0), (3, 1)]}


def test_what_differs_in_deadband_or_sampling_is_watched_apart():
    ledger = ledger_of(
        *at("A"), *at("A", sampling=0), *at("A"), *at("A", part="[1]"), deadbands={2: 1.0, 3: 1.0}
    )
    items = list(ledger.items.values())
    assert [(item.sampling, item.deadband) for item in items] == [
        (0.5, 0.0),
        (0.0, 0.0),
        (0.5, 1.0),
    ]
    assert [len(item.targets) for item in items] == [2, 1, 1], "a part takes no deadband"


def test_a_node_that_is_not_there_is_tried_later_and_later_and_told_once():
    ledger = ledger_of(*at("A"))
    [item] = ledger.due(0.0)
    now, told, gaps = 0.0, [], []
    for _ in range(9):
        told.append(ledger.refused(item, "BadNodeIdUnknown", now))
        assert ledger.due(now) == []
        gaps.append(ledger.next_due() - now)
        now = ledger.next_due()
        assert ledger.due(now) == [item]
    assert told == [True] + [False] * 8
    assert gaps[0] == FIRST
    assert gaps[-1] == LAST
    assert ledger.refused(item, "BadUserAccessDenied", now), "another reason is news"
    ledger.watched(item, 5, (0.5, 50))
    assert ledger.due(inf) == []
    assert ledger.refused(item, "BadNodeIdUnknown", now)
    assert ledger.next_due() == now + FIRST, "it begins anew"


def test_what_cannot_be_watched_is_polled_and_tried_again_now_and_then():
    ledger = ledger_of(*at("A", "B"))
    first, second = ledger.due(0.0)
    ledger.watched(first, 1, (0.5, 50))
    assert ledger.polled(second, "BadTooManyMonitoredItems", 0.0)
    assert ledger.unwatched(0) == [1]
    assert ledger.next_due() == POLLED
    assert not ledger.polled(second, "BadTooManyMonitoredItems", POLLED)
    ledger.watched(second, 2, (0.5, 50))
    assert ledger.unwatched(0) == []


def test_what_is_not_to_be_watched_never_is():
    ledger = ledger_of(*at("A", watch=False), *at("B"))
    assert ledger.unwatched(0) == [0]
    [other] = ledger.due(0.0)
    ledger.watched(other, 1, (0.5, 50))
    ledger.forget_all(5.0)
    assert ledger.due(inf) != []
    assert ledger.unwatched(0) == [0]
    ledger.watched(other, 1, (0.5, 50))
    assert ledger.due(1e9) == []


def test_what_is_not_to_be_watched_is_not_when_the_server_makes_a_subscription_later():
    ledger = ledger_of(*at("A", watch=False), *at("B"))
    [other] = ledger.due(0.0)
    Interval(1.0, [0], ledger).cannot_be("BadTooManySubscriptions", 0.0)
    assert ledger.unwatched(0) == [0, 1]
    assert ledger.due(1e9) == [other]


def test_what_is_still_on_its_way_from_an_earlier_item_is_nobody_s():
    ledger = ledger_of(*at("A", "B"))
    first, second = ledger.due(0.0)
    ledger.tried([first])
    earlier = first.handle
    ledger.tried([first, second])
    assert earlier not in ledger.items
    assert ledger.items == {first.handle: first, second.handle: second}
    assert len({earlier, first.handle, second.handle}) == 3


def test_what_the_server_forgot_is_wanted_at_once():
    ledger = ledger_of(*at("A", "B"))
    for number, item in enumerate(ledger.due(0.0)):
        ledger.watched(item, number, (0.5, 50))
    [lost, _] = ledger.of(State.WATCHED)
    ledger.lost([lost], 9.0)
    assert ledger.due(9.0) == [lost]
    assert lost.id == 0


EVENTS = st.sampled_from(["tried", "watched", "refused", "polled", "lost", "forget"])


@pytest.mark.parametrize("count", [3])
@given(st.lists(st.tuples(EVENTS, st.integers(0, 2), st.floats(0, 400)), max_size=30))
def test_nothing_is_ever_dropped(count, events):
    ledger = ledger_of(*at(*(f"N{n}" for n in range(count))))
    items, now = list(ledger.items.values()), 0.0
    for event, which, passed in events:
        now += passed
        item = items[which]
        does = {
            "tried": lambda: ledger.tried([item]),  # noqa: B023 - done at once
            "watched": lambda: ledger.watched(item, 1, (0.5, 50)),  # noqa: B023
            "refused": lambda: ledger.refused(item, "no", now),  # noqa: B023
            "polled": lambda: ledger.polled(item, "no", now),  # noqa: B023
            "lost": lambda: ledger.lost([item], now),  # noqa: B023
            "forget": lambda: ledger.forget_all(now),  # noqa: B023
        }
        does[event]()
    watched = ledger.of(State.WATCHED)
    waiting = ledger.due(now + POLLED)
    assert set(watched) | set(waiting) == set(items)
    assert set(ledger.items.values()) == set(items)
