"""The platform's document: true to itself, to the code, and to what is written for people."""

import copy
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import pytest
import yaml
from edge_agent_simulated import SineAddress
from jsonschema import Draft7Validator

from edge_agent import payload
from edge_agent.conditioning import Readings
from edge_agent.config.model import Point
from edge_agent.model import Flaw, Quality, Why
from edge_agent.payload import ReadingsEncoder
from edge_agent.row import Loss, Row
from tests.rigs.published import SCHEMAS, faults, schema, schema_name, strictly, validator

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).parent.parent
PLATFORM = (ROOT / "docs/platform.md").read_text()
DOCUMENT = yaml.safe_load(files("edge_agent.schemas").joinpath("asyncapi.yaml").read_text())
GOOD = {
    "v": 1,
    "epoch": "5f0c2d7e",
    "seq": 2,
    "prev": 1,
    "ts": 1771500000123,
    "readings": [{"p": "power", "v": 1.5}],
}


def _examples() -> list[Any]:
    return [
        pytest.param(Path(message["payload"]["$ref"]).stem, example["payload"], id=example["name"])
        for message in DOCUMENT["components"]["messages"].values()
        for example in message["examples"]
    ]


def _shown() -> list[Any]:
    blocks = re.findall(
        r"^<!-- schema: ([a-z-]+) -->\n```json\n(.*?)^```", PLATFORM, re.MULTILINE | re.DOTALL
    )
    return [pytest.param(name, yaml.safe_load(text), id=name) for name, text in blocks]


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_a_schema(name: str):
    Draft7Validator.check_schema(schema(name))
    Draft7Validator.check_schema(strictly(schema(name)))


def test_every_channel_has_its_schema_and_every_schema_its_channel():
    named = {
        schema_name(re.sub(r"\{\w+\}", "x", channel["address"])): message["$ref"].split("/")[-1]
        for channel in DOCUMENT["channels"].values()
        for message in channel["messages"].values()
    }
    messages = DOCUMENT["components"]["messages"]
    assert {name: f"./{name}.json" for name in SCHEMAS} == {
        name: messages[message]["payload"]["$ref"] for name, message in named.items()
    }


@pytest.mark.parametrize(("name", "example"), _examples())
def test_an_example_of_the_document_is_valid(name: str, example: Any):
    assert [error.message for error in validator(name).iter_errors(example)] == []


@pytest.mark.parametrize(("name", "example"), _shown())
def test_an_example_of_the_manual_is_valid(name: str, example: Any):
    assert [error.message for error in validator(name).iter_errors(example)] == []


def test_the_manual_shows_every_payload():
    assert {example.values[0] for example in _shown()} == set(SCHEMAS)


def _keys(part: Any) -> set[str]:
    if isinstance(part, list):
        return set().union(*map(_keys, part))
    if not isinstance(part, dict):
        return set()
    own = part.get("properties", ()) if part.get("type") == "object" else ()
    return set(own).union(*map(_keys, part.values()))


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_manual_explains_every_key(name: str):
    chapter = PLATFORM.split(f"<!-- schema: {name} -->", 1)[1].split("\n## ", 1)[0]
    assert {key for key in _keys(schema(name)) if f"`{key}`" not in chapter} == set()


def test_reasons_are_those_of_the_code():
    reading = schema("data")["properties"]["readings"]["items"]
    assert reading["properties"]["why"]["enum"] == [why.value for why in Why]


def _point(name: str, **more: Any) -> Point:
    return Point(name, SineAddress(), **more)


def _readings() -> bytes:
    flaws = {1: Flaw(Quality.BAD, Why.TIMEOUT), 2: Flaw(Quality.UNCERTAIN, Why.CATCH_UP)}
    points = [_point(name) for name in ("voltage", "power", "energy", "strokes")]
    values = [231.4, None, 18442.6, 2**60]
    readings = Readings(range(4), values, flaws, {2: 1771499999800})
    return ReadingsEncoder(points).encode(readings, range(4))


ROW = Row(7, 0, "meter", 1771500000123, 1.5, synced=False, readings=4, body=_readings())
LOSS = Loss(8, 0, "5f0c2d7e", 1, 6, 12, 1771499999800, 1771500000123, "power_cut", 1000)
DESTROYED = Loss(1, 0, "5f0c2d7e", None, None, None, None, None, "corrupt")


@pytest.mark.parametrize(
    ("topic", "message"),
    [
        ("meter/data", payload.data_message("5f0c2d7e", ROW, hist=False)),
        ("meter/data", payload.data_message("5f0c2d7e", ROW, hist=True)),
        ("meter/status", payload.device_status("up", 1771500000123, "", "")),
        ("meter/status", payload.device_status("silent", 1771500000123, "gone", "E-TIMEOUT")),
        ("meter/meta", payload.device_meta("", "", "simulated", [_point("a", every=0.5)])),
        ("meter/meta", payload.device_meta("1号", "x", "modbus", [_point("a", scale=10)])),
        ("_agent/loss", payload.loss_message("5f0c2d7e", LOSS)),
        ("_agent/loss", payload.loss_message("a1b2c3d4", DESTROYED)),
        ("_agent/status", payload.agent_status("online", 1, "5f0c2d7e", "0.1.0", "")),
        ("_agent/status", payload.agent_status("offline", None, None, "0.1.0", "gone")),
    ],
)
def test_what_the_code_encodes_is_what_the_document_says(topic: str, message: bytes):
    assert faults(f"{payload.root('a/b', 'gw-01')}/{topic}", json.loads(message)) == []


