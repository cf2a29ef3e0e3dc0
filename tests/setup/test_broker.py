"""Each way in which a broker cannot be used has its own sentence; all with real brokers."""

import asyncio
import datetime
import errno
import ipaddress
import re
import socket
import ssl
import stat
import subprocess
import threading
from pathlib import Path

import pytest
from amqtt.broker import Broker as AmqttBroker
from amqtt.contexts import BrokerConfig, ListenerConfig, ListenerType
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from edge_agent import access
from edge_agent.config.model import Mqtt
from edge_agent.demo.broker import ANYBODY, serve
from edge_agent.doctor import clock
from edge_agent.language import speaking
from edge_agent.setup import broker as broker_module
from edge_agent.setup.broker import Broker, try_broker
from edge_agent.setup.broker_faults import handshake_fault, unreachable
from edge_agent.setup.certificate import fetch
from edge_agent.setup.delivery import delivery
from edge_agent.setup.interview import Interview
from edge_agent.setup.kind import Home
from edge_agent.setup.question import Quiet

TOPIC = "edge/v1/factory-1/gw-01/_setup"
NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)


def tried(url: str, **more) -> dict:
    return try_broker(Broker(url, **more), "edge-gw-01-setup", TOPIC)


def test_a_good_broker_gives_the_message_back(broker):
    assert tried(f"mqtt://127.0.0.1:{broker.port}") == {
        "said": ["Connected to 127.0.0.1.", "Published a test message and read it back."],
        "problem": "",
    }


@pytest.fixture
def broker_of_old():
    """A broker that speaks only MQTT 3.1.1, in a thread; gives its port."""
    up, port = threading.Event(), []

    async def run():
        async with serve(0) as taken:
            port.extend([taken, asyncio.get_running_loop(), asyncio.Event()])
            up.set()
            await port[2].wait()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    assert up.wait(10)
    yield port[0]
    port[1].call_soon_threadsafe(port[2].set)
    thread.join()


def test_a_broker_with_only_mqtt_3_works_too(broker_of_old):
    assert tried(f"mqtt://127.0.0.1:{broker_of_old}")["problem"] == ""


