"""A configuration is put in force, and taken back, under a real systemd and as the service runs.

The tests follow each other: one gateway goes through them.
"""

import json

import pytest

from tests.rigs.guest import Guest

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

CONFIG = "/etc/edge-agent/config.yaml"
SECRET = "/run/credentials/edge-agent.service/mqtt-password"  # noqa: S105 - the name of a file
DEAD = """\
    - name: dead
      driver: modbus
      settings: {transport: tcp, host: 127.0.0.1, port: 1}
      devices:
        - {name: press, every: 200ms, points: {strokes: {address: "40001"}}}
"""
LOGGING_IN = """url: "{{broker}}"
    username: "{{gateway}}"
    password_file: "{{secret}}"
"""
APPLY = "PASSWORD=sesame edge-agent site apply /root/answers.yaml --template /root/site.yaml"
WORSE = f"{APPLY.replace('site.yaml', 'worse.yaml')} --patience 2"


def status(gateway: Guest) -> dict:
    return json.loads(gateway.shell("edge-agent status --json"))


def text(gateway: Guest, file: str = CONFIG) -> str:
    return gateway.shell(f"cat {file}")


def test_a_new_site_is_in_force_and_its_password_where_the_service_finds_it(gateway: Guest):
    gateway.shell("edge-agent site export -o /root/site.yaml")
    template = text(gateway, "/root/site.yaml")
    assert "temperature:" in template.split("fingerprints:")[1].split("configuration:")[0]
    template = template.replace('url: "{{broker}}"\n', LOGGING_IN)
    asked = f'questions:\n  secret: {{ask: Where?, kind: secret, default: "file:{SECRET}"}}\n'
    gateway.writes("/root/site.yaml", template.replace("questions:\n", asked))
    gateway.writes("/root/answers.yaml", "site: ningbo-1\ngateway: gw-77\nsecret: env:PASSWORD\n")

    process = gateway.property("MainPID")
    done = json.loads(gateway.shell(f"{APPLY} --json 2>/dev/null"))
    assert (done["problem"], done["rolled_back"], done["next_step"]) == ("", False, "")
    assert done["devices"]["oven"]["good"]
    assert status(gateway)["agent"]["site"] == "ningbo-1"
    assert gateway.property("MainPID") != process
    assert gateway.shell("systemctl is-enabled edge-agent").strip() == "enabled"
    assert text(gateway, "/etc/credstore/edge-agent.mqtt-password") == "sesame"
    assert text(gateway, SECRET) == "sesame"
    assert gateway.shell(APPLY).startswith("Nothing to do")
    gateway.shell("systemctl stop edge-agent")
    assert "It works, and is in force." in gateway.shell(APPLY)
    assert gateway.property("ActiveState") == "active"


def test_a_device_that_is_not_there_is_told_and_the_service_runs_on(gateway: Guest):
    before = text(gateway)
    gateway.writes("/root/worse.yaml", text(gateway, "/root/site.yaml") + DEAD)
    said = gateway.shell(WORSE, expect=4)
    assert "no good value came from: press (" in said
    assert text(gateway) == before
    assert gateway.property("ActiveState") == "active"
    assert [one["device"] for one in status(gateway)["devices"]] == ["oven"]


def test_excused_it_stays_and_there_are_ways_back(gateway: Guest):
    before = text(gateway)
    gateway.shell(f"{WORSE} --allow-silent press")
    assert len(status(gateway)["devices"]) == 2
    gateway.shell("edge-agent site back")
    assert text(gateway) == before
    listed = json.loads(gateway.shell("edge-agent site versions --json"))["versions"]
    gateway.shell(f"edge-agent site back {min(one['number'] for one in listed)}")
    assert status(gateway)["agent"]["site"] == "hall-3"


def test_a_service_that_does_not_start_is_told_and_its_configuration_stays(gateway: Guest):
    before = text(gateway)
    drop_in = "/etc/systemd/system/edge-agent.service.d/broken.conf"
    gateway.writes(drop_in, "[Service]\nExecStart=\nExecStart=/bin/false\n")
    gateway.shell("systemctl daemon-reload")
    said = gateway.shell("edge-agent site back", expect=1)
    assert "Job for edge-agent.service failed" in said
    assert "the agent could not be brought back to how it was" in said
    assert text(gateway) == before
    gateway.shell(f"rm {drop_in}; systemctl daemon-reload; systemctl restart edge-agent")
