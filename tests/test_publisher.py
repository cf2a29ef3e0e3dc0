"""The publisher against a real broker and against one that misbehaves."""

import asyncio
import contextlib
import json
import time

import pytest
from paho.mqtt import publish

from edge_agent.buffer import Buffer
from edge_agent.clock import Clock
from edge_agent.config.model import BufferLimits, Mqtt
from edge_agent.notebook import Notebook
from edge_agent.publisher import Publisher
from tests.rigs.certificates import Authority
from tests.rigs.fake_broker import RESET, WITHHOLD, fake_broker
from tests.rigs.mosquitto import mosquitto
from tests.rigs.network import network
from tests.rigs.published import faults
from tests.rigs.step_clock import StepClock
from tests.rigs.subscriber import subscriber
from tests.rigs.until import until

ROOT = "edge/v1/site/gw"


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch):
    monkeypatch.setattr("edge_agent.publisher.FIRST_DELAY", 0.02)
    monkeypatch.setattr("edge_agent.publisher.TICK", 0.1)
    monkeypatch.setattr("edge_agent.publisher.GOODBYE_SECONDS", 0.3)


class Rig:
    def __init__(self, buffer, notebook, publisher):
        self.buffer, self.notebook, self.publisher = buffer, notebook, publisher
        self.clock = Clock()

    def append(self, number):
        body = b'{"p":"n","v":%d}' % number
        self.buffer.append("dev", self.clock.now(), self.clock.mono(), 1, body)


@contextlib.asynccontextmanager
async def publishing(folder, port, host="127.0.0.1", clock=None, version="5", **settings):
    """A publisher at work on a buffer of its own."""
    clock = clock or Clock()
    buffer = await Buffer.open(BufferLimits(folder / "buffer", flush=0.2), clock)
    notebook = Notebook(folder / "buffer")
    notebook.put("mqtt_version", f"{host}:{port}", version)
    mqtt = Mqtt(host, port, client_id="edge-gw", **settings)
    publisher = Publisher(mqtt, ROOT, buffer, notebook, clock)
    tasks = [asyncio.create_task(part.run()) for part in (publisher, buffer)]
    try:
        yield Rig(buffer, notebook, publisher)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        await buffer.close()
        for result in results:
            assert isinstance(result, asyncio.CancelledError), result


def numbers(payloads):
    return [json.loads(payload)["seq"] for payload in payloads]


async def test_everything_arrives_once_and_in_order(tmp_path):
    async with mosquitto(tmp_path, "allow_anonymous true") as port:
        with subscriber(port) as platform:
            async with publishing(tmp_path, port) as rig:
                for number in range(500):
                    rig.append(number)
                await until(lambda: len(platform.on("/data")) == 500)
                await until(lambda: rig.buffer.waiting == 0)
            await until(lambda: platform.on("_agent/status")[-1]["state"] == "offline")
    data = platform.on("/data")
    assert [message["seq"] for message in data] == list(range(1, 501))
    assert [message["prev"] for message in data] == list(range(500))
    assert [message["readings"][0]["v"] for message in data] == list(range(500))
    assert [fault for topic, payload in platform.messages for fault in faults(topic, payload)] == []
    assert [status["state"] for status in platform.on("_agent/status")] == ["online", "offline"]


async def test_the_will_speaks_when_the_agent_vanishes(tmp_path):
    async with mosquitto(tmp_path, "allow_anonymous true") as port:
        with subscriber(port) as platform:
            async with publishing(tmp_path, port) as rig:
                await until(lambda: platform.on("_agent/status"))
                rig.publisher._delivery._session._client.socket().close()
                await until(lambda: len(platform.on("_agent/status")) >= 2)
    will = platform.on("_agent/status")[1]
    assert (will["state"], will["since"]) == ("offline", None)


async def test_a_stop_in_the_moment_in_which_the_connection_breaks_is_a_stop(tmp_path):
    async with fake_broker() as broker:
        async with asyncio.timeout(30), publishing(tmp_path, broker.port) as rig:
            await until(lambda: broker.payloads("_agent/status"))
            broker.cut()
            await asyncio.sleep(0)  # its socket is closed, ours has not been looked at yet
        assert rig.publisher.state == "connected", "it noticed before it was stopped"


