"""What the doctor makes of facts: which code, how bad, and that there is a next step."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge_agent import __version__, doctor
from edge_agent.config.loading import Inspection
from edge_agent.doctor import (
    buffer,
    certificates,
    clock,
    disk,
    equipment,
    files,
    ports,
    power,
    unit,
)
from edge_agent.doctor.certificates import Kept
from edge_agent.doctor.disk import Card
from edge_agent.doctor.files import CREDENTIALS, Wanted
from edge_agent.doctor.finding import Finding, Unseen
from edge_agent.doctor.gateway import Gateway, Identity
from edge_agent.doctor.ports import Port
from edge_agent.doctor.processes import Holder
from edge_agent.doctor.validity import Validity
from edge_agent.errors import Problem
from edge_agent.fstab import Entry
from edge_agent.mounts import Mount

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
HOME = Path("/var/lib/edge-agent")
EXT4 = Mount(Path("/"), "ext4", "/dev/mmcblk0p2", read_only=False)
GB = 10**9
SOUND = disk.Facts(HOME, EXT4, 20 * GB, 30 * GB, None, (Card("mmcblk0", 2, 1),))
USB = Port("hall", "/dev/ttyUSB0", "/dev/ttyUSB0", staying="/dev/serial/by-id/usb-FTDI")
BY_ID = USB._replace(written=USB.staying)
RUNS = {
    "LoadState": "loaded",
    "ActiveState": "active",
    "SubState": "running",
    "UnitFileState": "enabled",
    "NRestarts": "0",
}
NOTHING = Inspection(None, [], [])


def status(**changes):
    said = {
        "agent": {"state": "polling", "not_kept": 0, "version": __version__},
        "buffer": {"readings": 3, "bytes": 5 << 20, "hours_until_full": 400.0, "why": ""},
        "connections": [],
        "devices": [],
    }
    return {key: {**value, **changes[key]} if isinstance(value, dict) and key in changes
            else changes.get(key, value) for key, value in said.items()}  # fmt: skip


def link(state="up", why=""):
    return {"connection": "hall", "state": state, "why": why}


def device(state="up", why="", code=""):
    return {"device": "press", "state": state, "why": why, "code": code}


def unit_of(**changes):
    return unit.check(Gateway(HOME, NOTHING, None, {**RUNS, **changes}))


def machines(**changes):
    return equipment.check_machines(Gateway(HOME, NOTHING, status(**changes)))


def configuration(file, *errors, warnings=()):
    problems = [Problem("mqtt", 3, one, "") for one in errors]
    doubts = [Problem("mqtt", 3, one, "") for one in warnings]
    return equipment.check_configuration(Gateway(file, Inspection(None, problems, doubts)))


def kept(first, last):
    days = timedelta(days=1)
    one = Kept("mqtt.cert_file", Path("/c.pem"), Validity(NOW + first * days, NOW + last * days))
    return certificates.judge([one], NOW)


def port(one, **facts):
    return ports.judge(ports.Facts((one,), **facts))


def wanted(key, state, file="/etc/edge-agent/x", credential=""):
    return files.judge((Wanted(key, Path(file), credential, state, "can be read: chmod 600 x"),))


CASES = [
    (clock.judge(clock.Facts(NOW, True, True)), [""]),
    (clock.judge(clock.Facts(NOW, True, False)), [""]),
    (clock.judge(clock.Facts(NOW, True, True, "synced")), [""]),
    (clock.judge(clock.Facts(NOW, True, True, "unsynced")), ["D-CLOCK-UNTOLD"]),
    (clock.judge(clock.Facts(NOW, False, True, "unsynced")), ["D-CLOCK-UNSYNCED"]),
    (clock.judge(clock.Facts(datetime(1970, 1, 1, tzinfo=UTC), False, False)), ["D-CLOCK-DATE"]),
    (clock.judge(clock.Facts(datetime(2106, 2, 7, tzinfo=UTC), True, True)), ["D-CLOCK-DATE"]),
    (disk.judge(SOUND), ["", ""]),
    (disk.judge(SOUND._replace(free=100 << 20)), ["D-DISK-SCARCE", ""]),
    (disk.judge(SOUND._replace(free=10 << 20)), ["D-DISK-FULL", ""]),
    (disk.judge(SOUND._replace(absent=Entry("UUID=1", HOME))), ["D-DISK-ABSENT", "", ""]),
    (disk.judge(SOUND._replace(mount=EXT4._replace(read_only=True))), ["D-DISK-READ-ONLY", "", ""]),
    (disk.judge(SOUND._replace(mount=EXT4._replace(kind="tmpfs"))), ["D-DISK-MEMORY", "", ""]),
    (disk.judge(SOUND._replace(mount=EXT4._replace(kind="vfat"))), ["D-DISK-KIND", "", ""]),
    (disk.judge(SOUND._replace(cards=(Card("m", 0x0B, 1),))), ["", "D-CARD-WORN"]),
    (disk.judge(SOUND._replace(cards=(Card("m", 3, 3),))), ["", "D-CARD-WORN"]),
    (disk.judge(SOUND._replace(cards=(Card("m", 9, 1),))), ["", "D-CARD-WEARS"]),
    (disk.judge(SOUND._replace(cards=(Card("m", 0, 2),))), ["", "D-CARD-WEARS"]),
    (disk.judge(SOUND._replace(cards=())), ["", None]),
    (power.judge(power.Facts(None, None)), []),
    (power.judge(power.Facts(0, 52.3)), ["", ""]),
    (power.judge(power.Facts(0x50005, 52.3)), ["D-POWER-LOW", "D-HEAT"]),
    (power.judge(power.Facts(0x50000, 52.3)), ["D-POWER-WAS-LOW", ""]),
    (power.judge(power.Facts(0, 81.0)), ["", "D-HEAT"]),
    (port(BY_ID), [""]),
    (port(BY_ID, all_seen=False), ["", None]),
    (port(USB), ["D-PORT-NAME"]),
    (port(USB._replace(staying="")), [""]),
    (port(USB._replace(found=None)), ["D-PORT-MISSING"]),
    (port(USB._replace(allowed=False, group="plugdev")), ["D-PORT-RIGHTS"]),
    (port(USB._replace(holders=(Holder(7, "minicom", False),))), ["D-PORT-BUSY"]),
    (port(USB, consoles=frozenset({"ttyUSB0"})), ["D-PORT-CONSOLE"]),
    (port(BY_ID, modem_manager=True), ["", "D-PORT-MODEM"]),
    (ports.judge(ports.Facts((), present=("/dev/ttyS0",))), [""]),
    (ports.judge(ports.Facts((), modem_manager=True)), []),
    (wanted("mqtt.ca_file", "there"), [""]),
    (wanted("mqtt.ca_file", "missing"), ["D-FILE-MISSING"]),
    (wanted("mqtt.ca_file", "closed"), ["D-FILE-RIGHTS"]),
    (wanted("", "closed"), ["D-FILE-RIGHTS"]),
    (wanted("mqtt.key_file", "closed"), ["D-FILE-RIGHTS"]),
    (wanted("mqtt.password_file", "exposed"), ["D-SECRET-EXPOSED"]),
    (wanted("mqtt.password_file", "unseen"), [None]),
    (wanted("mqtt.password_file", "missing", credential="mqtt-password"), ["D-SECRET-MISSING"]),
    (kept(-10, 61), [""]),
    (kept(-10, 59), ["D-CERT-ENDS"]),
    (kept(-10, -1), ["D-CERT-ENDED"]),
    (kept(1, 100), ["D-CERT-EARLY"]),
    (certificates.judge([Kept("x", Path("/x"), None)], NOW), ["D-CERT-UNREADABLE"]),
    (certificates.judge([], NOW), []),
    (buffer.judge(status()), [""]),
    (buffer.judge(status(buffer={"hours_until_full": None})), [""]),
    (buffer.judge(status(buffer={"hours_until_full": 5.0})), ["D-BUFFER-SHORT"]),
    (buffer.judge(status(buffer={"why": "disk full"})), ["D-BUFFER-REFUSED"]),
    (buffer.judge(status(agent={"not_kept": 4})), ["", "D-BUFFER-NOT-KEPT"]),
    (buffer.judge(status(agent={"state": "opening"})), ["D-BUFFER-OPENING"]),
    (unit_of(), [""]),
    (unit_of(UnitFileState="disabled"), ["D-UNIT-DISABLED", ""]),
    (unit_of(NRestarts="3"), ["D-UNIT-RESTARTED"]),
    (unit_of(ActiveState="inactive", SubState="dead"), ["D-UNIT-STOPPED"]),
    (unit_of(ActiveState="failed", SubState="failed"), ["D-UNIT-FALLS"]),
    (unit_of(ActiveState="activating", SubState="auto-restart"), ["D-UNIT-FALLS"]),
    (unit_of(ActiveState="activating", SubState="start"), ["D-UNIT-STARTING"]),
    (unit_of(LoadState="not-found"), ["D-UNIT-MISSING"]),
    (unit.check(Gateway(HOME, NOTHING)), ["D-AGENT-STOPPED"]),
    (unit.check(Gateway(HOME, NOTHING, status())), ["", ""]),
    (unit.check(Gateway(HOME, NOTHING, status(agent={"version": "0.0.1"}))), ["", "D-VERSION"]),
    (configuration(ROOT), [""]),
    (configuration(ROOT, warnings=["is odd"]), ["D-CONFIG-DOUBT"]),
    (configuration(ROOT, "is wrong"), ["D-CONFIG-INVALID"]),
    (configuration(HOME / "none.yaml", "there is no file"), ["D-CONFIG-MISSING"]),
    (configuration(ROOT, "this user may not read it"), [None]),
    (machines(devices=[device()]), [""]),
    (machines(devices=[device("silent", "no answer; check it", "E-BUS-ABSENT")]), ["D-DEVICE"]),
    (machines(devices=[device("up", "it is late; measure", "E-LATE")]), ["D-DEVICE-REMARK", ""]),
    (machines(connections=[link("down", "gone")], devices=[device("down", "gone")]), ["D-LINK"]),
    (machines(devices=[device("starting")]), []),
    (machines(devices=[device("silent", "x")] * 20), ["D-DEVICE"] * 8 + ["D-MORE"]),
    (machines(agent={"state": "opening"}), [None]),
    (equipment.check_machines(Gateway(HOME, NOTHING)), [None]),
]  # fmt: skip


@pytest.mark.parametrize(("findings", "codes"), CASES)
def test_what_facts_mean(findings, codes):
    found = list(findings)
    assert [None if isinstance(one, Unseen) else one.code for one in found] == codes
    for one in found:
        if isinstance(one, Finding):
            assert bool(one.action) == bool(one.code) == (one.level != "ok"), one
            assert one.what


def test_a_credential_is_stored_and_named_as_the_unit_has_it():
    file = str(CREDENTIALS / "mqtt-password")
    [missing] = wanted("mqtt.password_file", "missing", file, "mqtt-password")
    unit_file = (ROOT / "systemd/edge-agent.service").read_text()
    assert "LoadCredential=mqtt-password:edge-agent.mqtt-password\n" in unit_file
    assert missing.action.endswith("/etc/credstore/edge-agent.mqtt-password")
    [closed] = wanted("mqtt.key_file", "closed")
    name = closed.action.rpartition("/")[2]
    assert f"LoadCredential={name}:edge-agent.{name}\n" in unit_file
    assert f"key_file: {CREDENTIALS}/{name}" in closed.action


def test_every_code_is_explained_in_the_manual_and_tried_here():
    package = Path(doctor.__file__).parent
    sources = [*package.glob("*.py"), package.parent / "report/comparison.py"]
    raised = {code for file in sources for code in re.findall(r'"(D-[A-Z-]+)"', file.read_text())}
    rows = re.findall(r"^\| (`D-.+?) \|", (ROOT / "docs/doctor.md").read_text(), re.MULTILINE)
    assert raised == {code for row in rows for code in re.findall(r"D-[A-Z-]+", row)}
    tried = {code for _, codes in CASES for code in codes if code}
    elsewhere = "".join(file.read_text() for file in Path(__file__).parent.glob("test_*.py"))
    assert [code for code in raised - tried if f'"{code}"' not in elsewhere] == []


@pytest.mark.parametrize(
    ("identity", "mode", "owner", "group", "may"),
    [
        (Identity(None, frozenset({20})), 0o660, 0, 20, True),
        (Identity(None, frozenset({20})), 0o660, 0, 46, False),
        (Identity(None, frozenset()), 0o644, 0, 0, True),
        (Identity(None, frozenset()), 0o600, 0, 0, False),
        (Identity(7, frozenset()), 0o600, 7, 7, True),
        (Identity(7, frozenset({7})), 0o044, 7, 7, False),
        (Identity(0, frozenset()), 0o000, 7, 7, True),
    ],
)
def test_who_may_read(identity, mode, owner, group, may):
    import os

    found = os.stat_result((mode, 0, 0, 0, owner, group, 0, 0, 0, 0))
    assert identity.may_read(found) is may
