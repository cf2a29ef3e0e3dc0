"""What a release is made of: the bill of materials, and wheels for the architectures it is for."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rigs.guest import PROJECT

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

LOCK = (PROJECT / "requirements/gateway.lock").read_text()
ENTRIES = re.split(r"^(?=[a-z0-9])", LOCK, flags=re.MULTILINE)[1:]


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_bill_of_materials_is_what_a_gateway_installs(needs_packages: None) -> None:
    said = subprocess.check_output([sys.executable, "tools/sbom"], cwd=PROJECT, text=True)
    bom = json.loads((PROJECT / said.strip()).read_text())
    listed = {
        (plain(one["name"]), one["version"]): {
            sum_["content"]
            for reference in one["externalReferences"]
            for sum_ in reference.get("hashes", [])
        }
        for one in bom["components"]
    }
    locked = {
        tuple(re.match(r"(\S+)==(\S+)", entry).groups()): set(
            re.findall(r"--hash=sha256:(\w+)", entry)
        )
        for entry in ENTRIES
    }
    assert listed == locked
    assert [one["name"] for one in bom["components"] if not one.get("licenses")] == []
    root = bom["metadata"]["component"]
    assert (root["name"], root["licenses"][0]["license"]["id"]) == ("edge-agent", "Apache-2.0")
    [needs] = [one["dependsOn"] for one in bom["dependencies"] if one["ref"] == root["bom-ref"]]
    assert {"paho-mqtt", "pydantic"} <= {plain(need.partition("==")[0]) for need in needs}


@pytest.mark.parametrize("python", ["3.11", "3.13"])
def test_there_is_a_wheel_of_everything_for_arm64(
    needs_packages: None, tmp_path: Path, python: str
) -> None:
    """Debian 12 and 13 on a Raspberry Pi of 64 bit: nothing has to be compiled there."""
    subprocess.run(
        ["tools/wheels", sys.executable, tmp_path, "arm64", python], cwd=PROJECT, check=True
    )
    wheels = sorted(one.name for one in tmp_path.iterdir())
    assert [one for one in wheels if not re.search(r"-(any|manylinux\S*aarch64)\.whl$", one)] == []
    here = {plain(one.partition("-")[0]) for one in wheels}
    assert here - {"edge-agent"} == {entry.partition("==")[0] for entry in ENTRIES}


@pytest.fixture(scope="module")
def needs_packages(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skip where no package registry answers."""
    name = re.match(r"\S+==[^ ]+", ENTRIES[0]).group()
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--retries=0", name]
    folder = tmp_path_factory.mktemp("answer")
    asked = subprocess.run([*command, "--dest", folder], capture_output=True, check=False)
    if asked.returncode:
        pytest.skip("no package registry can be reached from here")
