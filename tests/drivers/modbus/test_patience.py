"""Timeouts learnt from answers: within bounds, up at once, down slowly, and told to people."""

import asyncio
import random
import re

import pytest
from edge_agent_modbus import ModbusAddress, ModbusDriver, ModbusSettings
from edge_agent_modbus.patience import Patience, generous
from edge_agent_modbus.timing import timing_of
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.driver import NoResponse
from tests.rigs.modbus_tcp import TcpPeer, take_mbap

SERIAL = {"transport": "rtu", "port": "/dev/ttyS9", "baud": 9600}


def patience(**keys) -> Patience:
    return Patience(timing_of(ModbusSettings(**(keys or SERIAL))))


def answer(known: Patience, seconds: float, times: int = 64, unit: int = 1) -> None:
    for _ in range(times):
        known.answered(unit, seconds)


def test_until_enough_answers_were_measured_the_default_holds():
    known = patience()
    at_first = known.timeout(1)
    answer(known, 0.01, times=63)
    assert known.timeout(1) == at_first == pytest.approx(0.516, abs=0.001)


def test_a_fast_unit_is_given_up_sooner_but_not_before_the_lower_bound():
    known = patience()
    answer(known, 0.004)
    assert known.timeout(1) == 0.2
    assert known.timeout(2) > 0.5


def test_a_unit_that_takes_longer_is_given_four_times_what_nearly_all_answers_took():
    known = patience(host="plc")
    answer(known, 0.4)
    assert known.timeout(1) == 2.0


def test_a_late_answer_raises_the_timeout_at_once():
    known = patience()
    known.came_late(1, 0.9)
    assert known.timeout(1) == 1.5


def test_a_raised_timeout_is_kept_for_two_thousand_answers():
    known = patience()
    known.came_late(1, 0.9)
    answer(known, 0.01, times=1999)
    assert known.timeout(1) == 1.5
    answer(known, 0.01, times=65)
    assert known.timeout(1) == 0.2


def test_a_timeout_that_is_set_is_never_exceeded_and_what_it_should_be_is_said():
    known = patience(**SERIAL, timeout=0.3)
    known.came_late(7, 0.61)
    assert known.timeout(7) == 0.3
    assert list(known.advice()) == [
        "unit 7 was seen to answer after 0.61 s, but is given up after 0.3 s: raise the timeout to "
        "1 s"
    ]


def test_no_advice_is_given_where_the_timeout_was_raised_without_it():
    known = patience()
    known.came_late(7, 0.9)
    assert list(known.advice()) == []


def test_an_answer_to_a_caller_that_went_away_is_not_late():
    known = patience(**SERIAL, timeout=0.3)
    known.came_late(7, 0.1)
    assert list(known.advice()) == []


@given(st.lists(st.floats(0, 100), max_size=300), st.one_of(st.none(), st.floats(0.01, 60)))
def test_whatever_is_measured_the_timeout_stays_within_its_bounds(seconds, timeout):
    timing = timing_of(ModbusSettings(host="plc", timeout=timeout))
    known = Patience(timing)
    for place, taken in enumerate(seconds):
        (known.came_late if place % 7 == 6 else known.answered)(1, taken)
        assert timing.least <= known.timeout(1) <= timing.most
    assert timing.most <= (timeout or 3)


@given(st.floats(0, 60))
def test_a_timeout_is_rounded_up_to_one_that_people_would_choose(seconds):
    assert generous(seconds) >= seconds
    assert generous(seconds) <= max(2 * seconds, 0.1)


def test_what_was_learnt_is_told_once_kept_and_taken_over():
    known = patience()
    answer(known, 0.004)
    taught = known.taught({1}, {"holes": {"1/holding": []}}, None)
    assert taught == {"holes": {"1/holding": []}, "timeouts": {"1": 0.2}}
    assert known.taught({1}, taught, None) is None
    assert known.taught({1}, taught, {"holes": {}}) == {"holes": {}, "timeouts": {"1": 0.2}}
    later = patience()
    later.start_with(taught)
    assert later.timeout(1) == 0.2


@pytest.mark.parametrize("nonsense", [None, [], {"1": "x"}, {"x": 1}, {"1": -1}, {"1": None}])
def test_what_cannot_be_understood_is_learnt_again(nonsense):
    known = patience()
    at_first = known.timeout(1)
    known.start_with({"timeouts": nonsense})
    assert known.timeout(1) == at_first


@pytest.mark.parametrize(
    ("usual", "spread", "slow", "share"),
    [
        (0.02, 0.01, 0.05, 0.02),
        (0.06, 0.05, 0.3, 0.01),
        (0.2, 0.1, 0.6, 0.05),
        (0.5, 0.2, 0.9, 0.1),
        (0.9, 0.1, 1.2, 0.02),
    ],
)
def test_five_kinds_of_devices_need_no_manual_timing(usual, spread, slow, share):
    """After 300 answers, 5 minutes at one a second, at most one in 200 is given up."""
    chance, known, given_up = random.Random(4), patience(), []
    for number in range(3000):
        taken = slow if chance.random() < share else usual + chance.uniform(0, spread)
        if taken > known.timeout(1):
            known.came_late(1, taken)
            given_up.append(number)
        else:
            known.answered(1, taken)
    assert len([number for number in given_up if number >= 300]) <= 2700 * 0.005


