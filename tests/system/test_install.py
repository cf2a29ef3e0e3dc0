"""`install.sh` and the Debian package, on a Debian that has never seen edge-agent."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rigs.guest import PROJECT, Guest
from tests.system.conftest import CONFIGURATION

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

INSTALL = "/src/install.sh --wheels /src/wheels/{}"
HEARD = "timeout 20 mosquitto_sub -h 127.0.0.1 -t edge/v1/hall-3/gw-01/oven/data -C 1"


def environments(guest: Guest) -> list[str]:
    return sorted(one.name for one in (guest.root / "opt/edge-agent/versions").iterdir())


def version(guest: Guest) -> str:
    return guest.shell("edge-agent --version").strip()


def test_from_nothing_to_readings_and_back(guest: Guest) -> None:
    said = guest.shell(INSTALL.format("this"))
    assert "next: edge-agent setup" in said
    assert guest.property("ActiveState") == "inactive"
    assert (guest.root / "etc/edge-agent/config.example.yaml").exists()

    guest.writes("/etc/edge-agent/config.yaml", CONFIGURATION)
    guest.shell("edge-agent check && systemctl start edge-agent")
    assert json.loads(guest.shell(HEARD))["readings"][0]["p"] == "temperature"
    assert guest.shell("systemctl is-enabled edge-agent").strip() == "enabled"

    # again: the same version, a second environment, readings go on with the next number
    epoch = json.loads(guest.shell(HEARD))["epoch"]
    said = guest.shell(INSTALL.format("this"))
    assert "the service is ready" in said
    assert json.loads(guest.shell(HEARD))["epoch"] == epoch
    assert len(environments(guest)) == 2

    guest.shell("/src/install.sh --uninstall")
    assert not (guest.root / "opt/edge-agent").exists()
    assert not (guest.root / "usr/local/bin/edge-agent").is_symlink()
    assert not (guest.root / "etc/systemd/system/edge-agent.service").exists()
    assert (guest.root / "etc/edge-agent/config.yaml").exists()
    assert list((guest.root / "var/lib/private/edge-agent").iterdir())

    guest.shell(INSTALL.format("this"))
    assert json.loads(guest.shell(HEARD))["epoch"] == epoch
    guest.shell("/src/install.sh --uninstall --purge")
    assert not (guest.root / "etc/edge-agent").exists()
    assert not (guest.root / "var/lib/private/edge-agent").exists()


def test_a_version_that_does_not_start_is_rolled_back(guest: Guest) -> None:
    guest.writes("/etc/edge-agent/config.yaml", CONFIGURATION)
    guest.shell(INSTALL.format("this"))
    before = version(guest)
    said = guest.does("sh", "-c", INSTALL.format("broken"), expect=1)
    assert "this version is broken" in said
    assert "the version before runs again" in said
    assert version(guest) == before
    assert json.loads(guest.shell(HEARD))["v"] == 1
    assert len(environments(guest)) == 1


def test_a_version_that_refuses_the_configuration_is_not_even_tried(
    guest: Guest, wheels: dict[str, Path]
) -> None:
    guest.writes("/etc/edge-agent/config.yaml", CONFIGURATION)
    guest.shell(INSTALL.format("this"))
    process = guest.property("MainPID")
    old = guest.root / "src/wheels/this"
    strict = guest.root / "src/wheels/strict"
    shutil.copytree(old, strict)
    wheel = next(strict.glob("edge_agent-*.whl"))
    inside = strict / "inside"
    subprocess.run([sys.executable, "-m", "zipfile", "-e", wheel, inside], check=True)
    shape = inside / "edge_agent/cli/check.py"
    shape.write_text(shape.read_text() + "\n\ndef run(options):\n    return 3\n")
    record = next(inside.glob("*.dist-info")) / "RECORD"
    lines = record.read_text().splitlines()
    kept = [line for line in lines if not line.startswith("edge_agent/cli/check.py,")]
    record.write_text("\n".join([*kept, "edge_agent/cli/check.py,,", ""]))
    wheel.unlink()
    names = [str(path) for path in inside.iterdir()]
    subprocess.run([sys.executable, "-m", "zipfile", "-c", wheel, *names], check=True)
    shutil.rmtree(inside)

    said = guest.does("sh", "-c", INSTALL.format("strict"), expect=1)
    assert "the new version does not accept /etc/edge-agent/config.yaml" in said
    assert guest.property("MainPID") == process


def test_the_buffer_survives_up_and_down(guest: Guest) -> None:
    guest.writes("/etc/edge-agent/config.yaml", CONFIGURATION)
    guest.shell(INSTALL.format("this"))
    before = version(guest)
    watch = "edge-agent verify mqtt://127.0.0.1 --json --db /root/seen.db --seconds {}"
    # who follows stays until the agent has stopped: what it hears last is what was last confirmed
    guest.shell(f"(sleep 2; systemctl stop edge-agent) & {watch.format(6)}")
    assert guest.property("ActiveState") == "inactive"
    guest.shell("systemctl stop mosquitto && systemctl start edge-agent")
    guest.shell(INSTALL.format("next"))
    assert "99." in version(guest)
    guest.shell(INSTALL.format("this"))
    assert version(guest) == before
    # who follows is there before the agent is
    guest.shell("systemctl stop edge-agent && systemctl start mosquitto")
    seen = guest.shell(f"(sleep 2; systemctl start edge-agent) & {watch.format(10)}")
    (agent,) = json.loads(seen)["agents"]
    assert agent["missing"] == []
    assert agent["received"] > 20


def test_the_debian_package(guest: Guest) -> None:
    built = subprocess.check_output(["tools/deb", sys.executable], cwd=PROJECT, text=True).strip()
    shutil.copy(PROJECT / built, guest.root / "src")
    name = Path(built).name
    guest.writes("/etc/edge-agent/config.yaml", CONFIGURATION)
    guest.shell(f"apt-get install -y /src/{name}")
    assert json.loads(guest.shell(HEARD))["v"] == 1
    guest.shell(f"apt-get install -y --reinstall /src/{name}")
    assert len(environments(guest)) == 2
    guest.shell("apt-get remove -y edge-agent")
    assert not (guest.root / "opt/edge-agent").exists()
    assert (guest.root / "etc/edge-agent/config.yaml").exists()
    guest.shell("apt-get purge -y edge-agent")
    assert not (guest.root / "etc/edge-agent").exists()
    assert not (guest.root / "var/lib/private/edge-agent").exists()
