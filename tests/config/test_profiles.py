"""What a profile brings, how a device's own points lie over it, and whose profiles are found."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_agent import config
from edge_agent.config import profiles, yamlfile
from edge_agent.config.findings import Findings
from edge_agent.config.library import Library, read
from edge_agent.config.model import Device
from edge_agent.config.places import Section, line_of
from edge_agent.config.profile import Parameter, Profile, answer
from edge_agent.errors import ProfileUnavailable
from tests.rigs.installed import install_driver
from tests.rigs.processor import takes_at_most

HEAD = """\
maker: Nobody
models: [M1, M2]
kind: meter
zh: 无名电能表
confidence: low
protocols: [rtu]
sources: [a page]
"""
METER = f"""{HEAD}
parameters:
  ct_ratio:
    question: {{en: Ratio of the transformers, zh: 变比}}
    scales: [power, energy]
essentials: [power]
points:
  power: {{address: {{offset: 52}}, unit: W, scale: 0.1, add: 2, label: {{en: Power, zh: 功率}}}}
  energy: {{address: {{offset: 342}}, range: [0, 9], no_value: [0xFFFF], label: {{en: E, zh: 电}}}}
  mode: {{address: {{offset: 3}}, label: {{en: Mode, zh: 模式}}}}
"""


def profile(text: str = METER) -> Profile:
    return Profile.model_validate(yamlfile.parse(text).root)


def find(driver: str, name: str) -> Profile:
    assert (driver, name) == ("modbus", "meter")
    return profile()


def expanded(device: str = "", parameters: str = "{ct_ratio: 1}") -> Section:
    root = yamlfile.parse(
        "connections:\n- driver: modbus\n  devices:\n  - profile: meter\n"
        f"    parameters: {parameters}\n{device}"
    ).root
    findings = Findings(root)
    profiles.expand(root, findings, find)
    assert findings.errors == []
    return root


def points(device: str = "", parameters: str = "{ct_ratio: 1}") -> dict[str, Any]:
    found: dict[str, Any] = expanded(device, parameters)["connections"][0]["devices"][0]["points"]
    return found


POWER = {"address": {"offset": 52}, "unit": "W", "scale": 0.1, "add": 2, "label": "Power"}
ENERGY = {"address": {"offset": 342}, "range": [0, 9], "no_value": [0xFFFF], "label": "E"}
MODE = {"address": {"offset": 3}, "label": "Mode"}


def test_a_profile_brings_the_points_of_its_preset() -> None:
    assert points() == {"power": POWER}
    assert points("    preset: essentials\n") == {"power": POWER}
    assert points("    preset: all\n") == {"power": POWER, "energy": ENERGY, "mode": MODE}


def test_own_points_add_to_a_profile_or_change_it_key_by_key() -> None:
    own = "    points: {power: {address: {unit: 2}, unit: kW}, other: {}}\n"
    assert points(own) == {
        "power": {**POWER, "address": {"offset": 52, "unit": 2}, "unit": "kW"},
        "other": {},
    }
    assert points() == {"power": POWER}


def test_a_point_outside_the_preset_is_read_when_it_is_named() -> None:
    named = points("    points: {mode: , energy: {unit: kW.h}}\n")
    assert named == {"power": POWER, "energy": {**ENERGY, "unit": "kW.h"}, "mode": MODE}


@pytest.mark.parametrize("address", ['"40001"', '{at: "40001", type: uint16}'])
def test_an_address_as_text_leaves_nothing_of_the_profiles(address: str) -> None:
    own = points(f"    points: {{power: {{address: {address}}}}}\n")["power"]["address"]
    assert own == yamlfile.parse(f"a: {address}\n").root["a"]


def test_an_answer_multiplies_what_it_is_about_and_nothing_else() -> None:
    found = points("    preset: all\n", "{ct_ratio: 600/5}")
    assert found["power"] == {**POWER, "scale": 12.0, "add": 240.0}
    assert found["energy"] == {**ENERGY, "scale": 120.0, "range": [0.0, 1080.0]}
    assert found["mode"] == MODE


def test_a_question_about_points_that_are_not_read_needs_no_answer() -> None:
    text = METER.replace("essentials: [power]", "essentials: [mode]")
    root = yamlfile.parse("connections:\n- {driver: d, devices: [{profile: m}]}\n").root
    findings = Findings(root)
    profiles.expand(root, findings, lambda _driver, _name: profile(text))
    assert findings.errors == []
    assert root["connections"][0]["devices"][0]["points"] == {"mode": MODE}


def test_what_a_profile_brings_has_the_line_that_names_it() -> None:
    root = expanded("    points:\n      power: {unit: kW}\n    preset: all\n")
    place = ("connections", 0, "devices", 0, "points")
    assert line_of(root, (*place, "energy", "address")) == 4
    assert line_of(root, (*place, "power", "unit")) == 7
    assert line_of(root, (*place, "power", "address")) == 4


@pytest.mark.parametrize(
    ("written", "number"), [(120, 120.0), ("600/5", 120.0), ("0.5", 0.5), (0.01, 0.01)]
)
def test_answers_are_numbers_or_ratios(written: object, number: float) -> None:
    parameter = profile().parameters["ct_ratio"]
    assert answer(written, parameter) == number


@pytest.mark.parametrize(
    "written", [True, None, 0, -5, "600/0", "0/5", "600/", "a", "nan", "inf", float("inf"), [1]]
)
def test_other_answers_are_refused(written: object) -> None:
    with pytest.raises(ValueError, match="above 0"):
        answer(written, profile().parameters["ct_ratio"])


def test_an_answer_must_be_among_the_choices() -> None:
    parameter = Parameter.model_validate(
        {"question": {"en": "q", "zh": "问"}, "scales": ["a"], "choices": [1, 0.1]}
    )
    assert answer("0.1", parameter) == 0.1
    with pytest.raises(ValueError, match=r"one of 1, 0\.1"):
        answer(0.2, parameter)


# --- what providers can do wrong, and third parties --------------------------------------------

WRONG: dict[str, tuple[Callable[[str], str], str]] = {
    "no point": (lambda text: text.replace("  energy:", "  other:"), "not have: energy"),
    "nothing": (lambda _: HEAD, "has neither points nor areas"),
    "unknown": (lambda text: text + "extra: 1\n", "extra is not a known key"),
    "label": (lambda text: text.replace("zh: 功率", "de: L"), "points.power.label"),
    "yaml": (lambda text: text + "a: [", "not valid YAML"),
    "twice": (lambda text: text + "maker: Other\n", "line 18"),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_a_profile_with_a_mistake_is_refused_with_its_place(mistake: str, tmp_path: Path) -> None:
    change, words = WRONG[mistake]
    file = tmp_path / "meter.yaml"
    file.write_text(change(METER))
    with pytest.raises(ProfileUnavailable) as refused:
        read(file)
    assert words in str(refused.value)
    assert str(file) in str(refused.value)


def install_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    """Install a driver of another house, with a profile of its own."""
    install_driver(tmp_path, monkeypatch, name)
    folder = tmp_path / f"{name}_driver" / "profiles"
    folder.mkdir()
    (folder / "meter.yaml").write_text(text)


def load(tmp_path: Path, driver: str, device: str) -> Device:
    path = tmp_path / "config.yaml"
    path.write_text(
        "version: 1\nagent: {id: gw, site: hall}\nmqtt: {url: mqtt://localhost}\n"
        f"connections: [{{name: c, driver: {driver}, devices: [{device}]}}]\n"
    )
    return config.load(path).connections[0].devices[0]


def test_a_third_partys_driver_brings_profiles_too(tmp_path: Path, monkeypatch) -> None:
    text = METER.replace("{offset: 52}", '{at: "x"}')
    install_profile(tmp_path, monkeypatch, "meterhouse", text)
    device = load(tmp_path, "meterhouse", "{name: d, profile: meter, parameters: {ct_ratio: 10}}")
    (power,) = device.points
    assert (device.profile, power.name, power.scale) == ("meter", "power", 1.0)
    assert power.address.model_dump() == {"at": "x"}


def test_a_profiles_wrong_address_is_found_like_any_other(tmp_path: Path, monkeypatch) -> None:
    install_profile(tmp_path, monkeypatch, "carelesshouse", METER)
    with pytest.raises(config.ConfigInvalid, match=r"points\.power\.address"):
        load(tmp_path, "carelesshouse", "{name: d, profile: meter, parameters: {ct_ratio: 10}}")


def test_finding_profiles_imports_no_driver(tmp_path: Path, monkeypatch) -> None:
    install_driver(tmp_path, monkeypatch, "lacking", imports="import no_such_package")
    assert Library().files["lacking"] == {}
    assert "eastron-sdm630" in Library().files["modbus"]


def test_a_profile_is_read_once_for_all_its_devices() -> None:
    library = Library()
    assert library.load("modbus", "xy-md02") is library.load("modbus", "xy-md02")


# --- what it costs -----------------------------------------------------------------------------

DEVICES = 200  # of 53 points each


@pytest.fixture
def large(tmp_path: Path) -> Path:
    return written(tmp_path, DEVICES)


def written(folder: Path, meters: int) -> Path:
    path = folder / "meters.yaml"
    devices = [
        f"  - {{name: m{unit}, profile: eastron-sdm630, preset: all, address: {{unit: {unit}}}}}\n"
        for unit in range(1, meters + 1)
    ]
    path.write_text(
        "version: 1\nagent: {id: gw, site: hall}\nmqtt: {url: mqtt://localhost}\nconnections:\n"
        "- name: c\n  driver: modbus\n  settings: {transport: tcp, host: meters}\n  devices:\n"
        + "".join(devices)
    )
    return path


def test_ten_thousand_points_of_profiles_are_checked_within_two_seconds(large: Path) -> None:
    assert takes_at_most(2, lambda: config.load(large))
    loaded = config.load(large)
    assert sum(len(device.points) for device in loaded.connections[0].devices) > 10_000


def test_the_daemon_knows_no_profiles(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from edge_agent.config.apart import load; "
        "import edge_agent.daemon; loaded = load(Path(sys.argv[1])); "
        "assert loaded.connections[0].devices[0].profile == 'eastron-sdm630'; "
        "sys.exit(any(name in sys.modules for name in "
        "('edge_agent.config.library', 'edge_agent.config.profile', 'edge_agent.config.profiles')))"
    )
    done = subprocess.run([sys.executable, "-c", program, written(tmp_path, 1)], check=False)
    assert done.returncode == 0
