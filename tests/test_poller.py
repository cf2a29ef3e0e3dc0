"""The poller with a driver that does what the test says."""

import asyncio
import contextlib
import dataclasses
import re
import statistics
import tracemalloc

import pytest
import structlog.testing

from edge_agent.clock import Clock
from edge_agent.driver import ConnectionLost, Diagnosis, NoResponse, Plan
from edge_agent.model import Samples, Why
from edge_agent.poller import Poller
from edge_agent.standing import SILENT_AFTER
from tests.rigs.scripted_driver import ScriptedDriver, connection
from tests.rigs.until import until


class Notes:
    """A keeper that writes everything down."""

    def __init__(self):
        self.kept, self.states, self.lessons = [], [], []
        self.intervals, self.codes, self.times = [], [], []

    def keep(self, group, samples, waited=0.0):
        self.kept.append((group.device, samples))
        self.intervals.append(group.every)

    def note(self, device, standing):
        self.states.append((device, str(standing.state), standing.why))
        self.codes.append(standing.code)

    def time(self, device, seconds):
        self.times.append((device, seconds))

    def learn(self, device, learnt):
        self.lessons.append((device, learnt))

    def of(self, device):
        return [samples for name, samples in self.kept if name == device]

    def every(self, device, seconds):
        return [
            samples
            for (name, samples), every in zip(self.kept, self.intervals, strict=True)
            if (name, every) == (device, seconds)
        ]


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

    async def slow():
        starts.append(clock.mono())
        await asyncio.sleep(0.04)  # without a grid, each would begin so much later than the last
        return [1]

    async with polling(ScriptedDriver(lambda names: slow()), connection("a", every=0.1)):
        await until(lambda: len(starts) >= 6)
    offsets = [(start / 0.1) % 1 for start in starts[1:]]
    assert statistics.median(offsets) < 0.3, offsets  # single ones are late by the machine's noise


async def test_a_silent_device_gives_bad_readings_and_leaves_its_neighbour_alone():
    def script(names):
        if names[0].startswith("dead"):
            raise NoResponse("unit 2 does not answer within 0.3 s")
        return [1]

    driver = ScriptedDriver(script)
    async with polling(driver, connection("dead", "well")) as (_, notes):
        await until(lambda: len(notes.of("well")) >= 25)
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

    def opening():
        if driver.opened == 2:
            raise ConnectionLost("cable pulled")

    driver = ScriptedDriver(script)
    driver.opening = opening
    async with polling(driver, connection("a", "b")) as (_, notes):
        await until(lambda: driver.opened == 3 and len(notes.of("b")) >= 4)
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


async def test_a_bug_that_shows_now_and_then_is_no_idle_disconnect():
    reads = iter(range(1000))
    driver = ScriptedDriver(lambda names: [1 / (next(reads) % 3 != 2)])
    async with polling(driver, connection("a")) as (poller, notes):
        await until(lambda: driver.opened >= 3)
    assert "ZeroDivisionError" in next(why for _, state, why in notes.states if state == "down")
    assert poller.reopened == 0


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
        await asyncio.wait_for(cancelled.wait(), 30)
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


class ProbingDriver(ScriptedDriver):
    """A driver with a short probe: the first address alone."""

    def probe(self, plan):
        return Plan(plan.addresses[:1], patience=0.5, cost_of_silence=0.001)


@pytest.fixture
def quick_probes(monkeypatch):
    monkeypatch.setattr("edge_agent.standing.FIRST_PROBE", 0.05)
    monkeypatch.setattr("edge_agent.standing.LAST_PROBE", 0.1)


