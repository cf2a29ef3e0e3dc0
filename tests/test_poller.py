"""The poller with a driver that does what the test says."""

import asyncio
import contextlib

import pytest

from edge_agent.clock import Clock
from edge_agent.driver import ConnectionLost, NoResponse
from edge_agent.model import Samples, Why
from edge_agent.poller import Poller
from tests.rigs.scripted_driver import ScriptedDriver, connection
from tests.rigs.until import until


class Notes:
    """A keeper that writes everything down."""

    def __init__(self):
        self.kept, self.states, self.lessons = [], [], []

    def keep(self, group, samples):
        self.kept.append((group.device, samples))

    def note(self, device, standing):
        self.states.append((device, str(standing.state), standing.why))

    def learn(self, device, learnt):
        self.lessons.append((device, learnt))

    def of(self, device):
        return [samples for name, samples in self.kept if name == device]


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch):
    monkeypatch.setattr("edge_agent.poller.FIRST_DELAY", 0.02)
    monkeypatch.setattr("edge_agent.poller.LAST_DELAY", 0.05)


@contextlib.asynccontextmanager
async def polling(driver, configured, learnt=None):
    notes = Notes()
    poller = Poller(configured, driver, learnt or {}, notes, Clock())
    task = asyncio.create_task(poller.run())
    try:
        yield poller, notes
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_samples_are_kept_and_the_device_is_up():
    driver = ScriptedDriver(lambda names: [7] * len(names))
    async with polling(driver, connection("a")) as (poller, notes):
        await until(lambda: len(notes.kept) >= 3)
    assert notes.states == [("a", "up", "")]
    assert [samples.values for samples in notes.of("a")[:3]] == [[7]] * 3
    assert poller.state == "up"
    assert (driver.opened, driver.closed) == (1, 1)


async def test_polls_keep_to_their_grid():
    clock, starts = Clock(), []
    driver = ScriptedDriver(lambda names: starts.append(clock.mono()) or [1])
    async with polling(driver, connection("a", every=0.05)):
        await until(lambda: len(starts) >= 6)
    offsets = [(start / 0.05) % 1 for start in starts[1:]]
    assert all(offset < 0.6 for offset in offsets), offsets  # late by the machine's noise only


async def test_a_silent_device_gives_bad_readings_and_leaves_its_neighbour_alone():
    def script(names):
        if names[0].startswith("dead"):
            raise NoResponse("unit 2 does not answer within 0.3 s")
        return [1]

    driver = ScriptedDriver(script)
    async with polling(driver, connection("dead", "well")) as (_, notes):
        await until(lambda: len(notes.of("well")) >= 50)
    assert ("dead", "silent", "unit 2 does not answer within 0.3 s") in notes.states
    assert all(s.flaws[0].why is Why.TIMEOUT and s.values == [None] for s in notes.of("dead"))
    assert len(notes.of("dead")) == 3, "after three silent polls it is only probed"
    assert all(not samples.flaws for samples in notes.of("well"))


async def test_a_device_alone_on_its_line_is_asked_at_every_poll():
    answers = iter([*[False] * 8, *[True] * 1000])

    def script(names):
        if not next(answers):
            raise NoResponse("silent")
        return [1]

    async with polling(ScriptedDriver(script), connection("a")) as (_, notes):
        await until(lambda: any(not samples.flaws for samples in notes.of("a")))
    assert [state for _, state, _ in notes.states] == ["silent", "up"]


async def test_one_lost_answer_changes_no_state():
    count = iter(range(10_000))

    def script(names):
        if next(count) % 3 == 1:
            raise NoResponse("disturbed")
        return [1]

    async with polling(ScriptedDriver(script), connection("a")) as (_, notes):
        await until(lambda: len(notes.kept) >= 20)
    assert notes.states == [("a", "up", "")]


