"""SIGTERM under full load, with the broker there and with the broker away."""

import asyncio
import time

from tests.rigs.agent_process import HURRY_HISTORY, AgentProcess, configure
from tests.rigs.arrivals import heard
from tests.rigs.fault_report import judged
from tests.rigs.fault_sizes import sized
from tests.rigs.mosquitto import mosquitto
from tests.rigs.moving_plant import REGISTERS, connections, moving_plant, quieten
from tests.rigs.network import network
from tests.rigs.site import ENDLESS
from tests.rigs.until import until

WINDOW = 100


# Devices of 100 registers, polled 10 times a second: 5,000 and 10,000 readings a second.
@sized(quick=(2, 0.15), full=(10, 30.0), thorough=True)
async def test_a_stop_under_load_costs_nothing(tmp_path, size):  # noqa: PLR0915 - one story
    devices, seconds = size.amount
    with judged(5, "SIGTERM under load, broker there and away", full=size.full) as outcome:
        with moving_plant(devices) as plant:
            async with mosquitto(tmp_path, *ENDLESS) as port, network(port) as between:
                with heard(port) as arrivals:
                    config = configure(between.port, *connections(plant, "100ms"))
                    hurry = {} if size.full else HURRY_HISTORY
                    gateway = AgentProcess(tmp_path, config, hurry)
                    starts = [await _run(gateway, arrivals, seconds)]
                    stops = [await gateway.stop()]
                    starts.append(await _run(gateway, arrivals, seconds))
                    repeated = arrivals.duplicates
                    between.refusing = True
                    between.reset()
                    await asyncio.sleep(seconds)
                    stops.append(await gateway.stop())
                    assert not (gateway.buffer / "buffer.db-wal").exists()
                    between.refusing = False
                    starts.append(await _run(gateway, arrivals, seconds))
                    await quieten(gateway, config)
                    await until(lambda: not arrivals.missing)
                    highest = gateway.status()["buffer"]["seq"]
                    stops.append(await gateway.stop())
        outcome.notes["stopped within s"] = round(max(stops), 2)
        outcome.recovery_s = max(starts)
        outcome.judge(arrivals, made=REGISTERS * arrivals.highest)  # each number is a device's poll
        outcome.assert_nothing_lost_silently()
        assert max(stops) <= 10
        assert outcome.losses == 0, "a clean stop leaves no range in doubt"
        assert repeated == 0
        assert outcome.duplicates <= WINDOW, "what was in flight when the network broke"
        assert arrivals.highest == arrivals.messages >= highest, "a last poll may have come between"


async def _run(gateway, arrivals, seconds):
    """Run it for a while; give the seconds until something arrived."""
    before, began = arrivals.delivered, time.monotonic()
    await gateway.start()
    await until(lambda: arrivals.delivered > before, 60)
    took = time.monotonic() - began
    await gateway.ready()
    await asyncio.sleep(seconds)
    return took