async def test_retained_topics_come_again_after_a_reconnect_and_can_be_cleared(tmp_path):
    async with fake_broker() as broker, publishing(tmp_path, broker.port) as rig:
        rig.publisher.announce("dev/meta", b"{}")
        await until(lambda: broker.payloads("dev/meta") == [b"{}"])
        broker.cut()
        await until(lambda: broker.payloads("dev/meta") == [b"{}", b"{}"])
        rig.publisher.announce("dev/meta", b"")
        await until(lambda: broker.payloads("dev/meta") == [b"{}", b"{}", b""])
        await until(lambda: rig.notebook.keys("retained") == [])
    assert all(one.retain for one in broker.received if one.topic.endswith("meta"))


async def test_topics_of_an_earlier_configuration_are_cleared(tmp_path):
    async with fake_broker() as broker, publishing(tmp_path, broker.port) as rig:
        rig.notebook.put("retained", f"{ROOT}/gone/meta", value=True)
        rig.publisher.clear_all_but({f"{ROOT}/dev/meta"})
        await until(lambda: broker.payloads("gone/meta") == [b""])


async def test_resets_every_few_messages_lose_nothing_and_make_progress(tmp_path):
    def every_thirtieth(number, _message):
        return RESET if number % 30 == 0 else 0

    async with fake_broker(answer=every_thirtieth) as broker:
        async with publishing(tmp_path, broker.port) as rig:
            for number in range(100):
                rig.append(number)
            await until(lambda: rig.buffer.waiting == 0, seconds=30)
    arrived = numbers(broker.payloads("/data"))
    assert list(dict.fromkeys(arrived)) == list(range(1, 101))


async def test_a_broker_that_acknowledges_nothing_is_left(tmp_path):
    async with fake_broker(answer=lambda *_: WITHHOLD) as broker:
        async with publishing(tmp_path, broker.port, ack_timeout=0.3) as rig:
            rig.append(1)
            await until(lambda: "acknowledges nothing" in rig.publisher.why)
            assert rig.buffer.waiting == 1
            broker.answer = lambda *_: 0
            await until(lambda: rig.buffer.waiting == 0)


async def test_a_row_leaves_only_on_its_own_acknowledgement(tmp_path):
    lost = []

    def lose_every_tenth(_number, message):
        if message.topic.endswith("/data") and message.connection == 0:
            lost.append(message.payload)
            return WITHHOLD if len(lost) % 10 == 0 else 0
        return 0

    async with fake_broker(answer=lose_every_tenth, acks=2, foreign_acks=(60000,)) as broker:
        async with publishing(tmp_path, broker.port, ack_timeout=0.5) as rig:
            for number in range(50):
                rig.append(number)
            await until(lambda: rig.buffer.waiting <= 5)
            await until(lambda: rig.buffer.waiting == 0)
    again = numbers(m.payload for m in broker.received if m.connection and m.topic.endswith("data"))
    assert again == [10, 20, 30, 40, 50]


async def test_not_authorised_keeps_everything_and_says_what_to_do(tmp_path):
    def refuse_data(_number, message):
        return 0x87 if message.topic.endswith("/data") else 0

    async with fake_broker(answer=refuse_data) as broker:
        async with publishing(tmp_path, broker.port) as rig:
            rig.append(1)
            await until(lambda: "allow user" in rig.publisher.why)
            assert rig.buffer.waiting == 1
            assert len(broker.payloads("/data")) == 1


@pytest.mark.parametrize("code", [0x90, 0x95, 0x99])
async def test_what_the_broker_will_never_take_is_given_up_by_name(tmp_path, code):
    def refuse_first(_number, message):
        return code if message.topic.endswith("/data") and b'"v":1}' in message.payload else 0

    async with fake_broker(answer=refuse_first) as broker:
        async with publishing(tmp_path, broker.port) as rig:
            rig.append(1)
            rig.append(2)
            await until(lambda: broker.payloads("_agent/loss"))
            await until(lambda: rig.buffer.waiting == 0 and rig.buffer.losses == 0)
    loss = json.loads(broker.payloads("_agent/loss")[0])
    assert (loss["first"], loss["last"], loss["readings"], loss["why"]) == (1, 1, 1, "refused")
    assert faults(f"{ROOT}/_agent/loss", loss) == []


