"""The agent is killed again and again at any moment, while the network comes and goes."""

import asyncio
import random
import time

from tests.rigs.agent_process import HURRY_HISTORY, AgentProcess, configure
from tests.rigs.counter_plc import connection, drain
from tests.rigs.fault_report import judged
from tests.rigs.fault_sizes import sized
from tests.rigs.site import site
from tests.rigs.until import until

UNITS = 4
WINDOW = 40
FLUSH = 0.2
SLACK = 0.1  # seconds: an answer is on its way through socket, loop and thread on a busy machine


@sized(quick=(2, 0.3), full=(100, 5.0))
async def test_after_a_storm_of_kills_only_the_flush_before_each_kill_is_gone(tmp_path, size):
    times, longest = size.amount
    with judged(4, f"{times} times SIGKILL, network on and off", full=size.full) as outcome:
        async with site(tmp_path) as (plc, between, arrivals, _):
            config = configure(between.port, connection(plc, units=UNITS), max_inflight=WINDOW)
            gateway = AgentProcess(tmp_path, config, {} if size.full else HURRY_HISTORY)
            kills = await _storm(gateway, between, times, longest)
            began, before = time.monotonic(), plc.count()
            await gateway.start()
            await until(lambda: plc.count() > before, 10)
            outcome.recovery_s = time.monotonic() - began
            await gateway.ready()
            await drain(gateway, plc, seconds=120)
            await until(lambda: not arrivals.missing, 10)
            await gateway.kill()
        outcome.judge(arrivals, served=plc.count())
        gone = _ages_of_what_is_gone(plc, arrivals, kills)
        outcome.notes["oldest gone s"] = round(max(gone, default=0), 3)
        outcome.assert_nothing_lost_silently()
        assert outcome.recovery_s <= 5
        assert outcome.duplicates <= WINDOW * (times + 1)
        assert max(gone, default=0) <= FLUSH + SLACK
        assert len(arrivals.accounts.report()["agents"]) == 1, "the epoch changed"
        causes = {(loss["why"], loss["exposed_ms"]) for loss in arrivals.losses}
        assert causes <= {("power_cut", FLUSH * 1000)}


async def _storm(gateway, between, times, longest):
    """Start and kill; give the instants of the kills."""
    chance, kills = random.Random(4), []
    for _ in range(times):
        await gateway.start()
        between.refusing = chance.random() < 0.5
        if chance.random() < 0.6:
            await gateway.ready()
        await asyncio.sleep(chance.uniform(0.1, longest))
        assert gateway.running
        await gateway.kill()
        kills.append(time.monotonic())
        between.reset()
    between.refusing = False
    return kills


def _ages_of_what_is_gone(plc, arrivals, kills):
    """Give how long before the next kill each value was served that never arrived."""
    return [
        min(kill - at for kill in kills if kill >= at)
        for unit in range(1, UNITS + 1)
        for value, at in enumerate(plc.served[unit], 1)
        if value not in set(arrivals.values[f"line-{unit}"])
    ]
