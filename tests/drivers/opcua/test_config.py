import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest
from edge_agent_opcua import OpcUaAddress, OpcUaSettings
from edge_agent_opcua.routes import Routes
from pydantic import ValidationError

OVEN = "http://maker.example/oven"


@pytest.mark.parametrize(
    ("written", "shown", "name"),
    [
        (
            {"at": f"nsu={OVEN};s=Oven.Temperature"},
            f"nsu={OVEN};s=Oven.Temperature",
            "Oven.Temperature",
        ),
        ({"at": "s=a;b=c", "namespace": OVEN}, f"nsu={OVEN};s=a;b=c", "a;b=c"),
        ({"at": "i=2258"}, "i=2258", 2258),
        ({"at": "ns=0;i=2258", "namespace": OVEN}, "i=2258", 2258),
        ({"at": "ns=2;s=x", "namespace": OVEN}, "ns=2;s=x", "x"),
        ({"at": "nsu=urn:other;i=7", "namespace": OVEN}, "nsu=urn:other;i=7", 7),
        (
            {"at": "g=72962b91-fa75-4ae6-8d28-b404dc7daf63"},
            "g=72962b91-fa75-4ae6-8d28-b404dc7daf63",
            UUID("72962b91-fa75-4ae6-8d28-b404dc7daf63"),
        ),
        ({"at": "b=AQI="}, "b=AQI=", b"\x01\x02"),
    ],
)
def test_an_address_names_a_node_in_every_text_form(written, shown, name):
    address = OpcUaAddress.model_validate(written)
    assert str(address) == shown
    assert address.name() == name


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"part": "[3]"}, "[3]"),
        ({"text": True}, "as text"),
        ({"part": "[1:3]", "text": True}, "[1:3] as text"),
        ({"path": "Oven/Zone"}, "by the path Oven/Zone"),
        ({"watch": False}, "polled"),
        ({"sampling": "200ms"}, "sampled every 0.2 s"),
    ],
)
def test_people_can_tell_two_addresses_of_one_node_apart(keys, said):
    assert str(OpcUaAddress.model_validate({"at": "s=x", **keys})) == f"s=x {said}"


def test_settings_name_the_files_that_hold_secrets():
    url = "opc.tcp://oven"
    assert OpcUaSettings(url=url).secret_files() == {}
    named = OpcUaSettings.model_validate(
        {"url": url, "username": "reader", "password_file": "/run/secret"}
    )
    assert named.secret_files() == {"password_file": Path("/run/secret")}
    keys = {"user_certificate_file": "/etc/user.pem", "user_key_file": "/etc/user.key"}
    assert OpcUaSettings(url=url, **keys).secret_files() == {"user_key_file": Path("/etc/user.key")}


def test_a_namespace_in_the_text_or_beside_it_is_the_same_address():
    beside = OpcUaAddress(at="s=x", namespace=OVEN)
    assert beside == OpcUaAddress(at=f"nsu={OVEN};s=x")
    assert OpcUaAddress.model_validate(beside.model_dump()) == beside


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("Oven.Temperature", "names no node: write s=TEXT"),
        ("nsu=urn:a", "names no node"),
        ("i=-1", "whole number"),
        ("i=4294967296", "whole number"),
        ("i=²", "whole number"),
        ("g=12", "no GUID"),
        ("b=*", "not base64"),
    ],
)
def test_what_names_no_node_is_refused_with_advice(text, advice):
    with pytest.raises(ValidationError, match=advice):
        OpcUaAddress(at=text)


@pytest.mark.parametrize(
    ("written", "advice"),
    [
        ({"url": "http://10.0.0.9:4840"}, "write opc.tcp://HOST:PORT"),
        ({"url": "opc.tcp://"}, "write opc.tcp://HOST:PORT"),
        ({"url": "opc.tcp://me:secret@10.0.0.9"}, "remove what is before @"),
        ({"url": "opc.tcp://10.0.0.9:99999"}, "[Pp]ort"),
        ({"security": "SignAndEncrypt"}, "'encrypt', 'sign' or 'none'"),
        ({"security": None}, "'encrypt', 'sign' or 'none'"),
        ({"policy": "None"}, "Basic256Sha256"),
        ({"policy": "Basic256Sha256", "security": "none"}, "contradict each other"),
        ({"policy": "Basic256"}, "`legacy: true`"),
        ({"policy": "Basic128Rsa15"}, "broken since 2017"),
        ({"username": "me"}, "belong together"),
        ({"password_file": "/run/x"}, "belong together"),
        ({"username": "", "password_file": "/run/x"}, "at least 1 character"),
        ({"user_certificate_file": "/run/x"}, "belong together"),
        (
            {
                "username": "me",
                "password_file": "/run/x",
                "user_certificate_file": "/run/x",
                "user_key_file": "/run/x",
            },
            "either a password or a certificate",
        ),
        ({"standby_urls": ["http://x"]}, "write opc.tcp://HOST:PORT"),
        ({"password": "x"}, "Extra inputs"),
        ({"pki": "pki"}, "write it from / on"),
        ({"username": "me", "password_file": "secret"}, "write it from / on"),
        ({"timeout": 0}, "greater than 0"),
    ],
)
def test_settings_that_cannot_work_are_refused_with_advice(written, advice):
    with pytest.raises(ValidationError, match=advice):
        OpcUaSettings.model_validate({"url": "opc.tcp://10.0.0.9"} | written)


def test_no_security_must_be_written_down():
    assert OpcUaSettings(url="opc.tcp://10.0.0.9").security == "encrypt"
    assert OpcUaSettings(url="opc.tcp://10.0.0.9", security="none").security == "none"


@pytest.mark.parametrize(
    ("written", "user"),
    [
        ({}, "anonymous"),
        ({"username": "me", "password_file": "/run/x"}, "username"),
        ({"user_certificate_file": "/run/c", "user_key_file": "/run/k"}, "certificate"),
        ({"policy": "Basic256", "legacy": True}, "anonymous"),
    ],
)
def test_who_reads_follows_from_what_is_written(written, user):
    assert OpcUaSettings(url="opc.tcp://10.0.0.9", **written).user == user


def test_standby_servers_are_tried_in_turn_after_three_failures():
    routes = Routes(["a", "b", "c"])
    tried = []
    for _ in range(9):
        tried.append(routes.current)
        routes.failed()
    assert tried == ["a"] * 3 + ["b"] * 3 + ["c"] * 3
    assert routes.current == "a"
    routes.failed()
    routes.opened()
    routes.failed()
    routes.failed()
    assert routes.current == "a"


def test_the_registered_port_is_taken_where_none_is_given():
    settings = OpcUaSettings(url="opc.tcp://oven.local/path", security="none", timeout="500ms")
    assert settings.url == "opc.tcp://oven.local:4840/path"
    assert settings.line() == "oven.local:4840"
    assert settings.timeout == 0.5


def test_configuring_the_driver_does_not_import_asyncua():
    program = (
        "import edge_agent_opcua, edge_agent_opcua.trust_command, sys; "
        "sys.exit(bool({'asyncua', 'cryptography'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
