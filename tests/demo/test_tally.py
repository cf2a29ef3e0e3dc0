"""Sequence numbers prove that nothing is missing."""

from typing import Any

from edge_agent.demo.tally import Tally


def data(seq: int, readings: int = 1, epoch: str = "e") -> dict[str, Any]:
    return {"epoch": epoch, "seq": seq, "readings": [{"p": "x", "v": 1}] * readings}


def loss(seq: int, first: int | None, last: int | None) -> dict[str, Any]:
    return {"epoch": "e", "seq": seq, "lost_epoch": "e", "first": first, "last": last}


def test_a_gap_is_missing_and_the_first_number_is_one() -> None:
    tally = Tally()
    for number in (2, 3, 7):
        tally.add("press-1", "data", data(number))
    assert tally.missing() == 4  # 1, 4, 5, 6


def test_a_duplicate_is_counted_once() -> None:
    tally = Tally()
    for _ in range(2):
        tally.add("press-1", "data", data(1, readings=3))
    assert (tally.messages, tally.readings, tally.missing()) == (2, 3, 0)


def test_a_loss_record_accounts_for_what_it_names() -> None:
    tally = Tally()
    for seq in (1, 5):
        tally.add("press-1", "data", data(seq))
    assert tally.missing() == 3
    tally.add("_agent", "loss", loss(6, 2, 4))
    assert tally.missing() == 0


def test_a_loss_record_without_numbers_forgives_nothing() -> None:
    tally = Tally()
    tally.add("press-1", "data", data(1))
    tally.add("press-1", "data", data(4))
    tally.add("_agent", "loss", loss(5, None, None))
    assert tally.missing() == 2


def test_epochs_are_counted_apart() -> None:
    tally = Tally()
    tally.add("press-1", "data", data(1, epoch="a"))
    tally.add("press-1", "data", data(1, epoch="b"))
    assert tally.missing() == 0
    assert tally.readings == 2


def test_the_summary_says_what_arrived() -> None:
    tally = Tally()
    tally.add("press-1", "meta", {})
    tally.add("press-1", "data", data(1, readings=2))
    assert str(tally) == ("2 messages, 2 readings from 1 devices, sequence numbers missing: 0")
