"""Sessions with a real server: every policy and mode, users, and both sides' certificates."""

import contextlib
import logging
import random
import socket
import struct
from datetime import UTC, datetime

import pytest
from asyncua import ua
from asyncua.server.uaprocessor import UaProcessor
from asyncua.ua.ua_binary import struct_from_binary
from edge_agent_opcua import OpcUaAddress, channel, discovery
from edge_agent_opcua.certificates import Certificate
from edge_agent_opcua.endpoints import policy_uri
from edge_agent_opcua.identity import own_identity
from edge_agent_opcua.trust import mark_of

from edge_agent.driver import ConnectionLost, WatchGroup
from tests.rigs.opcua_certificates import authority, certify, der, pem, rsa_key
from tests.rigs.opcua_plant import OVEN
from tests.rigs.opcua_vault import CANARY, POLICIES, Between
from tests.rigs.relay import Relay
from tests.rigs.until import until

pytestmark = pytest.mark.thorough

TEMPERATURE = [OpcUaAddress(at="s=Temperature", namespace=OVEN)]
LEGACY = {"Basic256", "Basic128Rsa15"}


@pytest.fixture
def trusting(gateway, vault):
    gateway.trust(vault.url, vault.certificate)
    return gateway


async def read(driver):
    try:
        await driver.open()
        return (await driver.read(driver.plan(TEMPERATURE, {}))).values
    finally:
        await driver.close()


async def failure(driver):
    with pytest.raises(ConnectionLost) as caught:
        await driver.open()
    await driver.close()
    return caught.value


@pytest.mark.parametrize(
    ("security", "mode"), [("encrypt", "SignAndEncrypt"), ("sign", "Sign")], ids=str
)
@pytest.mark.parametrize("policy", POLICIES)
async def test_every_policy_and_mode_reads(trusting, vault, policy, security, mode):
    driver = trusting.driver(vault.url, policy=policy, security=security, legacy=policy in LEGACY)
    await driver.open()
    assert vault.channels == [(policy, mode)]
    assert (await driver.read(driver.plan(TEMPERATURE, {}))).values == [181.5]
    await driver.close()


async def test_the_strongest_is_taken_and_nobody_on_the_way_can_read_it(trusting, vault):
    wire = bytearray()
    async with Relay(vault.port) as relay:
        relay.watch = wire.extend
        url = f"opc.tcp://127.0.0.1:{relay.port}"
        trusting.trust(url, vault.certificate)
        driver = trusting.driver(url)
        await driver.open()
        assert vault.channels == [("Aes256_Sha256_RsaPss", "SignAndEncrypt")]
        wire.clear()
        await driver.read(driver.plan(TEMPERATURE, {}))
        assert wire.startswith(b"MSG")
        assert driver.details()["security"] == "Aes256_Sha256_RsaPss (encrypt)"
        assert set(driver.details()) >= {"server_certificate_until", "own_certificate_until"}
        assert b"Temperature" not in wire
        await driver.close()


async def test_the_server_s_own_unknown_host_name_does_not_matter(trusting, vault):
    endpoints = await discovery.find_endpoints(vault.url, 2)
    assert {each.url for each in endpoints} == {f"{vault.url}/oven"}
    assert await read(trusting.driver(vault.url)) == [181.5]


async def test_without_security_nothing_is_asked_before_the_session(trusting, vault):
    driver = trusting.driver(vault.url, security="none")
    await driver.open()
    assert vault.channels == [("None", "None_")]
    assert driver.details() == {"url": vault.url, "security": "None"}
    await driver.close()


@pytest.mark.parametrize("security", ["encrypt", "sign", "none"])
async def test_a_user_with_a_password_is_admitted(trusting, vault, security):
    wire = bytearray()
    async with Relay(vault.port) as relay:
        relay.watch = wire.extend
        url = f"opc.tcp://127.0.0.1:{relay.port}"
        trusting.trust(url, vault.certificate)
        user = {"username": "operator", "password_file": trusting.secret(f"{CANARY}\n")}
        assert await read(trusting.driver(url, security=security, **user)) == [181.5]
    assert vault.users == [("operator", True)]
    assert CANARY.encode() not in wire


async def test_a_password_is_encrypted_even_where_the_server_would_rather_have_it_readable(
    trusting, vault
):
    """A server may name several ways, the unencrypted one first; asyncua takes the first."""
    clear = ua.UserTokenPolicy(
        "clear", ua.UserTokenType.UserName, SecurityPolicyUri=policy_uri("None")
    )
    wire = bytearray()
    with vault.also_takes(clear):
        async with Relay(vault.port) as relay:
            relay.watch = wire.extend
            url = f"opc.tcp://127.0.0.1:{relay.port}"
            trusting.trust(url, vault.certificate)
            user = {"username": "operator", "password_file": trusting.secret(CANARY)}
            assert await read(trusting.driver(url, security="none", **user)) == [181.5]
    assert vault.users == [("operator", True)]
    assert b"operator" in wire
    assert CANARY.encode() not in wire


