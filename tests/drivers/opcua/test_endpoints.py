import pytest
from edge_agent_opcua import OpcUaSettings
from edge_agent_opcua.catalogue import Fault
from edge_agent_opcua.endpoints import Endpoint, Token, Unsuitable, choose, url_that_works

URL = "opc.tcp://127.0.0.1:4840"
ANYONE = Token("anonymous", "a", "None")


def offer(policy, security, *tokens, url=URL):
    return Endpoint(url, security, policy, b"", "urn:x", tokens or (ANYONE,))


EVERYTHING = [
    offer("None", "none"),
    *(
        offer(policy, security)
        for policy in (
            "Basic128Rsa15",
            "Basic256",
            "Basic256Sha256",
            "Aes256_Sha256_RsaPss",
            "Aes128_Sha256_RsaOaep",
        )
        for security in ("sign", "encrypt")
    ),
]


def settings(**more):
    return OpcUaSettings(url=URL, **more)


USER = {"username": "u", "password_file": "/run/pw"}


def user(**more):
    return settings(**USER, **more)


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        ({}, "Aes256_Sha256_RsaPss (encrypt)"),
        ({"security": "sign"}, "Aes256_Sha256_RsaPss (sign)"),
        ({"security": "none"}, "None"),
        ({"policy": "Basic256Sha256"}, "Basic256Sha256 (encrypt)"),
        ({"policy": "Basic256", "legacy": True}, "Basic256 (encrypt)"),
        ({"legacy": True}, "Aes256_Sha256_RsaPss (encrypt)"),
    ],
)
def test_the_strongest_endpoint_is_taken_that_the_file_allows(wanted, taken):
    assert str(choose(EVERYTHING, settings(**wanted)).endpoint) == taken


@pytest.mark.parametrize(
    ("offers", "wanted", "fault"),
    [
        ([offer("None", "none")], {}, Fault.NO_ENDPOINT),
        ([offer("Basic256Sha256", "sign")], {}, Fault.NO_ENDPOINT),
        ([offer("Basic256", "encrypt")], {}, Fault.NO_ENDPOINT),
        ([offer("Basic256Sha256", "encrypt")], {"security": "none"}, Fault.WANTS_ENCRYPTION),
        ([offer("Unheard_Of", "encrypt")], {}, Fault.NO_ENDPOINT),
        ([offer("Basic256Sha256", "encrypt", url="https://x")], {}, Fault.NO_ENDPOINT),
        ([], {}, Fault.NO_ENDPOINT),
        (
            [offer("Basic256Sha256", "encrypt")],
            {"policy": "Aes128_Sha256_RsaOaep"},
            Fault.OTHER_POLICIES,
        ),
        ([offer("None", "none")], {"policy": "Basic256Sha256"}, Fault.NO_ENDPOINT),
    ],
)
def test_nothing_weaker_is_taken_than_the_file_allows(offers, wanted, fault):
    with pytest.raises(Unsuitable) as caught:
        choose(offers, settings(**wanted))
    assert caught.value.fault is fault


def test_an_old_policy_is_taken_where_it_is_allowed_and_nothing_better_is_there():
    assert choose([offer("Basic256", "encrypt")], settings(legacy=True)).endpoint.policy


CLEAR = Token("username", "c", "None")
ENCRYPTED = Token("username", "e", "Basic256Sha256")
BROKEN = Token("username", "b", "Basic128Rsa15")


@pytest.mark.parametrize(
    ("endpoint", "wanted", "token"),
    [
        (offer("Basic256Sha256", "encrypt", CLEAR), {}, "c"),
        (offer("Basic256Sha256", "encrypt", CLEAR, ENCRYPTED), {}, "e"),
        (offer("Basic256Sha256", "sign", CLEAR, ENCRYPTED), {"security": "sign"}, "e"),
        (offer("None", "none", CLEAR, ENCRYPTED), {"security": "none"}, "e"),
        (offer("None", "none", BROKEN), {"security": "none", "legacy": True}, "b"),
    ],
)
def test_a_password_goes_only_where_it_is_encrypted(endpoint, wanted, token):
    assert choose([endpoint], user(**wanted)).token.id == token


@pytest.mark.parametrize(
    ("endpoint", "wanted"),
    [
        (offer("None", "none", CLEAR), {"security": "none"}),
        (offer("None", "none", BROKEN), {"security": "none"}),
        (offer("Basic256Sha256", "sign", CLEAR), {"security": "sign"}),
    ],
)
def test_a_password_that_would_cross_the_network_readable_is_not_sent(endpoint, wanted):
    with pytest.raises(Unsuitable) as caught:
        choose([endpoint], user(**wanted))
    assert caught.value.fault is Fault.CLEAR_PASSWORD


def test_an_endpoint_that_admits_the_user_is_taken_before_a_stronger_one_that_does_not():
    strong = offer("Aes256_Sha256_RsaPss", "encrypt", ENCRYPTED)
    weaker = offer("Basic256Sha256", "encrypt", ANYONE)
    assert choose([strong, weaker], settings()).endpoint == weaker


@pytest.mark.parametrize(
    ("wanted", "fault"),
    [
        (settings(), Fault.ANONYMOUS),
        (settings(user_certificate_file="/c", user_key_file="/k"), Fault.NO_TOKEN),
    ],
)
def test_a_user_of_a_kind_the_server_does_not_take_is_told_which_it_takes(wanted, fault):
    with pytest.raises(Unsuitable) as caught:
        choose([offer("Basic256Sha256", "encrypt", ENCRYPTED)], wanted)
    assert caught.value.fault is fault
    assert "username" in caught.value.detail


def test_a_proof_of_a_user_certificate_that_signs_nothing_is_not_given():
    weak = offer("None", "none", Token("certificate", "x", "None"))
    with pytest.raises(Unsuitable):
        choose([weak], settings(security="none", user_certificate_file="/c", user_key_file="/k"))


@pytest.mark.parametrize(
    ("worked", "advertised", "used"),
    [
        ("opc.tcp://10.0.0.9:4840", "opc.tcp://PLC-7:4840/UA", "opc.tcp://10.0.0.9:4840/UA"),
        ("opc.tcp://10.0.0.9:14840", "opc.tcp://PLC-7:4840", "opc.tcp://10.0.0.9:14840"),
        ("opc.tcp://[::1]:4840/a", "opc.tcp://PLC-7:4840", "opc.tcp://[::1]:4840/a"),
    ],
)
def test_a_host_that_nobody_else_knows_gives_way_to_the_one_that_worked(worked, advertised, used):
    assert url_that_works(worked, advertised) == used
