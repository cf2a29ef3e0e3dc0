"""Connections whose equipment reports changes by itself."""

import asyncio
import contextlib
import itertools

import msgspec
import pytest

from edge_agent.clock import Clock
from edge_agent.config.model import Connection, Deadband, Device, Point
from edge_agent.driver import Changes, ConnectionLost, NoResponse, Sample, Samples, Why, bad
from edge_agent.gates import TIMELY, USUAL_SILENCE
from edge_agent.poller import Poller
from tests.rigs.scripted_driver import ScriptedAddress, ScriptedSettings
from tests.rigs.until import until
from tests.rigs.watched import WatchedDriver

FOREVER = 1000.0


class Notes:
    """A keeper that encodes what it gets, as the agent's own does."""

    def __init__(self):
        self.messages, self.states, self.arrived = [], [], []

    def keep(self, group, samples, waited=0.0):
        mono = Clock().mono() - waited
        group.note_refusals(samples)
        for count, body in group.encode(samples, mono):
            readings = msgspec.json.decode(b"[%b]" % body)
            assert len(readings) == count
            self.messages.append((group.device, readings))
            self.arrived.append(mono)

    def note(self, device, standing):
        self.states.append((device, str(standing.state)))

    def learn(self, device, learnt):
        pass

    def time(self, device, seconds):
        pass

    def of(self, device, point="p0"):
        """Give the values of a point, or the reason where it has none."""
        return [
            reading["why"] if reading["v"] is None else reading["v"]
            for name, readings in self.messages
            for reading in readings
            if (name, reading["p"]) == (device, point)
        ]


def connection(*devices, points=2, every=FOREVER, **others):
    return Connection(
        "line",
        "watched",
        ScriptedSettings(),
        tuple(
            Device(
                name,
                tuple(
                    Point(f"p{i}", ScriptedAddress(at=f"{name}.p{i}"), every=every, **others)
                    for i in range(points)
                ),
            )
            for name in devices
        ),
    )


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch):
    monkeypatch.setattr("edge_agent.poller.FIRST_DELAY", 0.02)
    monkeypatch.setattr("edge_agent.poller.LAST_DELAY", 0.05)


@contextlib.asynccontextmanager
async def watching(driver, configured):
    notes = Notes()
    poller = Poller(configured, driver, {}, notes, Clock())
    task = asyncio.create_task(poller.run())
    try:
        await until(lambda: driver.watched)
        yield poller, notes
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_changes_of_one_device_are_one_message_and_a_point_may_be_in_it_often():
    driver = WatchedDriver()
    async with watching(driver, connection("a")) as (poller, notes):
        rows = [(0, Sample(number, time=1000 + number)) for number in range(20)]
        driver.report(*rows, (1, True))
        await until(lambda: notes.messages)
        [(device, readings)] = notes.messages
    assert device == "a"
    assert readings == [{"p": "p0", "v": n, "t": 1000 + n} for n in range(20)] + [
        {"p": "p1", "v": True}
    ]
    assert notes.states == [("a", "up")]
    assert driver.reads == [], "nothing was asked"
    assert poller.ear.heard == 21


async def test_what_is_wanted_is_told_with_intervals_and_deadbands():
    configured = connection("a", points=1, every=0.5, deadband=Deadband(0.4), scale=-0.1)
    async with watching(driver := WatchedDriver(), configured):
        [group] = driver.groups
    assert [str(address) for address in group.addresses] == ["a.p0"]
    assert group.every == 0.5
    assert group.deadbands == {0: pytest.approx(4.0)}


@pytest.mark.parametrize(
    "reason", [{"range": (0, 9)}, {"no_value": (7,)}, {"max_silence": 60.0}, {"percent": True}]
)
async def test_equipment_is_told_no_deadband_where_the_agent_would_decide_otherwise(reason):
    others = dict(reason)
    band = Deadband(2.0, percent=others.pop("percent", False))
    async with watching(driver := WatchedDriver(), connection("a", deadband=band, **others)):
        assert driver.groups[0].deadbands == {}


async def test_changes_are_conditioned_like_polls():
    configured = connection(
        "a", points=1, scale=0.1, range=(0, 100), no_value=(9999,), deadband=Deadband(0.5)
    )
    async with watching(driver := WatchedDriver(), configured) as (_, notes):
        values = [100, 104, 106, float("nan"), 9999, 2000, 2001]
        driver.report(*((0, value) for value in values))
        await until(lambda: notes.messages)
    assert notes.messages == [
        (
            "a",
            [
                {"p": "p0", "v": 10.0},
                {"p": "p0", "v": 10.6},
                {"p": "p0", "v": None, "q": "bad", "why": "not_a_number"},
                {"p": "p0", "v": None, "q": "bad", "why": "no_value"},
                {"p": "p0", "v": 200.0, "q": "uncertain", "why": "out_of_range"},
            ],
        )
    ]


