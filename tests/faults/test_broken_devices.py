"""Devices that reboot, refuse, hang, send garbage, or answer late and as somebody else."""

import asyncio
import random
import time

from tests.rigs.agent_process import agent, configure
from tests.rigs.arrivals import heard
from tests.rigs.counter_plc import CounterPlc, Heartbeat, connection, hangs, honest, several
from tests.rigs.fault_report import judged
from tests.rigs.fault_sizes import sized
from tests.rigs.modbus_tcp import mbap
from tests.rigs.mosquitto import mosquitto
from tests.rigs.moving_plant import quieten
from tests.rigs.site import ENDLESS
from tests.rigs.until import until

EVERY = 0.05
TIMEOUT = 0.1


@sized(quick=0.2, full=45.0, thorough=True)
async def test_a_device_that_reboots_refuses_or_hangs_is_only_its_own_trouble(tmp_path, size):  # noqa: PLR0915 - one story
    """Pauses before a lost link is tried again are at most 30 s, and half a second when quick."""
    with judged(22, "PLC hangs, refuses, reboots", full=size.full) as outcome:
        async with CounterPlc() as sick, CounterPlc() as well, Heartbeat() as own:
            async with mosquitto(tmp_path, *ENDLESS) as port:
                with heard(port) as arrivals:
                    lines = [
                        connection(sick, "sick", every=f"{EVERY}s", timeout=TIMEOUT),
                        connection(well, "well", every=f"{EVERY}s"),
                    ]
                    hurry = {"edge_agent.poller.LAST_DELAY": 30.0} if size.full else {}
                    config = configure(port, *lines)
                    async with agent(tmp_path, config, hurry) as gateway:
                        await until(lambda: len(arrivals.values["sick-1"]) >= 5)
                        began, polls, lost = time.monotonic(), well.count(), own.lost
                        noticed = [await _fails(sick, arrivals, _hang)]
                        await asyncio.sleep(size.amount)
                        recovered = [await _comes_back(sick, arrivals, _talk)]
                        noticed.append(await _fails(sick, arrivals, CounterPlc.stop))
                        await asyncio.sleep(size.amount)
                        recovered.append(await _comes_back(sick, arrivals, CounterPlc.start))
                        sick.peer.hang_up()  # a reboot that is over at once
                        await _comes_back(sick, arrivals, _talk)
                        elapsed = time.monotonic() - began
                        share = (well.count() - polls) / (elapsed / EVERY)
                        lost = (own.lost - lost) / elapsed
                        made = await quieten(gateway, config)
                        await until(lambda: arrivals.delivered >= made)
        outcome.recovery_s = max(recovered)
        outcome.notes |= {"noticed after s": round(max(noticed), 2), "neighbour": f"{share:.0%}"}
        outcome.judge(arrivals, made=made)
        outcome.assert_nothing_lost_silently()
        most = 2 * EVERY + 2 * TIMEOUT + 0.3 + own.noise
        assert max(noticed) <= most, "two periods, and what a poll takes"
        assert max(recovered) <= (30 if size.full else 0.5) + 2 + own.noise
        assert share >= 0.95 - 2 * lost, "but for what this machine is too busy for"
        assert set(arrivals.bad) <= {"sick-1"}
        assert arrivals.values["sick-1"] == sorted(set(arrivals.values["sick-1"]))


async def _hang(plc):
    plc.mood = hangs


async def _talk(plc):
    plc.mood = honest


async def _fails(plc, arrivals, how):
    before, began = arrivals.bad["sick-1"], time.monotonic()
    await how(plc)
    await until(lambda: arrivals.bad["sick-1"] > before)
    return time.monotonic() - began


async def _comes_back(plc, arrivals, how):
    before, began = len(arrivals.values["sick-1"]), time.monotonic()
    await how(plc)
    await until(lambda: len(arrivals.values["sick-1"]) > before, 90)
    return time.monotonic() - began


# --- answers that must not be believed ---------------------------------------------------------


def late(plc, number, unit, pdu):
    # So late that an agent on a busy machine, which looks up late itself, has given it up too.
    return [(TIMEOUT * 3, mbap(number, unit, plc.lie(unit, pdu, "late")))]


