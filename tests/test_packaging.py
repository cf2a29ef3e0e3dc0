"""What an installer gets: the wheel, locked dependencies, the service, the tools behind make."""

import os
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
UNIT = ROOT / "systemd/edge-agent.service"
EXPOSURE_LIMIT = 1.3  # of systemd-analyze security; 0 is best
LOCKS = {"gateway": ("opcua", "serial", "lists"), "demo": ("demo",), "dev": ("dev",), "build": None}

in_source_tree = pytest.mark.skipif(
    not (ROOT / "edge_agent").exists(), reason="the code is not beside the tests here"
)


def _wanted(extras: tuple[str, ...]) -> list[Requirement]:
    """Give what the project and these extras need, extras of extras included."""
    extra_lists = PROJECT["project"]["optional-dependencies"]
    wanted, waiting, seen = [*PROJECT["project"]["dependencies"]], list(extras), set()
    while waiting:
        extra = waiting.pop()
        for text in extra_lists[extra]:
            requirement = Requirement(text)
            if requirement.name == PROJECT["project"]["name"]:
                waiting += sorted(requirement.extras - seen)
            else:
                wanted.append(text)
        seen.add(extra)
    return [Requirement(text) for text in wanted]


def _to_build() -> list[Requirement]:
    lines = (ROOT / "requirements/build.in").read_text().splitlines()
    return [Requirement(line) for line in lines if not line.startswith("#")]


def _needs(lock: str) -> list[Requirement]:
    extras = LOCKS[lock]
    needs = _wanted(extras) if extras is not None else []
    return needs + (_to_build() if lock != "gateway" else [])


def _text(lock: str) -> str:
    return (ROOT / f"requirements/{lock}.lock").read_text()


def _pins(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9.-]+)==([^ ]+)", _text(lock), re.MULTILINE))


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_what_pyproject_asks_for(lock: str):
    pins = _pins(lock)
    unmet = [
        str(need)
        for need in _needs(lock)
        if not need.specifier.contains(pins.get(canonicalize_name(need.name), "0.0.dev0"))
    ]
    assert unmet == [], f"requirements/{lock}.lock is older than pyproject.toml: run make lock"


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_nothing_that_pyproject_no_longer_asks_for(lock: str):
    asked = {canonicalize_name(need.name) for need in _needs(lock)}
    entries = re.split(r"^(?=[a-z0-9])", _text(lock), flags=re.MULTILINE)
    named = {
        entry.split("==")[0]
        for entry in entries
        if re.search(r"edge-agent \(pyproject\.toml\)|-r requirements/build\.in", entry)
    }
    assert named == asked, f"requirements/{lock}.lock is older than pyproject.toml: run make lock"


@pytest.mark.parametrize("lock", [*LOCKS, "release"])
def test_a_lock_pins_everything_by_hash_and_names_no_index(lock: str):
    text = _text(lock)
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert len(entries) == len(_pins(lock))
    assert re.findall(r"https?:|file:|--index|--extra-index|--find-links|\s/\w+/", text) == []


def test_locks_agree_on_versions():
    everything = _pins("dev")
    for lock in LOCKS:
        assert {*_pins(lock).items()} <= {*everything.items()}, lock
    for name, version in _pins("release").items():
        assert everything.get(name, version) == version


def test_a_gateway_gets_neither_the_demo_nor_the_tests():
    kept_away = {"amqtt", "pymodbus", "rich", "pytest", "uv", "hatchling"}
    assert kept_away & set(_pins("gateway")) == set()


def test_what_builds_the_project_is_locked():
    built_with = [Requirement(text) for text in PROJECT["build-system"]["requires"]]
    assert {str(need) for need in built_with} <= {str(need) for need in _to_build()}


@in_source_tree
def test_the_wheel_has_all_files_of_the_packages_and_no_others(tmp_path: Path):
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    shipped = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    packages = [ROOT / path for path in PACKAGES]
    ours = {
        file.relative_to(package.parent).as_posix()
        for package in packages
        for file in package.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts and file.suffix != ".po"
    }
    assert shipped == ours
    assert {f"{package.name}/py.typed" for package in packages} <= shipped


