"""What is arranged before a session, for servers as wrong as wanted; no network."""

from datetime import UTC, datetime, timedelta

import pytest
from edge_agent_opcua import protection
from edge_agent_opcua.endpoints import Endpoint, Token

from edge_agent.driver import ConnectionLost
from tests.rigs.opcua_certificates import URI, authority, certify, der, revocations
from tests.rigs.opcua_vault import Gateway

NOW = datetime.now(UTC)
URL = "opc.tcp://127.0.0.1:4840"
ANYONE = Token("anonymous", "a", "None")
PASSWORD = Token("username", "u", "Basic256Sha256")


def offer(certificate, *issuers, policy="Basic256Sha256", security="encrypt", tokens=(ANYONE,)):
    shown = b"".join(map(der, (certificate, *issuers)))
    return [Endpoint(URL, security, policy, shown, URI, tokens)]


def arranged(gateway, offers, now=NOW, **more):
    return protection.arranged(gateway.settings(URL, **more), URL, offers, now)


def failure(gateway, offers, now=NOW, **more):
    with pytest.raises(ConnectionLost) as caught:
        arranged(gateway, offers, now, **more)
    return caught.value


def test_a_server_is_not_read_before_somebody_trusts_it_and_is_kept_for_that(gateway):
    made = certify()
    error = failure(gateway, offer(made))
    assert error.code == "E-OPCUA-CERT-UNTRUSTED"
    assert error.retry_after
    (kept,) = gateway.store.rejected
    assert kept.certificate.sha1 in str(error)
    assert f"edge-agent trust {URL} --pki {gateway.pki}" in str(error)
    gateway.trust(URL, made)
    assert arranged(gateway, offer(made)).server == kept.certificate


@pytest.mark.parametrize(
    ("made", "code", "sentence"),
    [
        ({"last": -0.1}, "E-OPCUA-CERT-EXPIRED", "ended on"),
        ({"first": 0.1}, "E-OPCUA-CLOCK", "most likely the clock is not set yet"),
        ({"hosts": ("plc-7",)}, "E-OPCUA-CERT-HOST", "made for another host: plc-7"),
        ({"uri": "urn:other"}, "E-OPCUA-CERT-URI", f"urn:other, while the server says {URI}"),
    ],
)
def test_a_trusted_certificate_must_still_hold(gateway, made, code, sentence):
    certificate = certify(**made)
    gateway.trust(URL, certificate)
    error = failure(gateway, offer(certificate))
    assert error.code == code
    assert sentence in str(error)


def test_a_clock_that_is_behind_is_waited_for(gateway):
    certificate = certify()
    gateway.trust(URL, certificate)
    early = NOW - timedelta(days=400)
    assert failure(gateway, offer(certificate), now=early).retry_after
    assert arranged(gateway, offer(certificate))


def test_a_clock_that_was_never_set_is_waited_for_before_our_certificate_is_made(tmp_path):
    gateway = Gateway(tmp_path)
    certificate = certify(first=-21000, last=36500)
    gateway.trust(URL, certificate)
    error = failure(gateway, offer(certificate), now=datetime(1970, 1, 1, tzinfo=UTC))
    assert error.code == "E-OPCUA-CLOCK"
    assert "clock is not set (it says 1970-01-01)" in str(error)
    assert arranged(gateway, offer(certificate)).own


def test_a_changed_certificate_stops_everything_and_says_why(gateway):
    gateway.trust(URL, certify())
    error = failure(gateway, offer(certify()))
    assert error.code == "E-OPCUA-CERT-CHANGED"
    assert "somebody may stand between" in str(error)


@pytest.mark.parametrize("name", ["plc-7", URI])
def test_the_name_in_the_certificate_may_be_written_where_the_url_has_another(gateway, name):
    certificate = certify(hosts=("PLC-7",))
    gateway.trust(URL, certificate)
    assert arranged(gateway, offer(certificate), server_name=name)
    assert failure(gateway, offer(certificate), server_name="plc-8").code == "E-OPCUA-CERT-HOST"


