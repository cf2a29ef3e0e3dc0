"""A novice at a real terminal: what is asked, what is shown, what is written."""

import json
import stat
import subprocess

import pytest

from edge_agent.config import load
from edge_agent.layout import width

pytestmark = pytest.mark.thorough


def says_where(person) -> None:
    person.does("Where is this gateway?", "factory-1/hall-2")
    person.does("A name for this gateway", "gw-01")


def adds_a_temperature(person) -> None:
    person.does("What do people call it?", "")
    person.does("How often", "")
    person.does("its name?", "temperature")
    person.does("Its unit?", "2")
    person.does("Is this right?", "")
    person.does("What do you connect next?", "")


def names_the_broker(person, broker) -> None:
    person.does("MQTT broker's address", f"localhost:{broker.port}" if broker else "")
    person.does("User name", "")


def sets_up_a_demo_device(person, broker) -> None:
    says_where(person)
    person.does("What do you connect?", "5")
    person.does("A short name", "oven")
    adds_a_temperature(person)
    names_the_broker(person, broker)


def finds_the_plc(person, plc) -> None:
    person.does("What do you connect?", "2")
    person.does("other end of the network cable", "")
    person.does("Its address", "127.0.0.1")
    person.does("Its port", str(plc.port))
    person.does("number on the line", "")
    person.does("A short name", "press-1")
    person.does("What do people call it?", "1号冲床")
    person.does("How often", "")


def reads_the_oil(person) -> None:
    person.does("its name?", "oil_temperature")
    person.does("What kind of value", "2")
    person.does("Its address, as the manual writes it", "40001")
    person.does("Multiply", "1/10")
    person.does("Its unit?", "2")
    person.reads("oil_temperature = 23.5 Cel")
    person.does("Is this right?", "2")


def reads_the_voltage(person) -> str:
    person.does("its name?", "voltage")
    person.does("What kind of value", "3")
    person.does("Its address, as the manual writes it", "40011")
    person.does("Multiply", "")
    person.does("Its unit?", "V")
    choices = person.does("Which one does the device's display show?", "2")
    person.reads("voltage = 231.4 V")
    person.does("Is this right?", "")
    return choices


def test_a_novice_sets_up_a_plc_by_network_and_sees_its_values(novice, plc, broker):
    person = novice()
    says_where(person)
    finds_the_plc(person, plc)
    reads_the_oil(person)
    choices = reads_the_voltage(person)
    person.does("What do you connect next?", "")
    names_the_broker(person, broker)
    person.reads("Published a test message and read it back.")
    person.does("Write this to", "")
    person.reads("Start it with: edge-agent run")
    assert person.ends() == 0

    assert " 2) 231.4 " in choices
    assert "ABCD" not in person.seen
    assert "endian" not in person.seen.lower()
    config = load(person.config)
    assert config.agent.site == "factory-1/hall-2"
    (press,) = config.connections[0].devices
    assert (press.name, press.label) == ("press-1", "1号冲床")
    oil, voltage = press.points
    assert (oil.scale, oil.unit) == (0.1, "Cel")
    assert voltage.address.order == "CDAB"


def test_screens_fit_a_dumb_terminal_of_60_columns_and_20_lines(novice, broker):
    person = novice()
    sets_up_a_demo_device(person, broker)
    person.does("Write this to", "")
    assert person.ends() == 0
    assert "\x1b" not in person.seen
    prompts = ("> ", "[")  # what is typed is no part of the screen
    shown = [line for line in person.seen.splitlines() if not line.startswith(prompts)]
    assert max(width(line.rstrip()) for line in shown) <= 60
    screens = [screen.partition("> ")[0] for screen in person.seen.split("-" * 60)]
    assert max(len(screen.splitlines()) for screen in screens) <= 20


def test_wrong_answers_get_a_sentence_and_the_question_again(novice, tmp_path):
    person = novice()
    person.does("Where is this gateway?", "Factory 1!")
    person.does("such as factory-1", "")
    person.does("Please type an answer", "a/b/c/d")
    person.does("at most three levels", "factory-1")
    person.does("A name for this gateway", "gw-01")
    person.does("What do you connect?", "99")
    person.does("is not one of the choices", "?")
    person.does("Look at the cable", "2")
    person.does("other end", "")
    person.does("Its address", "two words")
    person.does("is no address", "10.0.0.5")
    person.does("Its port", "70000")
    person.does("from 1 to 65535", "")
    person.does("number on the line", "q")
    assert person.ends() == 0
    assert not person.config.exists()


