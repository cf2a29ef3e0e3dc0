"""When the buffer will be full, foretold and then measured."""

import os
import random

import pytest

from edge_agent.outlook import USUAL, WINDOW, Outlook, on_disk
from edge_agent.rate import Rate
from edge_agent.row import Row, Segment
from edge_agent.store import Store
from edge_agent.wear import Wear, written
from tests.rigs.buffers import opened
from tests.rigs.hand_clock import HandClock


def body(chance, readings):
    """Encoded readings whose values all move, as a poll brings them."""
    items = (b'{"p":"point_%d","v":%.2f}' % (at, chance.gauss(230, 5)) for at in range(readings))
    return b",".join(items)


def of(readings):
    """A row of so many readings, made long ago."""
    return Row(1, 0, "d", 0, -1.0, True, readings, b"")


# Devices polled once a second, readings of each, bytes of the limit.
@pytest.mark.parametrize(
    ("devices", "readings", "limit"), [(1, 14, 120_000), (10, 20, 300_000), (5, 100, 600_000)]
)
async def test_it_is_full_when_it_was_foretold(tmp_path, devices, readings, limit):
    clock, chance = HandClock(), random.Random(4)
    foretold = []
    async with opened(tmp_path, clock, max_bytes=limit) as buffer:
        while not buffer.losses:
            for number in range(devices):
                made = body(chance, readings)
                buffer.append(f"d{number}", clock.now(), clock.mono(), readings, made)
            for _ in range(4):
                clock.advance(0.25)
                await buffer.tick()
            foretold.append((clock.passed, buffer.used, buffer.seconds_until_full))
    full_at = clock.passed
    later = [one for one in foretold if 0.15 < one[1] / limit < 0.9]
    assert len(later) > 10
    for at, _, seconds in later:
        assert seconds == pytest.approx(full_at - at, rel=0.15, abs=1.0)


def test_before_anything_is_on_disk_a_usual_reading_is_assumed():
    outlook = Outlook(0.0, 1.0)
    assert outlook.seconds_until_full(1000) is None
    outlook.add(of(1000))
    outlook.note(10.0, on_disk=4096, readings=0)
    assert outlook.seconds_until_full(100_000) == 100_000 / (100 * USUAL)


def test_what_a_sample_takes_is_believed_until_there_is_more_on_disk():
    outlook = Outlook(0.0, 1.0)
    for tenth in range(20):
        outlook.add(Row(tenth, 0, "d", 0, tenth / 10, True, 10, b"body"))
    assert len(outlook.sample(1.5)) == 10
    assert outlook.sample(1.6) == []  # not at once again
    outlook.learn(4600, 100)
    outlook.note(10.0, on_disk=4096, readings=0)
    assert outlook.seconds_until_full(100_000) == pytest.approx(
        100_000 / (20 * on_disk(4600) / 100)
    )
    outlook.note(10.0, on_disk=4096 + 9900 * 30, readings=9900)
    assert outlook.seconds_until_full(100_000) == pytest.approx(100_000 / (20 * 30), rel=0.02)


def test_it_follows_the_present_rate_and_forgets_the_night():
    outlook = Outlook(0.0, 1.0)
    for second in range(1, 4000):
        outlook.add(of(1 if second < 3000 else 10))
        outlook.note(float(second), on_disk=0, readings=0)
    assert outlook.seconds_until_full(2000) == pytest.approx(2000 / (10 * USUAL), rel=0.01)
    assert WINDOW < 1000


def test_full_is_full():
    outlook = Outlook(0.0, 1.0)
    outlook.add(of(100))
    outlook.note(10.0, on_disk=0, readings=0)
    assert outlook.seconds_until_full(-5) == 0


def test_a_rate_looks_back_no_further_than_its_window():
    rate = Rate(60.0)
    assert rate.per_second is None
    for second in range(200):
        rate.note(float(second), min(100, second))
    assert rate.per_second == 0
    assert 59 <= rate.seconds <= 62


def test_what_is_written_is_told_for_a_day(tmp_path):
    wear = Wear()
    wear.look(0.0)
    assert wear.bytes == written()
    assert wear.per_day is None  # too early to tell
    (tmp_path / "file").write_bytes(bytes(1 << 20))
    wear.look(120.0)
    assert wear.bytes >= (1 << 20)
    assert wear.per_day >= 720 * (1 << 20)


def test_where_it_is_not_told_how_much_is_written_nothing_is_claimed(monkeypatch, tmp_path):
    monkeypatch.setattr("edge_agent.wear.IO", tmp_path / "io")
    wear = Wear()
    wear.look(0.0)
    assert (wear.bytes, wear.per_day) == (None, None)


# Small ones, of which several share a leaf; ones that just do not; and large ones.
@pytest.mark.parametrize("packed", [50, 215, 400, 800, 905, 1000, 2000, 5000, 30_000])
def test_what_a_segment_takes_in_the_database_is_known(tmp_path, packed):
    store = Store(tmp_path / "buffer.db")
    store.open()
    empty, count = store.used(), 100
    rows = [Row(seq, 0, "d", 1 << 40, 1e6, True, 10, b"") for seq in range(1, count + 1)]
    segments = [Segment.of([row], "0" * 36, packed) for row in rows]
    store.adopt([(segment, os.urandom(packed)) for segment in segments])
    taken = (store.used() - empty) / count
    store.close()
    assert on_disk(packed) == pytest.approx(taken, rel=0.05)
