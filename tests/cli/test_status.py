"""What `edge-agent status` and the retained status say about a line on which a device is dead."""

import asyncio
import contextlib
import json
import re

import pytest
from edge_agent_modbus import ModbusSettings

from edge_agent.agent import Agent
from edge_agent.cli.status import _broker, _carried, _line, _lines, _screen, _wear
from edge_agent.clock import Clock
from edge_agent.config import experience
from edge_agent.config.model import AgentIdentity, BufferLimits, Config, Mqtt
from edge_agent.notebook import FILE
from edge_agent.status import describe
from tests.rigs.fake_broker import fake_broker
from tests.rigs.published import faults
from tests.rigs.shared_line import SharedLine, connection
from tests.rigs.until import until

UNITS = range(1, 3)


@pytest.fixture
def shared(tmp_path):
    shared = SharedLine(tmp_path / "ttyRS485", UNITS)
    shared.line.plug()
    yield shared
    shared.line.unplug()


@contextlib.asynccontextmanager
async def agent_on(shared, tmp_path, port):
    settings = ModbusSettings(
        transport="rtu", port=str(shared.line.path), baud=115200, timeout=0.03
    )
    config = Config(
        AgentIdentity("gw", "site"),
        Mqtt("127.0.0.1", port, client_id="edge-gw"),
        BufferLimits(tmp_path / "buffer", flush=0.2),
        (connection(UNITS, settings, every=0.1, points=2),),
    )
    agent, stop = Agent(config, Clock()), asyncio.Event()
    task = asyncio.create_task(agent.run(config, stop))
    yield agent
    stop.set()
    await asyncio.wait_for(task, 60)


async def test_a_dead_device_is_named_with_cause_and_next_step(shared, tmp_path):
    shared.unplugged.add(2)
    async with fake_broker() as broker, agent_on(shared, tmp_path, broker.port) as agent:
        await until(lambda: any(b"E-BUS-ABSENT" in each for each in _statuses(broker, 2)))
        await until(lambda: _statuses(broker, 1))
        status = json.loads(json.dumps(describe(agent)))
    published = json.loads(_statuses(broker, 2)[-1])
    assert faults("edge/v1/site/gw/unit-2/status", published) == []
    assert published["state"] == "silent"
    assert "its neighbours on the line answer (unit 2 holding:0 " in published["why"]
    assert published["why"].split("; ")[1].startswith("check its power, its unit number")
    one, two = status["devices"]
    assert (one["state"], one["code"], one["why"]) == ("up", "", "")
    assert (two["state"], two["code"], two["why"]) == ("silent", "E-BUS-ABSENT", published["why"])
    assert two["since"] == published["since"]
    assert two["evidence"]["reads"] >= 2
    assert two["evidence"]["answered"] == 0
    assert one["evidence"]["answered"] >= 1


async def test_the_screen_shows_code_cause_and_what_was_noticed(shared, tmp_path):
    shared.wiring = lambda request, answer: [(0, request), (0.001, answer)]  # an echo
    async with fake_broker() as broker, agent_on(shared, tmp_path, broker.port) as agent:
        await until(lambda: any(b"E-BUS-ECHO" in each for each in _statuses(broker, 1)))
        screen = _screen(describe(agent))
    lines = screen.splitlines()
    at = next(index for index, line in enumerate(lines) if line.startswith("device   unit-1"))
    assert lines[at].endswith("E-BUS-ECHO")
    assert lines[at + 1].strip().startswith("The adapter hears what it sends")
    assert lines[at + 2].strip().startswith("noticed echo ")


@pytest.mark.thorough
async def test_how_fast_devices_answer_is_left_for_check(shared, tmp_path):
    async with fake_broker() as broker, agent_on(shared, tmp_path, broker.port) as agent:
        await until(lambda: agent.running)
        evidence = agent.running["hall-3"].poller.roster.evidence["unit-1"]
        await until(lambda: evidence.totals["answered"] >= 10)
    known = experience.read(tmp_path / "buffer" / FILE)
    assert 0 <= known.answer_times["unit-1"] < 0.03  # beside the time on the wire


async def test_another_remark_on_a_device_that_is_up_does_not_change_since_when(shared, tmp_path):
    async with fake_broker() as broker, agent_on(shared, tmp_path, broker.port) as agent:
        await until(lambda: _statuses(broker, 1))
        shared.wiring = lambda request, answer: [(0, request), (0.001, answer)]
        await until(lambda: any(b"E-BUS-ECHO" in each for each in _statuses(broker, 1)))
        assert agent.recorder.since("unit-1")
    first, *_, last = map(json.loads, _statuses(broker, 1))
    assert (first["state"], last["state"]) == ("up", "up")
    assert first["since"] == last["since"]


