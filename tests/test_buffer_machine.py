"""The buffer against a list model, disturbed in every order that hypothesis can think of."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.rigs.buffer_world import World

DEVICES = ("press-1", "meter-2")
MANY = settings(
    max_examples=20,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    report_multiple_bugs=False,
    database=None,
)


class BufferMachine(RuleBasedStateMachine):
    """Everything that can happen to a buffer with room enough."""

    limits = st.just({})

    @initialize(data=st.data())
    def start(self, data):
        self.world = World(**data.draw(self.limits))

    @rule(
        count=st.integers(1, 40),
        size=st.sampled_from([20, 400, 3000]),
        pause=st.sampled_from([0.0, 0.1, 0.5]),
    )
    def append(self, count, size, pause):
        for number in range(count):
            self.world.append(DEVICES[number % 3 % 2], 1 + number % 4, size)
            if pause:
                self.world.pass_time(pause)

    @rule(count=st.integers(1, 50), acked=st.integers(0, 50))
    def take(self, count, acked):
        self.world.take(count)
        for _ in range(min(acked, len(self.world.flying))):
            self.world.ack(0)

    @precondition(lambda self: self.world.flying)
    @rule(index=st.integers(0, 99), refused=st.booleans())
    def answer_one(self, index, refused):
        (self.world.refuse if refused else self.world.ack)(index)

    @precondition(lambda self: self.world.flying)
    @rule()
    def cut_connection(self):
        self.world.cut_connection()

    @rule(seconds=st.sampled_from([0.1, 0.25, 0.5, 0.75, 2.0, 9.7, 10.5, 25.0]))
    def pass_time(self, seconds):
        self.world.pass_time(seconds)

    @rule(seconds=st.floats(0.01, 11.0))
    def stall(self, seconds):
        self.world.stall(seconds)

    @rule(away=st.sampled_from([0.1, 3.0, 15.0]), clean=st.booleans(), reboot=st.booleans())
    def end(self, away, clean, reboot):
        away = max(away, 15.0) if reboot else away
        (self.world.stop if clean else self.world.crash)(away, reboot=reboot)

    def teardown(self):
        if not hasattr(self, "world"):
            return
        try:
            self.world.settle()
            self.world.judge()
        finally:
            self.world.close()


class FullDiskMachine(BufferMachine):
    """The same on a disk that fills up and is freed again."""

    @precondition(lambda self: not self.world.full)
    @rule()
    def fill_disk(self):
        self.world.fill_disk()

    @precondition(lambda self: self.world.full)
    @rule()
    def free_disk(self):
        self.world.free_disk()

    @rule(seconds=st.sampled_from([2.0, 12.0]), count=st.integers(1, 20))
    def lose_broker_and_disk(self, seconds, count):
        self.world.cut_connection()
        if not self.world.full:
            self.world.fill_disk()
        for _ in range(count):
            self.append(1, 3000, 0.0)
            self.world.pass_time(seconds / count)


class SmallMachine(BufferMachine):
    """The same with little room and short memory, so that readings must give way."""

    limits = st.sampled_from([{"max_bytes": 1 << 14}, {"max_bytes": 1 << 16, "max_age": 30.0}])


def test_a_buffer_keeps_its_promises_in_any_order_of_events():
    run_state_machine_as_test(BufferMachine, settings=MANY)


@pytest.mark.thorough
def test_a_buffer_keeps_its_promises_on_a_disk_that_fills_up():
    run_state_machine_as_test(FullDiskMachine, settings=MANY)


@pytest.mark.thorough
def test_a_buffer_keeps_its_promises_with_little_room():
    run_state_machine_as_test(SmallMachine, settings=MANY)
