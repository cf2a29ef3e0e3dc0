"""Doctor, support bundle, health file and metrics beside a service under a real systemd."""

import json
import uuid

import pytest

from tests.rigs.guest import Guest
from tests.system.conftest import CONFIGURATION

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

CONFIG = "/etc/edge-agent/config.yaml"
CREDENTIAL = "/run/credentials/edge-agent.service/mqtt-password"
WITH_USER = CONFIGURATION.replace(
    'mqtt: {url: "mqtt://127.0.0.1"}',
    f'mqtt: {{url: "mqtt://127.0.0.1", username: operator, password_file: {CREDENTIAL}}}',
)


def examined(gateway: Guest, before: str = "") -> tuple[dict[str, dict], list[str]]:
    """Give the findings by subject, and what was not seen."""
    said = gateway.shell(f"{before} edge-agent doctor --json 2>/dev/null || [ $? = 6 ]")
    report = json.loads(said)
    found = {one["subject"]: one for one in report["findings"]}
    return found, [one["subject"] for one in report["unseen"]]


def codes(found: dict[str, dict]) -> set[str]:
    return {one["code"] for one in found.values() if one["code"]}


def test_a_healthy_gateway_is_found_to_be_one(gateway: Guest) -> None:
    gateway.waits_for("edge-agent status | grep -q connected")
    found, unseen = examined(gateway)
    assert codes(found) <= {"D-CLOCK-UNSYNCED", "D-BUFFER-ROOM"}, found
    for subject in ("service", "version", "files", "configuration", "buffer", "machines"):
        assert found[subject]["level"] in {"ok", "warn"}, found[subject]
    assert found["broker: message"]["level"] == "ok"
    assert unseen == []


def test_who_is_not_root_is_told_what_was_not_seen(gateway: Guest) -> None:
    gateway.writes(CONFIG, WITH_USER)
    found, unseen = examined(gateway, "setpriv --reuid=65534 --regid=65534 --clear-groups")
    assert "D-BUG" not in codes(found), found
    assert found["service"]["level"] == "ok"
    assert {"broker: login", "mqtt.password_file"} <= set(unseen)
    gateway.writes(CONFIG, CONFIGURATION)


def test_a_secret_of_the_service_is_followed_to_where_it_is_stored(gateway: Guest) -> None:
    gateway.writes(CONFIG, WITH_USER)
    found, _ = examined(gateway)
    assert found["mqtt.password_file"]["code"] == "D-SECRET-MISSING"
    secret = uuid.uuid4().hex
    action = found["mqtt.password_file"]["action"].removeprefix("sudo ")
    gateway.shell(f"echo {secret} | {action}")
    gateway.shell("systemctl restart edge-agent")
    gateway.waits_for("edge-agent status | grep -q connected")
    found, _ = examined(gateway)
    assert "mqtt.password_file" not in found
    assert found["broker: message"]["level"] == "ok"
    assert "not accept" not in gateway.shell("edge-agent check")
    gateway.shell("edge-agent support-bundle /root/bundle.tar.gz && mkdir -p /root/seen")
    gateway.shell("tar -xzf /root/bundle.tar.gz -C /root/seen")
    gateway.shell(f"! grep -rq -e {secret} -e operator /root/seen")
    gateway.shell("grep -q started /root/seen/edge-agent-support/log.txt")
    gateway.shell("grep -q buffer.db /root/seen/edge-agent-support/buffer.txt")
    assert gateway.shell("stat -c %a /root/bundle.tar.gz").strip() == "600"
    gateway.writes(CONFIG, CONFIGURATION)
    gateway.shell("rm /etc/credstore/edge-agent.mqtt-password && systemctl restart edge-agent")


def test_a_password_where_the_service_cannot_read_it_is_noticed(gateway: Guest) -> None:
    gateway.writes("/etc/edge-agent/word", "x\n", 0o600)
    gateway.writes(CONFIG, WITH_USER.replace(CREDENTIAL, "/etc/edge-agent/word"))
    found, _ = examined(gateway)
    assert found["mqtt.password_file"]["code"] == "D-FILE-RIGHTS"
    gateway.shell("chmod 644 /etc/edge-agent/word")
    gateway.does("edge-agent", "check", expect=3)
    gateway.writes(CONFIG, CONFIGURATION)


def test_a_stopped_service_is_examined_and_starts_again(gateway: Guest) -> None:
    gateway.shell("systemctl stop edge-agent")
    found, unseen = examined(gateway)
    assert found["service"]["code"] == "D-UNIT-STOPPED"
    assert found["buffer"]["what"].endswith("is sound")
    assert "machines" in unseen
    gateway.shell("systemctl start edge-agent")
    gateway.waits_for("edge-agent status | grep -q connected")


def test_other_tools_find_health_and_metrics_in_memory(gateway: Guest) -> None:
    metrics = "metrics: {listen: 127.0.0.1:9464, file: /run/edge-agent/metrics.prom}\n"
    gateway.writes(CONFIG, CONFIGURATION + metrics)
    gateway.shell("systemctl reload edge-agent")
    gateway.waits_for("test -f /run/edge-agent/metrics.prom")
    gateway.shell("grep -q '^edge_agent_polling 1$' /run/edge-agent/metrics.prom")
    ask = "python3 -c 'import urllib.request as u; print(u.urlopen(\"http://127.0.0.1:9464/metrics\").read().decode())'"
    assert 'edge_agent_device_state{device="oven",state="up"} 1' in gateway.shell(ask)
    gateway.waits_for("grep -q polling /run/edge-agent/health.json")  # looked at every 2 s
    health = json.loads(gateway.shell("cat /run/edge-agent/health.json"))
    assert (health["state"], health["health"], health["devices"]) == ("polling", "ok", {"up": 1})
    gateway.writes(CONFIG, CONFIGURATION)
    gateway.shell("systemctl reload edge-agent")
    gateway.waits_for("test ! -f /run/edge-agent/metrics.prom")
