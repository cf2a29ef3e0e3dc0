"""A novice at a real terminal: what is asked, what is shown, what is written."""

import json
import re
import stat
import subprocess
from pathlib import Path

import pytest

from edge_agent.config import load
from edge_agent.layout import width
from tests.rigs.novice import Novice

pytestmark = pytest.mark.thorough

RULE = re.compile(r"^-- ?.*-{8,}$", re.MULTILINE)


def says_where(person) -> None:
    person.does("Which language?", "1")
    person.does("Where is this gateway?", "factory-1/hall-2")
    person.does("A name for this gateway", "gw-01")
    person.passes_the_box()


def names_the_device(person, name="oven") -> None:
    person.does("A short name", name)
    person.does("What do people call it?", "")
    person.does("What do you connect next?", "")


def names_the_broker(person, broker) -> None:
    person.does("Where shall the readings go?", "")
    person.does("MQTT broker's address", f"localhost:{broker.port}" if broker else "")
    person.does("User name", "")


def sets_up_a_demo_device(person, broker) -> None:
    says_where(person)
    person.does("What do you connect?", "5")
    names_the_device(person)
    names_the_broker(person, broker)


def writes_it(person) -> None:
    person.does("Everything as you want it?", "")
    person.does("Make the commissioning report", "2")
    person.does("Save this as a template", "2")


def test_a_novice_sets_up_a_device_and_sees_what_it_reads(novice, broker):
    person = novice()
    sets_up_a_demo_device(person, broker)
    person.reads("Published a test message and read it back.")
    person.reads("1 device, 1 value, 1 messages/s, about ")
    person.reads("OK  oven  1/1  temperature ")
    writes_it(person)
    person.reads("Start it with: edge-agent run")
    assert person.ends() == 0
    config = load(person.config)
    assert config.agent.site == "factory-1/hall-2"
    assert [device.name for device in config.connections[0].devices] == ["oven"]
    assert (person.config.parent / "language").read_text() == "en\n"


# --- screens ------------------------------------------------------------------------------------


def demo_run(broker, language: str = "1") -> list[str]:
    """Give the answers of a whole run with a demo device, after which nothing is asked."""
    start = [language, "factory-1", "gw-01", None]
    device = ["5", "", "一号炉" if language == "2" else "Oven 1", ""]
    where = ["1", f"localhost:{broker.port}", ""]
    return [*start, *device, *where, "1", "1", "-", "1"]


@pytest.mark.parametrize(
    ("language", "env"),
    [
        ("1", {"TERM": "dumb", "LANG": "C"}),
        ("1", {"PYTHONIOENCODING": "latin-1"}),
        ("1", {"PYTHONIOENCODING": "ascii"}),
        ("2", {"LANG": "C.UTF-8"}),
        ("2", {"PYTHONIOENCODING": "gb18030"}),
        ("2", {"TERM": "linux"}),
    ],
)
def test_screens_fit_60_columns_and_20_lines_without_a_control_code(novice, broker, language, env):
    person = novice(env=env, encoding=env.get("PYTHONIOENCODING", "utf-8"))
    person.walks(demo_run(broker, language))
    assert person.ends() == 0
    assert "\x1b" not in person.seen
    assert "Traceback" not in person.seen
    for screen in screens(person.seen):
        assert len(screen) <= 20, screen
        assert max(map(width, screen)) <= 60, screen
    chinese = language == "2" and env.get("TERM") != "linux"
    assert ("本网关" in person.seen or "网关" in person.seen) == chinese
    assert (person.config.parent / "language").read_text() == (
        "zh\n" if language == "2" else "en\n"
    )


def screens(seen: str) -> list[list[str]]:
    """Cut what was shown into screens; what was typed is no part of one."""
    shown = seen.replace("\r\n", "\n")
    found = []
    for part in RULE.split(shown):
        asked, prompt, looked = part.partition("> ")
        lines = [piece for line in asked.split("\n") for piece in line.split("\r")]
        found.append(["-" * 60, *lines[:-1], lines[-1] + prompt])
        found.append([piece for line in looked.split("\n")[1:] for piece in line.split("\r")])
    return [screen for screen in found if screen]


