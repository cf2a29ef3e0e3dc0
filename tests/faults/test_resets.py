"""A broker that resets the connection every 30 publishes."""

from tests.rigs.agent_process import agent, configure
from tests.rigs.arrivals import arrivals_at
from tests.rigs.counter_plc import CounterPlc, connection, drain
from tests.rigs.fake_broker import RESET, fake_broker
from tests.rigs.fault_report import judged
from tests.rigs.fault_sizes import sized
from tests.rigs.until import until

WINDOW = 20


@sized(quick=90, full=5000, thorough=True)
async def test_resets_every_thirty_publishes_lose_nothing_and_the_backlog_shrinks(tmp_path, size):
    with judged(19, "connection reset every 30 publishes", full=size.full) as outcome:

        def every_thirtieth(number, _message):
            return RESET if number % 30 == 0 else 0

        async with CounterPlc() as plc, fake_broker(connack=None) as broker:
            line = connection(plc, every="10ms")
            hurry = {"edge_agent.mqtt.CONNECT_SECONDS": 0.25}
            mqtt = {"max_inflight": WINDOW}
            async with agent(tmp_path, configure(broker.port, line, **mqtt), hurry) as gateway:
                await until(lambda: plc.count() >= size.amount, 300)  # a backlog to begin with
                broker.answer, broker.connack = every_thirtieth, 0
                outcome.recovery_s = await drain(gateway, plc, seconds=600)
                assert not gateway.events("message_given_up")
        resets = len(broker.received) // 30
        outcome.notes["resets"] = resets
        outcome.judge(arrivals_at(broker), served=plc.count())
        outcome.assert_nothing_lost_silently()
        assert resets >= size.amount // 30
        assert outcome.duplicates <= WINDOW * resets
