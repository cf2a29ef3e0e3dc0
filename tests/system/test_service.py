"""The service under a real systemd: ready, alive, reloaded, killed, with secrets, stopped."""

import json
import re
import time
import uuid

import pytest

from tests.rigs.guest import Guest
from tests.system.conftest import CONFIGURATION

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

CONFIG = "/etc/edge-agent/config.yaml"
DROP_IN = "/etc/systemd/system/edge-agent.service.d/test.conf"


def status(gateway: Guest) -> dict:
    return json.loads(gateway.shell("edge-agent status --json"))


def test_it_is_ready_when_systemd_says_so_and_has_no_rights(gateway: Guest) -> None:
    assert gateway.property("ActiveState") == "active"
    assert status(gateway)["devices"][0]["state"] == "up"
    process = gateway.property("MainPID")
    lines = gateway.shell(f"cat /proc/{process}/status")
    assert re.search(r"^CapEff:\s+0+$", lines, re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\s+1$", lines, re.MULTILINE)
    assert not re.search(r"^Uid:\s+0\s", lines, re.MULTILINE)


def test_a_hang_is_ended_and_it_starts_again(gateway: Guest) -> None:
    gateway.writes(DROP_IN, "[Service]\nWatchdogSec=4\n")
    gateway.shell("systemctl daemon-reload && systemctl restart edge-agent")
    process = gateway.property("MainPID")
    gateway.shell(f"kill -STOP {process}")
    took = gateway.waits_for(
        f'[ "$(systemctl show -p MainPID --value edge-agent)" != {process} ]'
        " && systemctl -q is-active edge-agent"
    )
    print(f"a hang was ended and ready again after {took:.1f} s (WatchdogSec=4)")
    assert took <= 4 + 5


def test_kills_do_not_tire_it(gateway: Guest) -> None:
    for _ in range(5):
        gateway.shell("systemctl kill -s KILL edge-agent")
        gateway.waits_for("edge-agent status")
    assert gateway.property("ActiveState") == "active"


def test_a_reload_takes_what_is_right_and_keeps_on_with_what_was(gateway: Guest) -> None:
    process = gateway.property("MainPID")
    gateway.writes(CONFIG, CONFIGURATION.replace("name: oven", "name: kiln"))
    gateway.shell("systemctl reload edge-agent")
    gateway.waits_for("edge-agent status | grep -q kiln")
    gateway.writes(CONFIG, "version: 1\nagent: [")
    gateway.shell("systemctl reload edge-agent")
    gateway.waits_for("journalctl -u edge-agent | grep -q not_reloaded")
    assert status(gateway)["devices"][0]["device"] == "kiln"
    gateway.writes(CONFIG, CONFIGURATION)
    gateway.shell("systemctl reload edge-agent")
    gateway.waits_for("edge-agent status | grep -q oven")
    assert gateway.property("MainPID") == process


def test_the_password_is_a_credential_that_nobody_else_can_read(gateway: Guest) -> None:
    secret = uuid.uuid4().hex
    gateway.shell(f"mosquitto_passwd -b -c /etc/mosquitto/users gw-01 {secret}")
    gateway.writes(
        "/etc/mosquitto/conf.d/users.conf",
        "per_listener_settings true\nlistener 1884 127.0.0.1\nallow_anonymous false\n"
        "password_file /etc/mosquitto/users\n",
    )
    gateway.shell("chown mosquitto /etc/mosquitto/users && systemctl restart mosquitto")
    gateway.writes("/etc/credstore/edge-agent.mqtt-password", secret + "\n", 0o600)
    gateway.writes(
        CONFIG,
        CONFIGURATION.replace(
            'mqtt: {url: "mqtt://127.0.0.1"}',
            'mqtt: {url: "mqtt://127.0.0.1:1884", username: gw-01, password_file: '
            "/run/credentials/edge-agent.service/mqtt-password}",
        ),
    )
    gateway.shell("systemctl restart edge-agent")
    gateway.waits_for("edge-agent status | grep -q connected")
    # not in the journal, not in the data folder, not in what other processes can see
    gateway.shell(f"! journalctl -u edge-agent | grep -q {secret}")
    gateway.shell(f"! grep -rq {secret} /var/lib/private/edge-agent")
    gateway.shell(f"! edge-agent status --json | grep -q {secret}")
    process = gateway.property("MainPID")
    gateway.shell(f"! grep -q {secret} /proc/{process}/environ /proc/{process}/cmdline")
    gateway.does(
        "setpriv", "--reuid=65534", "--clear-groups", "cat",
        "/run/credentials/edge-agent.service/mqtt-password", expect=1,
    )  # fmt: skip
    gateway.writes(CONFIG, CONFIGURATION)
    gateway.shell("systemctl restart edge-agent")


def test_a_stop_is_quick_and_clean(gateway: Guest) -> None:
    began = time.monotonic()
    gateway.shell("systemctl stop edge-agent")
    assert time.monotonic() - began <= 10
    assert gateway.property("Result") == "success"
    assert gateway.property("ExecMainStatus") == "0"
    gateway.shell("systemctl start edge-agent")


def test_it_waits_for_a_disk_of_its_own_and_writes_nothing_to_the_card(gateway: Guest) -> None:
    home = "/var/lib/private/edge-agent"
    gateway.shell("systemctl stop edge-agent")
    gateway.shell(f"rm -rf {home}/*")
    gateway.writes(DROP_IN, "[Service]\nTimeoutStartSec=8\n")
    gateway.shell("systemctl daemon-reload")  # which would mount what the next line names
    gateway.writes("/etc/fstab", f"disk {home} tmpfs nofail,mode=755 0 0\n")
    gateway.shell("systemctl start --no-block edge-agent")
    gateway.waits_for(f"journalctl -u edge-agent | grep -q 'not mounted at {home}'")
    gateway.shell("edge-agent doctor | grep -q D-DISK-ABSENT")
    gateway.shell(f"! find {home} -type f | grep -q .")
    gateway.shell(f"mount {home}")
    took = gateway.waits_for("edge-agent status --json | grep -q polling", 60)
    print(f"ready {took:.1f} s after its disk was mounted (TimeoutStartSec=8)")
    gateway.shell(f"find {home} -name buffer.db | grep -q .")
    gateway.shell(f"systemctl stop edge-agent && umount {home} && rm /etc/fstab {DROP_IN}")
    gateway.shell(f"! find {home} -type f | grep -q .")
    gateway.shell("systemctl daemon-reload && systemctl start edge-agent")
