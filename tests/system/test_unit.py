"""The unit in the oldest systemd that it is for: its score, what it may ask, reach and see."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rigs.guest import PROJECT, Guest, layered, plain_root, why_not
from tests.system.conftest import CONFIGURATION

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

LIMIT = 1.3  # of systemd-analyze security; 0 is best
CONFIG = "/etc/edge-agent/config.yaml"
DROP_INS = "/etc/systemd/system/edge-agent.service.d"
STAMP = "/run/systemd/timesync/synchronized"
HEARD = "timeout 30 mosquitto_sub -h 127.0.0.1 -t edge/v1/hall-3/gw-01/oven/data -C 1"
CONNECTED = """edge-agent status --json | grep -q '"state": *"connected"'"""
SITE = "10.99.0.1"  # an address of the guest beside 127.0.0.1, as a broker elsewhere has one
LINE = """\
  - name: line
    driver: modbus
    settings: {{transport: rtu, port: {port}, baud: 9600}}
    devices:
      - {{name: meter, address: {{unit: 1}}, every: 1s, points: {{power: {{address: "30001"}}}}}}
"""


def status(gateway: Guest) -> dict:
    return json.loads(gateway.shell("edge-agent status --json"))


def score(guest: Guest) -> float:
    said = guest.shell("systemd-analyze security edge-agent.service --no-pager")
    return exposure(said)


def exposure(said: str) -> float:
    [figure] = re.findall(r"Overall exposure level for \S+ ([\d.]+)", said)
    return float(figure)


def restarted(guest: Guest) -> str:
    """Start the service anew; give what it has said since."""
    guest.shell("systemctl daemon-reload && systemctl restart edge-agent")
    since = guest.property("InvocationID")
    return guest.shell(f"journalctl --output=cat _SYSTEMD_INVOCATION_ID={since}")


def test_systemd_finds_nothing_wrong_and_little_exposed(gateway: Guest) -> None:
    assert gateway.shell("systemd-analyze verify /etc/systemd/system/edge-agent.service") == ""
    assert score(gateway) <= LIMIT
    gateway.shell(
        "! journalctl _PID=1 | grep -iE 'edge-agent.*(unknown|ignoring|does not support)'"
    )


def test_a_clock_is_right_when_the_time_service_says_so(gateway: Guest) -> None:
    said = restarted(gateway)
    assert "clock_unknown" in said, said
    assert json.loads(gateway.shell(HEARD))["tq"] == "unsynced"
    gateway.shell(f"mkdir -p {STAMP.rpartition('/')[0]} && touch {STAMP}")
    gateway.waits_for(f"! {HEARD} | grep -q unsynced", 60)
    gateway.shell(f"rm -r {STAMP.rpartition('/')[0]}")
    gateway.waits_for(f"{HEARD} | grep -q unsynced", 60)


def test_with_another_time_service_the_kernel_is_asked(gateway: Guest) -> None:
    gateway.shell("cp -T /bin/true /usr/sbin/chronyd")
    gateway.shell("/src/install.sh --wheels /src/wheels/this")
    assert "clock_unknown" not in restarted(gateway)
    gateway.shell("rm /usr/sbin/chronyd")
    gateway.shell("/src/install.sh --wheels /src/wheels/this")
    assert "clock_unknown" in restarted(gateway)


def test_with_a_filter_only_the_configured_addresses_are_reached(gateway: Guest) -> None:
    add = ["nsenter", f"--target={gateway._init}", "-n", "ip", "address", "add", SITE, "dev", "lo"]
    subprocess.run(add, check=True)
    listener = f"listener 1885 {SITE}\nallow_anonymous true\n"
    gateway.writes("/etc/mosquitto/conf.d/site.conf", listener)
    gateway.shell("systemctl restart mosquitto")
    gateway.shell("/src/install.sh --wheels /src/wheels/this --restrict")  # names 127.0.0.1 only
    assert score(gateway) <= 1.2
    gateway.writes(CONFIG, CONFIGURATION.replace("127.0.0.1", f"{SITE}:1885"))
    assert '"connected"' not in restarted(gateway)
    gateway.waits_for("edge-agent status | grep -q 'does not answer'")
    gateway.shell("/src/install.sh --wheels /src/wheels/this --restrict")
    gateway.waits_for(CONNECTED)
    gateway.writes(CONFIG, CONFIGURATION)
    gateway.shell(f"rm {DROP_INS}/site.conf")
    restarted(gateway)


def test_an_incomplete_filter_is_not_put_into_place(gateway: Guest) -> None:
    gateway.writes(CONFIG, CONFIGURATION.replace("127.0.0.1", "no-such-broker.invalid"))
    said = gateway.shell("/src/install.sh --wheels /src/wheels/this --restrict", expect=1)
    assert "# broker: no-such-broker.invalid" in said
    assert not (gateway.root / DROP_INS.lstrip("/") / "site.conf").exists()
    gateway.writes(CONFIG, CONFIGURATION)
    restarted(gateway)


def test_serial_ports_are_seen_and_other_devices_are_not(gateway: Guest) -> None:
    # No such port is there: what may be opened says so, and what may not that it may not.
    gateway.shell("mknod -m 660 /dev/ttyS99 c 4 163 && chgrp dialout /dev/ttyS99")
    gateway.shell("mknod -m 666 /dev/other c 10 229")  # fuse
    for port, is_allowed in (("/dev/ttyS99", True), ("/dev/other", False)):
        gateway.writes(CONFIG, CONFIGURATION + LINE.format(port=port))
        restarted(gateway)
        gateway.waits_for(f"edge-agent status --json | grep -q {port}")
        line = status(gateway)["connections"][1]
        assert ("not permitted" in line["why"]) is not is_allowed, line
    gateway.writes(CONFIG, CONFIGURATION)
    restarted(gateway)


@pytest.fixture
def newer(tmp_path: Path) -> Iterator[Path]:
    """The root folder of a Debian 13, with the unit and the rules in /src."""
    if reason := why_not():
        pytest.skip(reason)
    with layered(plain_root("trixie"), tmp_path) as root:
        shutil.copytree(PROJECT / "systemd", root / "src")
        shutil.copy("/bin/true", root / "usr/local/bin/edge-agent")
        yield root


def inside(root: Path, script: str) -> str:
    return subprocess.check_output(["chroot", root, "sh", "-ec", script], text=True)


def test_debian_13_takes_rules_and_unit_and_scores_alike(newer: Path) -> None:
    """`udevadm verify` came with systemd 254."""
    inside(newer, "udevadm verify --resolve-names=early /src/99-edge-agent.rules")
    inside(newer, "sed -i s#/opt/edge-agent/bin#/usr/local/bin# /src/edge-agent.service")
    inside(newer, "systemd-analyze verify --recursive-errors=no /src/edge-agent.service")
    said = inside(
        newer, "systemd-analyze security --offline=yes --no-pager /src/edge-agent.service"
    )
    assert exposure(said) <= LIMIT
