"""From a file to the configuration the agent uses."""

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from edge_agent import config
from edge_agent.config import ConfigInvalid, Problem, apart
from edge_agent.config.model import BufferLimits, Deadband, Mqtt
from edge_agent.config.places import Items, Section
from edge_agent.config.shape import PointShape
from edge_agent.plugins import load as load_driver
from tests.rigs.installed import install_driver
from tests.rigs.processor import takes_at_most

HEAD = "version: 1\nagent: {id: gw-01, site: hall}\nmqtt: {url: mqtt://localhost}\n"

# As printed in the published contract.
CONTRACT = """\
version: 1
agent:
  id: gw-01                      # unique per gateway
  site: shaoxing-dyeing-3        # where it stands; up to three "/"-separated levels
mqtt:
  url: mqtts://broker.example:8883     # mqtt:// mqtts:// ws:// wss://
  username: gw-01
  password_file: /run/credentials/edge-agent.service/mqtt-password
  ca_file: /etc/edge-agent/ca.pem      # also cert_file, key_file
  format: json                   # anything not built yet is refused
buffer:
  path: /var/lib/edge-agent      # a folder
  max_bytes: 1GiB
  max_age: 30d
  flush: 1s                      # how long an unacknowledged reading may live in memory only
connections:
  - name: hall-3                 # one link: a serial line, a TCP endpoint, an OPC UA session
    driver: modbus
    settings: {transport: rtu, port: /dev/serial/by-id/usb-FTDI-if00-port0, baud: 9600}
    devices:
      - name: press-1                # one piece of equipment
        label: 1号冲床                # free text for people
        address: {unit: 7}           # merged into each point's address
        profile: eastron-sdm630      # brings points; `points` below add to it or change it
        every: 1s                    # default for the device's points
        points:
          oil_temperature:
            address: {table: input, offset: 107, type: int16}   # counts from 0, as on the wire
            scale: 0.1               # engineering value = raw * scale + add
            add: 0
            unit: Cel                # UCUM
            every: 500ms
            deadband: 0.2            # engineering units; "2%" allowed
            max_silence: 60s         # with a deadband: send again at the latest after this
"""


@pytest.fixture
def written(tmp_path: Path):
    def write(text: str) -> Path:
        path = tmp_path / "config.yaml"
        path.write_text(text)
        return path

    return write


def test_the_published_example_loads(written) -> None:
    loaded = config.load(written(CONTRACT))
    assert (loaded.agent.id, loaded.agent.site) == ("gw-01", "shaoxing-dyeing-3")
    assert loaded.mqtt == Mqtt(
        host="broker.example",
        port=8883,
        tls=True,
        client_id="edge-gw-01",
        username="gw-01",
        password_file=Path("/run/credentials/edge-agent.service/mqtt-password"),
        ca_file=Path("/etc/edge-agent/ca.pem"),
    )
    assert loaded.buffer == BufferLimits(Path("/var/lib/edge-agent"), 1 << 30, 2592000.0, 1.0)
    (link,) = loaded.connections
    (device,) = link.devices
    point = device.points[-1]
    assert (link.name, link.driver, link.settings.line()) == (
        "hall-3",
        "modbus",
        "/dev/serial/by-id/usb-FTDI-if00-port0",
    )
    assert (device.name, device.label, device.profile) == (
        "press-1",
        "1号冲床",
        "eastron-sdm630",
    )
    assert [str(point.address) for point in device.points if point.name == "voltage_l2"] == [
        "unit 7 input:2 float32"
    ]
    assert point.name == "oil_temperature"
    assert str(point.address) == "unit 7 input:107 int16"
    assert (point.scale, point.add, point.unit, point.every) == (0.1, 0.0, "Cel", 0.5)
    assert (point.deadband, point.max_silence) == (Deadband(0.2), 60.0)


def test_the_example_in_the_project_has_no_mistake_and_no_warning() -> None:
    loaded, errors, warnings = config.inspect(Path("config/edge-agent.yaml"))
    assert (errors, warnings) == ([], [])
    assert loaded is not None


def test_what_is_left_out_has_its_default(written) -> None:
    link = "{name: s, driver: simulated, devices: [{name: d, points: {x: {}}}]}"
    loaded = config.load(written(f"{HEAD}connections: [{link}]"))
    point = loaded.connections[0].devices[0].points[0]
    assert loaded.mqtt == Mqtt(host="localhost", port=1883, client_id="edge-gw-01")
    assert loaded.buffer == BufferLimits(Path("/var/lib/edge-agent"))
    assert (point.every, point.scale, point.add, point.deadband) == (1.0, 1.0, 0.0, None)
    assert (point.no_value, point.range, point.label, point.unit) == ((), None, "", "")


def test_a_point_takes_the_interval_and_the_address_of_its_device(written) -> None:
    text = (
        f"{HEAD}connections: [{{name: s, driver: simulated, devices: [{{name: d, every: 5m, "
        "address: {amplitude: 3, middle: 2}, points: "
        "{a: {}, b: {every: 2s, address: {middle: 9}}}}]}]"
    )
    a, b = config.load(written(text)).connections[0].devices[0].points
    assert (a.every, a.address.amplitude, a.address.middle) == (300.0, 3.0, 2.0)
    assert (b.every, b.address.amplitude, b.address.middle) == (2.0, 3.0, 9.0)