async def test_a_demoted_device_is_probed_shortly_and_read_completely_once_it_answers(quick_probes):
    dead = True

    def script(names):
        if dead and names[0].startswith("dead"):
            raise NoResponse("silent")
        return [1] * len(names)

    driver = ProbingDriver(script)
    async with polling(driver, connection("dead", "well", points=3)) as (_, notes):
        for _ in range(2):
            dead = True
            since = len(driver.reads)
            await until(lambda: driver.reads[since:].count(["dead.p0"]) >= 2)  # noqa: B023
            full = ["dead.p0", "dead.p1", "dead.p2"]
            assert driver.reads[since:].count(full) == 3, "then it is only probed"
            assert all(len(s) == 3 for s in notes.of("dead")), "a probe brings no values"
            dead = False
            since = len(driver.reads)
            await until(lambda: driver.reads[since:].count(full) >= 3)  # noqa: B023
            first = driver.reads.index(["dead.p0"], since)
            assert driver.reads[first + 1] == full, "at once"
    assert [state for device, state, _ in notes.states if device == "dead"] == [
        "silent", "up", "silent", "up",
    ]  # fmt: skip


async def test_a_device_that_falls_silent_has_no_good_point_left_in_any_poll_group(quick_probes):
    fast, slow = connection("a", "b").devices[0].points[0], 3600.0
    dead = False

    def script(names):
        if dead and names[0].startswith("a"):
            raise NoResponse("silent")
        return [1]

    seldom = dataclasses.replace(fast, name="seldom", every=slow)
    configured = connection("a", "b")
    device = dataclasses.replace(configured.devices[0], points=(fast, seldom))
    configured = dataclasses.replace(configured, devices=(device, configured.devices[1]))
    async with polling(ScriptedDriver(script), configured) as (_, notes):
        await until(lambda: len(notes.of("a")) >= 4)
        assert [samples.flaws for samples in notes.every("a", slow)] == [{}]
        dead = True
        await until(lambda: len(notes.every("a", slow)) == 2)
        assert notes.every("a", slow)[1].flaws[0].why is Why.TIMEOUT
        assert notes.states[-1][:2] == ("a", "silent")
        dead = False
        await until(lambda: len(notes.every("a", slow)) == 3)
        assert notes.every("a", slow)[2].values == [1], "it is read at once, not in an hour"


async def test_answers_of_which_all_are_damaged_prove_no_life():
    damaged = Samples.all_bad(1, Why.DAMAGED, "checksum")
    driver = ScriptedDriver(lambda names: damaged)
    async with polling(driver, connection("a", "b")) as (_, notes):
        await until(lambda: driver.reads.count(["b.p0"]) >= 3)
        await asyncio.sleep(0.05)
    assert notes.states == [("a", "silent", "checksum"), ("b", "silent", "checksum")]
    read = [driver.reads.count([f"{name}.p0"]) for name in ("a", "b")]
    assert read == [3, 3], "then they are only probed"


async def test_refusals_prove_life():
    refused = Samples.all_bad(1, Why.REFUSED, "exception 2")
    async with polling(ScriptedDriver(lambda names: refused), connection("a", "b")) as (_, notes):
        await until(lambda: len(notes.of("a")) >= 10)
    assert notes.states == [("a", "up", ""), ("b", "up", "")]


async def test_a_link_that_is_there_again_at_once_spoils_no_reading():
    reads = iter(range(10_000))

    def script(names):
        if next(reads) % 5 == 3:
            raise ConnectionLost("the other side closed it")
        return [1]

    driver = ScriptedDriver(script)
    async with polling(driver, connection("a")) as (poller, notes):
        await until(lambda: driver.opened >= 5)
    assert not any(samples.flaws for samples in notes.of("a"))
    assert notes.states == [("a", "up", "")]
    assert poller.reopened >= 4


async def test_a_link_that_opens_but_never_answers_is_down():
    def script(names):
        raise ConnectionLost("the other side closed it")

    driver = ScriptedDriver(script)
    async with polling(driver, connection("a")) as (poller, notes):
        await until(lambda: driver.opened >= 3)
    assert notes.states == [("a", "down", "the other side closed it")]
    assert poller.reopened == 0


