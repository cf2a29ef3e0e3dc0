"""The event loop hangs: the watchdog ends the agent, and it goes on where it was."""

import asyncio
import signal
import time

from tests.rigs.agent_process import HURRY_HISTORY, AgentProcess, configure
from tests.rigs.counter_plc import connection, drain
from tests.rigs.fault_report import judged
from tests.rigs.fault_sizes import sized
from tests.rigs.service_manager import ServiceManager
from tests.rigs.site import site
from tests.rigs.until import until


@sized(quick=0.8, full=30.0, thorough=True)
async def test_a_hanging_event_loop_is_noticed_and_restarted(tmp_path, size):
    manager = ServiceManager(tmp_path, size.amount)
    with judged(29, "event loop hangs", full=size.full) as outcome:
        async with site(tmp_path) as (plc, between, arrivals, _):
            config = configure(between.port, connection(plc))
            hurry = {} if size.full else HURRY_HISTORY
            gateway = AgentProcess(tmp_path, config, hurry, manager.environment)
            await gateway.start()
            async with manager.watching(gateway):
                await until(lambda: manager.said("READY=1") and arrivals.delivered > 10)
                await until(lambda: len(manager.said("WATCHDOG=1")) >= 2, 60)
                gateway.send(signal.SIGUSR1)
                hung, polls = time.monotonic(), plc.count()
                await asyncio.sleep(size.amount)  # what was on its way is over
                await until(lambda: plc.count() > polls + 5, 15)
                outcome.recovery_s = time.monotonic() - hung
            await gateway.ready()
            await drain(gateway, plc)
            await until(lambda: not arrivals.missing, 10)
            await gateway.kill()
        outcome.judge(arrivals, served=plc.count())
        outcome.assert_nothing_lost_silently()
        assert len(manager.restarts) == 1
        assert manager.restarts[0] - hung <= size.amount + 1
        assert outcome.recovery_s <= size.amount + 5
        # With a broker at hand only what was read in the loop's last turns was not yet there.
        assert outcome.produced - outcome.delivered <= 3
