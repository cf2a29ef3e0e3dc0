import os

import pytest
from edge_agent_opcua.users import user_of

from tests.rigs.opcua_certificates import certify, der, pem, rsa_key
from tests.rigs.opcua_vault import CANARY

URL = "opc.tcp://127.0.0.1:4840"


def named(gateway, file):
    return gateway.settings(URL, username="operator", password_file=file)


def by_certificate(gateway, certificate, key):
    return gateway.settings(
        URL,
        user_certificate_file=gateway.secret(certificate, "user.crt", 0o644),
        user_key_file=gateway.secret(key, "user.key"),
    )


def test_a_password_is_the_file_s_content_without_its_end_of_line(gateway):
    user = user_of(named(gateway, gateway.secret(f"{CANARY}\r\n")))
    assert user.password == CANARY
    assert CANARY not in repr(user)


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o602])
def test_a_password_that_others_can_read_is_refused(gateway, mode):
    with pytest.raises(OSError, match="others can read it"):
        user_of(named(gateway, gateway.secret(CANARY, mode=mode)))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_group_counts_as_others_unless_it_is_root(gateway):
    file = gateway.secret(CANARY, mode=0o440)
    assert user_of(named(gateway, file)).password == CANARY  # as systemd's credentials are
    os.chown(file, 0, 4321)
    with pytest.raises(OSError, match="others can read it"):
        user_of(named(gateway, file))


def test_a_file_that_is_missing_or_no_text_is_named_and_not_quoted(gateway):
    with pytest.raises(OSError, match="nowhere"):
        user_of(named(gateway, "/nowhere"))
    with pytest.raises(ValueError, match="is not UTF-8") as caught:
        user_of(named(gateway, gateway.secret(b"\xffKanarienvogel")))
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("as_text", [True, False])
def test_a_user_certificate_needs_its_own_key(gateway, as_text):
    made = certify("user")
    user = user_of(by_certificate(gateway, der(made), pem(rsa_key("user"))))
    assert user.certificate.der == der(made)
    with pytest.raises(ValueError, match="is not the RSA key of the user's certificate"):
        user_of(by_certificate(gateway, der(made), pem(rsa_key("oven"))))
    with pytest.raises(ValueError, match="holds no private key"):
        user_of(by_certificate(gateway, der(made), "rubbish" if as_text else b"\x30\x00"))
    with pytest.raises(ValueError, match="holds no certificate"):
        user_of(by_certificate(gateway, "rubbish", pem(rsa_key("user"))))
