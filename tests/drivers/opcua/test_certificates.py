import random
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from edge_agent_opcua.authorities import is_revoked, is_vouched_for
from edge_agent_opcua.catalogue import Fault
from edge_agent_opcua.certificates import Certificate, Rejected, check, is_for, read_chain

from tests.rigs.opcua_certificates import (
    URI,
    authority,
    certify,
    curve_key,
    der,
    revocations,
    rsa_key,
)

NOW = datetime.now(UTC)


def of(made):
    return Certificate.of(made)


def fault_of(made, host="127.0.0.1", application=URI, now=NOW, legacy=False):
    with pytest.raises(Rejected) as caught:
        check(of(made), host, application, now, legacy=legacy)
    return caught.value.fault


@pytest.mark.parametrize(
    ("made", "fault"),
    [
        ({"last": -0.1}, Fault.EXPIRED),
        ({"first": 0.1}, Fault.NOT_YET_VALID),
        ({"hosts": ("10.0.0.9", "plc-7")}, Fault.WRONG_HOST),
        ({"hosts": ()}, Fault.WRONG_HOST),
        ({"uri": "urn:another"}, Fault.WRONG_URI),
        ({"uri": None}, Fault.WRONG_URI),
        ({"key": curve_key()}, Fault.NO_CERTIFICATE),
        ({"key": rsa_key("short", 1024)}, Fault.NO_CERTIFICATE),
    ],
)
def test_a_certificate_that_does_not_hold_is_refused(made, fault):
    assert fault_of(certify(**made)) is fault


def test_a_certificate_that_holds_is_accepted():
    check(of(certify()), "127.0.0.1", URI, NOW, legacy=False)
    check(of(certify(key=rsa_key("short", 1024))), "localhost", URI, NOW, legacy=True)


@pytest.mark.parametrize(
    ("hosts", "host", "fits"),
    [
        (("PLC-7.local",), "plc-7.LOCAL", True),
        (("plc-7.local",), "plc-7.local.", True),
        (("::1",), "[0:0:0:0:0:0:0:1]", True),
        (("plc-7",), URI, True),
        (("*.local",), "plc-7.local", False),
        (("plc-7",), "plc-70", False),
        (("10.0.0.9",), "10.0.0.90", False),
    ],
)
def test_a_host_is_compared_as_a_whole(hosts, host, fits):
    assert is_for(of(certify(hosts=hosts)), host) is fits


def test_a_chain_is_taken_apart_and_what_follows_and_is_none_is_left_out():
    first, second = certify("a"), certify("b")
    assert [each.der for each in read_chain(der(first) + der(second) + b"\x30\x01")] == [
        der(first),
        der(second),
    ]


@pytest.mark.parametrize("data", [b"", b"\x30", b"\x30\x82\xff\xff", b"HTTP/1.1", b"\x30\x80\x00"])
def test_what_is_no_certificate_is_refused(data):
    with pytest.raises(Rejected) as caught:
        read_chain(data)
    assert caught.value.fault is Fault.NO_CERTIFICATE


@pytest.mark.filterwarnings("ignore")
def test_a_damaged_certificate_is_refused_and_nothing_else_happens():
    chance = random.Random(1)
    root = authority("root")
    whole = der(certify(by=root)) + der(root[0])
    refused = 0
    for _ in range(1500):
        damaged = bytearray(whole)
        for _ in range(chance.choice([1, 2, 5])):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        try:
            chain = read_chain(bytes(damaged))
            is_vouched_for(chain, [of(root[0])], NOW)
            check(chain[0], "127.0.0.1", URI, NOW, legacy=False)
        except Rejected:
            refused += 1
    assert refused > 300


def test_a_certificate_that_ends_within_sixty_days_is_noticed():
    assert of(certify(last=59)).ends_soon(NOW)
    assert not of(certify(last=61)).ends_soon(NOW)


ROOT = authority("root")
BELOW = authority("below", by=ROOT)
SERVER = certify("server", ca=True), rsa_key("server")
END = authority("end", by=ROOT, ca=False)


@pytest.mark.parametrize(
    ("chain", "anchors", "length"),
    [
        ([certify(by=ROOT)], [ROOT], 2),
        ([certify(by=BELOW), BELOW[0]], [ROOT], 3),
        ([certify(by=BELOW)], [BELOW], 2),
        ([certify(by=BELOW)], [ROOT], 0),
        ([certify()], [ROOT], 0),
        ([certify(by=ROOT), ROOT[0]], [], 0),
        ([certify(by=ROOT)], [authority("other")], 0),
        # the same name, another key
        ([certify(by=(ROOT[0], rsa_key("impostor")))], [ROOT], 0),
        # somebody who may not sign others
        ([certify(by=END)], [END], 0),
        # a server that is trusted itself, and by its certificate might sign others
        ([certify(by=SERVER)], [SERVER], 0),
        ([certify(by=authority("old", last=-1))], [authority("old", last=-1)], 0),
        # an authority that may have no other below it
        ([certify(by=BELOW), BELOW[0]], [authority("root", path_length=0)], 0),
    ],
)
def test_a_trusted_authority_vouches_for_what_it_signed(chain, anchors, length):
    anchors = [of(each[0]) for each in anchors]
    assert len(is_vouched_for([of(each) for each in chain], anchors, NOW)) == length


@pytest.mark.parametrize(
    ("list_of", "is_taken_back"),
    [
        (lambda mine: revocations(ROOT, mine), True),
        (lambda mine: revocations(ROOT, mine, next_update=-1), True),
        (lambda mine: revocations(ROOT, certify("other")), False),
        (lambda mine: revocations((ROOT[0], rsa_key("impostor")), mine), False),
        (lambda mine: revocations(authority("other"), mine), False),
    ],
)
def test_only_the_list_of_its_own_authority_takes_a_certificate_back(list_of, is_taken_back):
    mine = certify(by=ROOT)
    path = is_vouched_for([of(mine)], [of(ROOT[0])], NOW)
    lists = [x509.load_der_x509_crl(list_of(mine))]
    assert (is_revoked(path, lists) is not None) is is_taken_back


def test_pem_and_der_are_the_same_certificate():
    made = certify()
    text = made.public_bytes(Encoding.PEM)
    assert Certificate.load(text) == Certificate.load(der(made))
    assert len(of(made).sha1) == 40
    assert len(of(made).sha256) == 64


def test_a_date_is_right_to_the_second():
    made = of(certify())
    check(made, "127.0.0.1", URI, made.last, legacy=False)
    assert fault_of(made.parsed, now=made.last + timedelta(seconds=1)) is Fault.EXPIRED