async def test_a_message_beyond_the_brokers_limit_is_never_sent(tmp_path):
    limit = b"\x27" + (300).to_bytes(4, "big")  # Maximum Packet Size
    async with fake_broker(properties=limit) as broker:
        async with publishing(tmp_path, broker.port) as rig:
            rig.buffer.append("dev", 1, rig.clock.mono(), 1, b'{"p":"s","v":"%b"}' % (b"x" * 400))
            rig.append(2)
            await until(lambda: broker.payloads("_agent/loss") and broker.payloads("/data"))
    assert numbers(broker.payloads("/data")) == [2]
    assert len(broker.connects) == 1


async def test_the_window_is_the_smaller_of_ours_and_the_brokers(tmp_path):
    three = b"\x21\x00\x03"  # Receive Maximum
    async with fake_broker(properties=three, answer=lambda *_: WITHHOLD) as broker:
        async with publishing(tmp_path, broker.port) as rig:
            for number in range(10):
                rig.append(number)
            await until(lambda: len(broker.received) >= 3)
            await asyncio.sleep(0.1)
            assert len(broker.received) == 3


async def test_a_broker_of_the_old_version_is_spoken_to_in_it_and_remembered(tmp_path):
    async with fake_broker(only_v3=True) as broker:
        async with publishing(tmp_path, broker.port) as rig:
            rig.append(1)
            await until(lambda: rig.buffer.waiting == 0)
            broker.cut()
            await until(lambda: len(broker.connects) == 3)
    assert broker.connects == [5, 4, 4]


async def test_silence_at_connect_is_no_reason_for_an_older_version(tmp_path, monkeypatch):
    monkeypatch.setattr("edge_agent.mqtt.CONNECT_SECONDS", 0.1)
    async with fake_broker(connack=WITHHOLD) as broker:
        async with publishing(tmp_path, broker.port) as rig:
            await until(lambda: "does not answer" in rig.publisher.why)
            await until(lambda: len(broker.connects) >= 2)
    assert set(broker.connects) == {5}


async def test_nobody_subscribing_counts_as_arrived_unless_asked_otherwise(tmp_path):
    async with fake_broker(answer=lambda *_: 0x10) as broker:
        async with publishing(tmp_path, broker.port) as rig:
            rig.append(1)
            await until(lambda: rig.buffer.waiting == 0)
            assert rig.publisher.note == "nobody subscribes"
        async with publishing(tmp_path, broker.port, require_subscriber=True) as rig:
            rig.append(2)
            await until(lambda: "start who shall receive them" in rig.publisher.why)
            assert "allow user" not in rig.publisher.why
            assert rig.buffer.waiting == 1


async def test_a_wrong_password_is_said_and_tried_again_without_a_restart(tmp_path, monkeypatch):
    (tmp_path / "passwords").write_text("gw:secret\n")
    secret = tmp_path / "password"
    secret.touch(0o600)
    secret.write_text("wrong\n")
    converted = await asyncio.create_subprocess_exec(
        "mosquitto_passwd", "-U", tmp_path / "passwords"
    )
    await converted.wait()
    (tmp_path / "passwords").chmod(0o644)
    monkeypatch.setattr("edge_agent.publisher.ONLY_PEOPLE_CAN_MEND", 0.2)
    async with mosquitto(tmp_path, f"password_file {tmp_path}/passwords", "user root") as port:
        async with publishing(tmp_path, port, username="gw", password_file=secret) as rig:
            rig.append(1)
            await until(lambda: "password_file" in rig.publisher.why)
            secret.write_text("secret\n")
            await until(lambda: rig.buffer.waiting == 0)


@pytest.mark.parametrize(
    ("host", "sentence"),
    [("127.0.0.1", "nothing listens there"), ("no-such-host.invalid", "cannot be resolved")],
)
async def test_an_unreachable_broker_is_named_with_the_next_step(tmp_path, host, sentence):
    async with fake_broker() as broker:
        port = broker.port
    async with publishing(tmp_path, port, host=host) as rig:
        await until(lambda: sentence in rig.publisher.why)
        assert f"{host}:{port}" in rig.publisher.why