# --- answers ------------------------------------------------------------------------------------


def test_wrong_answers_get_a_sentence_and_the_question_again(novice):
    person = novice()
    person.does("Which language?", "")
    person.does("Where is this gateway?", "Factory 1!")
    person.does("such as factory-1", "")
    person.does("Please type an answer", "a/b/c/d")
    person.does("at most three levels", "factory-1")
    person.does("A name for this gateway", "gw-01")
    person.passes_the_box()
    person.does("What do you connect?", "99")
    person.does("type a number from 1 to 5", "?")
    person.does("Look at the cable", "q")
    assert person.ends() == 0
    assert not person.config.exists()


def test_b_goes_back_and_offers_the_earlier_answer(novice):
    person = novice()
    person.does("Which language?", "b")
    person.does("This is the first question", "")
    person.does("Where is this gateway?", "factory-1")
    person.does("A name for this gateway", "b")
    assert "[factory-1] > " in person.does("Where is this gateway?", "factory-2")
    person.does("A name for this gateway", "gw-77")
    person.passes_the_box()
    person.does("What do you connect?", "q")
    assert person.ends() == 0
    journal = (person.config.parent / ".setup-journal").read_text()
    kept = [json.loads(line) for line in journal.splitlines()]
    assert {"id": "site", "answer": "factory-2"} in kept
    assert {"cut": 1} in kept


def test_full_width_digits_choose_from_a_menu(novice):
    person = novice(env={"LANG": "C.UTF-8"})
    says_where(person)
    person.does("What do you connect?", "５")
    person.does("A short name", "q")
    assert person.ends() == 0


def test_ctrl_c_in_a_long_look_ends_it_with_what_is_there(novice, broker):
    person = novice()
    sets_up_a_demo_device(person, broker)
    person.does("Everything as you want it?", "2")
    person.reads("58 s left")
    person.terminal.sendintr()
    person.reads("nothing was sent.")
    person.does("back to the summary", "")
    person.does("Everything as you want it?", "q")
    assert person.ends() == 0


# --- coming back --------------------------------------------------------------------------------


def test_killed_at_every_screen_it_resumes_there_with_all_answers(novice, broker):
    answers = demo_run(broker)
    expected = novice()
    wanted = expected.walks(answers)
    assert expected.ends() == 0
    configuration = expected.config.read_bytes()
    for file in filter(Path.is_file, expected.config.parent.iterdir()):
        file.unlink()
    shown = []
    person = comes_in(novice)
    for answer in answers:
        if answer is None and not person.is_at_the_box():
            continue
        shown.append(person.question())
        person.types("2" if answer is None else answer)
        if person.waits():
            person.is_killed()
            person = comes_in(novice)
    assert person.ends() == 0
    assert [but_for_numbers(screen) for screen in shown] == list(map(but_for_numbers, wanted))
    assert expected.config.read_bytes() == configuration


def comes_in(novice):
    """Begin, or go on where the last session was cut off."""
    person = novice()
    person.waits()
    if "You were here before" in person.screen:
        person.types("1")
        person.waits()
    return person


def but_for_numbers(screen: str) -> str:
    """A value is read anew wherever it is shown."""
    return re.sub(r"[0-9.]+", "#", screen)


@pytest.mark.parametrize("end", ["q", "hang up"])
def test_a_session_that_broke_off_is_resumed_where_it_was(novice, broker, end):
    person = novice()
    says_where(person)
    person.does("What do you connect?", "5")
    names_the_device(person)
    person.does("Where shall the readings go?", "b")
    person.does("What do you connect next?", "6")
    person.reads("A short name")
    if end == "hang up":
        person.terminal.close()
    else:
        person.types("q")
        assert person.ends() == 0

    person = novice()
    person.reads("You were here before")
    person.reads("1 of 2 devices done.")
    person.does("continue where you stopped", "")
    person.reads("A short name")
    assert "[demo] > " in person._prompt()
    person.types("q")
    assert person.ends() == 0


