"""A million readings wait when the broker returns: they go quickly, and live readings go first."""

import asyncio
import time

from tests.rigs.agent_process import HURRY_HISTORY, agent, configure
from tests.rigs.arrivals import heard
from tests.rigs.counter_plc import Heartbeat
from tests.rigs.fault_report import judged
from tests.rigs.fault_sizes import sized
from tests.rigs.mosquitto import mosquitto
from tests.rigs.moving_plant import connections, moving_plant, quieten
from tests.rigs.network import network
from tests.rigs.site import ENDLESS
from tests.rigs.until import until

MEMORY_MB = 80
DRAIN_S = 180
LIVE_S = 2.0


# Readings that wait, and how many devices of 100 registers are read every 500 ms: 50 make 10,000
# readings a second. Polls keep to a grid of which the first may lie just before: with three of them
# waiting, the oldest is half a second old, and historical.
@sized(quick=(3_000, 10), full=(1_000_000, 50), thorough=True)
async def test_a_backlog_is_drained_while_live_readings_stay_live(tmp_path, size):  # noqa: PLR0915 - one story
    waiting, devices = size.amount
    with judged(28, f"{waiting:,} readings in the backlog", full=size.full) as outcome:
        with moving_plant(devices) as plant:
            async with (
                mosquitto(tmp_path, *ENDLESS) as port,
                network(port) as between,
                Heartbeat() as own,
            ):
                between.refusing = True
                config = configure(between.port, *connections(plant, "500ms"))
                hurry = {} if size.full else dict.fromkeys(HURRY_HISTORY, 0.4)
                async with agent(tmp_path, config, hurry) as gateway:
                    await until(lambda: gateway.readings >= waiting, 300)
                    with heard(port) as arrivals:
                        between.refusing = False
                        await until(lambda: arrivals.delivered, 60)
                        began = time.time()
                        while gateway.status()["buffer"]["readings"] > 15_000:
                            assert time.time() - began < DRAIN_S
                            await asyncio.sleep(0.2)
                        outcome.recovery_s = time.time() - began
                        memory = gateway.memory_mb("VmHWM")
                        resident = gateway.memory_mb()
                        made = await quieten(gateway, config)
                        await until(lambda: arrivals.delivered >= made, 60)
        late = arrivals.oldest_live(began)
        outcome.notes |= {
            "live at most s": round(late, 2),
            "memory at most MB": round(memory, 1),
            "memory MB": round(resident, 1),
            "historical messages": arrivals.historical,
        }
        outcome.judge(arrivals, made=made)
        outcome.assert_nothing_lost_silently()
        assert outcome.losses == 0
        assert arrivals.historical > 0
        assert memory <= MEMORY_MB
        assert late <= LIVE_S + own.noise