def test_an_address_as_text_stands_beside_that_of_the_device(written) -> None:
    text = (
        f"{HEAD}connections: [{{name: plc, driver: modbus, settings: {{host: h}}, devices: "
        "[{name: d, address: {unit: 9}, points: {a: {address: '400108'}, b: {address: 0x006B}, "
        "c: {address: 00001}, d: {address: {at: 30001, type: float32}}}}]}]"
    )
    points = config.load(written(text)).connections[0].devices[0].points
    assert [str(point.address) for point in points] == [
        "unit 9 holding:107 uint16",
        "unit 9 holding:107 uint16",
        "unit 9 coil:0 bool",
        "unit 9 input:0 float32",
    ]


def test_relative_paths_count_from_the_folder_of_the_file(written, tmp_path: Path) -> None:
    text = "version: 1\nagent: {id: g, site: s}\nconnections: []\nbuffer: {path: spool}\n"
    loaded = config.load(written(text + "mqtt: {url: 'mqtts://h', ca_file: ca.pem}\n"))
    assert loaded.buffer.path == tmp_path / "spool"
    assert loaded.mqtt.ca_file == tmp_path / "ca.pem"


def test_load_says_the_file_the_first_mistake_and_how_many_more(written) -> None:
    path = written("version: 2\nagent: {id: g, site: s}\nmqtt: {}\nconnections: []\n")
    with pytest.raises(ConfigInvalid) as caught:
        config.load(path)
    assert str(caught.value) == (
        f"{path}: line 1, version: must be 1, not 2 (and 1 more: `edge-agent check` lists them)"
    )
    assert [problem.path for problem in caught.value.problems] == ["version", "mqtt.url"]


def only_problem(path: Path) -> Problem:
    with pytest.raises(ConfigInvalid) as caught:
        config.load(path)
    (problem,) = caught.value.problems
    return problem


def test_a_file_that_is_not_there_is_a_problem_with_a_way_out(tmp_path: Path) -> None:
    problem = only_problem(tmp_path / "nothing.yaml")
    assert problem.message == f"there is no file {tmp_path / 'nothing.yaml'}"
    assert "edge-agent setup" in problem.hint


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert "is a folder" in only_problem(tmp_path).message


def test_a_name_below_a_file_cannot_be_read(written) -> None:
    assert "cannot be read" in only_problem(written("x") / "config.yaml").message


@pytest.fixture
def ordinary_user():
    """Root may read everything, so be somebody else for a moment."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    yield
    if is_root:
        os.seteuid(0)


def test_a_file_that_may_not_be_read_says_what_to_do(written, request) -> None:
    path = written(CONTRACT)
    path.chmod(0)
    request.getfixturevalue("ordinary_user")
    problem = only_problem(path)
    assert "may not read" in problem.message
    assert "sudo" in problem.hint


def test_a_file_without_end_is_refused() -> None:
    assert "larger than 64 MiB" in only_problem(Path("/dev/zero")).message


def test_text_in_another_encoding_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes("version: 1\nlabel: 冲床\n".encode("gbk"))
    problem = only_problem(path)
    assert (problem.line, problem.message) == (2, "is not UTF-8 text")
    path.write_bytes(CONTRACT.encode("utf-16"))
    assert only_problem(path).message == "is not UTF-8 text"


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + CONTRACT.replace("\n", "\r\n").encode())
    assert config.load(path).agent.id == "gw-01"


def test_a_driver_whose_types_cannot_be_packed_loads_all_the_same(
    written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_driver(tmp_path, monkeypatch, "stranger")
    device = "{name: d, points: {x: {address: here}}}"
    text = f"{HEAD}connections: [{{name: s, driver: stranger, devices: [{device}]}}]"
    (link,) = config.load(written(text)).connections
    assert isinstance(link.settings, load_driver("stranger").settings_type)
    assert link.devices[0].points[0].address.at == "here"


def test_what_cannot_be_handed_over_by_a_process_apart_is_told_in_one_line(
    written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    install_driver(tmp_path, monkeypatch, "stranger")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    device = "{name: d, points: {x: {address: here}}}"
    text = f"{HEAD}connections: [{{name: s, driver: stranger, devices: [{device}]}}]"
    with capture_logs() as log:
        (link,) = apart.load(written(text)).connections
    assert isinstance(link.settings, load_driver("stranger").settings_type)
    assert [line["event"] for line in log] == ["configuration_takes_more_memory"]
    assert "LocalSettings" in log[0]["why"]
    assert capfd.readouterr() == ("", "")


def test_a_bug_in_a_drivers_own_check_is_a_problem_at_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_driver(tmp_path, monkeypatch, "stranger")
    device = "{name: d, points: {x: {address: 7}}}"
    text = f"{HEAD}connections: [{{name: s, driver: stranger, devices: [{device}]}}]"
    (problem,) = config.parse(text).errors
    assert problem.path == "connections[0].devices[0].points.x.address"
    assert "AttributeError: 'int' object has no attribute 'strip'" in problem.message


def test_a_driver_that_lacks_a_package_is_a_problem_of_its_connections(
    written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_driver(tmp_path, monkeypatch, "lacking", imports="import no_such_package")
    link = "{{name: {0}, driver: lacking, devices: []}}"
    text = f"{HEAD}connections: [{link.format('a')}, {link.format('b')}]"
    problems = config.parse(text).errors
    assert [problem.path for problem in problems] == [
        "connections[0].driver",
        "connections[1].driver",
    ]
    assert "needs the Python package 'no_such_package'" in problems[0].message


def large(points: int) -> str:
    device = "      - name: device-{0}\n        address: {{unit: {0}}}\n        points:\n"
    point = (
        "          point_{0}:\n            address: {{table: input, offset: {0}, type: int16}}\n"
        "            scale: 0.1\n            unit: Cel\n            label: 第 {0} 点\n"
        "            deadband: 0.2\n            max_silence: 60s\n"
    )
    body = "".join(
        device.format(number) + "".join(point.format(offset) for offset in range(100))
        for number in range(points // 100)
    )
    link = (
        "connections:\n  - name: plc\n    driver: modbus\n    settings: {host: h}\n    devices:\n"
    )
    return HEAD + link + body


@pytest.mark.thorough
def test_ten_thousand_points_are_checked_within_two_seconds(written) -> None:
    path = written(large(10_000))
    assert takes_at_most(2, lambda: config.inspect(path))
    loaded, errors, warnings = config.inspect(path)
    assert (errors, warnings) == ([], [])
    assert loaded is not None
    assert sum(len(device.points) for device in loaded.connections[0].devices) == 10_000


def test_nothing_that_was_needed_for_checking_is_kept(written) -> None:
    def pieces():
        return [each for each in gc.get_objects() if isinstance(each, Section | Items | PointShape)]

    others = pieces()  # of the tests of other files
    known = set(map(id, others))
    loaded = config.load(written(large(1_000)))
    assert [each for each in pieces() if id(each) not in known] == []
    first, second = loaded.connections[0].devices[0].points[:2]
    assert first.deadband is second.deadband
    assert first.address.model_fields_set is second.address.model_fields_set


GROWTH = """
import sys
from pathlib import Path
import edge_agent_modbus
from edge_agent.config import apart

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