async def test_live_readings_go_before_the_backlog_which_is_marked(tmp_path, monkeypatch):
    monkeypatch.setattr("edge_agent.lanes.LIVE_SECONDS", 0.5)
    monkeypatch.setattr("edge_agent.reader.LIVE_SECONDS", 0.5)
    async with fake_broker(connack=0x88) as broker:
        async with publishing(tmp_path, broker.port) as rig:
            for number in range(300):
                rig.append(number)
            await until(lambda: rig.buffer._lanes.first_live is None)

            def read_meanwhile(number, _message):
                if number == 50:
                    rig.append(300)
                return 0

            broker.answer, broker.connack = read_meanwhile, 0
            await until(lambda: len(broker.received) > 300 and rig.buffer.waiting == 0)
    data = [json.loads(payload) for payload in broker.payloads("/data")]
    live = [message["seq"] for message in data if "hist" not in message]
    old = [message["seq"] for message in data if message.get("hist")]
    assert live == [301]
    assert old == list(range(1, 301))
    assert numbers(broker.payloads("/data")).index(301) <= 50 + 100, "what was in flight went first"


async def test_a_garbled_broker_costs_the_connection_not_the_agent(tmp_path):
    async def garble(reader, writer):
        await reader.read(10)
        writer.write(b"\x20\x02\x00\x00" + b"\xff" * 50)
        await reader.read(1000)
        writer.close()

    server = await asyncio.start_server(garble, "127.0.0.1", 0)
    async with server, publishing(tmp_path, server.sockets[0].getsockname()[1]) as rig:
        await until(lambda: rig.publisher.state == "waiting")