def test_starting_over_keeps_the_old_answers_aside(novice):
    person = novice()
    person.does("Which language?", "")
    person.does("Where is this gateway?", "factory-1")
    person.does("A name for this gateway", "q")
    assert person.ends() == 0
    person = novice()
    person.does("start over", "2")
    person.reads("The old answers are kept in")
    person.does("Which language?", "")
    assert "[" not in person.does("Where is this gateway?", "q").rpartition("-" * 30)[2]
    assert person.ends() == 0
    assert len(list(person.config.parent.glob(".setup-journal.bak-*"))) == 1


def test_another_device_is_added_later_and_the_old_configuration_kept(novice, broker):
    person = novice()
    sets_up_a_demo_device(person, broker)
    writes_it(person)
    assert person.ends() == 0
    before = person.config.read_bytes()

    person = novice()
    person.reads("You finished here")
    person.does("add or change something", "")
    person.does("Everything as you want it?", "3")
    person.does("What do you connect next?", "1")
    person.does("A short name", "oven")
    person.does("already used", "oven-2")
    person.does("What do people call it?", "")
    person.does("What do you connect next?", "")
    names_the_broker(person, None)
    writes_it(person)
    person.reads("The one before is kept as")
    assert person.ends() == 0
    (connection,) = load(person.config).connections
    assert [device.name for device in connection.devices] == ["oven", "oven-2"]
    (kept,) = person.config.parent.glob("versions/config.yaml.0*")
    assert kept.read_bytes() == before


def test_a_new_box_is_set_up_from_a_site_file_that_is_there(novice, broker, tmp_path):
    first = novice()
    sets_up_a_demo_device(first, broker)
    first.does("Everything as you want it?", "")
    first.does("Make the commissioning report", "2")
    first.does("Save this as a template", "1")
    assert first.ends() == 0
    (tmp_path / "second").mkdir()
    (tmp_path / "site-template.yaml").rename(tmp_path / "second" / "our-site.yaml")

    second = Novice(tmp_path / "second")
    second.reads("A site file is here.")
    second.does("our-site.yaml", "")
    second.does("gateway", "q")
    assert second.ends() == 2
    assert "nothing was done" in second.seen


def test_what_answers_have_set_up_is_gone_on_with_by_people(novice, broker, tmp_path):
    answers = tmp_path / "answers.yaml"
    answers.write_text(
        "{site: factory-1, gateway: gw-01, device: [{kind: demo, name: oven}], "
        f"broker: {{url: 'localhost:{broker.port}'}}}}"
    )
    first = novice("--answers", str(answers))
    assert first.ends() == 0
    second = novice()
    second.reads("You finished here")
    second.reads("1 device done.")
    second.does("add or change something", "")
    second.reads("OK  oven  1/1  temperature ")
    second.does("Everything as you want it?", "q")
    assert second.ends() == 0


def test_a_second_session_is_turned_away(novice):
    first = novice()
    first.reads("Which language?")
    second = novice()
    second.reads("already running in another session (process ")
    assert second.ends() == 2


# --- secrets ------------------------------------------------------------------------------------


@pytest.fixture
def guarded(start_broker, tmp_path):
    """A broker that knows one user."""
    users = tmp_path / "users"
    subprocess.run(["mosquitto_passwd", "-b", "-c", users, "gw-01", "s3cret-word"], check=True)
    users.chmod(0o644)
    return start_broker("allow_anonymous false", f"password_file {users}")


def test_a_password_is_seen_nowhere_but_in_its_own_file(novice, guarded, tmp_path):
    person = novice()
    sets_up_a_demo_device(person, guarded)
    person.reads("The broker wants a user name and a password.")
    person.does("What now?", "2")
    person.does("User name", "gw-01")
    person.does("Password?", "wrong-word")
    person.reads("The broker refuses the user gw-01 with this password.")
    person.does("What now?", "2")
    person.does("User name", "")
    person.does("keep the one from before", "s3cret-word")
    writes_it(person)
    assert person.ends() == 0
    assert "s3cret-word" not in person.seen
    (file,) = [file for file in tmp_path.rglob("*") if b"s3cret-word" in _content(file)]
    assert [path.name for path in tmp_path.glob("mqtt-password*")] == ["mqtt-password"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert load(person.config).mqtt.password_file == file


def _content(path) -> bytes:
    return path.read_bytes() if path.is_file() else b""
