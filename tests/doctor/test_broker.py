"""The way to real brokers, right and wrong: which step fails, and what is said."""

import asyncio
import contextlib
import json
from pathlib import Path

import pytest

from edge_agent.config.loading import Inspection
from edge_agent.config.model import AgentIdentity, BufferLimits, Config, Mqtt
from edge_agent.doctor import broker
from edge_agent.doctor.finding import Unseen
from edge_agent.doctor.gateway import Gateway
from tests.rigs.certificates import Authority
from tests.rigs.fake_broker import WITHHOLD, fake_broker
from tests.rigs.mosquitto import mosquitto

AS_ROOT = "user root"  # else it cannot read the files of a test that runs as root
TOPIC = "edge/v1/hall/gw-01/_agent/doctor"


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path, "ours")


async def examined(port, host="127.0.0.1", **mqtt):
    settings = Mqtt(host, port, "edge-gw-01", **mqtt)
    config = Config(AgentIdentity("gw-01", "hall"), settings, BufferLimits(Path("/no")), ())
    gateway = Gateway(Path("/no"), Inspection(config, [], []))
    return await asyncio.to_thread(lambda: list(broker.check(gateway)))


def steps(found):
    return [one.subject.removeprefix("broker: ") for one in found]


async def test_every_step_of_a_good_way_is_said(tmp_path, authority):
    lines = authority.issue("broker", last=90)
    async with mosquitto(tmp_path, "allow_anonymous true", AS_ROOT, *lines) as port:
        found = await examined(port, "localhost", tls=True, ca_file=authority.file)
    assert steps(found) == ["name", "TCP", "TLS", "login", "message"]
    assert {one.level for one in found} == {"ok"}, found
    assert "for localhost, until " in found[2].what
    assert "nobody subscribes" in found[4].what


async def test_what_it_publishes_is_harmless_and_stays_nowhere(tmp_path):
    async with fake_broker() as seen:
        found = await examined(seen.port)
    assert {one.level for one in found} == {"ok"}, found
    [message] = seen.received
    assert (message.topic, message.retain) == (TOPIC, False)
    assert json.loads(message.payload).keys() == {"v", "ts"}


async def test_an_old_broker_is_spoken_to_in_its_version():
    async with fake_broker(only_v3=True) as seen:
        found = await examined(seen.port)
    assert found[-2].what == "accepted, MQTT 3.1.1"
    assert "cannot say" in found[-1].what


@pytest.mark.parametrize(
    ("name", "host", "validity", "code", "said"),
    [
        ("ended", "localhost", {"first": -20, "last": -1}, "D-BROKER-CERT", "it is valid from "),
        ("early", "localhost", {"first": 5, "last": 90}, "D-BROKER-CERT", "not yet valid"),
        ("other", "other.example", {"last": 90}, "D-BROKER-CERT", "it is for other.example"),
        ("ends", "localhost", {"last": 20}, "D-BROKER-CERT-ENDS", "for localhost, until "),
    ],
)
async def test_certificates(tmp_path, authority, name, host, validity, code, said):
    lines = authority.issue(name, host, **validity)
    async with mosquitto(tmp_path, "allow_anonymous true", AS_ROOT, *lines) as port:
        found = await examined(port, "localhost", tls=True, ca_file=authority.file)
    [one] = [one for one in found if one.code]
    assert one.code == code
    assert said in one.what
    assert one.action
    assert (len(found) == 3) is (one.level == "fail"), "what is not trusted is not logged in to"


async def test_an_unknown_authority_and_a_plain_port(tmp_path, authority):
    other = Authority(tmp_path, "other")
    async with mosquitto(tmp_path, "allow_anonymous true", AS_ROOT, *authority.issue("x")) as port:
        found = await examined(port, "localhost", tls=True, ca_file=other.file)
    assert found[-1].code == "D-BROKER-CERT"
    assert "ca_file" in found[-1].action
    async with mosquitto(tmp_path, "allow_anonymous true") as port:
        found = await examined(port, "localhost", tls=True, ca_file=other.file)
    assert (steps(found)[-1], found[-1].code) == ("TLS", "D-BROKER-TLS")


