"""The event loop hangs: the watchdog ends the agent, and it goes on where it was."""

import asyncio
import signal
import time

from tests.rigs.agent_process import HURRY_HISTORY, AgentProcess, configure
from tests.rigs.counter_plc import Heartbeat, connection, drain
from tests.rigs.fault_report import judged
from tests.rigs.fault_sizes import sized
from tests.rigs.service_manager import ServiceManager
from tests.rigs.site import site
from tests.rigs.until import until

EVERY = 0.02


@sized(quick=4.0, full=30.0, thorough=True)
async def test_a_hanging_event_loop_is_noticed_and_restarted(tmp_path, size):  # noqa: PLR0915 - one story
    manager = ServiceManager(tmp_path, size.amount)
    with judged(29, "event loop hangs", full=size.full) as outcome:
        async with site(tmp_path) as (plc, between, arrivals, _), Heartbeat() as own:
            config = configure(between.port, connection(plc, every=f"{EVERY}s"))
            hurry = {} if size.full else HURRY_HISTORY
            gateway = AgentProcess(tmp_path, config, hurry, manager.environment)
            started = time.monotonic()
            await gateway.start()
            async with manager.watching(gateway):
                await until(lambda: manager.said("READY=1") and arrivals.delivered > 10)
                start = manager.said("READY=1")[0] - started
                await until(lambda: len(manager.said("WATCHDOG=1")) >= 2, 60)
                gateway.send(signal.SIGUSR1)
                hung, polls = time.monotonic(), plc.count()
                await asyncio.sleep(size.amount)  # what was on its way is over
                await until(lambda: plc.count() > polls + 5, 60)
                outcome.recovery_s = time.monotonic() - hung
            await gateway.ready()
            await drain(gateway, plc)
            await until(lambda: not arrivals.missing)
            await gateway.kill()
        outcome.judge(arrivals, served=plc.count())
        outcome.assert_nothing_lost_silently()
        assert len(manager.restarts) == 1
        assert manager.restarts[0] - hung <= size.amount + 1 + own.noise
        assert outcome.recovery_s <= size.amount + max(5, 2 * start)
        # With a broker at hand only what was read in the loop's last turns was not yet there.
        assert outcome.produced - outcome.delivered <= 3 + 2 * own.worst / EVERY
