"""A half-open connection: the network drops everything and tells nobody."""

import asyncio
import time

from tests.rigs.agent_process import agent, configure
from tests.rigs.counter_plc import Heartbeat, connection, drain
from tests.rigs.fault_report import judged
from tests.rigs.fault_sizes import sized
from tests.rigs.site import site
from tests.rigs.until import until


@sized(quick=1, full=30, thorough=True)
async def test_what_was_sent_into_a_silent_network_comes_again(tmp_path, size):
    await _half_open(tmp_path, size, "20ms", "busy")


@sized(full=30)
async def test_a_silent_network_is_noticed_when_nothing_is_sent(tmp_path, size):
    await _half_open(tmp_path, size, "1h", "idle")


async def _half_open(tmp_path, size, every, traffic):
    keep_alive = size.amount  # the shipped one is 30 s
    with judged(18, f"half-open TCP, {traffic}", full=size.full) as outcome:
        async with site(tmp_path) as (plc, between, arrivals, _), Heartbeat() as own:
            line = connection(plc, every=every)
            config = configure(between.port, line, ack_timeout=keep_alive * 2 / 3)
            hurry = {"edge_agent.mqtt.KEEP_ALIVE": keep_alive}
            async with agent(tmp_path, config, hurry) as gateway:
                await until(lambda: arrivals.delivered >= 1)
                between.silence()
                silent = time.monotonic()
                await until(lambda: gateway.events("not_connected"), 90)
                noticed = time.monotonic() - silent
                await asyncio.sleep(keep_alive / 3)
                between.heal()
                healed = time.monotonic()
                await until(lambda: len(gateway.events("connected")) >= 2, 60)
                outcome.recovery_s = time.monotonic() - healed
                await drain(gateway, plc)
                await until(lambda: arrivals.good >= plc.count())
        outcome.notes["noticed after s"] = round(noticed, 1)
        outcome.judge(arrivals, served=plc.count())
        outcome.assert_nothing_lost_silently()
        assert noticed <= 1.5 * keep_alive + 1.5 + own.noise, "keep-alive and a tick"
        assert outcome.recovery_s <= 10 + own.noise