async def test_users_and_rights(tmp_path):
    (tmp_path / "passwords").write_text("gw:secret\n")
    (tmp_path / "rights").write_text("user gw\ntopic write edge/v1/hall/gw-02/#\n")
    convert = await asyncio.create_subprocess_exec("mosquitto_passwd", "-U", tmp_path / "passwords")
    await convert.wait()
    for name in ("passwords", "rights"):
        (tmp_path / name).chmod(0o644)
    secret = tmp_path / "secret"
    secret.touch(0o600)
    secret.write_text("wrong")
    lines = (f"password_file {tmp_path}/passwords", f"acl_file {tmp_path}/rights", AS_ROOT)
    async with mosquitto(tmp_path, *lines) as port:
        found = await examined(port, username="gw", password_file=secret)
        assert found[-1].code == "D-BROKER-USER"
        assert "password_file" in found[-1].action
        secret.write_text("secret")
        found = await examined(port, username="gw", password_file=secret)
        assert found[-1].code == "D-BROKER-PUBLISH"
        assert found[-1].action == "allow our user to publish on edge/v1/hall/gw-01/# at the broker"
        secret.chmod(0o644)
        found = await examined(port, username="gw", password_file=secret)
        assert (found[-1].code, found[-1].action) == ("D-SECRET-EXPOSED", f"chmod 600 {secret}")
        found = await examined(port, username="gw", password_file=tmp_path / "none")
        assert steps(found) == ["name", "TCP", "login"]
        assert isinstance(found[-1], Unseen), "nobody logs in without the password"
    found = await examined(1, username="gw", password_file=tmp_path / "none")
    assert found[-1].code == "D-BROKER-TCP"


@pytest.mark.parametrize("version", ["tlsv1.2", "tlsv1.3"])
async def test_a_broker_that_wants_to_see_our_certificate(tmp_path, authority, version):
    certificate, key = authority.certify("gw", "gw-01")
    strict = ("require_certificate true", f"cafile {authority.file}", f"tls_version {version}")
    lines = (*authority.issue("broker", last=90), *strict, "allow_anonymous true", AS_ROOT)
    async with mosquitto(tmp_path, *lines) as port:
        ours = {"cert_file": certificate, "key_file": key}
        found = await examined(port, "localhost", tls=True, ca_file=authority.file, **ours)
        assert {one.level for one in found} == {"ok"}, found
        found = await examined(port, "localhost", tls=True, ca_file=authority.file)
    assert found[-1].code in {"D-BROKER-TLS", "D-BROKER-LOGIN"}
    assert "certificate" in found[-1].what + found[-1].action


async def test_names_and_silence(monkeypatch):
    monkeypatch.setattr(broker, "PATIENCE", 0.2)
    found = await examined(1, "no-such-host.invalid")
    assert [one.code for one in found] == ["D-BROKER-NAME"]
    async with fake_broker(answer=lambda _number, _message: WITHHOLD) as seen:
        found = await examined(seen.port)
    assert found[-1].code == "D-BROKER-SILENT"
    async with fake_broker(connack=0x89) as seen:  # busy
        found = await examined(seen.port)
    assert found[-1].code == "D-BROKER-LOGIN"


async def test_the_running_agent_stays_connected(tmp_path):
    """A trial under the agent's own client id would push it off the broker."""
    from edge_agent.config.model import Mqtt
    from edge_agent.mqtt import Session

    async with mosquitto(tmp_path, "allow_anonymous true") as port:
        agent = Session(Mqtt("127.0.0.1", port, "edge-gw-01"), "5", ("x", b""))
        await agent.open()
        found = await examined(port)
        assert {one.level for one in found} == {"ok"}, found
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(agent.lost), 0.1)
        assert not agent.lost.done()
        await agent.close()


def test_the_topic_is_none_that_readings_are_followed_by():
    from edge_agent.cli.verify import KINDS

    assert not TOPIC.endswith(KINDS)
