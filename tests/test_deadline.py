"""The deadlines of a task that waits again and again, by a real event loop."""

import asyncio
import time

import pytest

from edge_agent.deadline import Deadline


class CountingLoop(asyncio.SelectorEventLoop):
    """Counts the timers that are set."""

    timers = 0

    def call_at(self, *arguments, **others):
        self.timers += 1
        return super().call_at(*arguments, **others)


def run(main):
    """Run a coroutine function in a loop of its own; give what it returns and that loop."""
    with asyncio.Runner(loop_factory=CountingLoop) as runner:
        return runner.run(main()), runner.get_loop()


async def late(deadline: Deadline, seconds: float) -> float:
    """Wait for what never comes; give how long that took."""
    began = time.monotonic()
    with pytest.raises(TimeoutError), deadline.within(seconds):
        await asyncio.Event().wait()
    return time.monotonic() - began


def test_a_thousand_waits_that_end_in_time_need_one_timer():
    async def main():
        deadline = Deadline()
        for _ in range(1000):
            with deadline.within(30.0):
                await asyncio.sleep(0)

    _, loop = run(main)
    assert loop.timers == 1


def test_what_takes_too_long_is_ended_in_time():
    async def main():
        return await late(Deadline(), 0.05)

    took, _ = run(main)
    assert took >= 0.05


@pytest.mark.parametrize(("before", "now"), [(5.0, 0.05), (0.02, 0.1)], ids=["longer", "shorter"])
def test_the_deadline_before_makes_no_difference(before, now):
    async def main():
        deadline = Deadline()
        with deadline.within(before):
            await asyncio.sleep(0)
        return await late(deadline, now)

    took, _ = run(main)
    assert now <= took < 4


def test_a_timer_that_goes_off_between_two_waits_does_nothing():
    async def main():
        deadline = Deadline()
        with deadline.within(0.01):
            await asyncio.sleep(0)
        await asyncio.sleep(0.03)
        return await late(deadline, 0.02)

    took, _ = run(main)
    assert took >= 0.02


def test_a_task_that_is_cancelled_from_outside_is_cancelled():
    async def main():
        async def wait():
            with Deadline().within(30.0):
                await asyncio.Event().wait()

        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main)


def test_a_task_that_is_cancelled_just_as_its_time_is_over_is_cancelled():
    async def main():
        async def wait():
            with Deadline().within(0.01):
                await asyncio.Event().wait()

        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        time.sleep(0.02)  # noqa: ASYNC251 - so that both come in one turn of the loop
        asyncio.get_running_loop().call_later(0, task.cancel)
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main)


def test_after_its_time_was_over_a_task_can_go_on():
    async def main():
        await late(Deadline(), 0.01)
        task = asyncio.current_task()
        assert task is not None
        assert not task.cancelling()
        await asyncio.sleep(0.01)

    run(main)


def test_other_errors_pass():
    async def main():
        with pytest.raises(KeyError), Deadline().within(1.0):
            raise KeyError

    run(main)


def test_two_waits_at_a_time_are_refused():
    async def main():
        deadline = Deadline()
        with deadline.within(1.0), pytest.raises(RuntimeError), deadline.within(1.0):
            pass

    run(main)