HOLDING = ModbusAddress(offset=5)


async def read_until_given_up(driver: ModbusDriver, plan) -> None:
    with pytest.raises(NoResponse):
        await driver.read(plan)


@pytest.mark.parametrize("transport", ["tcp", "rtu-over-tcp"])
async def test_a_device_slower_than_its_timeout_is_told_by_name_and_with_a_figure(
    tcp, gateway, transport
):
    peer: TcpPeer = tcp if transport == "tcp" else gateway
    right = peer.script
    settings = {"host": "127.0.0.1", "port": peer.port, "timeout": 0.2, "transport": transport}
    driver = ModbusDriver(ModbusSettings(**settings))
    await driver.open()
    plan = driver.plan([HOLDING], {})
    peer.script = lambda request: [(0.3, right(request)[0][1])]
    await read_until_given_up(driver, plan)
    await asyncio.sleep(0.2)
    peer.script = right
    assert (await driver.read(plan)).values == [1005]
    await driver.close()
    assert driver.evidence["late"] == 1
    (sentence,) = driver.advice()
    figures = re.fullmatch(
        r"unit 1 was seen to answer after (\S+) s, but is given up after 0\.2 s: "
        r"raise the timeout to (\S+) s",
        sentence,
    )
    assert figures
    assert 0.3 <= float(figures[1]) < float(figures[2])


@pytest.mark.thorough
async def test_a_device_slower_than_the_default_is_read_after_its_first_late_answer(line):
    """A serial line of 115200 baud gives 0.3 s; this device takes 0.5 s and needs no setting."""
    right = line.script
    line.script = lambda request: [(0.5, right(request)[0][1])]
    driver = ModbusDriver(ModbusSettings(transport="rtu", port=str(line.path), baud=115200))
    await driver.open()
    plan = driver.plan([HOLDING], {})
    await read_until_given_up(driver, plan)
    samples = await driver.read(plan)
    await driver.close()
    assert samples.values == [1005]
    assert samples.learnt["timeouts"] == {"1": 1.0}
    assert driver.advice() == []


@pytest.mark.thorough
async def test_a_silent_unit_costs_only_what_its_answers_once_took(tcp, device):
    driver = ModbusDriver(ModbusSettings(host="127.0.0.1", port=tcp.port))
    await driver.open()
    plan = driver.plan([HOLDING], {})
    learnt = None
    for _ in range(70):
        learnt = (await driver.read(plan)).learnt or learnt
    tcp.script = lambda request: []
    started = asyncio.get_running_loop().time()
    await read_until_given_up(driver, plan)
    await driver.close()
    assert asyncio.get_running_loop().time() - started < 2.5, "at first it would be 3 s"
    assert learnt == {"timeouts": {"1": 0.5}}


async def test_an_answer_is_known_by_its_number_however_late(tcp):
    right, kept = tcp.script, []
    driver = ModbusDriver(ModbusSettings(host="127.0.0.1", port=tcp.port, timeout=0.2))
    await driver.open()
    plan = driver.plan([HOLDING], {})
    tcp.script = lambda request: kept.append(right(request)[0][1]) or []
    for _ in range(3):
        await read_until_given_up(driver, plan)
    tcp.script = lambda request: [(0, kept[1] + kept[0] + right(request)[0][1] + kept[2])]
    assert (await driver.read(plan)).values == [1005]
    tcp.script = right
    assert (await driver.read(plan)).values == [1005]
    await driver.close()
    assert driver.evidence == {"late": 3}
    assert "raise the timeout to" in driver.advice()[0]


async def test_an_answer_cut_off_and_a_late_one_behind_it_are_not_one(tcp, device):
    """TCP has no checksum of its own frames: the pieces must not pass for a whole answer."""
    right, kept = tcp.script, []
    driver = ModbusDriver(ModbusSettings(host="127.0.0.1", port=tcp.port, timeout=0.2))
    await driver.open()
    driver._framer._number = 0x0400  # its first byte is what a byte count looks like
    plan = driver.plan([ModbusAddress(offset=at) for at in (5, 6)], {})
    tcp.script = lambda request: kept.append(right(request)[0][1]) or []
    await read_until_given_up(driver, plan)
    tcp.script = lambda request: [(0, right(request)[0][1][:8] + kept[0])]
    with pytest.raises(NoResponse):
        await driver.read(plan)
    await driver.close()
    assert take_mbap(kept[0])[0] >> 8 == 4