async def test_a_wrong_password_has_a_sentence_of_its_own_and_is_never_shown(
    trusting, vault, caplog
):
    caplog.set_level(logging.DEBUG)
    user = {"username": "operator", "password_file": trusting.secret(f"{CANARY}-wrong")}
    error = await failure(trusting.driver(vault.url, **user))
    assert error.code == "E-OPCUA-USER"
    assert "check `username` and what is in `password_file`" in str(error)
    assert vault.users == [("operator", False)]
    seen = error
    while seen is not None:
        assert CANARY not in f"{seen!r}"
        seen = seen.__cause__
    assert CANARY not in caplog.text


async def test_a_password_changes_without_a_restart(trusting, vault):
    file = trusting.secret("old")
    driver = trusting.driver(vault.url, username="operator", password_file=file)
    assert (await failure(driver)).code == "E-OPCUA-USER"
    trusting.secret(CANARY)
    assert await read(driver) == [181.5]


async def test_a_password_too_long_to_be_encrypted_says_so(trusting, vault):
    file = trusting.secret("x" * 300)
    error = await failure(
        trusting.driver(vault.url, username="operator", password_file=file, security="none")
    )
    assert error.code == "E-OPCUA-SECRET-FILE"
    assert "too long to be encrypted" in str(error)


async def test_a_password_that_others_can_read_is_not_sent(trusting, vault):
    file = trusting.secret(CANARY, mode=0o644)
    error = await failure(trusting.driver(vault.url, username="operator", password_file=file))
    assert error.code == "E-OPCUA-SECRET-FILE"
    assert "chmod 600" in str(error)
    assert vault.users == []


@pytest.mark.parametrize("security", ["encrypt", "sign", "none"])
async def test_a_user_with_a_certificate_is_admitted(trusting, vault, security):
    made = certify("user")
    vault.user_certificates.add(der(made))
    user = {
        "user_certificate_file": trusting.secret(der(made), "user.crt"),
        "user_key_file": trusting.secret(pem(rsa_key("user")), "user.key"),
    }
    assert await read(trusting.driver(vault.url, security=security, **user)) == [181.5]
    vault.user_certificates.clear()
    vault.user_certificates.add(b"another")
    assert (await failure(trusting.driver(vault.url, **user))).code == "E-OPCUA-USER"


async def test_a_server_that_does_not_trust_us_yet_is_told_from_any_other_refusal(
    trusting, vault, own
):
    vault.trusts = lambda certificate: False
    driver = trusting.driver(vault.url)
    error = await failure(driver)
    shown = own_identity(own.parent, datetime.now(UTC)).certificate
    assert error.code == "E-OPCUA-CLIENT-UNTRUSTED"
    assert f"on the server move certificate {shown.sha1} from rejected to trusted" in str(error)
    vault.trusts = lambda certificate: certificate == shown.der
    assert await read(driver) == [181.5]


def error_message(status):
    """Source: OPC 10000-6, 7.1.2.5 (Error Message)."""
    return struct.pack("<4sIIi", b"ERRF", 16, status, -1)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"", "E-OPCUA-CLIENT-UNTRUSTED"),
        (error_message(0x80130000), "E-OPCUA-CLIENT-UNTRUSTED"),  # BadSecurityChecksFailed
        (error_message(0x801A0000), "E-OPCUA-CLIENT-UNTRUSTED"),  # BadCertificateUntrusted
        (error_message(0x80140000), "E-OPCUA-CLIENT-CERT"),  # BadCertificateTimeInvalid
    ],
)
async def test_every_way_of_refusing_a_channel_is_understood(trusting, vault, answer, code):
    """Servers hang up, or say why, when they are asked for a channel with security."""

    def refuse(data):
        return answer if data.startswith(b"OPN") and b"#None" not in data else None

    async with Between(vault.port, instead=refuse) as server:
        trusting.trust(server.url, vault.certificate)
        error = await failure(trusting.driver(server.url))
    assert error.code == code


async def test_a_channel_refused_by_a_service_fault_is_understood(trusting, vault, monkeypatch):
    """Others answer so where the two servers here hang up; asyncua's client alone only asserts."""

    def refuse(processor, header, sequence, body):
        whole = body.copy()
        request = struct_from_binary(ua.OpenSecureChannelRequest, body)
        mode = request.Parameters.SecurityMode
        if mode == ua.MessageSecurityMode.None_:
            return honest(processor, header, sequence, whole)
        policy = header.SecurityPolicyURI, header.SenderCertificate, mode
        processor._connection.select_policy(*policy)
        response = ua.ServiceFault()
        response.ResponseHeader.ServiceResult = ua.StatusCode(
            ua.StatusCodes.BadCertificateUntrusted
        )
        handle = request.RequestHeader.RequestHandle
        return processor.send_response(handle, sequence, response, ua.MessageType.SecureOpen)

    honest = UaProcessor.open_secure_channel
    monkeypatch.setattr(UaProcessor, "open_secure_channel", refuse)
    error = await failure(trusting.driver(vault.url))
    assert error.code == "E-OPCUA-CLIENT-UNTRUSTED"
    assert "BadCertificateUntrusted" in str(error)


