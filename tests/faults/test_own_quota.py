"""The buffer reaches its own limit while the broker is away: the oldest goes, by name."""

import asyncio
import time

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


@sized(quick=(64 << 10, 1.5, 5), full=(5 << 20, 120.0, 10), thorough=True)
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
                    largest, foretold, full_at = await _watch(gateway, seconds)
                    with heard(port) as arrivals:
                        between.refusing, began = False, time.monotonic()
                        made = await quieten(gateway, config)
                        await until(lambda: arrivals.delivered + (arrivals.named or 0) >= made)
                        outcome.recovery_s = time.monotonic() - began
        outcome.notes["most bytes on disk"] = largest
        if size.full:  # the quick limit is full before a rate is known
            outcome.notes["foretold, of the time that was left"] = _accuracy(foretold, full_at)
        outcome.judge(arrivals, made=made)
        outcome.assert_nothing_lost_silently()
        assert largest <= limit + WAL
        assert {loss["why"] for loss in arrivals.losses} == {"capacity"}
        assert outcome.named > 0
        _is_named_rightly(arrivals)


async def _watch(gateway, seconds):
    """Give the most bytes on disk, what was foretold when, and when it was really full."""
    largest, foretold, full_at = 0, [], None
    end = time.monotonic() + seconds
    while time.monotonic() < end or full_at is None:
        await asyncio.sleep(0.1)
        largest = max(largest, gateway.disk_bytes())
        if full_at is None:
            buffer, now = gateway.status()["buffer"], time.monotonic()
            share = buffer["bytes"] / buffer["max_bytes"]
            full_at = now if buffer["losses"] else None
            if 0.2 < share < 0.8 and buffer["hours_until_full"] is not None:
                foretold.append((now, buffer["hours_until_full"] * 3600))
    return largest, foretold, full_at


def _accuracy(foretold, full_at):
    """Say how near the worst of what was foretold came to the truth."""
    assert len(foretold) > 10
    assert full_at is not None
    shares = [seconds / (full_at - at) for at, seconds in foretold]
    lowest, highest = min(shares), max(shares)
    assert lowest >= 0.85, shares
    assert highest <= 1.15, shares
    return f"{lowest:.0%} to {highest:.0%}"


def _is_named_rightly(arrivals):
    """The loss begins with the oldest, and nothing that is named arrived."""
    epoch = arrivals.losses[0]["epoch"]
    assert min(loss["first"] for loss in arrivals.losses) == 1
    for loss in arrivals.losses:
        named = range(loss["first"], loss["last"] + 1)
        assert not any(arrivals.arrived(epoch, number) for number in named)