def test_an_authority_that_is_trusted_vouches_for_a_renewed_certificate(gateway):
    root = authority("root")
    gateway.trust(URL, root[0])
    first, second = certify(by=root), certify(by=root)
    assert arranged(gateway, offer(first, root[0]))
    assert arranged(gateway, offer(second))
    (gateway.pki / "crl").mkdir()
    (gateway.pki / "crl" / "root.crl").write_bytes(revocations(root, second))
    assert failure(gateway, offer(second)).code == "E-OPCUA-CERT-REVOKED"
    assert arranged(gateway, offer(first))


@pytest.mark.parametrize("shown", [b"", b"\x30\x03abc"])
def test_a_server_without_a_certificate_is_not_read(gateway, shown):
    offers = [Endpoint(URL, "encrypt", "Basic256Sha256", shown, URI, (ANYONE,))]
    assert failure(gateway, offers).code == "E-OPCUA-CERT-INVALID"


def test_who_gets_an_encrypted_password_on_an_open_channel_must_be_trusted(gateway):
    user = {"username": "operator", "password_file": gateway.secret("x"), "security": "none"}
    certificate = certify()
    offers = offer(certificate, policy="None", security="none", tokens=(PASSWORD,))
    assert failure(gateway, offers, **user).code == "E-OPCUA-CERT-UNTRUSTED"
    gateway.trust(URL, certificate)
    arrangement = arranged(gateway, offers, **user)
    assert arrangement.own is None
    assert arrangement.server is not None


def test_a_folder_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "pki").write_text("a file")
    gateway = Gateway(tmp_path)
    certificate = certify()
    assert failure(gateway, offer(certificate)).code == "E-OPCUA-CERT-UNTRUSTED"
    (tmp_path / "pki").unlink()
    gateway.trust(URL, certificate)
    (tmp_path / "pki" / "own").write_text("a file")
    error = failure(gateway, offer(certificate))
    assert error.code == "E-OPCUA-PKI"
    assert str(tmp_path / "pki") in str(error)
    assert {each.name for each in (tmp_path / "pki").iterdir()} == {"own", "trusted"}


def test_certificates_that_end_soon_are_mentioned(gateway):
    certificate = certify(last=100)
    gateway.trust(URL, certificate)
    arrangement = arranged(gateway, offer(certificate))
    assert arrangement.concerns(NOW) == []
    assert arrangement.concerns(NOW + timedelta(days=41)) == ["certificate_expires"]
    late = arrangement.own.certificate.last - timedelta(days=59)
    assert arrangement.concerns(late) == ["certificate_expires", "own_certificate_expires"]


STRONG = [("Basic256Sha256", "encrypt"), ("None", "none")]


@pytest.mark.parametrize(
    ("told", "code"),
    [
        (STRONG, ""),
        ([("Basic256Sha256", "encrypt")], ""),
        ([("Aes256_Sha256_RsaPss", "encrypt"), *STRONG], "E-OPCUA-DOWNGRADE"),
        ([("None", "none")], "E-OPCUA-DOWNGRADE"),
        ([], "E-OPCUA-DOWNGRADE"),
    ],
)
def test_a_list_of_endpoints_that_somebody_shortened_on_its_way_is_noticed(gateway, told, code):
    certificate = certify()
    gateway.trust(URL, certificate)
    before = [
        each
        for policy, security in STRONG
        for each in offer(certificate, policy=policy, security=security)
    ]
    arrangement = arranged(gateway, before)
    inside = [Endpoint(URL, security, policy, b"", URI, (ANYONE,)) for policy, security in told]
    settings = gateway.settings(URL)
    found = ""
    try:
        protection.confirm(arrangement, settings, URL, inside, der(certificate))
    except ConnectionLost as error:
        found = error.code
    assert found == code


def test_another_certificate_in_the_session_than_before_it_is_noticed(gateway):
    certificate = certify()
    gateway.trust(URL, certificate)
    offers = offer(certificate)
    with pytest.raises(ConnectionLost, match="its certificate is another one"):
        protection.confirm(
            arranged(gateway, offers), gateway.settings(URL), URL, offers, der(certify())
        )