@pytest.fixture
def broker_on_a_website():
    """A broker that is reached by websockets, in a thread; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    running = []
    up = threading.Event()

    async def run():
        config = BrokerConfig(
            {"default": ListenerConfig(ListenerType.WS, bind=f"127.0.0.1:{port}")}, plugins=ANYBODY
        )
        broker = AmqttBroker(config)
        await broker.start()
        running.extend([asyncio.get_running_loop(), asyncio.Event()])
        up.set()
        await running[1].wait()
        await broker.shutdown()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    assert up.wait(10)
    yield port
    running[0].call_soon_threadsafe(running[1].set)
    thread.join()


def test_websockets_work_too(broker_on_a_website):
    assert tried(f"ws://127.0.0.1:{broker_on_a_website}/mqtt")["problem"] == ""


def test_an_unknown_name():
    assert (
        "The name no-such-host.invalid is not known."
        in tried("mqtt://no-such-host.invalid:1883")["problem"]
    )


def test_a_port_where_nobody_listens():
    problem = tried("mqtt://127.0.0.1:1")["problem"]
    assert "127.0.0.1 is there, but refuses mqtt://127.0.0.1:1." in problem


@pytest.fixture
def users(tmp_path):
    file = tmp_path / "users"
    subprocess.run(["mosquitto_passwd", "-b", "-c", file, "gw", "right"], check=True)
    return f"password_file {file}"


@pytest.fixture
def password(tmp_path):
    def write(text: str) -> str:
        file = tmp_path / "password"
        file.write_text(text)
        return str(file)

    return write


def test_a_wrong_password(start_broker, users, password):
    url = f"mqtt://127.0.0.1:{start_broker('allow_anonymous false', users).port}"
    wrong = tried(url, username="gw", password_file=password("wrong"))
    assert wrong["problem"] == "The broker refuses the user gw with this password."
    assert tried(url)["problem"] == "The broker wants a user name and a password."
    assert tried(url, username="gw", password_file=password("right\n"))["problem"] == ""


def test_no_right_to_publish(start_broker, tmp_path):
    broker = start_broker("allow_anonymous true", rights(tmp_path, "topic read edge/#"))
    seen = tried(f"mqtt://127.0.0.1:{broker.port}")
    assert seen["said"] == ["Connected to 127.0.0.1."]
    assert seen["problem"] == f"Logged in, but publishing to {TOPIC} is not allowed."


def test_no_right_to_read(start_broker, tmp_path, monkeypatch):
    monkeypatch.setattr(broker_module, "PATIENCE", 0.5)
    broker = start_broker("allow_anonymous true", rights(tmp_path, "topic write edge/#"))
    problem = tried(f"mqtt://127.0.0.1:{broker.port}")["problem"]
    assert "the message did not come back" in problem
    assert "or to read it" in problem


def rights(folder, line: str) -> str:
    file = folder / "rights"
    file.write_text(f"{line}\n")
    file.chmod(0o600)
    return f"acl_file {file}"


class Authority:
    """Issues certificates."""

    def __init__(self, folder, name="test authority"):
        self._folder, self._key = folder, ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        own = self._sign(
            self._name,
            self._key,
            NOW + DAY,
            [
                (x509.BasicConstraints(ca=True, path_length=None), True),
                (x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), False),
            ],
        )
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(own)

    def _sign(self, subject, key, until, extensions, since=NOW - 2 * DAY):
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(since)
            .not_valid_after(until)
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def lines(self, *, names, until=NOW + DAY, since=NOW - 2 * DAY) -> list[str]:
        """Give a broker's lines for a certificate with these names."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "broker")])
        certificate, private = self._folder / "broker.pem", self._folder / "broker.key"
        certificate.write_bytes(
            self._sign(subject, key, until, [(x509.SubjectAlternativeName(names), False)], since)
        )
        private.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return ["allow_anonymous true", f"certfile {certificate}", f"keyfile {private}"]


