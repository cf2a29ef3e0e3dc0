import os
from datetime import UTC, datetime

import pytest
from edge_agent_opcua import trust
from edge_agent_opcua.catalogue import Fault
from edge_agent_opcua.certificates import Certificate, Rejected
from edge_agent_opcua.trust import TrustStore, mark_of

from tests.rigs.opcua_certificates import authority, certify, der, revocations

NOW = datetime.now(UTC)
MARK = mark_of("opc.tcp://plc-7:4840")
ROOT = authority("root")
SHOWN = Certificate.of(certify())


@pytest.fixture
def store(tmp_path):
    return TrustStore(tmp_path)


def fault_of(store, *chain, mark=MARK):
    with pytest.raises(Rejected) as caught:
        store.judge(chain, mark, NOW)
    return caught.value.fault


def test_nobody_is_trusted_at_first(store):
    assert fault_of(store, SHOWN) is Fault.UNTRUSTED
    assert store.trusted == []


def test_what_was_rejected_and_then_accepted_is_trusted_and_no_longer_rejected(store):
    store.reject(SHOWN, MARK)
    assert [each.certificate for each in store.rejected] == [SHOWN]
    assert store.rejected[0].mark == MARK
    assert store.accept(SHOWN, MARK) == []
    store.judge([SHOWN], MARK, NOW)
    assert store.rejected == []


@pytest.mark.parametrize(
    ("other", "mark"),
    [
        (certify(), "another_4840_"),  # the same application
        (certify(uri="urn:new"), MARK),  # the same url
        (certify(ca=True), "another_4840_"),
    ],
)
def test_another_certificate_of_a_trusted_server_is_called_changed(store, other, mark):
    store.accept(SHOWN, MARK)
    other = Certificate.of(other)
    assert fault_of(store, other, mark=mark) is Fault.CHANGED
    assert store.accept(other, mark) == [SHOWN]
    assert fault_of(store, SHOWN) is Fault.CHANGED
    assert [each.certificate for each in store.rejected] == [SHOWN]


def test_a_stranger_is_called_unknown_beside_a_trusted_server(store):
    store.accept(SHOWN, MARK)
    stranger = Certificate.of(certify("stranger", uri="urn:stranger"))
    assert fault_of(store, stranger, mark="stranger_4840_") is Fault.UNTRUSTED


def test_a_trusted_authority_lets_in_what_it_signed_until_it_takes_it_back(store, tmp_path):
    store.accept(Certificate.of(ROOT[0]), "")
    mine = Certificate.of(certify(by=ROOT))
    store.judge([mine], MARK, NOW)
    (tmp_path / "crl").mkdir()
    (tmp_path / "crl" / "root.crl").write_bytes(revocations(ROOT, mine.parsed))
    assert fault_of(store, mine) is Fault.REVOKED
    (tmp_path / "crl" / "root.crl").write_bytes(b"torn")
    assert fault_of(store, mine) is Fault.PKI


def test_a_certificate_copied_in_by_hand_counts_and_rubbish_beside_it_does_not(store, tmp_path):
    (tmp_path / "trusted").mkdir()
    (tmp_path / "trusted" / "from usb.CER").write_bytes(der(SHOWN.parsed))
    (tmp_path / "trusted" / "rubbish.der").write_bytes(b"\x00")
    (tmp_path / "trusted" / ".draft.der").write_bytes(b"\x00")
    store.judge([SHOWN], MARK, NOW)


def test_strangers_cannot_fill_the_disk(store, monkeypatch):
    monkeypatch.setattr(trust, "MOST_REJECTED", 2)
    shown = [Certificate.of(certify()) for _ in range(3)]
    for age, each in enumerate(shown):
        store.reject(each, MARK)
        for kept in store.rejected:
            if kept.certificate == each:
                os.utime(kept.file, (age, age))
    store.reject(shown[2], MARK)
    assert {each.certificate for each in store.rejected} == set(shown[1:])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_accepts_belongs_to_the_service(store, tmp_path):
    os.chown(tmp_path, 4321, 4321)
    store.accept(SHOWN, MARK)
    (kept,) = store.trusted
    assert {kept.file.stat().st_uid, kept.file.parent.stat().st_uid} == {4321}