def test_b_goes_back_and_offers_the_earlier_answer(novice):
    person = novice()
    person.does("Where is this gateway?", "b")
    person.does("This is the first question", "factory-1")
    person.does("A name for this gateway", "gw-77")
    person.does("What do you connect?", "b")
    person.does("A name for this gateway", "b")
    assert "[factory-1] > " in person.does("Where is this gateway?", "factory-2")
    assert "[gw-77] > " in person.does("A name for this gateway", "")
    person.does("What do you connect?", "q")
    assert person.ends() == 0
    journal = (person.config.parent / ".setup-journal").read_text()
    kept = [json.loads(line) for line in journal.splitlines()]
    assert kept[-2:] == [
        {"id": "site", "answer": "factory-2"},
        {"id": "gateway", "answer": "gw-77"},
    ]


@pytest.mark.parametrize("end", ["q", "kill", "hang up"])
def test_a_session_that_broke_off_is_resumed_where_it_was(novice, broker, end):
    person = novice()
    person.does("Where is this gateway?", "factory-1")
    person.does("A name for this gateway", "gw-01")
    person.does("What do you connect?", "5")
    person.does("A short name", "oven")
    person.reads("What do people call it?")
    if end == "kill":
        person.is_killed()
    elif end == "hang up":
        person.terminal.close()
    else:
        person.types("q")
        assert person.ends() == 0

    person = novice()
    person.reads("You were here before")
    person.does("continue where you stopped", "")
    adds_a_temperature(person)
    names_the_broker(person, broker)
    person.does("Write this to", "")
    assert person.ends() == 0
    assert load(person.config).connections[0].devices[0].name == "oven"


def test_starting_over_keeps_the_old_answers_aside(novice):
    person = novice()
    person.does("Where is this gateway?", "factory-1")
    person.does("A name for this gateway", "q")
    assert person.ends() == 0
    person = novice()
    person.does("start over", "2")
    person.reads("The old answers are kept in")
    assert "[" not in person.does("Where is this gateway?", "q").rpartition("-" * 60)[2]
    assert person.ends() == 0
    assert len(list(person.config.parent.glob(".setup-journal.bak-*"))) == 1


def test_another_device_is_added_later_and_the_old_configuration_kept(novice, broker):
    person = novice()
    sets_up_a_demo_device(person, broker)
    person.does("Write this to", "")
    assert person.ends() == 0
    before = person.config.read_bytes()

    person = novice()
    person.reads("You finished here")
    person.does("add or change something", "")
    person.does("Write this to", "2")
    person.does("What do you connect next?", "6")
    person.does("A short name", "oven")
    person.does("already used", "oven-2")
    adds_a_temperature(person)
    names_the_broker(person, None)
    person.does("Write this to", "")
    person.reads("The one before is kept as")
    assert person.ends() == 0
    (connection,) = load(person.config).connections
    assert [device.name for device in connection.devices] == ["oven", "oven-2"]
    (kept,) = person.config.parent.glob("config.yaml.bak-*")
    assert kept.read_bytes() == before


def test_a_second_session_is_turned_away(novice):
    first = novice()
    first.reads("Where is this gateway?")
    second = novice()
    second.reads("already running in another session")
    assert second.ends() == 2


def test_a_password_is_seen_nowhere_but_in_its_own_file(novice, start_broker, tmp_path):
    users = tmp_path / "users"
    subprocess.run(["mosquitto_passwd", "-b", "-c", users, "gw-01", "s3cret-word"], check=True)
    users.chmod(0o644)
    broker = start_broker("allow_anonymous false", f"password_file {users}")
    person = novice()
    sets_up_a_demo_device(person, broker)
    person.reads("The broker wants a user name and a password.")
    person.does("What now?", "2")
    person.does("MQTT broker's address", "")
    person.does("User name", "gw-01")
    person.does("Password?", "wrong-word")
    person.reads("The broker refuses the user gw-01 with this password.")
    person.does("What now?", "2")
    person.does("MQTT broker's address", "")
    person.does("User name", "")
    person.does("keep the one from before", "s3cret-word")
    person.reads("read it back")
    person.does("Write this to", "")
    assert person.ends() == 0
    assert "s3cret-word" not in person.seen
    holding = [file for file in tmp_path.rglob("*") if b"s3cret-word" in _content(file)]
    (file,) = holding
    assert [path.name for path in tmp_path.glob("mqtt-password*")] == ["mqtt-password"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert load(person.config).mqtt.password_file == file


def _content(path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "gb18030", "utf-8"])
def test_a_terminal_that_lacks_letters_still_works(novice, encoding):
    person = novice(env={"PYTHONIOENCODING": encoding})
    says_where(person)
    person.does("What do you connect?", "5")
    person.does("A short name", "oven")
    person.does("What do people call it?", "")
    person.does("How often", "")
    person.does("its name?", "temperature")
    person.does("temperature", "q")  # the unit of which is written with a degree sign
    assert person.ends() == 0
    assert "Traceback" not in person.seen


def test_full_width_digits_choose_from_a_menu(novice):
    person = novice(env={"LANG": "C.UTF-8"})
    says_where(person)
    person.does("What do you connect?", "５")
    person.does("A short name", "q")
    assert person.ends() == 0