def dripping(plc, number, unit, pdu):
    whole = mbap(number, unit, plc.lie(unit, pdu, "dripping"))
    return [(0 if not at else TIMEOUT / 2, whole[at : at + 1]) for at in range(len(whole))]


def of_another_unit(plc, number, unit, pdu):
    return [(0, mbap(number, unit + 7, plc.lie(unit, pdu, "of_another_unit")))]


def of_another_function(plc, number, unit, pdu):
    return [(0, mbap(number, unit, b"\x04" + plc.lie(unit, pdu, "of_another_function")[1:]))]


def of_another_count(plc, number, unit, pdu):
    answer = plc.lie(unit, pdu, "of_another_count")
    return [(0, mbap(number, unit, bytes((answer[0], answer[1] + 2)) + answer[2:] + b"\0\0"))]


def of_another_number(plc, number, unit, pdu):
    # Not the number of a request that is due soon: such an answer would be right by then.
    return [(0, mbap(number + 1000 & 0xFFFF, unit, plc.lie(unit, pdu, "of_another_number")))]


def cut_short(plc, number, unit, pdu):
    return [(0, mbap(number, unit, plc.lie(unit, pdu, "cut_short"))[:-2])]


def garbage(plc, number, unit, pdu):
    return [(0, random.Random(number).randbytes(60))]


def oversized(plc, number, unit, pdu):
    return [(0, b"\0\1\0\0\xff\xff" + bytes(3000))]


def an_exception(plc, number, unit, pdu):
    return [(0, mbap(number, unit, bytes((pdu[0] | 0x80, 4))))]


def twice(plc, number, unit, pdu):
    again = (0, mbap(number, unit, plc.lie(unit, pdu, "twice")))
    return [*honest(plc, number, unit, pdu), again]


GARBAGE = [garbage, oversized, an_exception, cut_short, dripping]
FOREIGN = [late, of_another_unit, of_another_function, of_another_count, of_another_number, twice]


async def _wrong(tmp_path, size, number, fault, moods):  # noqa: PLR0915 - one story
    """Let a few devices answer wrongly every third time, until they were asked often enough."""
    chance = random.Random(number)

    def mood(*request):
        return (chance.choice(moods) if chance.random() < 0.3 else honest)(*request)

    with judged(number, fault, full=size.full) as outcome:
        async with several(4, mood) as plcs, mosquitto(tmp_path, *ENDLESS) as port:
            with heard(port) as arrivals:
                lines = [
                    connection(plc, f"plc{at}", every="10ms", timeout=TIMEOUT)
                    for at, plc in enumerate(plcs)
                ]
                config = configure(port, *lines)
                async with agent(tmp_path, config) as gateway:
                    await until(lambda: sum(len(plc.asked) for plc in plcs) >= size.amount, 900)
                    ended, before = time.monotonic(), arrivals.good
                    for plc in plcs:
                        plc.mood = honest
                    await until(lambda: arrivals.good > before + 8)
                    outcome.recovery_s = time.monotonic() - ended
                    made = await quieten(gateway, config)
                    await until(lambda: arrivals.delivered >= made)
                    assert not gateway.events("driver_bug")
                    assert len(gateway.log) < 200
        asked = sum(len(plc.asked) for plc in plcs)
        outcome.notes |= {"asked": asked, "without a value": sum(arrivals.bad.values())}
        outcome.judge(arrivals, made=made)
        outcome.assert_nothing_lost_silently()
        for at, plc in enumerate(plcs):
            values = arrivals.values[f"plc{at}-1"]
            assert plc.lies or number == 23
            believed = {value: plc.lies[value] for value in values if value in plc.lies}
            assert believed == {}, f"a wrong value: {believed}"
            assert values == sorted(set(values)), "a value twice, or in a poll that is not its own"
            assert max(values) <= len(plc.served[1]), "a value that was never served"
            assert arrivals.bad[f"plc{at}-1"], "a poll that brought nothing is no bad reading"


@sized(full=10_000)
async def test_garbage_is_never_a_value(tmp_path, size):
    await _wrong(tmp_path, size, 23, "garbage, oversize, cut, dripping, exceptions", GARBAGE)


@sized(quick=120, full=10_000)
async def test_answers_to_other_requests_are_never_a_value(tmp_path, size):
    await _wrong(tmp_path, size, 24, "late, twice, foreign unit, function, count, number", FOREIGN)
