"""A broker that takes its time, and a thin line to a good one, with a backlog to be sent."""

import time

from tests.rigs.agent_process import agent, configure
from tests.rigs.arrivals import arrivals_at, heard
from tests.rigs.counter_plc import CounterPlc, Heartbeat, connection, drain
from tests.rigs.fake_broker import fake_broker
from tests.rigs.fault_report import judged
from tests.rigs.fault_sizes import sized
from tests.rigs.mosquitto import mosquitto
from tests.rigs.moving_plant import connections, moving_plant, quieten
from tests.rigs.network import network
from tests.rigs.site import ENDLESS
from tests.rigs.until import until

UNITS = 4
CATCH_UP = 8.0  # seconds in which live readings from just before the return, ten at most, go first


# Seconds before each PUBACK, messages in flight, readings in the backlog to begin with.
@sized(quick=(0.05, 10, 80), full=(0.5, 20, 2500), thorough=True)
async def test_a_slow_broker_is_used_as_fast_as_it_goes(tmp_path, size):
    delay, window, backlog = size.amount
    with judged(17, f"{delay} s to each PUBACK", full=size.full) as outcome:
        async with (
            CounterPlc() as plc,
            fake_broker(connack=None, delay=delay) as broker,
            Heartbeat() as own,
        ):
            line = connection(plc, units=UNITS, every="300ms" if size.full else "50ms")
            hurry = {"edge_agent.mqtt.CONNECT_SECONDS": 0.25}
            config = configure(broker.port, line, max_inflight=window)
            async with agent(tmp_path, config, hurry) as gateway:
                await until(lambda: plc.count() >= backlog, 300)
                memory = gateway.memory_mb()
                broker.connack = 0
                await until(lambda: broker.payloads("/data"), 30)
                began, before = time.time(), len(broker.received)
                await until(lambda: len(broker.received) >= before + backlog * 0.8, 300)
                rate = (len(broker.received) - before) / (time.time() - began)
                outcome.recovery_s = await drain(gateway, plc, seconds=300) + time.time() - began
                grown = gateway.memory_mb() - memory
        arrivals = arrivals_at(broker)
        best = window / (delay + own.worst)
        late = arrivals.oldest_live(began + 5 * delay, 0.95) if size.full else None
        outcome.notes |= {
            "of what the window allows": f"{rate / best:.0%}",
            "live p95 s": late and round(late, 1),
        }
        outcome.judge(arrivals, served=plc.count())
        outcome.assert_nothing_lost_silently()
        assert rate >= 0.7 * best
        assert grown <= 10
        assert late is None or late <= 5 + own.noise


# 250 kbit/s, 300 ms there and back, one packet in twenty lost.
@sized(full=60.0)
async def test_a_thin_line_carries_the_live_readings_first(tmp_path, size):  # noqa: PLR0915 - one story
    outage = size.amount
    with judged(17, "250 kbit/s, 300 ms, 5 % loss", full=size.full) as outcome:
        with moving_plant(2) as plant:
            async with mosquitto(tmp_path, *ENDLESS) as port, network(port) as between:
                between.rate, between.delay, between.loss = 31_250, 0.15, 0.05
                with heard(port) as arrivals:
                    config = configure(between.port, *connections(plant, "500ms"))
                    async with agent(tmp_path, config) as gateway:
                        await until(lambda: arrivals.delivered)
                        between.refusing = True
                        between.reset()
                        memory, made = gateway.memory_mb(), gateway.readings
                        wanted = made + outage * 400
                        await until(lambda: gateway.readings >= wanted, outage * 2 + 10)
                        between.refusing, healed = False, time.time()
                        await until(lambda: gateway.status()["buffer"]["readings"] < 800, 300)
                        outcome.recovery_s = time.time() - healed
                        grown = gateway.memory_mb() - memory
                        made = await quieten(gateway, config)
                        await until(lambda: arrivals.delivered >= made)
        late = arrivals.oldest_live(healed + 2, 0.95)  # connecting takes a second or two
        settled = arrivals.oldest_live(healed + CATCH_UP, 0.95)
        outcome.notes |= {
            "live p95 s": round(late, 1),
            "beside the backlog alone": round(settled, 1),
            "memory grown MB": round(grown, 1),
        }
        outcome.judge(arrivals, made=made)
        outcome.assert_nothing_lost_silently()
        assert outcome.losses == 0
        assert late <= 5
        assert settled <= 1.5, "the line itself takes half a second, and as much for a lost packet"
        assert grown <= 10
