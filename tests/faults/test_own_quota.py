"""The buffer reaches its own limit while the broker is away: the oldest goes, by name."""

import asyncio

from tests.rigs.agent_process import HURRY_HISTORY, agent, configure
from tests.rigs.arrivals import heard
from tests.rigs.fault_report import judged
from tests.rigs.fault_sizes import sized
from tests.rigs.mosquitto import mosquitto
from tests.rigs.moving_plant import connections, moving_plant, quieten
from tests.rigs.network import network
from tests.rigs.site import ENDLESS
from tests.rigs.until import until

WAL = 4 << 20


@sized(quick=(64 << 10, 2.0, 3), full=(5 << 20, 120.0, 10))
async def test_at_its_limit_the_buffer_drops_the_oldest_and_counts_exactly(tmp_path, size):
    limit, seconds, devices = size.amount
    with judged(7, f"own limit of {limit >> 10} KiB, broker away", full=size.full) as outcome:
        with moving_plant(devices) as plant:
            async with mosquitto(tmp_path, *ENDLESS) as port, network(port) as between:
                between.refusing = True
                config = configure(between.port, *connections(plant, "50ms"))
                config["buffer"]["max_bytes"] = limit
                hurry = {} if size.full else HURRY_HISTORY
                async with agent(tmp_path, config, hurry) as gateway:
                    largest = await _watch(gateway, seconds)
                    with heard(port) as arrivals:
                        between.refusing = False
                        made = await quieten(gateway, config)
                        await until(lambda: arrivals.delivered + (arrivals.named or 0) >= made)
        outcome.notes["most bytes on disk"] = largest
        outcome.judge(arrivals, made=made)
        outcome.assert_nothing_lost_silently()
        assert largest <= limit + WAL
        assert {loss["why"] for loss in arrivals.losses} == {"capacity"}
        assert outcome.named > 0
        _is_named_rightly(arrivals)


async def _watch(gateway, seconds):
    """Give the most bytes that the buffer took on disk."""
    largest = 0
    for _ in range(int(seconds * 10)):
        await asyncio.sleep(0.1)
        largest = max(largest, gateway.disk_bytes())
    return largest


def _is_named_rightly(arrivals):
    """The loss begins with the oldest, and nothing that is named arrived."""
    epoch = arrivals.losses[0]["epoch"]
    assert min(loss["first"] for loss in arrivals.losses) == 1
    for loss in arrivals.losses:
        named = range(loss["first"], loss["last"] + 1)
        assert not any(arrivals.arrived(epoch, number) for number in named)