HERE = [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


def test_an_encrypted_broker_with_its_authority(start_broker, authority):
    port = start_broker(*authority.lines(names=HERE)).port
    assert tried(f"mqtts://127.0.0.1:{port}", ca_file=str(authority.file))["problem"] == ""


def test_an_authority_of_ones_own_is_trusted_by_every_python_alike(
    start_broker, authority, monkeypatch
):
    usual = ssl.create_default_context

    def as_python_3_13(*args, **more):
        context = usual(*args, **more)
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr(ssl, "create_default_context", as_python_3_13)
    url = f"mqtts://127.0.0.1:{start_broker(*authority.lines(names=HERE)).port}"
    assert tried(url, ca_file=str(authority.file))["problem"] == ""
    assert "127.0.0.1" in fetch(url, 5.0)["names"]


@pytest.mark.parametrize(
    ("certificate", "sentence"),
    [
        ({"names": [x509.DNSName("elsewhere.example")]}, "is for another name"),
        ({"names": HERE, "until": NOW - DAY}, "has expired"),
        ({"names": HERE, "since": NOW + DAY / 2}, "gateway's clock right"),
    ],
)
def test_a_certificate_with_a_fault(start_broker, authority, certificate, sentence):
    port = start_broker(*authority.lines(**certificate)).port
    seen = tried(f"mqtts://127.0.0.1:{port}", ca_file=str(authority.file))
    assert sentence in seen["problem"]


def test_a_certificate_nobody_knows(start_broker, authority, tmp_path):
    port = start_broker(*authority.lines(names=HERE)).port
    assert "Ask for its CA file" in tried(f"mqtts://127.0.0.1:{port}")["problem"]
    other = Authority(tmp_path, "other authority").file
    seen = tried(f"mqtts://127.0.0.1:{port}", ca_file=str(other))
    assert f"was not issued by the CA in {other}" in seen["problem"]


@pytest.fixture
def talk(tmp_path):
    """Begin the conversation about a broker at this address."""
    agent = {"id": "gw-01", "site": "factory-1"}

    class Talk(Quiet):
        def __call__(self, url: str, where: str = "local") -> Interview:
            home = Home(tmp_path, lambda _name: lambda secret: secret)
            flow = lambda: delivery(agent, home)  # noqa: E731
            interview = Interview(flow, perform=lambda look: look.run(self))
            interview.answer(where)
            interview.answer(url)
            return interview

    return Talk()


def shown_by(folder) -> str:
    """Give the fingerprint as the broker's owner reads it: from the file, by other means."""
    certificate = x509.load_pem_x509_certificate((folder / "broker.pem").read_bytes())
    return certificate.fingerprint(hashes.SHA256()).hex()


def test_an_unknown_certificate_is_shown_confirmed_and_pinned(
    start_broker, authority, tmp_path, talk
):
    port = start_broker(*authority.lines(names=HERE)).port
    asked = talk(f"mqtts://127.0.0.1:{port}")
    assert asked.question.id == "broker.certificate"
    known = shown_by(tmp_path)
    facts = asked.question.facts
    assert "Certificate: CN=broker" in facts
    assert "Issued by:   CN=test authority" in facts
    assert f"Valid until: {NOW + DAY:%Y-%m-%d}" in facts
    digits = "".join(facts.partition("SHA-256:")[2].splitlines()[:2])
    assert re.sub(r"[^0-9A-F]", "", digits).lower() == known
    assert facts.endswith("It ends in 1 day: tell its owner.")
    with pytest.raises(ValueError, match="another fingerprint"):
        asked.answer("ab" * 32)
    asked.answer(":".join(known[i : i + 2].upper() for i in range(0, 64, 2)))
    asked.answer("")
    assert asked.question is None
    mqtt, said = asked.result
    assert said[-1] == "Published a test message and read it back."
    pinned = Path(mqtt["ca_file"])
    assert pinned.parent == tmp_path
    assert pinned.read_bytes() == (tmp_path / "broker.pem").read_bytes()
    assert stat.S_IMODE(pinned.stat().st_mode) == 0o644
    trusted_by_the_agent_for_its_own_name(pinned, port)


def test_a_pinned_certificate_for_another_name_says_for_which(
    start_broker, authority, tmp_path, talk
):
    port = start_broker(*authority.lines(names=[x509.DNSName("elsewhere.example")])).port
    asked = talk(f"mqtts://127.0.0.1:{port}")
    assert asked.question.id == "broker.certificate"
    asked.answer(shown_by(tmp_path))
    asked.answer("")
    assert asked.question.id == "broker.trouble"
    assert "is for another name" in asked.question.facts
    assert "It is for: elsewhere.example" in asked.question.facts


def trusted_by_the_agent_for_its_own_name(pinned, port) -> None:
    settings = Mqtt("127.0.0.1", port, "edge-gw-01", tls=True, ca_file=pinned)
    context = access.tls_context(settings)
    shakes_hands(context, port, "127.0.0.1")
    with pytest.raises(ssl.SSLCertVerificationError):
        shakes_hands(context, port, "elsewhere.example")


def shakes_hands(context, port, name) -> None:
    with (
        socket.create_connection(("127.0.0.1", port)) as link,
        context.wrap_socket(link, server_hostname=name),
    ):
        pass


def test_a_certificate_that_the_system_knows_is_only_shown(
    start_broker, authority, talk, monkeypatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))  # OpenSSL's own list
    shown = []
    talk.say = shown.append
    asked = talk(f"mqtts://127.0.0.1:{start_broker(*authority.lines(names=HERE)).port}")
    asked.answer("")
    mqtt, said = asked.result
    assert "ca_file" not in mqtt
    until = f"{NOW + DAY:%Y-%m-%d}"
    assert shown == [
        f"Certificate of 127.0.0.1, issued by CN=test authority, valid until {until}.",
        "It ends in 1 day: tell its owner.",
        "Connected to 127.0.0.1.",
        "Published a test message and read it back.",
    ]
    assert said == shown[-1:]


