"""The broker's name: not known, slowly known, and known under another address."""

import asyncio
import time

from tests.rigs.agent_process import agent, configure
from tests.rigs.counter_plc import Heartbeat, connection, drain, longest_gap
from tests.rigs.fault_report import judged
from tests.rigs.fault_sizes import sized
from tests.rigs.network import network
from tests.rigs.site import site
from tests.rigs.until import until

EVERY = 0.02
NAME = "broker.test"


# A name server that answers after 30 s is met with the shipped 10 s of patience.
@sized(quick=(1.0, 0.25), full=(30.0, 10.0), thorough=True)
async def test_trouble_with_names_never_holds_up_the_polls(tmp_path, size):  # noqa: PLR0915 - one story
    slow, patience = size.amount
    names = tmp_path / "names"
    names.write_text(f"{NAME} 0 -\n")
    with judged(21, "name unknown, slow, other address", full=size.full) as outcome:
        async with site(tmp_path) as (plc, here, arrivals, broker), Heartbeat() as own:
            async with network(broker, "127.0.0.2", here.port) as there:
                config = configure(here.port, connection(plc))
                config["mqtt"]["url"] = f"mqtt://{NAME}:{here.port}"
                hurry = {"edge_agent.mqtt.CONNECT_SECONDS": patience}
                known = {"EDGE_AGENT_NAMES": str(names)}
                async with agent(tmp_path, config, hurry, known) as gateway:
                    since = time.monotonic()
                    await _fail(gateway, names, slow)
                    names.write_text(f"{NAME} 0 127.0.0.1\n")
                    known_at = time.monotonic()
                    await until(lambda: gateway.events("connected"), 60)
                    outcome.recovery_s = time.monotonic() - known_at
                    names.write_text(f"{NAME} 0 127.0.0.2\n")
                    await here.stop()
                    await until(lambda: there.connects)
                    await until(lambda: len(gateway.events("connected")) == 2)
                    blocked = longest_gap(plc.asked, since) - EVERY
                    await drain(gateway, plc)
                    await until(lambda: arrivals.good >= plc.count())
        outcome.notes["longest pause between polls ms"] = round(1000 * blocked)
        outcome.judge(arrivals, served=plc.count())
        outcome.assert_nothing_lost_silently()
        most = 0.1 + own.noise if size.full else slow / 2  # a resolver that blocks takes `slow`
        assert blocked <= most, "the event loop was held up"


async def _fail(gateway, names, slow):
    """Let the name be unknown until the agent says so, then known too late."""
    await until(lambda: _says(gateway, "cannot be resolved"))
    names.write_text(f"{NAME} {slow} 127.0.0.1\n")
    await until(lambda: _says(gateway, "does not answer"), 60)
    await asyncio.sleep(slow / 2)


def _says(gateway, words):
    return any(words in line["why"] for line in gateway.events("not_connected"))
