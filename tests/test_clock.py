"""The clocks of this machine."""

import asyncio
import os
import time

import pytest

from edge_agent import clock as clocks
from edge_agent.clock import BOOT_ID, Clock
from tests.rigs.step_clock import StepClock


def test_the_wall_clock_counts_milliseconds_since_1970():
    before = time.time() * 1000
    assert before - 1 <= Clock().now() <= time.time() * 1000


def test_the_steady_clock_does_not_go_back():
    clock = Clock()
    assert clock.mono() <= clock.mono()


def test_a_boot_has_one_identity():
    assert Clock().boot == Clock().boot == BOOT_ID.read_text().strip()


def test_whether_the_clock_is_right_is_the_kernel_s_word(stamp):
    clock = Clock()
    assert clock.synced() in {True, False}
    assert clock.witness == "kernel"
    stamp.touch()  # says nothing where the kernel speaks
    assert clock.synced() == (not clock._kernel_status() & clocks.STA_UNSYNC)


@pytest.fixture
def stamp(tmp_path, monkeypatch):
    """What systemd's time service touches at each synchronisation; its folder is there."""
    file = tmp_path / "timesync" / "synchronized"
    file.parent.mkdir()
    monkeypatch.setattr(clocks, "STAMP", file)
    return file


class UnaskedClock(Clock):
    """A clock set by hand, of a kernel that does not let itself be asked.

    Attributes:
        wall, steady: What the two clocks say, in seconds.
    """

    def __init__(self):
        super().__init__()
        self._adjtimex = lambda _: -1
        self.wall, self.steady = 1_800_000_000.0, 100.0

    def now(self):
        return round(self.wall * 1000)

    def mono(self):
        return self.steady

    def advance(self, seconds):
        self.wall += seconds
        self.steady += seconds


def _touch(stamp, clock):
    stamp.touch()
    os.utime(stamp, (clock.wall, clock.wall))


def test_where_nothing_tells_a_clock_is_not_known_to_be_right(stamp):
    clock = UnaskedClock()
    assert (clock.witness, clock.synced()) == ("timesyncd", False)  # it runs, and has no time yet
    stamp.parent.rmdir()
    assert (clock.witness, clock.synced()) == ("", False)
    clock._adjtimex = None  # a system without that call
    assert (clock.witness, clock.synced()) == ("", False)


def test_a_stamp_holds_as_long_as_the_kernel_would_believe_it(stamp):
    clock = UnaskedClock()
    _touch(stamp, clock)
    for passed, holds in ((0, True), (31_999, True), (2, False)):
        clock.advance(passed)
        assert clock.synced() is holds, passed
    _touch(stamp, clock)
    assert clock.synced()
    stamp.unlink()  # the time service was stopped
    assert not clock.synced()


@pytest.mark.parametrize("seconds", [3600.0, 2.0, -2.0, -86_400.0])
def test_a_clock_set_by_hand_is_not_right_until_the_next_stamp(stamp, seconds):
    clock = UnaskedClock()
    _touch(stamp, clock)
    assert clock.synced()
    clock.advance(60)
    clock.wall += seconds
    assert not clock.synced()
    clock.advance(60)
    assert not clock.synced()
    _touch(stamp, clock)
    assert clock.synced()


def test_a_stamp_of_the_future_is_none(stamp):
    clock = UnaskedClock()
    _touch(stamp, clock)
    clock.wall -= 60  # before this process looked
    assert not clock.synced()


@pytest.fixture
def quick_looks(monkeypatch):
    monkeypatch.setattr(clocks, "LOOK", 0.01)


@pytest.mark.usefixtures("quick_looks")
@pytest.mark.parametrize("change", [{"offset": 5.0}, {"offset": -5.0}, {"is_synced": True}])
async def test_waiting_for_the_clock_ends_when_it_is_set_or_becomes_right(change):
    clock = StepClock(is_synced=False)
    waiting = asyncio.create_task(clock.until_set(60.0))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    for name, value in change.items():
        setattr(clock, name, value)
    await asyncio.wait_for(waiting, 30)


@pytest.mark.usefixtures("quick_looks")
async def test_waiting_for_the_clock_has_an_end():
    began = time.monotonic()
    await StepClock().until_set(0.1)
    assert 0.1 <= time.monotonic() - began < 30
