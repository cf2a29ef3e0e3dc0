"""The end of the conversation with a real agent: started, watched, reported, handed on."""

import json
from pathlib import Path

import pytest

from edge_agent.setup import handover
from edge_agent.setup.flow import setup
from edge_agent.setup.interview import Interview
from edge_agent.setup.putting import put, told
from edge_agent.setup.session import home_of
from edge_agent.supervisor import ChildService, ServiceFailed
from tests.rigs.interviews import begins


class KeptService(ChildService):
    """An agent that stays, as systemd keeps it."""

    def settle(self) -> str:
        return ""


class BrokenService(ChildService):
    """A machine on which nothing can be started."""

    def start(self) -> None:
        raise ServiceFailed("Unit edge-agent.service is masked.")


@pytest.fixture
def config(tmp_path):
    return tmp_path / "config.yaml"


@pytest.fixture
def service(config):
    service = KeptService(config)
    yield service
    service.stop()


def at_the_summary(config, service, broker) -> Interview:
    talk = Interview(setup(config, home_of(config), service))
    begins(talk)
    answers = ["demo", "oven", "", "done", "local", f"localhost:{broker.port}", ""]
    for answer in answers:
        talk.answer(answer)
    assert (talk.question.id, talk.default()) == ("summary", "start")
    return talk


@pytest.fixture
def started(config, service, broker):
    """A conversation behind the start of the agent."""
    talk = at_the_summary(config, service, broker)
    talk.answer("start")
    return talk


def test_a_template_that_somebody_has_worked_on_is_left_alone(config, monkeypatch):
    def save(_config, out):
        out.write_text("as it is now")
        return {"file": str(out), "problem": ""}

    monkeypatch.setattr(handover, "save", save)
    assert handover.save_beside(config)["file"] == str(config.with_name("site-template.yaml"))
    config.with_name("site-template.yaml").write_text("worked on")
    for _once_more in range(2):
        second = handover.save_beside(config)
        assert second == {"file": str(config.with_name("site-template-2.yaml")), "problem": ""}
    files = {file.name: file.read_text() for file in config.parent.iterdir()}
    assert files == {"site-template.yaml": "worked on", "site-template-2.yaml": "as it is now"}


@pytest.mark.thorough
def test_the_agent_is_started_and_seen_to_deliver(started, config):
    assert started.question.id == "power.cut"
    written, device, confirmed = started.question.facts.splitlines()
    assert written == f"Written: {config}"
    assert device.startswith(" OK  oven  temperature ")
    assert confirmed == "The broker has confirmed readings: they leave this gateway."
    for answer in ("later", "yes", "Zhang San", "yes"):
        started.answer(answer)
    outcome = started.result
    assert outcome.started
    assert "Zhang San" in Path(outcome.report).read_text(encoding="utf-8")
    assert "kind: broker" in Path(outcome.template).read_text(encoding="utf-8")


@pytest.mark.thorough
def test_a_power_cut_is_remembered_judged_and_kept_for_the_report(started, config, service):
    started.answer("now")
    assert started.question.id == "power.back"
    # a new session after the power cut stands where this one stood
    talk = Interview(setup(config, home_of(config), service), list(started.entries))
    assert talk.question.id == "power.back"
    talk.answer("back")
    assert talk.question.id == "power.result"
    assert "was not without power" in talk.question.facts
    talk.answer("again")
    talk.answer("skip")
    assert talk.question.id == "report"
    kept = json.loads((config.parent / "commissioning.json").read_text())
    assert kept["power"]["passed"] is False


@pytest.mark.thorough
def test_a_device_that_is_to_come_later_does_not_forbid_the_others(config, service, broker):
    press = {
        "name": "press-line",
        "driver": "modbus",
        "settings": {"transport": "tcp", "host": "127.0.0.1", "port": 1},
        "devices": [{"name": "press", "points": {"oil": {"address": "40001"}}}],
    }
    oven = {
        "name": "oven-line",
        "driver": "simulated",
        "settings": {},
        "devices": [{"name": "oven", "points": {"temperature": {"address": {}}}}],
    }
    document = {
        "version": 1,
        "agent": {"id": "gw-01", "site": "factory-1"},
        "mqtt": {"url": f"mqtt://localhost:{broker.port}"},
        "buffer": {"path": "buffer"},
        "connections": [press, oven],
    }
    answered = [{"device": "press", "good": 0}, {"device": "oven", "good": 1}]
    chosen = {"choice": "start", "devices": answered}
    talk = Interview(lambda: put(document, config, chosen, service))
    assert talk.question is None
    assert talk.result["started"]
    lines = told(talk.result)
    assert lines[1].startswith(" FAIL  press  ")
    assert lines[2].startswith(" OK    oven   temperature ")


def test_a_service_that_does_not_start_is_told_and_nothing_is_left(config, broker):
    talk = at_the_summary(config, BrokenService(config), broker)
    talk.answer("start")
    assert talk.question.id == "write.trouble"
    assert "Unit edge-agent.service is masked." in talk.question.facts
    assert not config.exists()
    talk.answer("change")
    assert talk.question.id == "summary"
