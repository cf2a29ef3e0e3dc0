"""Brokers that take and do not answer: no CONNACK, no PUBACK, some PUBACKs lost or made up."""

import time

from tests.rigs.agent_process import agent, configure
from tests.rigs.arrivals import arrivals_at
from tests.rigs.counter_plc import CounterPlc, Heartbeat, connection, drain
from tests.rigs.fake_broker import WITHHOLD, fake_broker
from tests.rigs.fault_report import judged
from tests.rigs.fault_sizes import sized
from tests.rigs.until import until

WINDOW = 20
TICK = {"edge_agent.publisher.TICK": 0.1}  # it is a second


# The shipped 10 s for TCP, and as much for the broker's answer, are 0.5 s in all when quick.
@sized(quick=0.25, full=10.0, thorough=True)
async def test_a_broker_without_connack_is_given_up_and_nothing_is_lost(tmp_path, size):
    with judged(14, "TCP accepted, no CONNACK", full=size.full) as outcome:
        async with CounterPlc() as plc, fake_broker(connack=None) as broker, Heartbeat() as own:
            hurry = {"edge_agent.mqtt.CONNECT_SECONDS": size.amount}
            async with agent(tmp_path, configure(broker.port, connection(plc)), hurry) as gateway:
                await until(lambda: broker.connects)
                began = time.monotonic()
                await until(lambda: gateway.events("not_connected"), 4 * size.amount + 10)
                given_up = time.monotonic() - began
                await until(lambda: len(broker.connects) >= 3, 8 * size.amount + 10)
                assert "does not answer" in gateway.events("not_connected")[0]["why"]
                assert len(gateway.events("not_connected")) == 1, "the log repeats itself"
                broker.connack, began = 0, time.monotonic()
                await until(lambda: broker.payloads("/data"), 30)
                outcome.recovery_s = time.monotonic() - began
                await drain(gateway, plc)
        outcome.notes["given up after s"] = round(given_up, 1)
        outcome.judge(arrivals_at(broker), served=plc.count())
        outcome.assert_nothing_lost_silently()
        assert given_up <= size.amount + 1 + own.noise


@sized(quick=0.3, full=20.0)
async def test_a_broker_without_puback_is_left_and_everything_sent_again(tmp_path, size):
    with judged(15, "CONNACK and PINGRESP, no PUBACK", full=size.full) as outcome:
        async with (
            CounterPlc() as plc,
            fake_broker(answer=lambda *_: WITHHOLD) as broker,
            Heartbeat() as own,
        ):
            line = connection(plc)
            mqtt = {"max_inflight": WINDOW, "ack_timeout": size.amount}
            async with agent(tmp_path, configure(broker.port, line, **mqtt), TICK) as gateway:
                await until(lambda: len(broker.connects) >= 1)
                began = time.monotonic()
                await until(lambda: len(broker.connects) >= 2, 90)
                noticed = time.monotonic() - began
                await until(lambda: len(broker.connects) >= 3, 90)
                before, began = len(broker.received), time.monotonic()
                broker.answer = lambda *_: 0
                await until(lambda: len(broker.received) > before + WINDOW, 90)
                outcome.recovery_s = time.monotonic() - began
                await drain(gateway, plc)
        outcome.notes["noticed after s"] = round(noticed, 1)
        outcome.judge(arrivals_at(broker), served=plc.count())
        outcome.assert_nothing_lost_silently()
        most = size.amount + 3 + own.noise
        assert noticed <= most, "the acknowledgement timer, a tick, the pause"
        assert outcome.duplicates <= WINDOW * len(broker.connects)


class Forgetful:
    """Acknowledges all but every tenth message, and remembers what it acknowledged."""

    def __init__(self) -> None:
        self.acknowledged: set[bytes] = set()

    def __call__(self, number, message):
        if number % 10 == 0:
            return WITHHOLD
        self.acknowledged.add(message.payload)
        return 0


@sized(quick=80, full=3000, thorough=True)
async def test_lost_repeated_and_unknown_pubacks_let_nothing_go_too_early(tmp_path, size):
    with judged(16, "10th PUBACKs lost, others doubled, unknown ids", full=size.full) as outcome:
        forgetful = Forgetful()
        broken = {"answer": forgetful, "acks": 2, "foreign_acks": (60_000,)}
        async with CounterPlc() as plc, fake_broker(**broken) as broker:
            mqtt = {"max_inflight": WINDOW, "ack_timeout": "500ms"}
            line = connection(plc, every="10ms")
            async with agent(tmp_path, configure(broker.port, line, **mqtt), TICK) as gateway:
                await until(lambda: plc.count() >= size.amount, 300)
                outcome.recovery_s = await drain(gateway, plc)
                assert not gateway.events("message_given_up")
        sent = {one.payload for one in broker.received if one.topic.endswith("/data")}
        assert sent <= forgetful.acknowledged, "let go without an acknowledgement of its own"
        outcome.judge(arrivals_at(broker), served=plc.count())
        outcome.assert_nothing_lost_silently()
        assert outcome.duplicates <= WINDOW * len(broker.connects)
