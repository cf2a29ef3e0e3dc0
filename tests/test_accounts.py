"""The platform's side: arrived, repeated, lost by name, missing."""

from edge_agent.accounts import Accounts


def data(seq, epoch="e"):
    return {"epoch": epoch, "seq": seq, "readings": []}


def loss(seq, first, last, lost_epoch="e", why="power_cut"):
    return {"epoch": "e", "seq": seq, "lost_epoch": lost_epoch, "first": first, "last": last,
            "readings": None, "from": 1, "to": 2, "exposed_ms": None, "why": why}  # fmt: skip


def accounts(*messages):
    kept = Accounts()
    for message in messages:
        kept.add("site/gw", message)
    return kept


def test_everything_in_any_order_is_complete():
    kept = accounts(data(7), data(5), data(6))
    assert kept.complete()
    assert kept.report()["agents"][0]["first"] == 5


def test_a_gap_is_missing_and_a_repetition_is_counted():
    kept = accounts(data(1), data(2), data(2), data(6))
    report = kept.report()["agents"][0]
    assert (report["missing"], report["duplicates"], report["received"]) == ([[3, 5]], 1, 3)
    assert not kept.complete()


def test_a_loss_record_accounts_for_its_range_and_counts_once():
    kept = accounts(data(1), data(9), loss(10, 2, 8), loss(10, 2, 8))
    assert kept.complete()
    assert len(kept.report()["agents"][0]["losses"]) == 1


def test_numbers_beyond_a_loss_stay_missing():
    kept = accounts(data(1), loss(10, 2, 8))
    assert kept.report()["agents"][0]["missing"] == [[9, 9]]


def test_a_destroyed_buffer_names_everything_of_its_epoch():
    kept = accounts(data(1, "old"), data(5, "old"), loss(1, None, 20, "old", "corrupt"))
    assert kept.complete()


def test_a_loss_of_an_epoch_never_seen_is_no_gap():
    assert accounts(loss(1, 5, 20, "never")).complete()


def test_state_goes_on_another_time():
    first = accounts(data(1), data(2), loss(3, 5, 6))
    second = Accounts()
    second.restore(first.state())
    second.add("site/gw", data(4))
    second.add("site/gw", data(7))
    assert second.complete()
    assert second.report()["agents"][0]["received"] == 5
