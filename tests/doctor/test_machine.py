"""What the doctor gathers: from system files in a folder, a pseudo-terminal, small disks, files."""

import json
import os
import pty
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from edge_agent.cli import main
from edge_agent.config import inspect
from edge_agent.doctor import buffer, certificates, clock, disk, files, ports, power
from edge_agent.doctor.examination import CHECKS, examine, gateway_here
from edge_agent.doctor.finding import Finding, Unseen
from edge_agent.doctor.gateway import Gateway, Identity
from edge_agent.doctor.validity import validities
from edge_agent.mounts import mount_of
from tests.rigs.certificates import Authority
from tests.rigs.reach import open_to_others
from tests.rigs.small_disk import fill, small_disk

NOBODY = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def root(tmp_path):
    """A system's own files."""
    folder = tmp_path / "root"

    def put(**texts):
        for name, text in texts.items():
            path = folder / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return folder

    put(proc__cmdline="console=tty1 root=/dev/mmcblk0p2\n", etc__group="root:x:0:\ndialout:x:20:\n")
    return put


@pytest.fixture
def configured(tmp_path):
    """A gateway with this configuration."""

    def made(root=Path("/"), status=None, unit=None, port="/dev/null", **parts):
        document = {
            "version": 1,
            "agent": {"id": "gw-01", "site": "hall"},
            "mqtt": {"url": "mqtt://127.0.0.1:1"},
            "buffer": {"path": str(tmp_path / "buffer")},
            "connections": [
                {
                    "name": "line",
                    "driver": "modbus",
                    "settings": {"transport": "rtu", "port": port, "baud": 9600, "parity": "none"},
                    "devices": [],
                }
            ],
            **parts,
        }
        file = tmp_path / "config.yaml"
        file.write_text(yaml.safe_dump(document))
        inspection = inspect(file)
        assert inspection.config, inspection.errors
        return Gateway(file, inspection, status, unit, root)

    return made


def codes(findings):
    return [one.code for one in findings if isinstance(one, Finding)]


def test_the_firmware_and_the_clock_are_read(root, configured):
    folder = root(
        **{
            "sys__devices__platform__soc__soc:firmware__get_throttled": "50005\n",
            "sys__class__thermal__thermal_zone0__temp": "61234\n",
            "sys__class__rtc__rtc0__name": "rtc-ds1307\n",
        }
    )
    gateway = configured(folder)
    assert codes(power.check(gateway)) == ["D-POWER-LOW", "D-HEAT"]
    [said] = clock.check(gateway)
    assert "battery" not in said.what


def test_a_worn_card_is_read(root, configured):
    folder = root(
        sys__block__mmcblk0__device__life_time="0x03 0x0b\n",
        sys__block__mmcblk0__device__pre_eol_info="0x01\n",
        proc__self__mountinfo="25 1 179:2 / / rw,noatime - ext4 /dev/mmcblk0p2 ro,data=ordered\n",
    )
    found = codes(disk.check(configured(folder)))
    assert found[0] == "D-DISK-READ-ONLY"
    assert found[-1] == "D-CARD-WORN"


def test_mounts_are_told_apart(root):
    folder = root(
        proc__self__mountinfo="25 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
        "26 25 0:2 / /a\\040b rw - tmpfs tmpfs rw\n"
        "27 25 8:2 / /a\\040b rw shared:1 - vfat /dev/sdb1 rw\n"
    )
    assert mount_of(Path("/a b/c"), folder).kind == "vfat"
    assert mount_of(Path("/a"), folder).kind == "ext4"
    assert mount_of(Path("/a"), folder / "none") is None


def test_a_full_disk_is_found(tmp_path, configured):
    with small_disk(tmp_path / "small", 4096) as place:
        gateway = configured(buffer={"path": str(place / "buffer"), "max_bytes": "1GiB"})
        fill(place)
        assert "D-DISK-FULL" in codes(disk.check(gateway))
        assert "D-DISK-MEMORY" in codes(disk.check(gateway))
        assert "D-BUFFER-ROOM" in codes(buffer.check(gateway))


@needs_root
def test_a_port_that_another_program_holds_is_named_with_it(configured):
    controller, port = pty.openpty()
    name = os.ttyname(port)
    program = f"import sys; f = open({name!r}); print(flush=True); sys.stdin.read()"
    holder = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    os.close(port)
    try:
        holder.stdout.readline()
        [busy] = ports.check(configured(port=name))
        assert busy.code == "D-PORT-BUSY"
        assert f"process {holder.pid}" in busy.what
    finally:
        holder.communicate()
        os.close(controller)
    assert codes(ports.check(configured(port=name))) == ["D-PORT-MISSING"]


def test_the_group_of_the_service_decides_who_may_open_a_port(root, configured, tmp_path):
    port = tmp_path / "ttyUSB0"
    port.touch()
    port.chmod(0o660)
    unit = {"LoadState": "loaded", "DynamicUser": "yes", "SupplementaryGroups": "dialout"}
    gateway = configured(root(), unit=unit, port=str(port))
    assert gateway.identity == Identity(None, frozenset({20}))
    assert codes(ports.check(gateway)) == ["D-PORT-RIGHTS"]
    if os.geteuid() == 0:
        os.chown(port, 0, 20)
        assert codes(ports.check(gateway)) == [""]


