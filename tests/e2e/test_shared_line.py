"""Ten devices on one serial line, two of them dead: a poller, the Modbus driver and a paced line.

Time runs six times as fast as in `tests/faults/test_dead_devices.py`, which has the real figures.
"""

import asyncio
import time

import pytest
from edge_agent_modbus import ModbusSettings

from edge_agent import standing
from tests.rigs.shared_line import SharedLine, connection, polling
from tests.rigs.until import until

UNITS = range(1, 11)
DEAD = (4, 9)
FASTER = 6
EVERY = 1 / FASTER
TIMEOUT = 0.04  # so a probe that is not answered costs twice that and a few characters


@pytest.fixture(autouse=True)
def faster(monkeypatch):
    monkeypatch.setattr(standing, "FIRST_PROBE", standing.FIRST_PROBE / FASTER)
    monkeypatch.setattr(standing, "LAST_PROBE", standing.LAST_PROBE / FASTER)
    monkeypatch.setattr(standing, "STRETCHED", tuple(each / FASTER for each in standing.STRETCHED))


@pytest.fixture
def shared(tmp_path):
    shared = SharedLine(tmp_path / "ttyRS485", UNITS)
    shared.line.plug()
    yield shared
    shared.line.unplug()
    assert not any(plant.writes for plant in shared.plants.values())


def configured(shared, every=EVERY):
    settings = ModbusSettings(
        transport="rtu", port=str(shared.line.path), baud=115200, timeout=TIMEOUT
    )
    return connection(UNITS, settings, every=every, points=10)


@pytest.mark.thorough
async def test_two_dead_devices_cost_the_other_eight_nothing_and_come_back(shared):
    async with polling(configured(shared)) as (poller, kept):
        await until(lambda: all(kept.good[f"unit-{unit}"] >= 3 for unit in UNITS))
        for seconds in (3.0, 0.0):  # it works again and again, not only once
            await _dead_for(seconds, shared, kept)
            shared.unplugged.clear()
            replugged = time.monotonic()
            before = kept.good.copy()
            await until(_more(kept.good, before, 3))
            assert time.monotonic() - replugged <= 30 / FASTER
            assert all(kept.state(f"unit-{unit}") == "up" for unit in UNITS)
    assert poller.state == "up"


def _more(good, before, polls):
    return lambda: all(good[f"unit-{unit}"] - before[f"unit-{unit}"] >= polls for unit in DEAD)


async def _dead_for(seconds, shared, kept):
    shared.unplugged.update(DEAD)
    await until(lambda: all(kept.state(f"unit-{unit}") == "silent" for unit in DEAD))
    assert {kept.code(f"unit-{unit}") for unit in DEAD} == {"E-BUS-ABSENT"}
    await asyncio.sleep(3 * EVERY)
    begun = time.monotonic()
    await asyncio.sleep(seconds)
    elapsed = time.monotonic() - begun
    for unit in set(UNITS) - set(DEAD):
        polls = len(shared.requests(unit, since=begun))
        assert polls >= 0.95 * (elapsed / EVERY - 1), f"unit {unit}: {polls} in {elapsed:.2f} s"
    blocked = shared.blocked_by(*DEAD, since=begun, at_most=2 * TIMEOUT + 0.01)
    one_probe = 2 * TIMEOUT + 0.01  # the window need not end where a probe's share of time does
    assert blocked <= 0.05 * elapsed + one_probe, f"{blocked:.3f} s of {elapsed:.2f} s"


@pytest.mark.thorough
async def test_a_dead_device_is_asked_for_one_register_only(shared):
    shared.unplugged.add(4)
    async with polling(configured(shared)):
        await until(lambda: len(shared.requests(4)) >= 4)
    asked = [request for request in shared.line.requests if request[0] == 4]
    assert asked[0][5] == 10
    assert all(request[5] <= 4 for request in asked[3:]), "a probe is short"


@pytest.mark.thorough
async def test_a_refusal_proves_life(shared):
    for plant in shared.plants.values():
        plant.size = 0  # exception 2 to everything
    async with polling(configured(shared)) as (_, kept):
        await until(lambda: all(kept.bad[f"unit-{unit}"] >= 6 for unit in UNITS))
        assert {kept.state(f"unit-{unit}") for unit in UNITS} == {"up"}
        assert {kept.code(f"unit-{unit}") for unit in UNITS} == {"E-BUS-REFUSED"}


async def test_a_pulled_adapter_makes_every_point_bad_within_two_intervals(shared, monkeypatch):
    monkeypatch.setattr("edge_agent.poller.FIRST_DELAY", 0.1)
    every = 0.5  # the second of two intervals is for the noise of this machine
    async with polling(configured(shared, every)) as (_, kept):
        for _ in range(2):
            before = kept.good.copy()
            await until(lambda: all(kept.good[f"unit-{u}"] > before[f"unit-{u}"] for u in UNITS))  # noqa: B023
            bad = kept.bad.copy()
            shared.line.unplug()
            await until(
                lambda: all(kept.bad[f"unit-{u}"] > bad[f"unit-{u}"] for u in UNITS),  # noqa: B023
                2 * every,
            )
            assert {kept.code(f"unit-{unit}") for unit in UNITS} == {"E-LINK-DOWN"}
            shared.line.plug()
