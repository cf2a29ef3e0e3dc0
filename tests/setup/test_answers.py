"""A file of answers instead of a person: everything missing at once, nothing half done."""

import json
import stat
from importlib import import_module

import pytest
import yaml

from edge_agent import language
from edge_agent.cli import main
from edge_agent.commissioning import (
    Choice,
    Kind,
    Link,
    Look,
    Manner,
    Question,
    ask,
    look,
    menu,
    points,
)
from edge_agent.config import load
from edge_agent.errors import CommandFailed
from edge_agent.setup.answers import read_answers
from edge_agent.setup.kinds import Kinds

DEMO = """
site: factory-1
gateway: gw-01
device:
  - kind: demo
    name: oven
    label: 一号炉
broker: {url: "localhost:PORT"}
"""
PLC = """kind: plc
    host: 127.0.0.1
    point: [{address: '40001', name: oil}]"""


def link(at):
    host = yield from ask(Question(id=f"{at}.host", text="Host?", parse=str, example="::1"))
    return Link({"transport": "tcp", "host": host, "port": 1, "timeout": "200ms"})


def address(at):
    where = Question(id=f"{at}.address", text="Address?", parse=str, example="40001")
    return {"at": (yield from ask(where)), "type": "float32"}


def forms(address):
    return {order: {**address, "order": order} for order in ("ABCD", "CDAB")}


def device(at, link):
    return (yield from points(at, link, Manner("modbus", address, {"unit": 1}, forms=forms)))


def searched(at, link):
    seen = yield from look(Look(f"{at}.scan", "", lambda _: {"found": 1}, untried={"found": 0}))
    if not seen["found"]:
        again = [Choice("again", "again")]
        yield from ask(menu(f"{at}.trouble", "Nobody answers.", again, default="again"))
    return (yield from device(at, link))


KINDS = [
    Kind("plc", "A PLC, value by value", "modbus", link, device),
    Kind("search", "A PLC that is searched for", "modbus", link, searched),
]


@pytest.fixture
def plc_kind(monkeypatch):
    """Only the demo and these kinds of PLC are known here."""
    demo = import_module("edge_agent_simulated.setup").kinds
    both = Kinds([*KINDS, *demo(None)], [])
    monkeypatch.setattr("edge_agent.setup.devices.find_kinds", lambda home: both)


@pytest.fixture
def run(tmp_path, capsys):
    """Run setup with these answers; gives exit code, stdout and stderr."""
    file = tmp_path / "answers.yaml"

    def run(answers: str, *words: str, config: str = "config.yaml"):
        file.write_text(answers)
        code = main(["setup", "-c", str(tmp_path / config), "--answers", str(file), *words])
        return (code, *capsys.readouterr())

    return run


@pytest.fixture
def demo(broker):
    return DEMO.replace("PORT", str(broker.port))


def test_answers_make_a_configuration(run, demo, tmp_path):
    code, out, err = run(demo)
    assert (code, out) == (0, f"{tmp_path / 'config.yaml'}\n")
    assert "Trying mqtt://localhost" in err
    (device,) = load(tmp_path / "config.yaml").connections[0].devices
    assert (device.name, device.label) == ("oven", "一号炉")
    assert [(p.name, p.unit, p.every) for p in device.points] == [("temperature", "Cel", 1.0)]


def test_the_same_answers_make_the_same_bytes(run, demo, tmp_path):
    assert run(demo)[0] == 0
    assert run(demo, config="other.yaml")[0] == 0
    assert (tmp_path / "config.yaml").read_bytes() == (tmp_path / "other.yaml").read_bytes()
    before = sorted(tmp_path.iterdir())
    assert run(demo)[0] == 0
    assert sorted(tmp_path.iterdir()) == before  # the same once more changes nothing


