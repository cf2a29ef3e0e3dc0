"""Ten devices on a line of 9600 baud, two of them dead, with the real figures: three minutes."""

import asyncio
import itertools
import time

import pytest
from edge_agent_modbus import ModbusSettings

from tests.rigs.shared_line import SharedLine, connection, polling
from tests.rigs.until import until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(420)]

UNITS = range(1, 11)
DEAD = (4, 9)
EVERY = 1.0
LONGEST_TIMEOUT = 0.52  # what is waited for a unit at 9600 baud before anything is learnt


@pytest.fixture
def shared(tmp_path):
    shared = SharedLine(tmp_path / "ttyRS485", UNITS, baud=9600)
    shared.think = 0.01
    shared.line.plug()
    yield shared
    shared.line.unplug()
    assert not any(plant.writes for plant in shared.plants.values())


async def test_two_dead_of_ten_at_9600_baud(shared):
    settings = ModbusSettings(transport="rtu", port=str(shared.line.path), baud=9600)
    async with polling(connection(UNITS, settings, every=EVERY, points=10)) as (poller, kept):
        await until(lambda: all(kept.good[f"unit-{unit}"] >= 70 for unit in UNITS), 100)
        cut, before = time.monotonic(), kept.good.copy()
        shared.unplugged.update(DEAD)
        await asyncio.sleep(100)
        elapsed = time.monotonic() - cut
        shares = {
            unit: (kept.good[f"unit-{unit}"] - before[f"unit-{unit}"]) / (elapsed / EVERY)
            for unit in set(UNITS) - set(DEAD)
        }
        demoted = cut + 5 * EVERY  # after three silent polls
        blocked, from_the_cut = (_blocked(shared, since) for since in (demoted, cut))
        gaps = _gaps(shared, demoted)
        print(
            f"kept {min(shares.values()):.3f}, dead use {blocked:.3f} ({from_the_cut:.3f} with "
            f"the polls before), probe gaps {gaps}"
        )
        assert min(shares.values()) >= 0.95, shares
        assert blocked <= 0.05
        assert gaps
        assert max(gaps) <= 25
        assert {kept.state(f"unit-{unit}") for unit in DEAD} == {"silent"}
        await _come_back(shared, kept)
        assert poller.state == "up"


def _blocked(shared, since):
    """Give the share of the line's time that the dead devices took."""
    seconds = shared.blocked_by(*DEAD, since=since, at_most=2 * LONGEST_TIMEOUT + 0.1)
    return seconds / (time.monotonic() - since)


def _gaps(shared, since):
    """Give the seconds between probes of each dead device."""
    asked = {unit: shared.requests(unit, since=since) for unit in DEAD}
    return [
        round(after - at, 1) for times in asked.values() for at, after in itertools.pairwise(times)
    ]


async def _come_back(shared, kept):
    before = kept.good.copy()
    shared.unplugged.clear()
    replugged = time.monotonic()
    await until(
        lambda: all(kept.good[f"unit-{unit}"] - before[f"unit-{unit}"] >= 2 for unit in DEAD), 40
    )
    print(f"back after {time.monotonic() - replugged:.1f} s")
    assert time.monotonic() - replugged <= 30
