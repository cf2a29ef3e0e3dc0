"""The agent under full load, as processes: a libmodbus plant, a real broker, a counting subscriber.

The short, functional form of `python -m benchmarks load`; and whether its judge sees what is wrong.
"""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).parents[2]


def test_ten_thousand_readings_a_second_arrive_exactly_once():
    words = [sys.executable, "-m", "benchmarks", "load", "--here", "--seconds", "5", "--json"]
    run = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    account = json.loads(run.stdout)
    assert account["missing"] == {}
    assert account["duplicates"] == account["bad"] == 0
    assert account["losses"] == []
    assert account["delivered"] >= 30_000  # less than three of five polls would be no load


@pytest.fixture(scope="module")
def tally():
    """Its module, from its file: against a wheel nothing but the tests can be imported by name."""
    spec = importlib.util.spec_from_file_location("tally", ROOT / "benchmarks" / "tally.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def heard(tally, *numbers, epoch="a"):
    """Give a tally that has heard these numbers, each after the one before it on its topic."""
    counted = tally.Tally()
    for seq in numbers:
        counted.data(tally.Data(epoch, seq, max(0, seq - 1), 1000, [tally.Reading()]), now=1.005)
    return counted


def loss(tally, seq, first, last, epoch="a"):
    return tally.Loss(epoch, seq, 0, epoch, first, last, None, 1000, "power_cut")


def test_numbers_without_a_gap_are_all_there(tally):
    report = heard(tally, 2, 1, 3).report()
    assert (report["readings"], report["missing"], report["broken_chain"]) == (3, {}, 0)
    assert report["ages_ms"] == pytest.approx([5, 5, 5])


def test_a_number_that_never_came_is_missing_also_at_the_beginning(tally):
    assert heard(tally, 2, 3, 6, 7).missing() == {"a": [(1, 1), (4, 5)]}


def test_the_chain_shows_which_messages_are_without_their_forerunner(tally):
    assert heard(tally, 1, 2, 5).broken_chain() == 1


def test_a_number_twice_is_a_duplicate_and_counts_once(tally):
    report = heard(tally, 1, 2, 2).report()
    assert (report["duplicates"], report["readings"]) == (1, 2)


def test_the_same_number_of_another_epoch_is_no_duplicate(tally):
    counted = heard(tally, 1)
    counted.data(tally.Data("b", 1, 0, 1000, []), now=1.0)
    assert counted.duplicates == 0


def test_what_a_record_of_loss_names_is_not_missing(tally):
    counted = heard(tally, 1, 5)
    counted.loss(loss(tally, 6, 2, 3))
    assert counted.missing() == {"a": [(4, 4)]}


def test_a_record_of_loss_has_a_number_like_any_message(tally):
    counted = heard(tally, 1)
    counted.loss(loss(tally, 3, 2, 2))
    assert counted.missing() == {}
    counted.loss(loss(tally, 3, 2, 2))
    assert (counted.duplicates, len(counted.losses)) == (1, 1)


def test_a_record_for_another_epoch_excuses_nothing_in_this_one(tally):
    counted = heard(tally, 1, 3)
    counted.loss(tally.Loss("a", 4, 0, "older", 2, 2, None, None, "corrupt"))
    assert counted.missing() == {"a": [(2, 2)]}


def test_a_bad_reading_is_counted_as_bad(tally):
    counted = tally.Tally()
    counted.data(tally.Data("a", 1, 0, 0, [tally.Reading("bad"), tally.Reading()]), now=0.0)
    assert (counted.readings, counted.bad) == (2, 1)