def test_all_missing_answers_are_listed_and_nothing_is_tried(run, plc_kind, tmp_path):
    code, out, err = run("device: [{kind: plc, name: press-1}]", "--json")
    assert code == 3
    said = json.loads(out)
    assert said["missing"] == [
        "site",
        "device.1.host",
        "device.1.point.1.name",
        "device.1.point.1.address",
        "broker.url",
    ]
    assert [one["id"] for one in said["questions"]] == said["missing"]
    assert said["questions"][0]["text"].startswith("Where is this gateway?")
    assert "device.1.point.1.address" in err
    assert "Reading" not in err
    assert not (tmp_path / "config.yaml").exists()


def test_what_was_not_tried_is_no_failure(run, plc_kind):
    answers = "device: [{kind: search, host: 127.0.0.1}]"
    code, out, _ = run(answers, "--json")
    assert code == 3
    assert json.loads(out)["missing"] == ["site"]  # what the search would have led to is unknown
    code, _, err = run(f"site: factory-1\n{answers}")
    assert code == 3
    assert "device.1.point.1.address, device.1.name, broker.url" in err


def test_an_answer_that_nobody_asks_for_is_a_mistake(run, demo, tmp_path):
    code, _, err = run(demo.replace("label:", "lable:"))
    assert code == 3
    assert "device.1.lable" in err
    assert "did you mean device.1.label?" in err
    assert not (tmp_path / "config.yaml").exists()


def test_an_answer_that_does_not_do_is_named_with_its_question(run, demo):
    code, _, err = run(demo.replace("gw-01", "GW 1"))
    assert code == 3
    assert "gateway: 'GW 1' does not do as a name" in err


def test_words_of_a_file_are_told_as_they_are_typed_there_also_in_chinese(run, demo):
    code, _, err = run(demo + "report: 77\nlanguage: zh")
    assert code == 3
    assert "'77'" in err
    assert "不在选项中" in err
    assert "yes | no" in err


@pytest.mark.parametrize(("asked", "kept"), [("en", "zh"), ("zh", "en")])
def test_the_command_lines_language_is_spoken_and_the_files_is_kept(
    run, demo, tmp_path, asked, kept
):
    code, _, err = run(f"{demo}\nlanguage: {kept}", "--lang", asked)
    assert code == 0
    assert ("Trying" in err) is (asked == "en")
    assert (tmp_path / language.KEPT).read_text().strip() == kept


def test_a_device_that_cannot_be_read_ends_with_4(run, plc_kind, demo):
    code, _, err = run(demo.replace("kind: demo", PLC))
    assert code == 4
    assert "device.1.point.1.trouble" in err
    assert "127.0.0.1" in err


def test_a_device_that_comes_later_may_be_kept(run, plc_kind, demo, tmp_path):
    later = PLC.replace("{", "{order: CDAB, trouble: keep, ")
    code, _, err = run(demo.replace("kind: demo", later))
    assert (code, err) == (0, err)
    points = load(tmp_path / "config.yaml").connections[0].devices[0].points
    assert {point.address.order for point in points} == {"CDAB"}


def test_a_broker_that_cannot_be_reached_ends_with_5(run):
    code, _, err = run(DEMO.replace("PORT", "1"))
    assert code == 5
    assert "localhost is there, but refuses" in err


def test_a_password_may_come_from_the_environment_but_not_from_the_file(
    run, demo, tmp_path, monkeypatch
):
    monkeypatch.setenv("SETUP_TEST_SECRET", "s3cret-word")
    with_user = demo.replace("broker: {", "broker: {username: gw, password: PASSWORD, ")
    code, out, err = run(with_user.replace("PASSWORD", "s3cret-word"))
    assert code == 3
    assert "must not stand here" in err
    assert "s3cret" not in err + out
    code, out, err = run(with_user.replace("PASSWORD", "/s3cret-word"))
    assert code == 3
    assert "s3cret" not in err + out
    code, out, err = run(with_user.replace("PASSWORD", "env:SETUP_TEST_SECRET"))
    assert code == 0
    file = load(tmp_path / "config.yaml").mqtt.password_file
    assert file.read_text() == "s3cret-word"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "s3cret" not in err + out + (tmp_path / "config.yaml").read_text()