async def test_a_changed_certificate_ends_the_reading_at_the_next_session(trusting, vault):
    driver = trusting.driver(vault.url)
    assert await read(driver) == [181.5]
    vault.run(vault.show(certify("new"), rsa_key("new")))
    assert (await failure(driver)).code == "E-OPCUA-CERT-CHANGED"
    trusting.store.accept(trusting.store.rejected[0].certificate, mark_of(vault.url))
    assert await read(driver) == [181.5]


async def test_a_chain_behind_the_certificate_does_no_harm(trusting, vault):
    root = authority("root")
    mine = certify(by=root)
    vault.run(vault.show(mine, rsa_key("oven"), root[0]))
    trusting.store.accept(Certificate.of(root[0]), "")
    assert await read(trusting.driver(vault.url)) == [181.5]


async def test_who_shows_a_certificate_without_its_key_is_found_out(trusting, vault):
    vault.run(vault.show(vault.certificate, rsa_key("impostor")))
    with pytest.raises(ConnectionLost):
        await read(trusting.driver(vault.url, timeout="300ms"))
    assert vault.users == []
    await until(lambda: not vault.channels)


async def test_a_shortened_list_of_endpoints_is_found_out(trusting, vault, monkeypatch):
    honest = discovery.find_endpoints

    async def shortened(*given):
        return [each for each in await honest(*given) if each.policy == "Basic256Sha256"]

    monkeypatch.setattr(discovery, "find_endpoints", shortened)
    error = await failure(trusting.driver(vault.url))
    assert error.code == "E-OPCUA-DOWNGRADE"
    assert "now: Aes256_Sha256_RsaPss (encrypt)" in str(error)
    assert vault.users == []


async def test_a_server_that_offers_too_little_is_not_read(trusting, vault):
    vault.run(vault.offer(("None", "None_"), ("Basic256", "SignAndEncrypt")))
    error = await failure(trusting.driver(vault.url))
    assert error.code == "E-OPCUA-POLICY"
    assert "it offers: " in str(error)


async def test_a_certificate_that_ends_soon_is_an_alarm_while_it_still_works(trusting, vault):
    soon = certify(last=30)
    trusting.trust(vault.url, soon)
    vault.run(vault.show(soon, rsa_key("oven")))
    driver = trusting.driver(vault.url)
    assert await read(driver) == [181.5]
    assert driver.diagnose(driver.evidence).code == "E-OPCUA-CERT-EXPIRES"


async def test_changes_that_are_reported_say_so_too(trusting, vault):
    soon = certify(last=30)
    trusting.trust(vault.url, soon)
    vault.run(vault.show(soon, rsa_key("oven")))
    driver = trusting.driver(vault.url)
    await driver.open()
    await driver.watch([WatchGroup(driver.plan(TEMPERATURE, {}), 0.1, {})])
    changes = []
    while not any(each.samples.values for each in changes):
        changes = await driver.changes()
    await driver.close()
    assert driver.diagnose(driver.evidence).code == "E-OPCUA-CERT-EXPIRES"


async def test_a_channel_with_security_is_renewed_and_goes_on(trusting, vault, monkeypatch):
    make = channel._make_client

    def impatient(*given):
        client = make(*given)
        client.secure_channel_timeout = 400
        return client

    monkeypatch.setattr(channel, "_make_client", impatient)
    opened = []
    async with Relay(vault.port) as relay:
        relay.watch = lambda data: opened.append(1) if data[:3] == b"OPN" else None
        url = f"opc.tcp://127.0.0.1:{relay.port}"
        trusting.trust(url, vault.certificate)
        driver = trusting.driver(url)
        await driver.open()
        await until(lambda: len(opened) >= 5)
        assert (await driver.read(driver.plan(TEMPERATURE, {}))).values == [181.5]
        await driver.close()


async def test_the_second_server_is_taken_after_three_failures_and_kept(trusting, vault):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        dead = f"opc.tcp://127.0.0.1:{free.getsockname()[1]}"
        driver = trusting.driver(dead, standby_urls=[vault.url])
        for _ in range(3):
            assert (await failure(driver)).code == "E-OPCUA-REFUSED"
        assert await read(driver) == [181.5]
        assert await read(driver) == [181.5]


async def test_nothing_stays_open_after_any_refusal(trusting, vault):
    vault.trusts = lambda certificate: False
    await failure(trusting.driver(vault.url))
    await until(lambda: not vault.channels)


@pytest.mark.parametrize("security", ["encrypt", "none"])
@pytest.mark.parametrize("seed", range(6))
async def test_damaged_answers_end_in_a_sentence(trusting, vault, seed, security):
    """Whatever asyncua makes of them: no other exception comes out, and nothing stays open."""
    chance = random.Random(seed)

    def damage(data):
        changed = bytearray(data)
        for _ in range(chance.choice([0, 1, 4])):
            changed[chance.randrange(8, len(changed))] = chance.randrange(256)
        return bytes(changed)

    async with Between(vault.port, damage) as way:
        trusting.trust(way.url, vault.certificate)
        settings = trusting.settings(way.url, security=security, timeout=0.3)
        with contextlib.suppress(ConnectionLost):
            await (await channel.Channel.open(settings)).close()
