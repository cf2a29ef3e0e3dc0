"""Secrets that others can read are not used."""

import os

import pytest

from edge_agent.access import explain, password, tls_context
from edge_agent.config.model import Mqtt
from edge_agent.secrecy import Exposed, exposed, read_secret
from tests.rigs.certificates import Authority

SOMEBODY = 12345
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture
def secret(tmp_path):
    file = tmp_path / "secret"
    file.write_text("canary\n")
    return file


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o602, 0o601])
def test_who_is_neither_owner_nor_group_can_do_nothing_with_a_secret(secret, mode):
    secret.chmod(mode)
    assert exposed(secret).endswith(f"(mode {mode:04o}): chmod 600 {secret}")
    with pytest.raises(Exposed, match="chmod 600") as caught:
        read_secret(secret)
    assert "canary" not in str(caught.value)


@needs_root
def test_a_group_is_a_stranger_unless_it_is_roots_own(secret):
    secret.chmod(0o440)
    os.chown(secret, 0, 0)  # as systemd shows its credentials
    assert read_secret(secret) == "canary"
    os.chown(secret, 0, SOMEBODY)
    assert "chmod 600" in exposed(secret)


def test_who_hands_over_credentials_protects_them(secret, monkeypatch):
    secret.chmod(0o444)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(secret.parent))
    assert read_secret(secret) == "canary"
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(secret.parent.parent))
    assert exposed(secret)


def test_neither_password_nor_key_is_used_and_the_next_step_is_said(secret, tmp_path):
    secret.chmod(0o644)
    with pytest.raises(OSError, match="chmod 600") as caught:
        password(Mqtt("localhost", 1, "gw", password_file=secret))
    assert f"chmod 600 {secret}" in explain(caught.value)
    certificate, key = Authority(tmp_path, "ours").certify("gw")
    settings = Mqtt("localhost", 1, "gw", tls=True, cert_file=certificate, key_file=key)
    tls_context(settings)
    key.chmod(0o640 if key.stat().st_gid else 0o604)
    with pytest.raises(Exposed, match="chmod 600"):
        tls_context(settings)