def test_an_empty_variable_is_said(run, demo):
    code, _, err = run(demo.replace("broker: {", "broker: {username: gw, password: 'env:NONE', "))
    assert code == 3
    assert "env:NONE is not set" in err


def test_a_journal_is_an_answers_file(run, demo, tmp_path):
    flat = read_answers_of(tmp_path, demo)
    lines = [json.dumps({"id": id_, "answer": answer}) for id_, answer in flat.items()]
    assert run("\n".join(lines))[0] == 0


def test_one_line_of_json_is_a_mapping_like_any_yaml(tmp_path):
    assert read_answers_of(tmp_path, '{"a.b": "1", "c": "x"}') == {"a.b": "1", "c": "x"}


def read_answers_of(folder, text):
    file = folder / "some.yaml"
    file.write_text(text)
    return read_answers(file)


@pytest.mark.parametrize("text", ["site: a\nsite: b\n", "broker:\n  url: a\n  url: b\n"])
def test_of_two_answers_to_one_question_none_is_taken(tmp_path, text):
    file = tmp_path / "answers.yaml"
    file.write_text(text)
    with pytest.raises(CommandFailed, match=r"(site|url): stands twice, first on line \d"):
        read_answers(file)


def test_a_file_that_is_not_there_is_said_in_words(tmp_path):
    with pytest.raises(CommandFailed, match=r"cannot be read: No such file or directory$"):
        read_answers(tmp_path / "answers.yaml")


def test_yaml_does_not_turn_answers_into_numbers(tmp_path):
    answers = read_answers_of(tmp_path, "a: 0x6B\nb: 00001\nc: off\nd: [40001, {e: 1e3}]\n")
    assert answers == {"a": "0x6B", "b": "00001", "c": "off", "d.1": "40001", "d.2.e": "1e3"}


BILLIONS = "\n".join(  # of answers, in a few lines
    ["a0: &a0 [x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12))]
)


@pytest.mark.parametrize(
    "text",
    ["", "- a\n", "just text", "a: [", '{"id": "a"', "\x00", '{"id": "a"}\n{"answer": "1"}\n',
     "[" * 5000, BILLIONS],
)  # fmt: skip
def test_what_is_no_answers_file_is_a_sentence(run, text):
    code, out, err = run(text)
    assert (code, out) == (3, "")
    assert len(err.splitlines()) == 1
    assert "answers.yaml cannot be read" in err


def test_without_a_terminal_and_without_answers_it_is_a_usage_error(tmp_path, capsys, monkeypatch):
    with (tmp_path / "empty").open("w+") as nobody:
        monkeypatch.setattr("sys.stdin", nobody)
        assert main(["setup", "-c", str(tmp_path / "config.yaml")]) == 2
    assert "--answers FILE" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path, capsys, demo):
    (tmp_path / "file").write_text("")
    (tmp_path / "answers.yaml").write_text(demo)
    config = tmp_path / "file" / "config.yaml"
    code = main(["setup", "-c", str(config), "--answers", str(tmp_path / "answers.yaml")])
    assert code == 2
    assert "name another file with -c FILE" in capsys.readouterr().err


def test_an_old_configuration_is_kept_with_its_owner_and_mode(run, demo, tmp_path):
    old = tmp_path / "config.yaml"
    old.write_text("# mine\n")
    old.chmod(0o640)
    code, out, _ = run(demo, "--json")
    assert code == 0
    kept = json.loads(out)["kept"]
    assert (tmp_path / kept).read_text() == "# mine\n"
    assert stat.S_IMODE(old.stat().st_mode) == 0o640
    assert yaml.safe_load(old.read_text())["version"] == 1
