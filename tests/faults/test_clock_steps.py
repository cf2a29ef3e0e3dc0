"""A wall clock that is wrong or jumps: polls keep their pace, nothing is deleted, order stays."""

import asyncio
import json
import time
from pathlib import Path

import pytest
from edge_agent_modbus import ModbusAddress, ModbusSettings

from edge_agent.config.model import Connection, Device, Point
from edge_agent.row import Row
from tests.rigs.agent_process import agent, configure
from tests.rigs.arrivals import arrivals_at
from tests.rigs.buffers import append, drain, lanes, named, opened, pass_time
from tests.rigs.counter_plc import CounterPlc, Heartbeat, connection, hangs, longest_gap
from tests.rigs.counter_plc import drain as drained
from tests.rigs.fake_broker import fake_broker
from tests.rigs.fault_report import judged
from tests.rigs.hand_clock import HandClock
from tests.rigs.step_clock import StepClock
from tests.rigs.until import until
from tests.rigs.whole_agent import configuration, running

EVERY = 0.05
HOUR, MONTH = 3600.0, 30 * 86400.0
STEPS = {"+7 months": 7 * MONTH, "-1 h": -HOUR, "+1 h": HOUR}
UNAVAILABLE = 0x88  # MQTT 5, 3.2.2.2: try again soon
FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch):
    monkeypatch.setattr("edge_agent.publisher.FIRST_DELAY", 0.1)
    monkeypatch.setattr("edge_agent.publisher.LAST_DELAY", 0.5)


def counter(plc: CounterPlc) -> Connection:
    """Configure a device whose every served value is known."""
    point = Point("counter", ModbusAddress(table="holding", offset=0, type="uint32"), every=EVERY)
    settings = ModbusSettings(transport="tcp", host="127.0.0.1", port=plc.port)
    return Connection("l", "modbus", settings, (Device("l-1", (point,)),))


def assert_pace(outcome, plc, since, every, noise, lost):
    """No poll came late by more than a period, and none came in a burst.

    But for the seconds that this machine was busy: at the longest, and in all.
    """
    instants = [at for at in plc.served[1] if at >= since]
    outcome.recovery_s = instants[0] - since
    expected = (instants[-1] - instants[0]) / every
    outcome.notes["longest gap, periods"] = round(longest_gap(instants) / every, 1)
    assert longest_gap(instants) <= 2 * every + noise
    more = len(instants) - 1 - expected
    assert -1 - (noise + 2 * lost) / every <= more <= 1 + noise / every


async def nothing_waits(agent, plc):
    """Let the device say nothing more, and wait until all it said is acknowledged."""
    plc.mood = hangs
    await asyncio.sleep(0.1)  # what was answered last is on its way into the buffer
    await until(lambda: not (agent.buffer.waiting or agent.buffer.losses), 60)


@pytest.mark.faults
@pytest.mark.parametrize("step", STEPS)
async def test_a_step_of_a_clock_that_was_right_changes_no_pace_and_deletes_nothing(tmp_path, step):
    with judged(12, f"clock steps by {step}") as outcome:
        clock = StepClock()
        async with CounterPlc() as plc, fake_broker(connack=UNAVAILABLE) as broker:
            async with running(configuration(tmp_path, broker.port, counter(plc)), clock) as agent:
                await until(lambda: agent.buffer.used and plc.count() > 10)
                began = time.monotonic()
                async with Heartbeat() as heartbeat:
                    clock.offset += STEPS[step]
                    await until(lambda: time.monotonic() - began > 1)
                assert_pace(outcome, plc, began, EVERY, heartbeat.worst, heartbeat.lost)
                broker.connack = 0
                await until(lambda: broker.payloads("/data"))
                await nothing_waits(agent, plc)
        outcome.judge(arrivals_at(broker), served=plc.count())
        assert outcome.losses == 0, arrivals_at(broker).losses
        outcome.assert_nothing_lost_silently()


