"""Shows that nothing is lost silently, under full load and through an outage with a kill in it."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.configuration import Load
from benchmarks.rig import AgentProcess, Rig, rig

BACKLOG_SECONDS = 90.0
STEADY_SECONDS = 10.0  # before and after an outage
KILL_AFTER = 0.5  # share of the outage that passes before the agent is killed

Say = Callable[[str], None]


def load(program: Path, work: Load, seconds: float, say: Say) -> dict[str, Any]:
    """Let the agent work for so long, then stop it properly; give the account.

    Args:
        program: The command `edge-agent` under test.
        work: What it has to do.
        seconds: How long, from the first reading on.
        say: Is told what goes on.
    """
    with rig(program, work) as around:
        agent = around.start_agent()
        around.first_reading(agent)
        say(f"{work.points:,} readings each {work.every:g} s, for {seconds:g} s")
        time.sleep(seconds)
        return _account(around, agent)


def outage(program: Path, work: Load, seconds: float, say: Say) -> dict[str, Any]:
    """Stop the broker for so long, and kill and start the agent in the middle; give the account."""
    with rig(program, work) as around:
        agent = around.start_agent()
        around.first_reading(agent)
        time.sleep(STEADY_SECONDS)
        say(f"the broker stops, for {seconds:g} s")
        around.broker.stop()
        time.sleep(seconds * KILL_AFTER)
        say("the agent is killed, and started again")
        agent.kill()
        agent.start()
        time.sleep(seconds * (1 - KILL_AFTER))
        say("the broker is back")
        around.broker.start()
        begin = time.monotonic()
        _wait_for_backlog(agent)
        say(f"the backlog is delivered, {time.monotonic() - begin:.1f} s after the broker's return")
        time.sleep(STEADY_SECONDS)
        return _account(around, agent)


def _wait_for_backlog(agent: AgentProcess) -> None:
    give_up = time.monotonic() + BACKLOG_SECONDS
    while (status := agent.status())["broker"]["state"] != "connected" or _waits(status):
        if time.monotonic() > give_up:
            raise TimeoutError(f"the backlog is not delivered within {BACKLOG_SECONDS:g} s")
        time.sleep(0.1)


def _waits(status: dict[str, Any]) -> bool:
    """Tell whether more waits than one wake-up's readings, which always may."""
    buffer = status["buffer"]
    return bool(buffer["losses"] or buffer["readings"] > 1000)


def _account(around: Rig, agent: AgentProcess) -> dict[str, Any]:
    """Stop the agent, and put together what the plant gave and what the subscriber has.

    What the agent keeps for its next start is delivered too: it is started once more, when the
    plant is gone, so that all it adds are bad readings.
    """
    agent.stop()
    bad = around.audience.when_quiet()["bad"]
    produced = around.plant.report()["registers"]
    around.plant.stop()
    agent.start()
    _wait_for_backlog(agent)
    agent.stop()
    heard = around.audience.when_quiet()
    delivered = heard["readings"] - (heard["bad"] - bad)
    kept = ("messages", "historical", "duplicates", "missing", "broken_chain", "losses")
    return {
        "produced": produced,
        "delivered": delivered,
        "not_delivered": produced - delivered,
        "may_be_lost": _may_be_lost(around.load, heard["losses"]),
        "bad": bad,
        **{name: heard[name] for name in kept},
    }


def _may_be_lost(work: Load, losses: list[dict[str, Any]]) -> int:
    """Give how many readings may have gone: what the records admit, and what was being polled.

    A record after a kill names a wide range of numbers, most of them never used; what it admits is
    the time that was exposed. Every start and every end of the agent can cut one poll of each
    device short, after the plant has answered.
    """
    exposed = sum(float(record["exposed_ms"] or 0) for record in losses) / 1000
    counted = sum(int(record["readings"] or 0) for record in losses)
    ends = 1 + sum(bool(record["why"] == "power_cut") for record in losses)
    return int(work.points / work.every * exposed) + counted + ends * work.points


def nothing_unaccounted(account: dict[str, Any]) -> bool:
    """Tell whether every number arrived or stands in a record of loss that tells the truth."""
    return (
        not account["missing"]
        and not account["broken_chain"]
        and 0 <= account["not_delivered"] <= account["may_be_lost"]
        and account["delivered"] > 0
    )


def exactly_once(account: dict[str, Any]) -> bool:
    """Tell whether every number arrived, once, and all readings are good."""
    faults = ("duplicates", "losses", "bad")
    return nothing_unaccounted(account) and not any(account[fault] for fault in faults)