@in_source_tree
def test_every_driver_is_shipped_and_announced():
    drivers = sorted((ROOT / "drivers").glob("edge_agent_*"))
    entries = PROJECT["project"]["entry-points"]["edge_agent.drivers"].values()
    assert {f"drivers/{driver.name}" for driver in drivers} == {*PACKAGES} - {"edge_agent"}
    assert {driver.name for driver in drivers} == {entry.split(":")[0] for entry in entries}


@pytest.fixture
def installed_unit(tmp_path: Path) -> Path:
    """The unit, its command replaced by one that exists here."""
    unit = tmp_path / UNIT.name
    text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text(), flags=re.MULTILINE)
    unit.write_text(text)
    return unit


needs_systemd = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed here"
)


@needs_systemd
def test_the_unit_is_a_unit(installed_unit: Path):
    command = ["systemd-analyze", "verify", "--recursive-errors=no", installed_unit]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")


@needs_systemd
def test_the_unit_is_hardened():
    command = ["systemd-analyze", "security", "--offline=yes", "--no-pager", UNIT]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    [exposure] = re.findall(r"Overall exposure level for \S+: ([\d.]+)", run.stdout)
    assert float(exposure) <= EXPOSURE_LIMIT, run.stdout


@pytest.mark.parametrize(("ports", "driver"), [("ttyUSB", "usbserial"), ("ttyACM", "cdc_acm")])
def test_adapters_may_be_plugged_in_after_the_start(ports: str, driver: str):
    """systemd allows a group of devices only if its driver is loaded. Source: systemd.exec(5)."""
    text = UNIT.read_text()
    assert f"DeviceAllow=char-{ports} rw" in text
    for word in ("Wants", "After"):
        assert re.search(rf"^{word}=.*\bmodprobe@{driver}\.service\b", text, re.MULTILINE), word


def test_the_unit_calls_a_command_that_exists():
    [line] = re.findall(r"^ExecStart=\S+/edge-agent (.*)$", UNIT.read_text(), re.MULTILINE)
    program = "import sys; from edge_agent.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", program, *line.split(), "--help"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def _joined(installed: list[dict]) -> dict:
    """Join a lock of two packages with these that are installed, as `make sbom` does."""
    joined = runpy.run_path(str(ROOT / "tools/sbom"))["joined"]
    archive = {"type": "distribution", "url": "https://pypi.org", "hashes": [{"content": "ab"}]}
    pins = [
        {"name": name, "purl": f"pkg:pypi/{name}@1", "bom-ref": name, "version": "1"}
        | {"description": "line 3", "externalReferences": [archive]}
        for name in ("elsewhere", "here")
    ]
    known = {
        "components": installed,
        "dependencies": [{"ref": "edge-agent", "dependsOn": ["here==1"]}, {"ref": "here==1"}],
        "metadata": {"component": {"bom-ref": "root", "name": "edge-agent"}},
    }
    return joined({"components": pins}, known, "2.0")


def _installed(name: str, version: str = "1") -> dict:
    purl = f"pkg:pypi/{name}@{version}"
    return {"name": name, "purl": purl, "bom-ref": f"{name}=={version}", "licenses": ["MIT"]}


def test_the_bill_of_materials_has_every_pin_with_its_hashes():
    ourselves = _installed("edge-agent", "2.0") | {"bom-ref": "edge-agent"}
    bom = _joined([_installed("here"), ourselves])
    elsewhere, here = bom["components"]
    assert (elsewhere["name"], here["licenses"]) == ("elsewhere", ["MIT"])  # other platforms' too
    for component in bom["components"]:
        assert component["externalReferences"][-1]["hashes"] == [{"content": "ab"}]
    assert bom["metadata"]["component"]["version"] == "2.0"
    assert {"ref": "root", "dependsOn": ["here==1"]} in bom["dependencies"]


@pytest.mark.parametrize("stranger", [_installed("stranger"), _installed("here", "1.1")])
def test_what_is_not_in_the_lock_makes_no_bill_of_materials(stranger):
    with pytest.raises(ValueError, match=rf"not in the lock: {stranger['purl']}"):
        _joined([stranger])