async def test_a_start_with_a_stale_clock_deletes_nothing_when_it_becomes_right(tmp_path):
    with judged(12, "start at a stale date, then +7 months") as outcome:
        clock = StepClock(-7 * MONTH, is_synced=False)
        async with CounterPlc() as plc, fake_broker(connack=UNAVAILABLE) as broker:
            async with running(configuration(tmp_path, broker.port, counter(plc)), clock) as agent:
                await until(lambda: agent.buffer.used and plc.count() > 10)
                began = time.monotonic()
                async with Heartbeat() as heartbeat:
                    clock.offset, clock.is_synced = 0.0, True
                    agent.buffer.synced = True  # as the agent's next look at the kernel says
                    await until(lambda: time.monotonic() - began > 0.7)
                assert_pace(outcome, plc, began, EVERY, heartbeat.worst, heartbeat.lost)
                broker.connack = 0
                await until(lambda: broker.payloads("/data"))
                await nothing_waits(agent, plc)
        outcome.judge(arrivals_at(broker), served=plc.count())
        assert outcome.losses == 0, arrivals_at(broker).losses
        outcome.assert_nothing_lost_silently()
        data = [json.loads(one) for one in broker.payloads("/data")]
        assert not any("tq" in message for message in data), "what waited was corrected"
        assert (
            max(message["ts"] for message in data) - min(message["ts"] for message in data) < 60e3
        )


async def test_readings_of_an_unsynchronised_clock_are_corrected_to_a_second(tmp_path):
    """The clock was seven months behind; it became right while they waited on the disk."""
    with judged(12, "times of a stale clock are corrected") as outcome:
        clock, true = HandClock(synced=False), {}
        clock.step(-7 * MONTH)
        async with opened(tmp_path, clock) as buffer:
            for number in range(20):
                append(buffer, clock, b"%d" % number)
                true[buffer.last_seq] = clock.now() + 7 * MONTH * 1000
                await pass_time(buffer, clock, 1.0)
            clock.step(7 * MONTH)
            buffer.synced, began = True, time.monotonic()
            items = await drain(buffer, clock)
            outcome.recovery_s = time.monotonic() - began
        worst = max(abs(item.ts - true[item.seq]) for item in items) / 1000
        outcome.tally(true, *lanes(items), lost=named(items))
        outcome.notes = {"worst time, s off": round(worst)}
        assert outcome.missing == outcome.duplicates == outcome.disorder == 0
        assert worst <= 1.0


@pytest.mark.parametrize("step", ["+7 months", "-1 h", "+1 h"])
async def test_a_step_while_readings_wait_on_disk_deletes_none_and_keeps_their_order(
    tmp_path, step
):
    with judged(12, f"{step} while readings wait") as outcome:
        clock = HandClock()
        async with opened(tmp_path, clock, max_age=MONTH) as buffer:
            for number in range(20):
                append(buffer, clock, b"%d" % number)
                await pass_time(buffer, clock, 1.0)
                if number == 10:
                    clock.step(STEPS[step])
            await pass_time(buffer, clock, 2.0)
            made, began = range(1, buffer.last_seq + 1), time.monotonic()
            items = await drain(buffer, clock)
            outcome.recovery_s = time.monotonic() - began
        rows = [item for item in items if isinstance(item, Row)]
        outcome.tally(made, *lanes(items), lost=named(items))
        assert outcome.losses == 0
        assert outcome.missing == outcome.duplicates == outcome.disorder == 0
        assert {row.body for row in rows} == {b"%d" % number for number in range(20)}


@pytest.mark.skipif(FAKETIME is None, reason="libfaketime is missing: apt-get install libfaketime")
@pytest.mark.faults
async def test_the_real_process_keeps_its_pace_when_its_date_is_set(tmp_path):
    with judged(12, "date set: stale, +7 months, -1 h, +1 h (real process)") as outcome:
        date = tmp_path / "date"
        date.write_text("-210d")
        faked = {
            "LD_PRELOAD": str(FAKETIME),
            "FAKETIME_TIMESTAMP_FILE": str(date),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        async with CounterPlc() as plc, fake_broker() as broker:
            config = configure(broker.port, connection(plc, every="50ms"))
            async with agent(tmp_path, config, environment=faked) as gateway:
                await until(lambda: len(broker.payloads("/data")) > 40)
                began, before = time.monotonic(), longest_gap(plc.served[1])
                async with Heartbeat() as heartbeat:
                    for offset in ("+0", "-3600", "+0"):
                        date.write_text(offset)
                        count = plc.count()
                        await until(lambda count=count: plc.count() > count + 15)
                noise = max(heartbeat.noise, before)  # as late as it is while the date stands
                assert_pace(outcome, plc, began, EVERY, noise, heartbeat.lost)
                await drained(gateway, plc)
                await gateway.stop()
        times = [json.loads(one)["ts"] for one in broker.payloads("/data")]
        assert max(times) - min(times) > 6 * MONTH * 1000, "the date was really set"
        outcome.judge(arrivals_at(broker), served=plc.count())
        outcome.assert_nothing_lost_silently()
