"""Every device is read once, and what keeps one from being read is its own."""

import asyncio
from dataclasses import dataclass, field

import pytest

from edge_agent.config.model import Connection, Device, Point
from edge_agent.driver import (
    Address,
    ConnectionLost,
    Diagnosis,
    Driver,
    NoResponse,
    Plan,
    Samples,
    Settings,
    Why,
    bad,
)
from edge_agent.errors import DriverUnavailable
from edge_agent.model import Quality, Sample
from edge_agent.trial import State, try_connection, try_connections


class Place(Address):
    at: str


@dataclass
class Equipment:
    """What a scripted driver finds: device's first address -> samples, or what goes wrong."""

    devices: dict[str, object]
    open_error: Exception | None = None
    opened: int = 0
    closed: int = 0
    asked: list[str] = field(default_factory=list)


class ScriptedDriver(Driver[Settings, Place]):
    settings_type = Settings
    address_type = Place

    def __init__(self, equipment: Equipment) -> None:
        super().__init__(Settings())
        self.equipment = equipment

    async def open(self) -> None:
        if self.equipment.open_error:
            raise self.equipment.open_error
        self.equipment.opened += 1

    def plan(self, addresses, learnt):
        return Plan(tuple(addresses), patience=0.05)

    async def read(self, plan: Plan[Place]) -> Samples:
        first = plan.addresses[0].at
        self.equipment.asked.append(first)
        outcome = self.equipment.devices[first]
        if isinstance(outcome, Exception):
            raise outcome
        if outcome == "hangs":
            await asyncio.Event().wait()
        return Samples.of(outcome)

    async def close(self) -> None:
        self.equipment.closed += 1


def device(name: str, *addresses: str, **more) -> Device:
    points = tuple(Point(f"p{i}", Place(at=at), **more) for i, at in enumerate(addresses))
    return Device(name, points)


def connection(*devices: Device, driver: str = "scripted") -> Connection:
    return Connection("line", driver, Settings(), devices)


async def tried(equipment: Equipment, *devices: Device):
    return await try_connection(connection(*devices), lambda name, _: ScriptedDriver(equipment))


async def test_values_come_conditioned_with_their_units():
    equipment = Equipment({"a": [Sample(235), bad(Why.REFUSED, "exception 2")]})
    (result,) = await tried(equipment, device("press", "a", "b", scale=0.1, unit="Cel"))
    assert (result.state, result.why, result.good) == (State.UP, "", 1)
    first, second = result.readings
    assert (first.point, first.value, first.quality, first.unit) == (
        "p0",
        23.5,
        Quality.GOOD,
        "Cel",
    )
    assert (second.value, second.quality, second.why, second.detail) == (
        None,
        Quality.BAD,
        Why.REFUSED,
        "exception 2",
    )
    assert (equipment.opened, equipment.closed) == (1, 1)


async def test_how_long_a_device_thinks_is_measured_where_a_reads_cost_is_known(monkeypatch):
    equipment = Equipment({"a": Samples([1.0])})
    for cost, told in ((0.0, False), (0.01, True)):
        planned = Plan((Place(at="a"),), cost=cost, patience=1.0, requests=2)
        monkeypatch.setattr(ScriptedDriver, "plan", lambda self, addresses, learnt, p=planned: p)
        monkeypatch.setattr(ScriptedDriver, "read", taking(0.05))
        (result,) = await tried(equipment, device("one", "a"))
        assert result.ms >= 50
        thought = (result.ms / 1000 - cost) / planned.requests
        assert result.answer_time == (pytest.approx(thought) if told else None)


def taking(seconds):
    async def read(self, plan):
        await asyncio.sleep(seconds)
        return Samples([1.0])

    return read


async def test_a_silent_device_leaves_its_neighbours_alone():
    equipment = Equipment({"a": NoResponse("unit 1 does not answer"), "b": [Sample(1)]})
    silent, well = await tried(equipment, device("one", "a"), device("two", "b"))
    assert (silent.state, silent.why) == (State.SILENT, "unit 1 does not answer")
    assert (silent.readings[0].value, silent.readings[0].why) == (None, Why.TIMEOUT)
    assert (well.state, well.readings[0].value) == (State.UP, 1)


