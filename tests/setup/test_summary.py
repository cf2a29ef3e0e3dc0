"""What is told before anything is written: what answers, how much is sent, and what failed."""

import json
from pathlib import Path

import pytest

from edge_agent.config.loading import parse
from edge_agent.layout import width
from edge_agent.setup import summary as summary_module
from edge_agent.setup.interview import Interview
from edge_agent.setup.proving import read_config
from edge_agent.setup.question import Quiet
from edge_agent.setup.screen import ROWS, pages
from edge_agent.setup.summary import summary
from edge_agent.setup.traffic import MONTH, _message, bytes_per_month, messages_per_second
from edge_agent.setup.writer import as_yaml
from tests.rigs.subscriber import subscriber
from tests.rigs.until import until
from tests.rigs.whole_agent import running

HERE = Path("/nowhere")
NETWORK = {"transport": "tcp", "host": "127.0.0.1", "port": 1, "timeout": "200ms"}


def document(devices=1, every="1s", scheme="mqtt", **connection):
    points = {"temperature": {"address": {"middle": 20.0}, "unit": "Cel"}}
    if connection.get("driver") == "modbus":
        points = {"temperature": {"address": "40001"}, "pressure": {"address": "40002"}}
    made = [
        {"name": f"oven-{number}", "every": every, "points": points}
        for number in range(1, devices + 1)
    ]
    return {
        "version": 1,
        "agent": {"id": "gw-01", "site": "factory-1"},
        "mqtt": {"url": f"{scheme}://localhost:1883"},
        "buffer": {"path": "buffer"},
        "connections": [
            {"name": "line-1", "driver": "simulated", "settings": {}, **connection, "devices": made}
        ],
    }


def config_of(made) -> object:
    return read_config(as_yaml(made), HERE)


def begun(made, *, starts=False) -> Interview:
    config = HERE / "config.yaml"
    return Interview(lambda: summary(made, config, ["Connected."], starts=starts))


def test_messages_are_counted_by_device_and_interval():
    made = document(devices=3)
    made["connections"][0]["devices"][0]["points"] = {
        "slow": {"address": {}, "every": "10s"},
        "fast": {"address": {}, "every": "500ms"},
        "also_fast": {"address": {}, "every": "500ms"},
    }
    assert messages_per_second(config_of(made)) == pytest.approx(0.1 + 2 + 1 + 1)


def test_a_month_is_its_messages_with_what_comes_around_them():
    values = {("oven-1", "temperature"): 20.5}
    once = bytes_per_month(config_of(document(every="1s")), values)
    assert bytes_per_month(config_of(document(every="10s")), values) == pytest.approx(once / 10)
    longer = bytes_per_month(config_of(document()), {("oven-1", "temperature"): 20.55})
    assert longer - once == pytest.approx(MONTH)  # one digit more, once a second
    renamed = document()
    renamed["connections"][0]["devices"][0]["name"] = "oven-10"
    again = bytes_per_month(config_of(renamed), {("oven-10", "temperature"): 20.5})
    assert again - once == pytest.approx(MONTH)  # one letter more in every topic
    encrypted = bytes_per_month(config_of(document(scheme="mqtts")), values)
    assert encrypted - once == pytest.approx(44 * MONTH)


async def test_a_message_is_as_long_as_those_that_are_sent(broker, tmp_path):
    made = document(every="50ms")
    made["mqtt"]["url"] = f"mqtt://127.0.0.1:{broker.port}"
    config = parse(as_yaml(made), tmp_path).config
    (device,) = config.connections[0].devices
    with subscriber(broker.port) as platform:
        async with running(config):
            await until(lambda: platform.on("/data"))
        message = platform.on("/data")[-1]
    points = list(device.points)
    value = message["readings"][0]["v"]
    counted = _message(device, points, {("oven-1", "temperature"): value})
    sent = json.dumps(message, separators=(",", ":"))
    # numbers begin with one digit and have ten after some years; this clock may be unsynced
    allowed = {"seq": 1000000000, "prev": 1000000000}
    unsynced = len(',"tq":"unsynced"') if "tq" in message else 0
    assert len(counted) == len(json.dumps({**message, **allowed}, separators=(",", ":"))) - unsynced
    assert len(sent) <= len(counted) + unsynced


def test_devices_that_answer_are_shown_with_a_value():
    talk = begun(document(devices=2))
    facts = talk.question.facts
    assert "2 devices, 2 values, 2 messages/s, about " in facts
    assert "OK  oven-1  1/1  temperature " in facts
    assert facts.endswith("°C\nConnected.")
    assert [choice.word for choice in talk.question.choices] == ["write", "dry", "device", "broker"]
    talk.answer("write")
    assert talk.result["choice"] == "write"
    assert [one["good"] for one in talk.result["devices"]] == [1, 1]


def test_where_there_is_a_service_it_is_started():
    assert begun(document(), starts=True).default() == "start"


def test_values_that_failed_are_listed():
    talk = begun(document(driver="modbus", settings=NETWORK))
    assert "FAIL  oven-1  0/2" in talk.question.facts
    talk.answer("list")
    assert "oven-1 temperature: " in talk.question.facts
    assert "oven-1 pressure: " in talk.question.facts
    talk.answer("back")
    assert talk.question.id == "summary"


def test_a_dry_run_counts_what_came(monkeypatch):
    monkeypatch.setattr(summary_module, "REHEARSAL", 0.1)
    talk = begun(document(devices=2))
    talk.answer("dry")
    head, *rows = talk.question.facts.splitlines()
    assert head.split() == ["device", "answered", "values", "failed", "slowest"]
    assert [row.split()[:4] for row in rows] == [
        ["oven-1", "1/1", "1", "0"],
        ["oven-2", "1/1", "1", "0"],
    ]
    assert "nothing was sent" in talk.question.text
    talk.answer("back")
    assert talk.question.id == "summary"


def test_many_devices_fit_one_screen():
    talk = begun(document(devices=40))
    assert "... and 38 more" in talk.question.facts
    (page,) = pages(talk.question)
    assert len(page) < ROWS
    assert max(map(width, page)) <= 60


def test_all_devices_are_shown_before_the_summary_and_faults_first_in_it():
    made = document(devices=5)
    broken = document(driver="modbus", settings=NETWORK)["connections"][0]
    broken["devices"][0]["name"] = "press"
    made["connections"].append({**broken, "name": "line-2"})
    shown = []

    class Seeing(Quiet):
        def say(self, line):
            shown.append(line)

    long = ["A sentence of the broker that goes on and on. " * 9]
    flow = lambda: summary(made, HERE / "config.yaml", long, starts=True)  # noqa: E731
    talk = Interview(flow, perform=lambda look: look.run(Seeing()))
    assert [line.split()[1] for line in shown] == [*(f"oven-{n}" for n in range(1, 6)), "press"]
    assert talk.question.facts.splitlines()[1].startswith("FAIL  press")
    assert [choice.word for choice in talk.question.choices][3] == "list"
    (page,) = pages(talk.question)  # the fullest there can be
    assert len(page) <= ROWS - 2


def test_a_configuration_with_a_mistake_leads_back_to_the_devices():
    talk = begun(document(every="0s"))
    assert talk.question.id == "summary.trouble"
    assert "every" in talk.question.facts