async def test_a_link_that_opens_too_slowly_again_is_told_before_the_next_poll_is_due():
    reads = iter([[1], [1]])
    opened = []

    async def never():
        await asyncio.sleep(60)

    class Slow(ScriptedDriver):
        async def open(self):
            opened.append(1)
            if len(opened) > 1:
                await never()

    def script(names):
        values = next(reads, None)
        if values is None:
            raise ConnectionLost("reset by peer")
        return values

    async with polling(Slow(script), connection("a", every=0.05)) as (_, notes):
        await until(lambda: notes.states and notes.states[-1][1] == "down")
    assert "cannot be opened within 0.05 s" in notes.states[-1][2]
    assert notes.of("a")[-1].flaws[0].why is Why.LINK_DOWN


@pytest.mark.thorough
async def test_an_overload_is_published_and_memory_stays_flat_at_threefold_load(monkeypatch):
    monkeypatch.setattr("edge_agent.workload.WINDOW", 0.2)

    async def answer():
        await asyncio.sleep(0.001)
        return [1]

    driver = ScriptedDriver(lambda names: answer())
    driver.reads = Nowhere()
    configured = connection("a", "b", "c", every=0.0012)
    async with polling(driver, configured) as (poller, notes):
        notes.kept = notes.intervals = Nowhere()
        await until(lambda: len(notes.states) == 6)
        assert {state for _, state, _ in notes.states} == {"up"}
        assert notes.codes[-3:] == ["E-LINE-OVERLOADED"] * 3
        assert re.fullmatch(
            r"interval 0.0012 s wanted, 0\.\d+ s possible on this line", notes.states[-1][2]
        )
        sizes = await traced_sizes(poller, rounds=4, polls=700)
        assert poller.overruns > 1.5 * poller.polls
        assert sizes[-1] - sizes[0] < 20_000, sizes
        # It ends, even on a busy machine that cannot keep 1.2 ms.
        monkeypatch.setattr("edge_agent.workload.FEW", 0.6)
        poller.driver.script = lambda names: [1]
        await until(lambda: len(notes.states) == 9)
        assert notes.codes[-3:] == ["", "", ""]


async def traced_sizes(poller, *, rounds, polls):
    """Give the bytes that Python holds after each round of so many polls."""
    sizes = []
    tracemalloc.start()
    try:
        for _ in range(rounds):
            enough = poller.polls + polls
            await until(lambda: poller.polls >= enough)  # noqa: B023
            sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    return sizes


class Nowhere(list):
    """A list that keeps nothing."""

    def append(self, item):
        pass


async def test_a_flapping_device_is_logged_once_and_published_each_time():
    turns = iter(range(10_000))

    def script(names):
        if next(turns) // 4 % 2:
            raise NoResponse("silent")
        return [1]

    with structlog.testing.capture_logs() as logs:
        async with polling(ScriptedDriver(script), connection("a")) as (_, notes):
            await until(lambda: len(notes.states) >= 9)
    lines = [entry["event"] for entry in logs if entry.get("device") == "a"]
    assert lines == ["device_up", "device_silent"]


async def test_what_was_not_logged_is_summed_up_later(monkeypatch):
    monkeypatch.setattr("edge_agent.mentions.SECONDS", 0.3)
    turns = iter(range(10_000))

    def script(names):
        if next(turns) < 40 and next(turns) // 4 % 2:
            raise NoResponse("silent")
        return [1]

    with structlog.testing.capture_logs() as logs:
        async with polling(ScriptedDriver(script), connection("a")) as (_, _):
            await until(lambda: any("changes_not_logged" in entry for entry in logs))
    (summary,) = [entry for entry in logs if "changes_not_logged" in entry]
    assert (summary["event"], summary["device"]) == ("device_up", "a")
    assert summary["changes_not_logged"] >= 1