async def test_a_read_that_never_ends_is_cut_off_and_silent():
    equipment = Equipment({"a": "hangs", "b": [Sample(True)]})
    silent, well = await tried(equipment, device("one", "a"), device("two", "b"))
    assert silent.state is State.SILENT
    assert "no answer within 0.05 s" in silent.why
    assert silent.ms >= 50
    assert well.readings[0].value is True
    assert equipment.closed == 1


async def test_somebody_is_told_what_a_device_waits_for_before_it_is_read():
    class Reader(ScriptedDriver):
        def plan(self, addresses, learnt):
            return Plan(tuple(addresses), patience=0.5, action="scan")

        async def read(self, plan):
            assert told == [("reader", "scan")]
            return await super().read(plan)

    told, equipment = [], Equipment({"a": [Sample("4006381333931")]})
    (result,) = await try_connection(
        connection(device("reader", "a")),
        lambda name, _: Reader(equipment),
        lambda *words: told.append(words),
    )
    assert result.readings[0].value == "4006381333931"


async def test_what_is_wrong_with_a_device_that_answers_is_said_with_its_code():
    class Picky(ScriptedDriver):
        def diagnose(self, evidence):
            assert evidence == {"reads": 1, "answered": 1, "refused": 1, "no_node": 1}
            return Diagnosis("E-NODE", "it has no such node", "look it up")

        async def read(self, plan):
            self.evidence["no_node"] += 1
            return await super().read(plan)

    equipment = Equipment({"a": [bad(Why.REFUSED, "BadNodeIdUnknown"), Sample(1)]})
    (result,) = await try_connection(
        connection(device("oven", "a", "b")), lambda name, _: Picky(equipment)
    )
    told = (result.state, result.code, result.why)
    assert told == (State.UP, "E-NODE", "it has no such node; look it up")
    assert result.readings[0].detail == "BadNodeIdUnknown"


async def test_a_lost_link_is_down():
    equipment = Equipment({"a": ConnectionLost("the cable was pulled")})
    (result,) = await tried(equipment, device("one", "a"))
    assert (result.state, result.why) == (State.DOWN, "the cable was pulled")
    assert result.readings[0].why is Why.LINK_DOWN


async def test_a_link_that_cannot_be_opened_is_down_for_all_its_devices_and_closed():
    equipment = Equipment({}, open_error=ConnectionLost("no such port"))
    results = await tried(equipment, device("one", "a"), device("two", "b"))
    assert [(each.state, each.why) for each in results] == [(State.DOWN, "no such port")] * 2
    assert equipment.closed == 1
    assert equipment.asked == []


async def test_a_fault_in_a_driver_costs_only_its_own_connection():
    made = {
        "broken": ScriptedDriver(Equipment({"a": ZeroDivisionError("oops")})),
        "well": ScriptedDriver(Equipment({"b": [Sample(1)]})),
    }
    broken, well = await try_connections(
        [
            connection(device("one", "a"), driver="broken"),
            connection(device("two", "b"), driver="well"),
        ],
        lambda name, _: made[name],
    )
    assert broken.state is State.DOWN
    assert "'broken' has a fault" in broken.why
    assert "ZeroDivisionError: oops" in broken.why
    assert well.state is State.UP
    assert made["broken"].equipment.closed == 1


async def test_a_driver_that_is_not_installed_is_said_in_a_sentence():
    (result,) = await try_connection(connection(device("one", "a"), driver="nonesuch"))
    assert result.state is State.DOWN
    assert "there is no driver 'nonesuch'" in result.why


async def test_connections_are_tried_side_by_side():
    both = asyncio.Barrier(2)

    class Meeting(ScriptedDriver):
        async def read(self, plan):
            await both.wait()  # ends only when the other one reads, too
            return await super().read(plan)

    def make(name, _):
        return Meeting(Equipment({name: [Sample(name)]}))

    links = [connection(device(name, name), driver=name) for name in ("a", "b")]
    results = await try_connections(links, make)
    assert [result.readings[0].value for result in results] == ["a", "b"]


async def test_the_installed_drivers_are_used_by_default():
    from edge_agent_simulated import SineAddress

    point = Point("wave", SineAddress(middle=5, amplitude=0))
    (result,) = await try_connection(connection(Device("demo", (point,)), driver="simulated"))
    assert result.readings[0].value == pytest.approx(5)


def test_driver_unavailable_is_no_result_of_making_one():
    from edge_agent.trial import make_driver

    with pytest.raises(DriverUnavailable):
        make_driver("nonesuch", Settings())