def test_a_drop_in_lets_the_kernel_be_asked_and_no_more():
    """With another time service than systemd's."""
    text = (ROOT / "systemd/clock.conf").read_text()
    settings = [line for line in text.splitlines() if not line.startswith("#")]
    assert settings == ["[Service]", "ProtectClock=no", "SystemCallFilter=adjtimex clock_adjtime"]
    assert "\nProtectClock=yes\n" in UNIT.read_text()


def test_the_container_copies_what_is_there_and_is_not_root():
    text = (ROOT / "Dockerfile").read_text()
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    shared = {line[1:] for line in ignored if line.startswith("!")}
    copies = re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.MULTILINE)
    copied = {word for line in copies for word in line.split()}
    assert copied == shared
    code = {"edge_agent", "drivers"}
    assert [name for name in copied - code if not (ROOT / name).exists()] == []
    assert re.findall(r"^USER (\d+)", text, re.MULTILINE) == ["10001"]


def _tool(name: str, *words: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": str(path)} if path else os.environ
    command = ["/bin/sh", ROOT / "tools" / name, *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def _command(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def test_an_environment_needs_a_python_that_exists(tmp_path: Path):
    run = _tool("environment", "no-such-python", str(tmp_path / "new"))
    assert run.returncode == 1
    assert "no command 'no-such-python'" in run.stderr
    assert not (tmp_path / "new").exists()


def test_an_environment_needs_a_new_python(tmp_path: Path):
    _command(tmp_path, "old", '[ "$1" = -V ] && echo "Python 3.9.2"; [ "$1" = -V ]')
    run = _tool("environment", str(tmp_path / "old"), str(tmp_path / "new"))
    assert run.returncode == 1
    assert "needs Python 3.11 or later, but" in run.stderr
    assert "is Python 3.9.2;" in run.stderr


@pytest.mark.thorough
def test_an_environment_is_made(tmp_path: Path):
    run = _tool("environment", sys.executable, str(tmp_path / "new"))
    assert run.returncode == 0, run.stderr
    made = [tmp_path / "new/bin/python", "-m", "pip", "--version"]
    assert subprocess.run(made, capture_output=True, check=False).returncode == 0


def test_packages_are_installed_with_sudo_where_this_is_not_root(tmp_path: Path):
    _command(tmp_path, "id", "echo 1000")
    _command(tmp_path, "apt-get", "exit 1")
    _command(tmp_path, "env", 'shift; exec "$@"')
    run = _tool("apt-install", "It is needed", "mosquitto", path=tmp_path)
    assert run.returncode == 1
    assert run.stderr == (
        "It is needed, and this is neither root nor is there sudo; as root, run: "
        "apt-get install mosquitto\n"
    )
    _command(tmp_path, "sudo", f'echo "$@" >>{tmp_path}/done')
    run = _tool("apt-install", "It is needed", "mosquitto", path=tmp_path)
    assert (run.returncode, run.stderr) == (
        0,
        "It is needed; installing with sudo apt-get: mosquitto\n",
    )
    assert "install -qq -y --no-install-recommends mosquitto" in (tmp_path / "done").read_text()


def test_a_system_without_apt_is_told_what_to_install(tmp_path: Path):
    run = _tool("apt-install", "It is needed", "mosquitto", path=tmp_path)
    assert run.returncode == 1
    assert "no apt-get here; install what corresponds to Debian's: mosquitto" in run.stderr


def test_nothing_is_installed_where_all_is_there(tmp_path: Path):
    for name in ("mosquitto", "mosquitto_sub", "gcc", "pkg-config", "node", "npm", "cmp"):
        _command(tmp_path, name, "exit 0")
    run = _tool("test-packages", path=tmp_path)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_the_floor_of_python_is_the_same_everywhere():
    floor = SpecifierSet(PROJECT["project"]["requires-python"])
    assert "3.11" in floor
    assert "3.10.99" not in floor
    assert "--python-version 3.11" in (ROOT / "Makefile").read_text()


def test_what_is_tested_on_arm64_exists():
    named = re.findall(r"tests/[\w/]+(?:\.py)?(?:::\w+)?", (ROOT / "tools/arm64-tests").read_text())
    assert len(named) > 20
    for one in named:
        file, _, function = one.partition("::")
        assert (ROOT / file).exists(), one
        if function:
            assert f"def {function}(" in (ROOT / file).read_text(), one