def test_an_owners_ca_file_is_copied_to_where_it_stays(start_broker, authority, talk, tmp_path):
    asked = talk(f"mqtts://127.0.0.1:{start_broker(*authority.lines(names=HERE)).port}")
    asked.answer("file")
    with pytest.raises(ValueError, match="beginning with /"):
        asked.answer("ca.pem")
    with pytest.raises(ValueError, match="is not there, or cannot be read"):
        asked.answer("/no/such/ca.pem")
    (tmp_path / "note.txt").write_text("not a certificate")
    with pytest.raises(ValueError, match="holds no certificate"):
        asked.answer(str(tmp_path / "note.txt"))
    asked.answer(str(authority.file))
    asked.answer("")
    copy = Path(asked.result[0]["ca_file"])
    assert copy.parent == tmp_path
    assert copy.read_bytes() == authority.file.read_bytes()
    assert stat.S_IMODE(copy.stat().st_mode) == 0o644


def test_a_certificate_for_another_name_says_for_which(start_broker, authority, talk, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    lines = authority.lines(names=[x509.DNSName("broker.example")])
    asked = talk(f"mqtts://127.0.0.1:{start_broker(*lines).port}")
    assert asked.question.id == "broker.tls.trouble"
    assert asked.question.facts.endswith("It is for: broker.example")


def test_a_certificate_that_is_not_the_owners_leads_back(start_broker, authority, talk, tmp_path):
    asked = talk(f"mqtts://127.0.0.1:{start_broker(*authority.lines(names=HERE)).port}")
    asked.answer("change")
    assert asked.question.id == "broker.where"
    assert not list(tmp_path.glob("broker-*.pem"))


def test_a_wrong_certificate_cannot_be_confirmed(start_broker, authority, talk):
    lines = authority.lines(names=HERE, until=NOW - DAY)
    asked = talk(f"mqtts://127.0.0.1:{start_broker(*lines).port}")
    assert asked.question.id == "broker.tls.trouble"
    assert "has expired" in asked.question.facts
    assert [choice.word for choice in asked.question.choices] == ["again", "change", "keep"]


def test_without_a_right_clock_no_certificate_is_judged(talk, monkeypatch):
    monkeypatch.setattr(clock, "EARLIEST", NOW + DAY)
    asked = talk("mqtts://127.0.0.1:1")
    assert "no certificate is valid on that day" in asked.question.facts


def test_over_the_internet_it_must_be_encrypted(talk):
    with pytest.raises(ValueError, match="must be encrypted"):
        talk("mqtt://broker.example", "internet")
    with pytest.raises(ValueError, match="must be encrypted"):
        talk("ws://broker.example", "internet")


def test_encryption_where_the_broker_has_none_and_the_other_way_round(
    start_broker, broker, authority
):
    assert "nobody speaks TLS" in tried(f"mqtts://127.0.0.1:{broker.port}")["problem"]
    port = start_broker(*authority.lines(names=HERE)).port
    assert "does it want mqtts://?" in tried(f"mqtt://127.0.0.1:{port}")["problem"]


def test_somebody_who_never_answers(monkeypatch):
    monkeypatch.setattr(broker_module, "PATIENCE", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        seen = tried(f"mqtt://127.0.0.1:{listener.getsockname()[1]}")
    assert "takes the connection, but does not answer" in seen["problem"]


def test_somebody_who_is_no_broker():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer_as_a_web_server, args=(listener,))
        thread.start()
        problem = tried(f"mqtt://127.0.0.1:{listener.getsockname()[1]}")["problem"]
        thread.join()
    assert "Is it a broker" in problem


def answer_as_a_web_server(listener):
    for _visit in range(3):  # it knocks, tries MQTT 5, and 3.1.1
        caller, _address = listener.accept()
        with caller:
            if caller.recv(1000):
                caller.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def test_why_a_network_leads_nowhere_is_said_in_words():
    fault = unreachable(OSError(errno.EHOSTUNREACH, "No route to host"), "mqtt://10.0.0.5:1883")
    assert str(fault) == "mqtt://10.0.0.5:1883 cannot be reached: No route to host."


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (TimeoutError("timed out"), "takes the connection, but does not answer in TLS"),
        (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), "hangs up where TLS"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "cannot be reached: No route to host."),
    ],
)
def test_a_handshake_that_fails_says_why(error, sentence):
    url = "mqtts://10.0.0.5:8883"
    assert sentence in str(handshake_fault(error, url))
    with speaking("zh"):
        chinese = str(handshake_fault(error, url))
    assert re.search("[\u4e00-\u9fff]", chinese)
    assert not re.search(r"Errno|[a-z]{3,} [a-z]{3,}", chinese.replace(url, "")), chinese


