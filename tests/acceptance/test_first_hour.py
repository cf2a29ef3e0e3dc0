"""Checks 1, 5, 9: a beginner has data confirmed, loses no answer, and changes no machine."""

import asyncio

import pytest

from edge_agent.config import load
from tests.acceptance import record_session
from tests.acceptance.conftest import DATA_FLOWS
from tests.rigs import writes
from tests.rigs.beginner import JARGON, picks
from tests.rigs.until import until

MOST_ANSWERS = 25
READS = {1, 2, 3, 4, 17, 43}  # function codes; 17 and 43 ask a device for its name

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(240)]


def test_check_01_a_beginner_reaches_confirmed_data(hour):
    assert hour.answers <= MOST_ANSWERS
    asked = [screen.question for screen in hour.person.screens]
    assert [question for question in asked if JARGON.search(question)] == []
    assert hour.status["broker"]["last_ack"]
    assert [one["state"] for one in hour.status["devices"]] == ["up", "up"]

    assert hour.person.terminal.exitstatus == 0
    [line] = load(hour.bench.config).connections
    assert (line.settings.baud, line.settings.parity) == (9600, "even")
    assert [device.profile for device in line.devices] == ["eastron-sdm630", "xy-md02"]
    [report] = hour.bench.config.parent.glob("report-*.html")
    page = report.read_text()
    assert "Wang Fang" in page
    assert "231.4" in page
    assert len(page.encode()) < 60_000


def test_check_09_nothing_but_reads_leaves_the_box(hour):
    asked = hour.bench.line.functions
    hour.bench.run("test")
    assert asked <= READS
    assert {3, 4} <= asked  # the search did ask
    assert all(device.writes == [] for device in hour.bench.line.devices.values())
    assert writes.seen == []


def test_the_session_in_the_documents_is_how_it_goes_now(hour):
    folder, port = hour.bench.folder, hour.port
    now = record_session.as_on_a_gateway(hour.person.seen, folder, port)
    written = record_session.of_page("english")
    assert record_session.outline(now) == record_session.outline(written), "call: make session"


def test_check_05_killed_at_every_screen_it_goes_on_there_with_all_answers(beginner, bench):
    person = beginner()
    screens = 0
    while (screen := person.reads()) is not None:
        person.is_killed()
        person.sit_down()
        if person.answers:  # without an answer there is nothing to resume
            resume = person.reads()
            assert "You were here before" in resume.text
            person.types(picks("continue")(person, resume))
        again = person.reads()
        assert (again.question, again.choices) == (screen.question, screen.choices)
        person.replies(again)
        screens += 1
    assert screens >= 20
    assert person.terminal.exitstatus == 0
    [line] = load(bench.config).connections
    assert [len(device.points) for device in line.devices] == [11, 2]
    assert bench.status()["broker"]["last_ack"]


def test_check_10_after_a_power_cut_it_stands_there_and_judges(beginner, bench):
    person = beginner((DATA_FLOWS, picks("I will do that now")))
    assert person.goes_on(until="Pull the plug now")
    bench.switch_off()
    person.is_killed()
    bench.switch_on()
    asyncio.run(until(bench.runs))
    person.sit_down()
    person.rules.insert(0, (r"Pull the plug now", picks("it was without power")))
    person.rules.insert(0, (r"You were here before", picks("continue")))
    screen = person.goes_on(until="It comes back by itself|did not come back")
    assert "It comes back by itself." in screen.text, screen.text
    person.rules.insert(0, (r"It comes back by itself", lambda _person, _screen: ""))
    person.replies(screen)
    person.goes_on()
    [report] = bench.config.parent.glob("report-*.html")
    assert "The agent came back by itself" in report.read_text()