def test_who_the_running_service_is_is_read_from_it(root, configured):
    folder = root(proc__77__status="Name:\tx\nUid:\t1 61234 1 1\nGid:\t1 61234 1 1\nGroups:\t20 \n")
    gateway = configured(folder, unit={"MainPID": "77", "LoadState": "loaded"})
    assert gateway.identity == Identity(61234, frozenset({20, 61234}))


def test_a_login_console_and_modem_manager_are_seen(root, configured, tmp_path):
    (tmp_path / "ttyAMA0").touch()
    folder = root(
        proc__cmdline="console=ttyAMA0,115200 console=tty1", proc__9__comm="ModemManager\n"
    )
    gateway = configured(folder, port=str(tmp_path / "ttyAMA0"))
    assert codes(ports.check(gateway)) == ["D-PORT-CONSOLE", "D-PORT-MODEM"]
    root(**{"etc__udev__rules.d__99-edge-agent.rules": ""})
    assert codes(ports.check(gateway)) == ["D-PORT-CONSOLE"]


def test_adapters_are_offered_under_the_name_that_stays(root, configured):
    gateway = configured(root(), port="/dev/ttyUSB7")
    by_id = gateway.root / "dev/serial/by-id"
    by_id.mkdir(parents=True)
    (by_id / "usb-FTDI").symlink_to("/dev/null")
    (gateway.root / "dev/ttyUSB0").symlink_to("/dev/null")
    [missing] = ports.check(gateway)
    assert missing.code == "D-PORT-MISSING"
    assert missing.action.endswith(f"here: {by_id}/usb-FTDI")


def test_files_that_the_service_cannot_use_are_named_with_the_command(root, configured, tmp_path):
    secret, ca = tmp_path / "password", tmp_path / "ca.pem"
    for file in (secret, ca):
        file.touch(0o600)
    unit = {"LoadState": "loaded", "DynamicUser": "yes"}
    mqtt = {"url": "mqtts://localhost", "username": "u"}
    gateway = configured(
        root(), unit=unit, mqtt={**mqtt, "password_file": str(secret), "ca_file": str(ca)}
    )
    found = {one.subject: one for one in files.check(gateway)}
    assert found["mqtt.password_file"].code == found["mqtt.ca_file"].code == "D-FILE-RIGHTS"
    assert "/etc/credstore/edge-agent.mqtt-password" in found["mqtt.password_file"].action
    assert found["mqtt.ca_file"].action == f"sudo chmod a+r {ca}"
    secret.chmod(0o644)
    assert "D-SECRET-EXPOSED" in codes(files.check(gateway))
    credential = "/run/credentials/edge-agent.service/mqtt-password"
    gateway = configured(root(), unit=unit, mqtt={**mqtt, "password_file": credential})
    (gateway.root / "etc/credstore").mkdir()
    assert "D-SECRET-MISSING" in codes(files.check(gateway))
    (gateway.root / "etc/credstore/edge-agent.mqtt-password").touch(0o600)
    assert "D-SECRET-MISSING" not in codes(files.check(gateway))


def test_certificates_are_read_for_mqtt_and_opcua(configured, tmp_path):
    authority = Authority(tmp_path, "ours")
    soon, key = authority.certify("soon", last=20)
    ended, _ = authority.certify("ended", first=-20, last=-1)
    (tmp_path / "pki/trusted").mkdir(parents=True)
    (tmp_path / "pki/trusted/plc.pem").write_bytes(ended.read_bytes())
    mqtt = {"url": "mqtts://localhost", "cert_file": str(soon), "key_file": str(key)}
    opcua = {
        "name": "plc", "driver": "opcua", "devices": [],
        "settings": {"url": "opc.tcp://plc", "pki": str(tmp_path / "pki")},
    }  # fmt: skip
    gateway = configured(mqtt={**mqtt, "ca_file": str(soon)}, connections=[opcua])
    assert sorted(codes(certificates.check(gateway))) == ["D-CERT-ENDED", "D-CERT-ENDS"]


@pytest.mark.parametrize("years", [1, 30])  # written as UTCTime, and from 2050 on as another
def test_dates_are_those_that_a_library_reads(tmp_path, years):
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    file, _ = Authority(tmp_path, "ours").certify("one", last=365 * years)
    theirs = x509.load_pem_x509_certificate(file.read_bytes())
    for content in (file.read_bytes(), theirs.public_bytes(Encoding.DER)):
        [ours] = validities(content)
        assert ours == (theirs.not_valid_before_utc, theirs.not_valid_after_utc)
        assert ours.last > datetime.now(UTC) + timedelta(days=365 * years - 2)