def test_every_message_of_a_demo_run_is_what_the_document_says(tmp_path: Path):
    program = "import sys; from edge_agent.cli import main; sys.exit(main(sys.argv[1:]))"
    wanted = {"agent-status", "device-meta", "device-status", "data"}
    kinds: set[str] = set()
    with subprocess.Popen(
        [sys.executable, "-c", program, "demo", "--json"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    ) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            message = json.loads(line)
            assert faults(**message) == []
            is_enough = kinds == wanted
            kinds.add(schema_name(message["topic"]))
            if kinds == wanted and not is_enough:
                demo.send_signal(signal.SIGINT)  # its farewell is looked at as well
    assert demo.returncode == 0
    assert kinds == wanted


def _with(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(GOOD), **changes}


@pytest.mark.parametrize(
    "message",
    [
        _with(readings=[]),
        _with(prev=None),
        _with(seq=0),
        _with(ts=1771500000.5),
        _with(hist=False),
        _with(tq="good"),
        _with(epoch="not hex"),
        _with(surprise=1),
        _with(readings=[{"p": "power", "v": 1, "surprise": 1}]),
        _with(readings=[{"p": "Power", "v": 1}]),
        _with(readings=[{"p": "power"}]),
        _with(readings=[{"p": "power", "v": None}]),
        _with(readings=[{"p": "power", "v": None, "q": "uncertain", "why": "timeout"}]),
        _with(readings=[{"p": "power", "v": 7, "q": "bad", "why": "timeout"}]),
        _with(readings=[{"p": "power", "v": 7, "q": "uncertain"}]),
        _with(readings=[{"p": "power", "v": 7, "why": "stale"}]),
        _with(readings=[{"p": "power", "v": 7, "q": "good"}]),
        _with(readings=[{"p": "power", "v": None, "q": "bad", "why": "tired"}]),
    ],
    ids=lambda message: str(message)[-60:],
)
def test_what_breaks_the_contract_is_found(message: Any):
    assert faults("edge/v1/site/gw-01/meter/data", GOOD) == []
    assert faults("edge/v1/site/gw-01/meter/data", message)


def test_a_consumer_may_meet_keys_it_does_not_know():
    assert list(Draft7Validator(schema("data")).iter_errors(_with(surprise=1))) == []


@pytest.mark.parametrize(
    ("topic", "name"),
    [
        ("edge/v1/a/gw/_agent/status", "agent-status"),
        ("edge/v1/a/b/c/gw/_agent/loss", "loss"),
        ("edge/v1/a/b/gw/press-1/meta", "device-meta"),
        ("edge/v1/a/gw/press-1/status", "device-status"),
        ("edge/v1/a/gw/press-1/data", "data"),
    ],
)
def test_a_topic_names_its_schema(topic: str, name: str):
    assert schema_name(topic) == name


@pytest.fixture(scope="session")
def parser(pytestconfig: pytest.Config) -> Path:
    """The folder where AsyncAPI's own parser is installed; kept between runs."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("AsyncAPI's own parser needs node and npm, which are not installed here")
    home = pytestconfig.cache.mkdir("asyncapi")
    lock = ROOT / "tests/asyncapi/package-lock.json"
    installed = home / "installed.json"
    if not installed.exists() or installed.read_bytes() != lock.read_bytes():
        for file in (lock, lock.with_name("package.json")):
            shutil.copy(file, home)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        run = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)
        if run.returncode:
            pytest.skip(f"AsyncAPI's own parser cannot be installed here: {run.stderr.strip()}")
        shutil.copy(lock, installed)
    return home


def _parse(parser: Path, document: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["node", ROOT / "tests/asyncapi/validate.mjs", document],
        env={**os.environ, "ASYNCAPI_HOME": str(parser)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_asyncapi_itself_finds_nothing_to_say(parser: Path):
    with as_file(files("edge_agent.schemas")) as folder:
        run = _parse(parser, folder / "asyncapi.yaml")
    assert (run.returncode, run.stdout) == (0, "valid: 5 messages\n"), run.stderr


def test_asyncapi_itself_finds_a_wrong_document(parser: Path, tmp_path: Path):
    with as_file(files("edge_agent.schemas")) as folder:
        shutil.copytree(folder, tmp_path / "schemas")
    document = tmp_path / "schemas/asyncapi.yaml"
    document.write_text(document.read_text().replace("action: send", "action: shout"))
    assert _parse(parser, document).returncode == 1