async def test_a_point_that_cannot_be_watched_now_is_bad_once_and_comes_back():
    async with watching(driver := WatchedDriver(), connection("a", points=1)) as (_, notes):
        driver.report((0, bad(Why.REFUSED, "no such node")))
        driver.report((0, bad(Why.REFUSED, "no such node")))
        driver.report((0, 5))
        await until(lambda: 5 in notes.of("a"))
    assert notes.of("a") == ["refused", 5]


async def test_what_equipment_cannot_report_is_polled_until_it_can():
    driver = WatchedDriver(lambda names: [len(driver.reads)] * len(names))
    async with watching(driver, connection("a", points=3, every=0.01)) as (_, notes):
        driver.report((0, 100), unwatched=[1, 2])
        await until(lambda: len(notes.of("a", "p1")) >= 3)
        assert set(map(tuple, driver.reads)) == {("a.p1", "a.p2")}
        driver.report(unwatched=[2])
        await until(lambda: driver.reads[-1] == ["a.p2"])
        driver.report(unwatched=[])
        await until(lambda: not len(driver.queue))
        polled = len(driver.reads)
        await asyncio.sleep(0.05)
        assert len(driver.reads) <= polled + 1
    assert notes.of("a") == [100]


@pytest.mark.parametrize("band", [pytest.param(None, marks=pytest.mark.thorough), Deadband(1.0)])
async def test_after_a_silence_a_point_is_read_again_not_repeated(band):
    driver = WatchedDriver(lambda names: [42] * len(names))
    configured = connection("a", points=2, max_silence=0.4, deadband=band)
    async with watching(driver, configured) as (_, notes):
        driver.report((0, 41), (1, 41))
        await until(lambda: notes.of("a").count(42) >= 3)
    assert notes.of("a")[:2] == [41, 42]
    gaps = [b - a for a, b in zip(notes.arrived, notes.arrived[1:], strict=False)]
    assert all(gap > 0.4 * TIMELY for gap in gaps), gaps
    assert min(gaps) <= 0.4, gaps


@pytest.mark.thorough
async def test_what_changed_lately_is_not_read_again():
    driver = WatchedDriver()
    configured = connection("a", points=2, max_silence=2.0, deadband=Deadband(0.0))
    async with watching(driver, configured):
        driver.report((1, 0))
        for number in itertools.takewhile(lambda _: not driver.reads, itertools.count()):
            driver.report((0, number))
            await asyncio.sleep(0.03)
    assert {name for names in driver.reads for name in names} == {"a.p1"}


async def test_a_point_without_deadband_is_read_again_once_a_minute(monkeypatch):
    monkeypatch.setattr("edge_agent.gates.USUAL_SILENCE", 0.2)
    assert USUAL_SILENCE == 60
    driver = WatchedDriver(lambda names: [9] * len(names))
    async with watching(driver, connection("a", points=1)) as (_, notes):
        driver.report((0, 8))
        await until(lambda: notes.of("a") == [8, 9])


async def test_what_was_never_reported_is_not_read_for_its_silence(monkeypatch):
    monkeypatch.setattr("edge_agent.gates.USUAL_SILENCE", 0.05)
    async with watching(driver := WatchedDriver(), connection("a", points=1)):
        await asyncio.sleep(0.2)
    assert driver.reads == []


async def test_equipment_that_cannot_be_read_is_left_to_its_silence():
    driver = WatchedDriver()
    type(driver).reads_watched = False
    try:
        async with watching(driver, connection("a", max_silence=0.05)) as (_, notes):
            driver.report((0, 1), (1, 1))
            await asyncio.sleep(0.2)
        assert driver.reads == []
        assert notes.of("a") == [1]
    finally:
        type(driver).reads_watched = True


async def test_what_was_reported_during_a_read_comes_before_what_was_read():
    async def slow(names):
        driver.report((0, "before"))
        await asyncio.sleep(0.05)
        return ["after"]

    driver = WatchedDriver(slow)
    async with watching(driver, connection("a", points=1, every=0.02)) as (_, notes):
        driver.report(unwatched=[0])
        await until(lambda: len(notes.messages) >= 2)
    assert notes.of("a")[:2] == ["before", "after"]
    assert notes.arrived[1] - notes.arrived[0] >= 0.04, "it is stamped when it arrived"