@pytest.mark.parametrize(
    "content",
    [b"", b"x", b"\x30", b"\x30\x80", b"\x30\x03\x30\x01\x02", os.urandom(400),
     b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----"],
)  # fmt: skip
def test_what_is_no_certificate_is_said_to_be_none(content):
    with pytest.raises(ValueError):  # noqa: PT011 - whatever the reason, it is told by the type
        validities(content)


def test_a_buffer_at_rest_is_checked_without_touching_it(configured):
    gateway = configured()
    folder = gateway.buffer
    folder.mkdir()
    assert buffer._at_rest(gateway).what == f"there is none yet in {folder}"
    database = folder / "buffer.db"
    made = sqlite3.connect(database)
    made.executescript("CREATE TABLE a(b); INSERT INTO a VALUES (zeroblob(40000));")
    made.close()
    before = [(one.name, one.stat().st_mtime_ns) for one in folder.iterdir()]
    assert buffer._at_rest(gateway).code == ""
    with database.open("r+b") as file:
        file.seek(5000)
        file.write(bytes(range(256)) * 60)
    assert buffer._at_rest(gateway).code == "D-BUFFER-DAMAGED"
    assert [name for name, _ in before] == [one.name for one in folder.iterdir()]
    with database.open("rb") as opened:
        holder = subprocess.Popen(["sleep", "60"], stdin=opened)
    assert isinstance(buffer._at_rest(gateway), Unseen), "it may be at work on it"
    holder.kill()
    holder.wait()
    (folder / "buffer.db.corrupt-1").touch()
    assert codes(buffer._set_aside(folder)) == ["D-BUFFER-ASIDE"]


# --- the whole command ---------------------------------------------------------------------------


def test_without_a_configuration_it_says_what_to_do_first(tmp_path, capsys):
    assert main(["doctor", "-c", str(tmp_path / "none.yaml"), "--json"]) == 6
    said = json.loads(capsys.readouterr().out)
    assert said["ok"] is False
    assert "D-CONFIG-MISSING" in {one["code"] for one in said["findings"]}
    assert {"broker", "machines"} <= {one["subject"] for one in said["unseen"]}


def test_the_screen_has_groups_steps_and_codes(configured, capsys):
    assert main(["doctor", "-c", str(configured(port="/dev/no-such-port").file)]) == 6
    lines = capsys.readouterr().out.splitlines()
    assert "the machines" in lines
    at = next(i for i, line in enumerate(lines) if line.startswith("  FAIL  port of line"))
    assert lines[at + 1].strip().startswith("-> plug the adapter in")
    assert any("(D-PORT-MISSING)" in line for line in lines[at : at + 4])
    assert max(map(len, lines)) <= 110
    assert lines[-1].endswith("to look at")


@needs_root
def test_somebody_else_is_told_what_only_root_would_see(tmp_path, configured):
    file = configured().file
    secret = tmp_path / "secret"
    secret.touch(0o600)
    document = yaml.safe_load(file.read_text())
    document["mqtt"] |= {"username": "u", "password_file": str(secret)}
    file.write_text(yaml.safe_dump(document))
    open_to_others(tmp_path)
    program = (  # the first time imports everything, from where nobody may not look
        "import contextlib, io, os, sys\nfrom edge_agent.cli import main\n"
        "with contextlib.redirect_stdout(io.StringIO()): main(sys.argv[1:])\n"
        f"os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY}); sys.exit(main(sys.argv[1:]))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, "doctor", "--json", "-c", file],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 6, ran.stderr
    said = json.loads(ran.stdout)
    assert [one for one in said["findings"] if one["code"] == "D-BUG"] == []
    assert {"who holds serial ports"} <= {one["subject"] for one in said["unseen"]}
    assert "D-BROKER-TCP" in {one["code"] for one in said["findings"]}


def test_a_check_that_hangs_or_falls_over_costs_the_others_nothing(configured, monkeypatch):
    import threading

    released = threading.Event()

    def hangs(_):
        released.wait()
        yield

    def falls(_):
        raise ZeroDivisionError

    hangs.__module__ = falls.__module__ = "edge_agent.doctor.x"
    monkeypatch.setitem(CHECKS, "this gateway", (hangs, falls, clock.check))
    report = examine(configured(), seconds=0.2)
    released.set()
    found = [one.code for one in report.groups["this gateway"]]
    assert found[:2] == ["D-SLOW", "D-BUG"]
    assert len(found) == 3
    assert "D-BROKER-TCP" in {one.code for one in report.findings}


def test_nothing_is_asked_of_a_machine():
    """No check imports a driver beyond its settings, or opens a serial port."""
    sources = Path("edge_agent/doctor").glob("*.py")
    for file in sources:
        assert "import serial" not in file.read_text()
        assert ".open()" not in file.read_text().replace("session.open()", "")


def test_what_is_unseen_is_never_a_finding(tmp_path):
    report = examine(gateway_here(tmp_path / "none.yaml", None))
    assert all(isinstance(one, Unseen) for one in report.unseen)
    assert all(isinstance(one, Finding) for one in report.findings)
