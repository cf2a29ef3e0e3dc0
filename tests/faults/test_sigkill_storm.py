"""The agent is killed again and again at any moment, while the network comes and goes."""

import asyncio
import random
import time

from tests.rigs.agent_process import HURRY_HISTORY, AgentProcess, configure
from tests.rigs.counter_plc import Heartbeat, connection, drain
from tests.rigs.fault_report import judged
from tests.rigs.fault_sizes import sized
from tests.rigs.site import site
from tests.rigs.until import until

UNITS = 4
WINDOW = 40
FLUSH = 0.2


@sized(quick=(2, 0.3), full=(100, 5.0))
async def test_after_a_storm_of_kills_only_the_flush_before_each_kill_is_gone(tmp_path, size):
    times, longest = size.amount
    with judged(4, f"{times} times SIGKILL, network on and off", full=size.full) as outcome:
        async with site(tmp_path) as (plc, between, arrivals, _), Heartbeat() as own:
            config = configure(between.port, connection(plc, units=UNITS), max_inflight=WINDOW)
            gateway = AgentProcess(tmp_path, config, {} if size.full else HURRY_HISTORY)
            kills, starts = await _storm(gateway, between, times, longest)
            began, before = time.monotonic(), plc.count()
            await gateway.start()
            await until(lambda: plc.count() > before, 60)
            outcome.recovery_s = time.monotonic() - began
            await gateway.ready()
            await drain(gateway, plc, seconds=120)
            await until(lambda: not arrivals.missing)
            await gateway.kill()
        outcome.judge(arrivals, served=plc.count())
        gone = _ages_of_what_is_gone(plc, arrivals, kills)
        outcome.notes["oldest gone s"] = round(max(gone, default=0), 3)
        outcome.assert_nothing_lost_silently()
        assert outcome.recovery_s <= max(5, 2 * starts)
        assert outcome.duplicates <= WINDOW * (times + 1)
        assert max(gone, default=0) <= FLUSH + 0.05 + own.noise, "and an answer's way in"
        assert len(arrivals.accounts.report()["agents"]) == 1, "the epoch changed"
        causes = {(loss["why"], loss["exposed_ms"]) for loss in arrivals.losses}
        assert causes <= {("power_cut", FLUSH * 1000)}


async def _storm(gateway, between, times, longest):
    """Start and kill; give the instants of the kills, and the seconds of a start."""
    chance, kills, starts = random.Random(4), [], []
    for _ in range(times):
        began = time.monotonic()
        await gateway.start()
        between.refusing = chance.random() < 0.5
        if not starts or chance.random() < 0.6:
            await gateway.ready()
            starts.append(time.monotonic() - began)
        await asyncio.sleep(chance.uniform(0.1, longest))
        assert gateway.running
        await gateway.kill()
        kills.append(time.monotonic())
        between.reset()
    between.refusing = False
    return kills, max(starts)


def _ages_of_what_is_gone(plc, arrivals, kills):
    """Give how long before the next kill each value was served that never arrived."""
    return [
        min(kill - at for kill in kills if kill >= at)
        for unit in range(1, UNITS + 1)
        for value, at in enumerate(plc.served[unit], 1)
        if value not in set(arrivals.values[f"line-{unit}"])
    ]