async def test_a_lost_link_marks_everything_bad_and_is_opened_again():
    answers = iter([True, True, False])

    def script(names):
        if not next(answers, True):
            raise ConnectionLost("cable pulled")
        return [1]

    driver = ScriptedDriver(script)
    async with polling(driver, connection("a", "b")) as (_, notes):
        await until(lambda: driver.opened == 2 and len(notes.of("b")) >= 4)
    assert ("a", "down", "cable pulled") in notes.states
    assert ("b", "down", "cable pulled") in notes.states
    lost = [s for s in notes.of("b") if s.flaws]
    assert [s.flaws[0].why for s in lost] == [Why.LINK_DOWN]
    assert notes.states[-1][1] == "up"


async def test_a_link_that_cannot_be_opened_is_waited_for():
    tries = iter([False, False, True])

    def opening():
        if not next(tries, True):
            raise ConnectionLost("10.0.0.5:502 refuses the connection; is the device on?")

    driver = ScriptedDriver(lambda names: [1])
    driver.opening = opening
    async with polling(driver, connection("a")) as (poller, notes):
        await until(lambda: poller.state == "down")
        assert "refuses" in poller.why
        await until(lambda: poller.state == "up" and not notes.kept[-1][1].flaws)
    assert [state for _, state, _ in notes.states] == ["down", "up"]


async def test_a_bug_in_a_driver_costs_its_connection_not_the_agent():
    def script(names):
        return 1 / 0

    driver = ScriptedDriver(script)
    async with polling(driver, connection("a")) as (poller, notes):
        await until(lambda: driver.opened >= 2)
        assert "ZeroDivisionError" in poller.why
    assert all(s.values == [None] for s in notes.of("a"))


async def test_a_wrong_number_of_samples_is_never_taken():
    driver = ScriptedDriver(lambda names: [1, 2, 3])
    async with polling(driver, connection("a", points=2)) as (poller, notes):
        await until(lambda: "3 samples for 2 addresses" in poller.why)
    assert all(s.values == [None, None] for s in notes.of("a"))


async def test_a_read_beyond_its_patience_is_cancelled():
    cancelled = asyncio.Event()

    async def forever():
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    driver = ScriptedDriver(lambda names: forever())
    async with polling(driver, connection("a")) as (_, notes):
        await asyncio.wait_for(cancelled.wait(), 5)
        await until(lambda: notes.kept)
    assert "no answer within 0.5 s" in notes.of("a")[0].flaws[0].detail


async def test_polls_that_do_not_fit_are_skipped_and_counted():
    async def slow():
        await asyncio.sleep(0.035)
        return [1]

    driver = ScriptedDriver(lambda names: slow())
    async with polling(driver, connection("a", every=0.01)) as (poller, notes):
        await until(lambda: len(notes.kept) >= 5)
        assert poller.overruns >= 5
        assert len(notes.kept) <= poller.polls


async def test_what_a_driver_learns_is_handed_on_and_planned_with():
    def script(names):
        samples = Samples([1])
        samples.learnt = {"largest": 16} if len(driver.plans) == 1 else None
        return samples

    driver = ScriptedDriver(script)
    async with polling(driver, connection("a"), {"a": {"largest": 60}}) as (_, notes):
        await until(lambda: len(notes.kept) >= 3)
    assert notes.lessons == [("a", {"largest": 16})]
    assert driver.plans == [{"largest": 60}, {"largest": 16}]


async def test_a_link_behind_which_nobody_answers_is_opened_anew(monkeypatch):
    monkeypatch.setattr("edge_agent.poller.REOPEN_SECONDS", 0.05)

    def script(names):
        raise NoResponse("silent")

    driver = ScriptedDriver(script)
    async with polling(driver, connection("a", "b")) as (_, notes):
        await until(lambda: driver.opened >= 2)
    assert {state for _, state, _ in notes.states} == {"silent"}


async def test_a_stuck_task_can_be_told():
    driver = ScriptedDriver(lambda names: [1])
    async with polling(driver, connection("a", every=0.02)) as (poller, notes):
        await until(lambda: notes.kept)
        assert poller.stuck_after > Clock().mono()
