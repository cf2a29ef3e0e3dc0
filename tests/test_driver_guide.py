"""What the drivers' pages say is true, and with drivers/README.md a stranger succeeds."""

import os
import re
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml
from edge_agent_serial import SerialAddress, SerialSettings
from edge_agent_serial.engine import Engine
from edge_agent_serial.samples import to_sample

from edge_agent import config, plugins
from edge_agent.driver import Address, Settings

ROOT = Path(__file__).parent.parent
GUIDE = (ROOT / "drivers/README.md").read_text()
DRIVERS = ("opcua", "serial", "simulated")
CLI = "import sys; from edge_agent.cli import main; sys.exit(main(sys.argv[1:]))"


def _folder(driver: str) -> Path:
    spec = find_spec(f"edge_agent_{driver}")
    assert spec
    assert spec.origin
    return Path(spec.origin).parent


def _files() -> dict[str, str]:
    """Give the files the guide shows, by their path."""
    return dict(re.findall(r"^`([\w./]+)`\n```\w+\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize("module", ["driver.py", "switch.py"])
def test_the_guide_shows_the_simulated_drivers_as_they_are(module: str) -> None:
    shown = _files()[f"edge_agent_simulated/{module}"]
    assert shown == (_folder("simulated") / module).read_text()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the guide tells a stranger to write."""
    folder = tmp_path_factory.mktemp("guide")
    for name, text in _files().items():
        if name.startswith("thermometer/"):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return folder / "thermometer"


@pytest.fixture(scope="module")
def installed(project: Path) -> dict[str, str]:
    """An environment in which the stranger's driver is installed; the guide's `pip install`."""
    if find_spec("hatchling") is None:
        pytest.skip("hatchling, which builds the stranger's package, is not installed")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel"],
        cwd=project,
        check=True,
        capture_output=True,
    )
    [wheel] = project.glob("dist/*.whl")
    zipfile.ZipFile(wheel).extractall(project / "site")
    path = os.pathsep.join([str(project / "site"), *filter(None, sys.path)])
    return os.environ | {"PYTHONPATH": path}


def _run(installed: dict[str, str], project: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=project,
        env=installed,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.thorough
def test_the_stranger_s_driver_keeps_the_contract(installed, project):
    quiet = ("-q", "-p", "no:cacheprovider", "--doctest-modules")
    places = ("tests", "site/edge_agent_thermometer")
    found = _run(installed, project, "-P", "-m", "pytest", *quiet, *places)
    assert re.search(r"^10 passed", found, re.MULTILINE), found


def test_the_agent_finds_the_stranger_s_driver(installed, project):
    listed = _run(installed, project, "-c", CLI, "drivers")
    assert re.search(r"thermometer +Reads thermometers that answer T\? over TCP\.", listed)
    sample = _files()["thermometer/edge_agent_thermometer/sample.yaml"]
    assert _run(installed, project, "-c", CLI, "drivers", "thermometer") == sample


def test_the_stranger_s_sample_is_a_configuration(installed, project):
    sample = "edge_agent_thermometer/sample.yaml"
    assert "ok: 1 connection" in _run(installed, project, "-c", CLI, "check", "-c", sample)


ANSWERS = """
site: factory-1
gateway: gw-01
device:
  - {kind: thermometer, host: 127.0.0.1, name: oven, point: [POINT]}
broker: {url: "127.0.0.1:1", trouble: keep}
"""


@pytest.mark.thorough
def test_the_wizard_sets_the_stranger_s_driver_up(installed, project):
    answers = project / "answers.yaml"
    answers.write_text(ANSWERS.replace("POINT", "{name: top, at: 1, trouble: keep}"))
    _run(installed, project, "-c", CLI, "setup", "-c", "made.yaml", "--answers", str(answers))
    made = yaml.safe_load((project / "made.yaml").read_text())
    (connection,) = made["connections"]
    assert (connection["driver"], connection["settings"]) == ("thermometer", {"host": "127.0.0.1"})
    assert connection["devices"][0]["points"] == {"top": {"address": {"at": 1}}}


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_sample_is_a_configuration_without_warnings(driver):
    found = config.inspect(_folder(driver) / "sample.yaml")
    assert found.config is not None, found.errors
    assert found.warnings == []
    assert {connection.driver for connection in found.config.connections} == {driver}


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_driver_s_page_describes_every_key_with_its_default(driver):
    page = (_folder(driver) / "README.md").read_text().partition("## Recipes")[0]
    loaded = plugins.load(driver)
    rows = dict(re.findall(r"^\| (`[^|]*`) \| ([^|]*) \|", page, re.MULTILINE))
    documented = {
        key: default for keys, default in rows.items() for key in re.findall(r"\w+", keys)
    }
    expected = _defaults(loaded.settings_type) | _defaults(loaded.address_type)
    assert documented.keys() == expected.keys()
    for key, default in expected.items():
        if default not in (None, "", {}, ()) and documented[key] != "refused":
            assert documented[key].removesuffix("s") == default, key


def _defaults(model: type[Settings] | type[Address]) -> dict[str, object]:
    """Give each key's default as people write it; None for one that says nothing."""
    return {
        name: "required"
        if field.is_required()
        else field.default
        if field.default in (None, "", {}, ())
        else str(field.default).lower()
        if isinstance(field.default, bool)
        else f"{field.default:g}"
        if isinstance(field.default, int | float)
        else field.default
        for name, field in model.model_fields.items()
    }


INSTRUMENTS = [
    # settings in the order of the page; a line; field, value, reason
    (0, b"ST,GS,+  1.240kg", "weight", 1.24, None),
    (0, b"US,NT,-  0.5kg", "weight", -0.5, "dynamic"),
    (0, b"OL,GS,+9999999kg", "weight", None, "overload"),
    (1, b"S S     100.00 g", "weight", 100.0, None),
    (1, b"S D    -  1.50 kg", "weight", -1.5, "dynamic"),
    (1, b"S +", "weight", None, "overload"),
    (1, b"S -", "weight", None, "underload"),
    (1, b"S I", "weight", None, "device_bad"),
    (2, b"01A+0000.1234", "length", 0.1234, None),
    (2, b"911", "length", None, "device_bad"),
]


@pytest.mark.parametrize(("number", "line", "field", "value", "why"), INSTRUMENTS)
def test_the_settings_for_common_instruments_read_their_lines(number, line, field, value, why):
    page = (_folder("serial") / "README.md").read_text()
    blocks = re.findall(r"^```yaml\n(mode:.*?)^```", page, re.MULTILINE | re.DOTALL)
    settings = SerialSettings(transport="serial", port="/dev/x", **yaml.safe_load(blocks[number]))
    (frame,) = Engine(settings.used_recipe).feed(line + b"\r\n")
    sample = to_sample(SerialAddress(field=field), frame, "number")
    assert sample.value == value
    assert (sample.flaw and sample.flaw.why) == why
