"""Ten devices and a broker that fail at every try: the log stays short."""

import asyncio
import random
import time
from collections import Counter

import pytest

from tests.rigs.agent_process import agent, configure
from tests.rigs.arrivals import arrivals_at
from tests.rigs.counter_plc import connection, honest, several
from tests.rigs.fake_broker import RESET, fake_broker
from tests.rigs.fault_report import judged
from tests.rigs.fault_sizes import FULL_TIMEOUT, Size, sized
from tests.rigs.limits import Limits, limited, why_not
from tests.rigs.modbus_tcp import mbap
from tests.rigs.moving_plant import quieten
from tests.rigs.until import until

DEVICES = 10
LINES, SECONDS = 200, 30  # at most so many lines in so many seconds
# The shipped pauses, since it is they that keep the log short.
SHIPPED = {
    "edge_agent.publisher.FIRST_DELAY": 1.0,
    "edge_agent.publisher.LAST_DELAY": 60.0,
    "edge_agent.poller.FIRST_DELAY": 1.0,
    "edge_agent.poller.LAST_DELAY": 30.0,
}
chance = random.Random(28)


def refuses(plc, number, unit, pdu):
    """Refuse every other request, for one reason or another."""
    if chance.random() < 0.5:
        return [(0, mbap(number, unit, bytes((pdu[0] | 0x80, chance.choice((1, 2, 3, 4, 6))))))]
    return honest(plc, number, unit, pdu)


def breaks(plc, number, unit, pdu):
    """Hang up, send garbage, or answer."""
    dice = chance.random()
    if dice < 0.1:
        plc.peer.hang_up()
        return []
    if dice < 0.2:
        return [(0, chance.randbytes(40))]
    return honest(plc, number, unit, pdu)


@sized(quick=1.0, full=120.0, thorough=True)
async def test_a_flood_of_refusals_is_summarised_in_the_log(tmp_path, size):
    await _flood(tmp_path, size, refuses)


@pytest.mark.faults
@pytest.mark.timeout(FULL_TIMEOUT)
async def test_a_flood_of_broken_links_is_summarised_in_the_log(tmp_path):
    await _flood(tmp_path, Size(120.0, full=True), breaks)


@pytest.mark.skipif(why_not() != "", reason=why_not())
@pytest.mark.faults
@pytest.mark.timeout(FULL_TIMEOUT)
async def test_a_flood_is_summarised_by_a_slow_machine_too(tmp_path):
    with limited(Limits(192 << 20, 0.2, 256)) as wrapper:
        await _flood(tmp_path, Size(60.0, full=True), refuses, wrapper)


async def _flood(tmp_path, size, mood, wrapper=()):
    every, slowly = ("50ms", " (20 % of a processor)") if wrapper else ("5ms", "")
    fault = f"broker resets, every device {mood.__name__}{slowly}"
    with judged(28, fault, full=size.full) as outcome:
        async with (
            several(DEVICES, mood) as plcs,
            fake_broker(answer=_resets_often) as broker,
        ):
            lines = [
                connection(plc, f"plc{at}", every=every, timeout=0.02)
                for at, plc in enumerate(plcs)
            ]
            began, more = time.monotonic(), {"hurry": SHIPPED, "wrapper": wrapper}
            config = configure(broker.port, *lines)
            async with agent(tmp_path, config, **more) as gateway:
                await until(lambda: broker.received)
                await asyncio.sleep(size.amount)
                log, seconds = list(gateway.log), time.monotonic() - began
                broker.answer, ended = lambda *_: 0, time.monotonic()
                for plc in plcs:
                    plc.mood = honest
                made = await quieten(gateway, config)
                outcome.recovery_s = time.monotonic() - ended
        events = Counter(line["event"] for line in log).most_common(3)
        outcome.notes |= {"log lines": len(log), "seconds": round(seconds), "most said": events}
        outcome.judge(arrivals_at(broker), made=made)
        outcome.assert_nothing_lost_silently()
        assert len(log) <= LINES * max(1, seconds / SECONDS)


def _resets_often(number, _message):
    return RESET if number % 5 == 0 else 0