async def test_a_lost_link_makes_everything_bad_at_once_and_is_watched_anew():
    async with watching(driver := WatchedDriver(), connection("a", "b")) as (poller, notes):
        driver.report((0, 1), (1, 2))
        await until(lambda: notes.messages)
        driver.report((0, 3))
        driver.cut()
        await until(lambda: driver.watched == 2)
        assert poller.state == "up"
        driver.report((0, 4), (1, 4))
        await until(lambda: 4 in notes.of("a"))
    assert notes.of("a") == [1, 3, "link_down", 4]
    assert notes.of("b") == ["link_down"]
    assert notes.states == [("a", "up"), ("a", "down"), ("b", "down"), ("a", "up")]
    assert driver.closed == 2


async def test_a_device_of_which_nothing_is_heard_falls_silent_and_is_read_when_it_is_back():
    def script(names):
        if silent:
            raise NoResponse("nobody there")
        return [7] * len(names)

    silent, driver = True, WatchedDriver(script)
    async with watching(driver, connection("a", "b")) as (_, notes):
        driver.report((0, 1), (1, 1), group=1)
        for _ in range(2):
            driver.report(*((i, bad(Why.TIMEOUT, "no message in time")) for i in range(2)))
        await until(lambda: ("a", "silent") in notes.states)
        silent = False
        driver.report((0, 5))
        await until(lambda: notes.of("a", "p1")[-1:] == [7])
    assert notes.of("a") == ["timeout", 5, 7]
    assert notes.of("b") == [1]
    assert notes.states[-1] == ("a", "up")


@pytest.mark.parametrize(
    ("group", "indices", "unwatched"),
    [
        (2, [0], None),
        (-1, [0], None),
        (0, [2], None),
        (0, [-1], None),
        (0, [0, 1], None),
        (0, [0], [5]),
    ],
)
async def test_changes_that_fit_no_group_are_a_driver_bug(group, indices, unwatched):
    async with watching(driver := WatchedDriver(), connection("a")) as (_poller, notes):
        driver.report((0, 1), group=group, unwatched=unwatched)
        arrived, one = driver.queue._waiting[0]
        driver.queue._waiting[0] = arrived, one._replace(indices=indices)
        await until(lambda: driver.watched == 2)
    assert notes.of("a") == ["link_down"]


async def test_a_link_on_which_nothing_can_be_watched_is_down():
    def refuse():
        if driver.watched == 1:
            raise ConnectionLost("no subscription left")

    driver = WatchedDriver()
    driver.watching = refuse
    async with watching(driver, connection("a")) as (_, notes):
        await until(lambda: driver.watched == 2)
    assert notes.of("a") == ["link_down"]


async def test_a_watching_task_that_waits_is_not_stuck():
    async with watching(WatchedDriver(), connection("a", every=FOREVER)) as (poller, _):
        await until(lambda: poller.stuck_after > Clock().mono() + 5)


async def test_settings_may_want_no_changes():
    class Polled(WatchedDriver):
        is_watching = False

    driver = Polled(lambda names: [3] * len(names))
    notes = Notes()
    poller = Poller(connection("a", every=0.01), driver, {}, notes, Clock())
    task = asyncio.create_task(poller.run())
    await until(lambda: len(notes.of("a")) >= 3)
    task.cancel()
    assert driver.watched == 0


async def test_refusals_of_single_points_are_told_apart():
    async with watching(WatchedDriver(), connection("a", points=3)) as (poller, _):
        [group] = poller.ear.groups
    [part] = group.parts([2, 0])
    refused = Samples.of([bad(Why.REFUSED, "no"), Sample(1)])
    assert part.note_refusals(refused) == ({"p2": "no"}, [])
    assert part.note_refusals(refused) == ({}, [])
    [other] = group.parts([0, 1])
    assert other.note_refusals(Samples([1, 2])) == ({}, [])
    assert part.note_refusals(Samples([1, 2])) == ({}, ["p2"])


async def test_what_a_driver_learns_between_changes_is_kept_and_says_nothing_of_the_device():
    lessons = []
    async with watching(driver := WatchedDriver(), connection("a")) as (_, notes):
        notes.learn = lambda device, learnt: lessons.append((device, learnt))
        driver.queue.put(Changes(0, (), Samples([], learnt={"hole": 7})))
        await until(lambda: lessons)
        assert driver.plans[-1] == {"hole": 7}
    assert lessons == [("a", {"hole": 7})]
    assert notes.states == []
