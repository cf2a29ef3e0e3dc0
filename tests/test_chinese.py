"""What is read by who has chosen Chinese holds no English, and its tables are straight."""

import contextlib
import json

import pytest

from edge_agent import language
from edge_agent.cli import COMMANDS, brought, main
from edge_agent.cli.status import _screen
from edge_agent.layout import width
from tests.rigs.leaks import english_in

# Recipes and profiles are data: titles, sources and notes are in the language of who wrote them.
COMMAND_LINES = sorted({*COMMANDS, *brought.summaries()})


@pytest.fixture
def chinese(monkeypatch, tmp_path):
    monkeypatch.setenv("EDGE_AGENT_LANG", "zh")
    monkeypatch.setenv("EDGE_AGENT_CONFIG", str(tmp_path / "config.yaml"))
    monkeypatch.setenv("COLUMNS", "100")
    with language.speaking("zh"):
        yield


@pytest.fixture
def say(chinese, capsys):
    """Run a command and give what it says on both streams."""

    def run(*words: str) -> str:
        with contextlib.suppress(SystemExit):
            main(words)
        said = capsys.readouterr()
        return said.out + said.err

    return run


@pytest.mark.parametrize("name", COMMAND_LINES)
def test_the_help_of_every_command(say, name):
    assert english_in(_without_example(say(name, "--help"))) == []


def test_the_help_of_all(say):
    assert english_in(say("--help")) == []


@pytest.mark.parametrize("action", ["list", "show", "test", "learn"])
def test_the_help_of_recipes(say, action):
    assert english_in(_without_example(say("recipe", action, "--help"))) == []


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        ["check", "--nonsense"],
        ["demo", "--seconds", "long"],
        ["test", "--lang"],
        [],
        ["test"],
        ["status"],
        ["watch"],
        ["read", "holding:1"],
        ["read", "10.0.0.5:99999", "holding:1"],
        ["read", "tcp://127.0.0.1:1", "108"],
        ["scan", "/dev/nothing-here", "--baud", "9600"],
        ["scan", "8.8.8.8"],
        ["probe", "tcp://127.0.0.1:1"],
        ["browse", "opc.tcp://127.0.0.1:1"],
        ["browse", "http://nonsense"],
        ["trust", "opc.tcp://127.0.0.1:1"],
        ["recipe", "test", "/nowhere.yaml"],
        ["recipe", "show", "nonsense"],
        ["profiles", "nonsense"],
        ["drivers", "modbuss"],
        ["drivers"],
        ["verify", "http://x"],
        ["verify", "mqtt://127.0.0.1:1", "--seconds", "1"],
        ["buffer", "export", "/nowhere/at/all"],
        ["support-bundle", "/etc/passwd"],
        ["report"],
        ["site", "versions"],
        ["site", "back"],
    ],
    ids=" ".join,
)
def test_what_goes_wrong_at_once(say, words):
    said = say(*words)
    assert said
    assert english_in(said, "modbuss nothing here nonsense nowhere at all holding and") == []


MISTAKES = """\
version: 2
agent: {id: GW 01, site: a/b/c/d}
mqtt: {url: http://x, username: u, password: secret, max_inflight: many, ca_file: a, hue: red}
buffer: {flush: fast, max_bytes: 1 lot}
metrics: {listen: 0.0.0.0:9}
connections:
  - name: c
    driver: modbus
    settings: {transport: rtu, port: 502, baud: fast, rs485: 3, hots: x}
    devices:
      - name: d
        every: soon
        address: {unit: 400}
        points:
          p: {address: 108, evry: 1s}
          q: {address: "99999", scale: x, range: 3, deadband: much}
          r: {address: {table: coil, offset: 70000, type: int16}}
          s: {address: {table: coil, offset: 7, type: int16}}
          t: {}
          u: 7
          v: {address: {offset: 1, type: float32, order: AB, bit: 3}}
      - name: d
        profile: nonsense
  - name: c
    driver: modbuss
    devices: []
  - name: e
    driver: opcua
    settings: {url: http://x, security: none, policy: Basic256, username: u}
    devices: [{name: o, points: {a: {address: nonsense}}}]
  - name: f
    driver: serial
    settings: {transport: serial, port: 7, mode: poll, recipe: nonsense}
    devices: [{name: w, points: {a: {address: {field: weight}}}}]
"""


@pytest.mark.parametrize(
    "text",
    [
        MISTAKES,
        "",
        "a: [1\n",
        "\t",
        "a: b: c",
        "- 1",
        "a: 1\na: 2",
        "version: 1\n<<: x",
        '"a',
        "a: *b",
    ],
    ids=["many", "empty", "list", "tab", "colon", "item", "twice", "merge", "quote", "anchor"],
)
def test_mistakes_in_the_configuration(say, tmp_path, text):
    (tmp_path / "config.yaml").write_text(text)
    assert english_in(_without_paths(say("check"), tmp_path), "and driver") == []
    found = json.loads(say("check", "--json"))
    problems = [one[key] for one in found["errors"] for key in ("message", "hint")]
    assert problems
    assert english_in("\n".join(problems), "and driver") == []


GOOD = """\
version: 1
agent: {{id: gw-01, site: a}}
mqtt: {{url: mqtt://127.0.0.1:1}}
buffer: {{path: {folder}}}
connections:
  - name: sim
    driver: simulated
    devices: [{{name: waves, every: 1s, points: {{sine: {{address: {{}}, unit: kW}}}}}}]
  - name: far
    driver: modbus
    settings: {{transport: tcp, host: 127.0.0.1, port: 1}}
    devices: [{{name: meter, every: 1s, profile: eastron-sdm120}}]
"""