before = resident()
kept = apart.load(Path(sys.argv[1]))
print(resident() - before)
"""


@pytest.mark.thorough
def test_a_process_apart_leaves_nothing_of_the_checking_in_the_daemon(written) -> None:
    done = subprocess.run(
        [sys.executable, "-c", GROWTH, str(written(large(10_000)))],
        capture_output=True,
        text=True,
        check=True,
    )
    # Packed, the configuration takes some 100 kB; checking takes 40 MB, most of which would stay.
    assert int(done.stdout) < 4e6


@pytest.mark.parametrize("is_copy", [True, False])
def test_what_comes_from_a_process_apart_is_the_same(written, monkeypatch, is_copy) -> None:
    path = written(large(200))
    monkeypatch.setattr(apart.twin, "can_be", lambda: is_copy)
    here, there = config.load(path), apart.load(path)
    assert list(there.connections) == list(here.connections)
    assert (there.agent, there.mqtt, there.buffer) == (here.agent, here.mqtt, here.buffer)


def test_mistakes_come_from_a_process_apart_with_their_places(written) -> None:
    with pytest.raises(config.ConfigInvalid) as caught:
        apart.load(written("version: 1\nagent: {id: gw}\n"))
    assert "agent.site" in {problem.path for problem in caught.value.problems}


START = """
import sys
from pathlib import Path
from edge_agent.config import apart
from edge_agent.errors import ConfigInvalid
from edge_agent.twin import Twin
loading = apart.Loading(Path(sys.argv[1]))
assert isinstance(loading._process, Twin)
try:
    print(len(loading.result().connections))
except ConfigInvalid as invalid:
    print([problem.path for problem in invalid.problems])
print(*sorted({"yaml", "edge_agent.config.shape", "edge_agent_modbus"} & set(sys.modules)))
"""


@pytest.mark.parametrize("is_right", [True, False])
def test_a_start_has_a_copy_of_itself_load_it_and_keeps_the_drivers_alone(written, is_right):
    path = written(large(200) if is_right else f"{HEAD}connections: [{{name: a}}]")
    done = subprocess.run(
        [sys.executable, "-c", START, str(path)], capture_output=True, text=True, check=True
    )
    expected = (
        f"{len(config.load(path).connections)}\nedge_agent_modbus\n"
        if is_right
        else "['connections[0].driver', 'connections[0].devices']\n\n"
    )
    assert (done.stdout, done.stderr) == (expected, "")


def test_a_process_that_dies_costs_memory_only(written, monkeypatch) -> None:
    monkeypatch.setattr(apart.twin, "can_be", lambda: False)
    monkeypatch.setattr(apart, "PROGRAM", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    with capture_logs() as log:
        assert apart.load(written(large(200))).connections
    assert [line["why"] for line in log] == ["the process ended with -9"]