@pytest.mark.thorough
async def test_the_screen_tells_the_owner_of_a_card_what_is_written_and_when_it_is_full(
    shared, tmp_path
):
    async with (
        fake_broker(connack=None) as broker,
        agent_on(shared, tmp_path, broker.port) as agent,
    ):
        await until(lambda: agent.running)
        await until(lambda: agent.buffer.seconds_until_full)
        await until(lambda: agent.buffer.wear.bytes is not None)
        status = json.loads(json.dumps(describe(agent)))
        lines = _screen(status).splitlines()
    assert status["buffer"]["written"] > 0  # at least the reservation of numbers
    assert status["buffer"]["hours_until_full"] > 1
    assert any(re.fullmatch(r"card     [\d.,]+ MB written since the start", line) for line in lines)
    assert any(re.search(r"full in [\d.]+ \w+ without a broker", line) for line in lines)


def test_the_pace_of_wear_is_told_for_a_day_and_only_if_it_is_known():
    assert _wear(None, None) == []
    (line,) = _wear(3_000_000, 4_600_000)
    assert line.endswith("3.0 MB written since the start, at present 4.6 MB a day")


def test_what_was_carried_here_is_told_by_epoch():
    (line,) = _carried([{"epoch": "5f0c", "readings": 12, "losses": 0}])
    assert line.strip() == "of these 12 were carried here from another card (epoch 5f0c)"


LINE = {
    "connection": "oven", "state": "up", "why": "", "polls": 0, "overruns": 0, "changes": 0,
    "busy": None, "overload": "", "evidence": {},
}  # fmt: skip
DEVICE = {
    "device": "oven-1", "state": "up", "last_good": 5, "code": "", "why": "", "evidence": {},
}  # fmt: skip


@pytest.mark.parametrize(
    ("counted", "shown"),
    [
        ({}, "0 polls, 0 skipped"),
        ({"polls": 7, "overruns": 1}, "7 polls, 1 skipped, measuring how busy it is"),
        ({"polls": 7, "busy": 0.314}, "7 polls, 0 skipped, busy 31% of the time"),
        ({"polls": 7, "state": "down"}, "7 polls, 0 skipped"),
        ({"busy": 0.88, "why": "no port"}, "0 polls, 0 skipped, busy 88% of the time: no port"),
        ({"changes": 12}, "12 changes"),
        ({"polls": 7, "changes": 12}, "12 changes, 7 polls, 0 skipped"),
    ],
)
def test_a_line_that_reports_by_itself_shows_its_changes(counted, shown):
    (line,) = _line({**LINE, **counted})
    assert line == f"line     {'oven':24} {counted.get('state', 'up'):7} {shown}"


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ({"why": "refused"}, "b.example:1883 waiting: refused, nothing acknowledged yet"),
        ({"note": "nobody subscribes"}, "b.example:1883 waiting: nobody subscribes, nothing"),
        ({}, "b.example:1883 waiting, nothing acknowledged yet"),
    ],
)
def test_what_is_said_of_a_broker_stands_apart_from_its_state(told, shown):
    known = {"host": "b.example", "port": 1883, "state": "waiting", "why": "", "note": ""}
    assert _broker({**known, "last_ack": None, **told}, now=0).startswith(shown)


def test_what_is_wrong_with_a_whole_line_is_said_once():
    lost = {"state": "down", "why": "the cable was pulled"}
    lines = _lines([{**LINE, **lost}], [{**DEVICE, **lost, "code": "E-LINK-DOWN"}], now=5)
    assert [line.count("the cable was pulled") for line in lines] == [1, 0]
    slow = [{**LINE, "overload": "too much for the line"}]
    earlier = {"why": "too much for the line, a while ago", "code": "E-LINE-OVERLOADED"}
    lines = _lines(slow, [{**DEVICE, **earlier}, {**DEVICE, **earlier}], now=5)
    assert "\n".join(lines).count("too much for the line") == 1
    lines = _lines([LINE], [{**DEVICE, "why": "it does not answer"}], now=5)
    assert lines[-1].strip() == "it does not answer"


def _statuses(broker, unit):
    return broker.payloads(f"/unit-{unit}/status")