def test_somebody_who_never_answers_in_tls(monkeypatch):
    monkeypatch.setattr(broker_module, "PATIENCE", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        seen = tried(f"mqtts://127.0.0.1:{listener.getsockname()[1]}")
    assert "does not answer in TLS" in seen["problem"]


def test_somebody_who_speaks_tls_but_refuses():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=refuse_in_tls, args=(listener,))
        thread.start()
        problem = tried(f"mqtts://127.0.0.1:{listener.getsockname()[1]}")["problem"]
        thread.join()
    assert "speaks TLS, but refuses this connection" in problem
    assert "alert handshake failure" in problem


def refuse_in_tls(listener):
    caller, _address = listener.accept()
    with caller:
        caller.recv(1000)
        caller.sendall(bytes.fromhex("15030300020228"))  # alert, fatal, handshake_failure


def test_after_a_wrong_password_one_types_the_password_again_and_nothing_else(
    start_broker, users, authority, talk, tmp_path
):
    lines = [one for one in authority.lines(names=HERE) if "anonymous" not in one]
    asked = talk(f"mqtts://127.0.0.1:{start_broker('allow_anonymous false', users, *lines).port}")
    assert asked.default() is None
    asked.answer("file")
    asked.answer(str(authority.file))
    asked.answer("gw")
    (tmp_path / "wrong").write_text("wrong")
    asked.answer(f"file:{tmp_path / 'wrong'}")
    assert asked.question.id == "broker.trouble"
    words = [choice.word for choice in asked.question.choices]
    assert words == ["again", "login", "change", "keep"]
    asked.answer("login")
    assert (asked.question.id, asked.default()) == ("broker.username", "gw")
    asked.answer("gw")
    (tmp_path / "right").write_text("right")
    asked.answer(f"file:{tmp_path / 'right'}")
    assert asked.result[0]["username"] == "gw"
    assert asked.result[1] == ["Published a test message and read it back."]


def test_what_was_answered_about_the_certificate_is_proposed_but_no_trust(
    start_broker, users, authority, talk, tmp_path
):
    lines = [one for one in authority.lines(names=HERE) if "anonymous" not in one]
    url = f"mqtts://127.0.0.1:{start_broker('allow_anonymous false', users, *lines).port}"
    asked = talk(url)
    asked.answer("file")
    asked.answer(str(authority.file))
    asked.answer("")
    asked.answer("change")
    assert (asked.question.id, asked.default()) == ("broker.url", url)
    asked.answer(url)
    assert (asked.question.id, asked.default()) == ("broker.certificate", "file")
    asked.answer(shown_by(tmp_path))
    asked.answer("")
    asked.answer("change")
    asked.answer(url)
    assert (asked.question.id, asked.default()) == ("broker.certificate", None)
