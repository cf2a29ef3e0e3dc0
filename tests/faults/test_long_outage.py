"""The broker is away for a shift of eight hours, a hundred times faster."""

import asyncio

from tests.rigs.agent_process import agent, configure
from tests.rigs.counter_plc import Heartbeat, connection, drain
from tests.rigs.fault_report import judged
from tests.rigs.fault_sizes import sized
from tests.rigs.site import site
from tests.rigs.until import until

FASTER = 100  # polls every 10 ms instead of every second, pauses of 0.6 s instead of a minute
CAP = 0.6
HURRY = {"edge_agent.publisher.FIRST_DELAY": 0.01, "edge_agent.publisher.LAST_DELAY": CAP}


@sized(quick=0.5, full=8 * 3600 / FASTER)
async def test_a_shift_without_a_broker_is_made_up_for(tmp_path, size):
    with judged(13, "broker away, 100 times faster", full=size.full) as outcome:
        async with site(tmp_path) as (plc, between, arrivals, _), Heartbeat() as own:
            config = configure(between.port, connection(plc, units=2, every="10ms"))
            async with agent(tmp_path, config, HURRY) as gateway:
                await until(lambda: arrivals.delivered > 5)
                memory = gateway.memory_mb()
                tries = await _outage(between, size.amount)
                grown = gateway.memory_mb() - memory
                heard, healed = arrivals.delivered, asyncio.get_running_loop().time()
                await until(lambda: arrivals.delivered > heard)
                starts = asyncio.get_running_loop().time() - healed
                outcome.recovery_s = starts + await drain(gateway, plc, seconds=300)
                await until(lambda: arrivals.good >= plc.count())
        hours = round(size.amount * FASTER / 3600, 2)
        outcome.notes |= {"outage h": hours, "tries": tries, "memory grown MB": round(grown, 1)}
        outcome.judge(arrivals, served=plc.count())
        outcome.assert_nothing_lost_silently()
        assert outcome.losses == 0
        assert grown <= 20
        assert starts <= CAP + 0.5 + own.noise
        assert tries <= size.amount / (CAP * 0.8) + 8, "one a minute at the cap, and the first few"


async def _outage(between, seconds):
    """Refuse every connection for a while; give how many were tried."""
    before = len(between.connects)
    between.refusing = True
    between.reset()
    await asyncio.sleep(seconds)
    between.refusing = False
    return len(between.connects) - before