async def test_a_message_that_always_breaks_the_connection_is_given_up_by_name(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("edge_agent.publisher.FIRST_DELAY", 0.01)

    def break_on_seven(_number, message):
        return RESET if b'"v":7}' in message.payload else 0

    async with fake_broker(answer=break_on_seven) as broker:
        async with publishing(tmp_path, broker.port) as rig:
            for number in range(20):
                rig.append(number)
            await until(lambda: rig.buffer.waiting == 0 and rig.buffer.losses == 0, seconds=20)
    loss = json.loads(broker.payloads("_agent/loss")[0])
    assert (loss["first"], loss["last"], loss["why"]) == (8, 8, "refused")
    assert set(numbers(broker.payloads("/data"))) == set(range(1, 21))


# --- rights: mosquitto with a list of them ----------------------------------------------------


@contextlib.asynccontextmanager
async def strict_mosquitto(folder, *rights):
    """A broker that lets anybody in and allows what these lines allow."""
    rights_file = folder / "rights"
    rights_file.write_text("".join(f"{line}\n" for line in rights))
    rights_file.chmod(0o644)
    lines = "allow_anonymous true", f"acl_file {rights_file}", "user root"
    async with mosquitto(folder, *lines) as port:
        yield port


async def test_a_right_that_is_missing_is_named_by_mqtt_5_and_everything_kept(tmp_path):
    async with strict_mosquitto(tmp_path, "topic read #") as port:
        async with publishing(tmp_path, port) as rig:
            rig.append(1)
            await until(lambda: "allow user '(none)' to publish there" in rig.publisher.why)
            assert rig.buffer.waiting == 1
            assert rig.publisher.note == ""


@pytest.mark.parametrize(
    ("rights", "note"),
    [
        (["topic readwrite edge/v1/#"], ""),
        (["topic read #"], "does not come back"),
        pytest.param(["topic write edge/v1/#"], "does not come back", marks=pytest.mark.thorough),
        pytest.param(
            ["topic read #", "user boss", "topic readwrite #"],
            "does not come back",
            marks=pytest.mark.thorough,
        ),
    ],
)
async def test_mqtt_3_1_1_has_its_rights_looked_at(tmp_path, monkeypatch, rights, note):
    monkeypatch.setattr("edge_agent.rights.READ_BACK", 0.4)
    looked = asyncio.Event()
    look = Publisher._look_at_rights

    async def look_and_tell(*args):
        await look(*args)
        looked.set()

    monkeypatch.setattr(Publisher, "_look_at_rights", look_and_tell)
    async with strict_mosquitto(tmp_path, *rights) as port:
        old = {"qos": 1, "retain": True, "port": port, "auth": {"username": "boss"}}
        await asyncio.to_thread(publish.single, f"{ROOT}/_agent/status", b"{}", **old)
        async with publishing(tmp_path, port, version="3.1.1") as rig:
            await asyncio.wait_for(looked.wait(), 30)
            assert rig.publisher.state == "connected"
            assert note in rig.publisher.note
            assert bool(note) is bool(rig.publisher.note)


async def test_a_refused_subscription_is_said_and_readings_flow(tmp_path):
    async with fake_broker(only_v3=True, suback=0x80) as broker:
        async with publishing(tmp_path, broker.port) as rig:
            rig.append(1)
            await until(lambda: rig.buffer.waiting == 0)
            await until(lambda: f"allow our user to subscribe to {ROOT}/_agent/status" in
                        rig.publisher.note)  # fmt: skip


async def test_a_broker_that_cuts_off_who_subscribes_gets_the_readings_all_the_same(tmp_path):
    async with fake_broker(only_v3=True, suback=RESET) as broker:
        async with publishing(tmp_path, broker.port, version="3.1.1") as rig:
            rig.append(1)
            await until(lambda: rig.buffer.waiting == 0)
            assert "ended when we asked" in rig.publisher.note
            assert len(broker.connects) == 2


# --- certificates and the clock ----------------------------------------------------------------

AS_ROOT = ("allow_anonymous true", "user root")


@pytest.mark.thorough
async def test_a_certificate_that_is_not_yet_valid_is_waited_for_until_the_clock_is_set(tmp_path):
    ours = Authority(tmp_path, "ours")
    clock, soon = StepClock(is_synced=False), 5  # seconds; a busy machine needs some to get there
    lines, valid = ours.issue("broker", first=soon / 86400, last=1), time.time() + soon
    async with mosquitto(tmp_path, *AS_ROOT, *lines) as port, network(port) as between:
        tls = {"tls": True, "ca_file": ours.file, "clock": clock}
        async with publishing(tmp_path, between.port, "localhost", **tls) as rig:
            rig.append(1)
            await until(lambda: "waits for the right time" in rig.publisher.why)
            await asyncio.sleep(valid + 0.1 - time.time())  # and nobody has told the clock
            assert len(between.connects) == 1, "it tried again without cause"
            clock.offset = 3600.0  # as a time server does
            await until(lambda: rig.buffer.waiting == 0)
            assert len(between.connects) == 2
            assert rig.publisher.why == ""


async def test_a_broker_of_an_authority_that_is_not_ours_gets_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("edge_agent.publisher.LAST_DELAY", 0.1)
    ours, foreign = Authority(tmp_path, "ours"), Authority(tmp_path, "foreign")
    async with mosquitto(tmp_path, *AS_ROOT, *foreign.issue("broker")) as port:
        async with network(port) as between:
            tls = {"tls": True, "ca_file": ours.file}
            async with publishing(tmp_path, between.port, "localhost", **tls) as rig:
                rig.append(1)
                await until(lambda: len(between.connects) >= 3)
                assert "unable to get local issuer" in rig.publisher.why
                assert rig.buffer.waiting == 1
            assert b"MQTT" not in between.carried


async def test_a_client_certificate_that_is_refused_is_named_until_it_is_replaced(tmp_path):
    ours = Authority(tmp_path, "ours")
    good, key = ours.certify("good", "gw")
    revoked, revoked_key = ours.certify("revoked", "gw")
    foreign, foreign_key = Authority(tmp_path, "foreign").certify("foreign", "gw")
    used, used_key = tmp_path / "used.crt", tmp_path / "used.key"
    used_key.touch(0o600)
    strict = (
        f"cafile {ours.file}", "require_certificate true", f"crlfile {ours.revoke(revoked)}"
    )  # fmt: skip
    async with mosquitto(tmp_path, *AS_ROOT, *ours.issue("broker"), *strict) as port:
        files = {"ca_file": ours.file, "cert_file": used, "key_file": used_key}
        used.write_bytes(revoked.read_bytes())
        used_key.write_bytes(revoked_key.read_bytes())
        async with publishing(tmp_path, port, "localhost", tls=True, **files) as rig:
            rig.append(1)
            await until(lambda: "certificate: it is revoked; have one" in rig.publisher.why)
            used_key.write_bytes(foreign_key.read_bytes())
            used.write_bytes(foreign.read_bytes())
            await until(lambda: "it is signed by an authority that" in rig.publisher.why)
            assert rig.buffer.waiting == 1
            used_key.write_bytes(key.read_bytes())
            used.write_bytes(good.read_bytes())
            await until(lambda: rig.buffer.waiting == 0)
        async with publishing(tmp_path, port, "localhost", tls=True, ca_file=ours.file) as rig:
            await until(lambda: "certificate: it is missing" in rig.publisher.why)