async def test_what_was_not_logged_does_not_wait_for_the_link_to_come_back(monkeypatch):
    monkeypatch.setattr("edge_agent.mentions.SECONDS", 0.3)
    answers = [True, *[False] * SILENT_AFTER]  # then the cable is pulled

    def opening():
        if not answers:
            raise ConnectionLost("the cable was pulled")

    def script(names):
        opening()
        if not answers.pop(0):
            raise NoResponse("silent")
        return [1]

    driver = ScriptedDriver(script)
    driver.opening = opening
    with structlog.testing.capture_logs() as logs:
        async with polling(driver, connection("a")):
            await until(lambda: any(entry["event"] == "device_down" for entry in logs))
    lines = [entry["event"] for entry in logs if entry.get("device") == "a"]
    assert lines == ["device_up", "device_silent", "device_down"]


async def test_evidence_is_counted_by_device_and_the_driver_names_the_fault():
    class Wise(ScriptedDriver):
        def diagnose(self, evidence):
            known.append(dict(evidence))
            return Diagnosis("E-BUS-X", "a wire is loose", "fasten it")

    def script(names):
        if names[0].startswith("dead"):
            driver.evidence["stray"] += 2
            raise NoResponse("unit 2: nothing")
        return [1]

    known = []
    driver = Wise(script)
    async with polling(driver, connection("dead", "well")) as (poller, notes):
        await until(lambda: len(notes.of("well")) >= 10)
    assert ("dead", "silent", "a wire is loose (unit 2: nothing); fasten it") in notes.states
    assert "E-BUS-X" in notes.codes
    assert poller.roster.evidence["dead"].totals == {"reads": 3, "answered": 0, "stray": 6}
    assert "stray" not in poller.roster.evidence["well"].totals
    assert known[1] == {"reads": 2, "stray": 4, "neighbours": 1, "answered_lately": 0}


async def test_how_long_a_device_takes_to_answer_is_handed_on():
    async def slow():
        await asyncio.sleep(0.005)
        return [1]

    async with polling(ScriptedDriver(lambda names: slow()), connection("a")) as (_, notes):
        await until(lambda: notes.times)
    ((device, seconds),) = notes.times
    assert device == "a"
    assert 0.005 <= seconds < 0.5


async def test_a_line_that_was_dead_as_a_whole_is_back_as_a_whole(monkeypatch):
    monkeypatch.setattr("edge_agent.standing.FIRST_PROBE", 0.2)
    dead, names = True, [f"d{number}" for number in range(8)]

    def script(addresses):
        if dead:
            raise NoResponse("silent")
        return [1] * len(addresses)

    class Costly(ProbingDriver):
        def plan(self, addresses, learnt):
            return dataclasses.replace(super().plan(addresses, learnt), cost_of_silence=10.0)

        def probe(self, plan):
            return dataclasses.replace(super().probe(plan), cost_of_silence=10.0)

    driver = Costly(script)
    async with polling(driver, connection(*names)) as (poller, notes):
        await until(lambda: poller.roster.nobody_answers)
        probed = [standing.probe_at for standing in poller.devices.values()]
        await until(lambda: len(driver.reads) >= 8 * 4)
        assert max(probed) - min(probed) < 10, "there is nobody to protect from probes"
        for name in names[1:]:
            poller.devices[name].probe_at += 100
        dead = False
        await until(lambda: notes.states[8:])
        await until(lambda: [state for _, state, _ in notes.states[8:]] == ["up"] * 8)


@pytest.mark.thorough
async def test_on_a_line_that_dies_every_point_is_bad_within_two_intervals():
    names, every, cut = [f"d{number}" for number in range(10)], 1.0, asyncio.Event()

    async def answer(count):
        if cut.is_set():
            await asyncio.sleep(0.3)  # ten of these are three intervals
            raise NoResponse("silent")
        return [1] * count

    driver = ScriptedDriver(lambda addresses: answer(len(addresses)))
    async with polling(driver, connection(*names, every=every)) as (_, notes):
        await until(lambda: all(len(notes.of(name)) >= 2 for name in names))
        cut.set()
        await asyncio.sleep(2 * every)
        for name in names:
            assert notes.of(name)[-1].flaws[0].why is Why.TIMEOUT, name
        await until(lambda: [state for _, state, _ in notes.states[10:]] == ["silent"] * 10)