@pytest.fixture
def configured(tmp_path):
    (tmp_path / "config.yaml").write_text(GOOD.format(folder=tmp_path / "buffer"))


def test_a_configuration_explained_read_and_examined(say, tmp_path, configured):
    names = ("sim waves sine far meter", "Eastron", *_point_names())
    for words in (["check", "--explain"], ["test"], ["test", "waves"], ["doctor"], ["restrict"]):
        if words != ["restrict"]:  # makes a file, which is English
            assert english_in(_without_paths(say(*words), tmp_path), *names) == [], words


def test_the_table_of_test_is_straight(say, configured):
    head, row = say("test", "waves").splitlines()[:2]
    assert _column(head, "点位") == _column(row, "sine")
    assert _column(head, "质量") == _column(row, "好")


def test_points_are_shown_with_the_labels_of_their_profile(say, configured):
    lines = say("test", "meter").splitlines()
    assert next(line for line in lines if "voltage" in line).split()[:3] == [
        "meter",
        "voltage",
        "电压",
    ]
    assert '"p": "voltage"' in say("test", "meter", "--json")


def test_a_profile_in_its_own_words(say):
    lines = say("profiles", "eastron-sdm120").splitlines()
    table = "\n".join(lines[next(i for i, line in enumerate(lines) if "标签" in line) :])
    assert english_in(table, *_point_names()) == []


NOBODY = (
    "Nobody on this line answers, and nothing is heard (unit 7); check in this order: power of "
    "the devices; wires A and B swapped (the most common); the third wire (GND); baud, parity and "
    "unit as set in the device; its protocol is Modbus RTU"
)
STATUS = {
    "agent": {
        "id": "gw-01", "site": "a/b", "version": "1.0", "state": "polling", "since": 0,
        "now": 90_000, "clock": "unsynced", "health": "degraded",
    },
    "broker": {
        "host": "b", "port": 1883, "state": "waiting", "last_ack": None, "note": "",
        "why": "broker b:1883 does not answer within 5 s",
    },
    "buffer": {
        "readings": 7, "bytes": 4096, "hours_until_full": 50.0, "written": 9, "written_per_day": 9,
        "carried": [{"readings": 2, "epoch": "5f0c"}], "why": "",
    },
    "connections": [{
        "connection": "hall-3", "state": "down", "polls": 5, "overruns": 1, "changes": 2,
        "busy": 0.5, "overload": "interval 1 s wanted, 2.5 s possible on this line",
        "evidence": {"late": 3, "echo": 1},
        "why": "there is no serial port /dev/ttyUSB0: plug the adapter in, or correct `port`",
    }],
    "devices": [{
        "device": "press-1", "state": "silent", "last_good": 5000, "code": "E-BUS-SILENT",
        "evidence": {"reads": 3, "damaged": 1}, "why": NOBODY,
    }],
}  # fmt: skip


def test_what_the_daemon_says_in_english_is_shown_in_chinese(chinese):
    screen = _screen(STATUS)
    assert english_in(screen, "hall press") == []
    for line in screen.splitlines():  # label, then the text, which begins at the tenth cell
        label = line.partition(" ")[0]
        rest = line[len(label) :]
        assert width(label) + len(rest) - len(rest.lstrip(" ")) == 9
    opening = STATUS | {"agent": STATUS["agent"] | {"state": "opening"}}
    opening["buffer"] = {"why": "it is being checked, and mended where it is damaged"}
    assert english_in(_screen(opening)) == []


ANSWERS = {
    "site": ["Fabrik Ä", "a/b/c/d/e", "factory-1"],
    "gateway": ["Ä", "gw-01"],
    "box": ["on"],
}


@pytest.mark.parametrize("kind", ["network", "bus", "opcua", "text", "demo"])
def test_the_wizards_first_questions(chinese, tmp_path, kind):
    from edge_agent.setup.flow import setup
    from edge_agent.setup.interview import Interview
    from edge_agent.setup.session import home_of

    talk = Interview(setup(tmp_path / "config.yaml", home_of(tmp_path / "config.yaml")))
    talk.answer("zh")
    seen = _read(talk)
    for _step in range(12):
        if (answers := _answers(talk, kind)) is None:
            break
        seen += "".join(_try(talk, answer) for answer in answers)
    words = "network serial demo"  # what an answers file may say, named when an answer is none
    assert english_in(seen, "Fabrik", "nonsense", "factory", words) == []


def _answers(talk, kind):
    """Give some answers, the last a good one; None where it would have to be about a device."""
    question = talk.question
    if question is None or question.id in ANSWERS:
        return question and ANSWERS[question.id]
    if question.id.endswith(".kind"):
        return ["nonsense", kind] if kind in [each.word for each in question.choices] else None
    return [""] if question.default is not None and "device" in question.id else None


def _try(talk, answer):
    """Answer; give the complaint, or what is asked next."""
    try:
        talk.answer(answer)
    except ValueError as refused:
        return f"{refused}\n"
    return _read(talk)


def _read(talk):
    from edge_agent.setup.screen import pages

    if talk.question is None:
        return ""
    lines = [line for page in pages(talk.question) for line in page]
    assert all(width(line) <= 60 for line in lines)
    return "\n".join([*lines, talk.question.why, ""])


def _without_example(text):
    return "\n".join(line for line in text.splitlines() if not line.startswith("示例"))


def _without_paths(text, folder):
    return text.replace(str(folder), "/folder").replace(str(folder.parent), "/folder")


def _point_names():
    from edge_agent.config.library import Library

    profile = Library().load("modbus", "eastron-sdm120")
    return (*profile.points, *(one.unit for one in profile.points.values()))


def _column(line, text):
    return width(line[: line.index(text)])
