"""What was refused is asked for again after the start, and then once a day."""

import pytest
from edge_agent_modbus import ModbusAddress, ModbusDriver, ModbusSettings, retest
from edge_agent_modbus.plan import Member, Suspect, make_block
from edge_agent_modbus.retest import RETEST_SECONDS, RETESTS_PER_READ, Retests

from edge_agent.driver import Why
from tests.rigs.modbus_tcp import take_mbap


def suspect(offset: int, code: int = 2) -> Suspect:
    return Suspect(make_block([Member(0, ModbusAddress(offset=offset))]), code)


def test_a_suspect_is_due_at_once_and_then_after_a_day():
    retests = Retests()
    one = suspect(1)
    queue = retests.queue([one])
    assert retests.due(queue, 100.0) == [one]
    retests.note(one.request, 100.0)
    assert retests.due(queue, 101.0) == []
    assert retests.due(queue, 99.0 + RETEST_SECONDS) == []
    assert retests.due(queue, 100.0 + RETEST_SECONDS) == [one]


def test_a_trial_waits_for_the_first_day_to_pass():
    retests = Retests()
    trial = suspect(1, code=0)
    queue = retests.queue([trial])
    assert retests.due(queue, 100.0) == []
    assert retests.due(queue, 100.0 + RETEST_SECONDS) == [trial]


def test_many_suspects_are_asked_a_few_at_a_time_until_all_were():
    retests = Retests()
    queue = retests.queue([suspect(at) for at in range(10)])
    asked = []
    for _ in range(5):
        found = retests.due(queue, 5.0)
        assert len(found) <= RETESTS_PER_READ
        for each in found:
            retests.note(each.request, 5.0)
        asked += [each.request.offset for each in found]
    assert asked == list(range(10))


def test_a_new_plan_asks_for_nothing_that_was_just_asked():
    retests = Retests()
    old, new = suspect(1), suspect(2)
    retests.note(old.request, 50.0)
    queue = retests.queue([old, new])
    assert retests.due(queue, 51.0) == [new]


def test_where_there_is_nothing_else_one_is_asked_although_it_is_not_due():
    retests = Retests()
    queue = retests.queue([suspect(1), suspect(2)])
    for each in queue:
        retests.note(each.request, 5.0)
    first, second, third = (retests.due(queue, 6.0, at_least=1) for _ in range(3))
    assert [len(found) for found in (first, second, third)] == [1, 1, 1]
    assert first == third != second


@pytest.fixture
async def driver(tcp, monkeypatch):
    monkeypatch.setattr(retest, "RETEST_SECONDS", 0.0)  # every read is a day later
    driver = ModbusDriver(ModbusSettings(host="127.0.0.1", port=tcp.port, timeout=0.1))
    await driver.open()
    yield driver
    await driver.close()


def registers(*offsets: int) -> list[ModbusAddress]:
    return [ModbusAddress(offset=offset) for offset in offsets]


async def test_a_limit_that_was_lifted_is_forgotten_the_next_day(driver, device):
    device.most = 16
    wanted = registers(*range(60))
    learnt = (await driver.read(driver.plan(wanted, {}))).learnt
    limit = learnt["limits"]["1/holding"]
    assert limit <= 16
    plan = driver.plan(wanted, learnt)
    device.reads.clear()
    samples = await driver.read(plan)
    assert samples.values == [1000 + at for at in range(60)]
    assert (3, 0, 60) in device.reads  # the trial, refused
    assert driver.plan(wanted, samples.learnt or learnt).blocks[0].request.count <= 16

    device.most = 125
    samples = await driver.read(plan)
    assert samples.values == [1000 + at for at in range(60)]
    assert samples.learnt["limits"] == {}
    assert len(driver.plan(wanted, samples.learnt).blocks) == 1


async def test_a_border_and_a_gap_that_went_away_are_forgotten(driver):
    learnt = {"holes": {"1/holding": [[3, 0, 2], [6, 2, 2]]}}
    wanted = registers(2, 3, 5, 8)
    for _ in range(4):
        samples = await driver.read(driver.plan(wanted, learnt))
        assert samples.values == [1002, 1003, 1005, 1008]
        learnt = samples.learnt or learnt
    assert learnt["holes"] == {}


async def test_a_trial_that_is_not_answered_costs_no_value(driver, tcp, device):
    right = tcp.script
    tcp.script = lambda frame: [] if take_mbap(frame)[2][-1] > 16 else right(frame)
    wanted = registers(*range(32))
    plan = driver.plan(wanted, {"limits": {"1/holding": 16}})
    samples = await driver.read(plan)
    assert samples.values == [1000 + at for at in range(32)]
    assert not samples.flaws
    assert not device.writes


async def test_a_suspect_that_answers_otherwise_is_judged_like_every_answer(driver, tcp):
    right = tcp.script

    def script(frame: bytes):
        [(delay, answer)] = right(frame)
        is_suspect = take_mbap(frame)[2][1:3] == b"\0\x19"
        return (
            [(delay, answer[:5] + b"\x03" + answer[6:7] + b"\x83\x04")]
            if is_suspect
            else [(delay, answer)]
        )

    tcp.script = script
    samples = await driver.read(
        driver.plan(registers(0, 25), {"holes": {"1/holding": [[25, 1, 2]]}})
    )
    assert samples.values == [1000, None]
    assert samples.flaws[1].why is Why.DEVICE_BAD
