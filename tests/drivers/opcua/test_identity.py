import os
import socket
import stat
import threading
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from edge_agent_opcua.folder import NotSecret
from edge_agent_opcua.identity import (
    ClockNotSet,
    _names,
    address_towards,
    own_identity,
)

NOW = datetime.now(UTC)


def copied(own, folder):
    (folder / "own").mkdir()
    for each in own.iterdir():
        (folder / "own" / each.name).write_bytes(each.read_bytes())
    (folder / "own" / "key.pem").chmod(0o600)
    return folder


def test_the_certificate_says_what_a_server_checks(own):
    made = own_identity(own.parent, NOW)
    assert made.certificate.bits == 2048
    assert made.certificate.hosts == (socket.gethostname(), "127.0.0.1")
    assert made.application.startswith(f"urn:{socket.gethostname()}:edge-agent:")
    assert not made.certificate.is_authority
    assert made.certificate.first < NOW < made.certificate.last - timedelta(days=3650)
    extensions = made.certificate.parsed.extensions
    usage = extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert usage.content_commitment
    assert usage.key_encipherment
    assert usage.data_encipherment
    assert not usage.key_cert_sign
    uses = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(uses) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_the_key_is_its_owner_s_alone_and_never_shown(own):
    assert stat.S_IMODE((own / "key.pem").stat().st_mode) == 0o600
    made = own_identity(own.parent, NOW)
    assert "PRIVATE" not in repr(made)
    assert made.certificate.sha1 in repr(made)


def test_it_is_made_once_even_by_connections_that_start_together(tmp_path):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(own_identity(tmp_path, NOW))) for _ in range(3)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len({each.certificate.sha1 for each in found}) == 1
    assert {each.name for each in tmp_path.iterdir()} == {"own"}


def test_a_clock_that_was_never_set_makes_no_certificate_that_ends_before_it_begins(tmp_path):
    with pytest.raises(ClockNotSet, match="1970-01-02"):
        own_identity(tmp_path, datetime(1970, 1, 2, tzinfo=UTC))
    assert not list(tmp_path.iterdir())


def test_an_identity_that_is_there_is_used_whatever_the_clock_says(own):
    assert own_identity(own.parent, datetime(1970, 1, 2, tzinfo=UTC))


def test_a_key_that_others_can_read_is_not_used(own, tmp_path):
    (copied(own, tmp_path) / "own" / "key.pem").chmod(0o644)
    with pytest.raises(NotSecret, match="others can read it"):
        own_identity(tmp_path, NOW)


def test_a_key_of_another_certificate_says_what_to_do(own, tmp_path):
    own_identity(tmp_path / "other", NOW)
    key = (tmp_path / "other" / "own" / "key.pem").read_bytes()
    (copied(own, tmp_path) / "own" / "key.pem").write_bytes(key)
    with pytest.raises(ValueError, match="move this folder away"):
        own_identity(tmp_path, NOW)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_makes_belongs_to_the_service(tmp_path):
    os.chown(tmp_path, 4321, 4321)
    own_identity(tmp_path / "pki", NOW)
    made = [tmp_path / "pki", *(tmp_path / "pki").rglob("*")]
    assert {each.stat().st_uid for each in made} == {4321}


def test_a_host_with_a_name_that_is_none_still_gets_a_certificate():
    uri, host, *addresses = _names("窑_7", ["10.0.0.9", "fe80::1"])
    assert uri.value.startswith("urn:--7:edge-agent:")
    assert host.value == "--7"
    assert [str(each.value) for each in addresses] == ["10.0.0.9", "fe80::1"]


def test_our_address_is_the_one_the_server_sees():
    assert address_towards("127.0.0.1", 4840) == "127.0.0.1"
    assert address_towards("no-such-host.invalid", 4840) is None
