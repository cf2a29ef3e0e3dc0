"""`edge-agent trust`: what an OPC UA server shows, and trusting it."""

import io
import json
import os
import pty
import subprocess
import sys

import pytest
from edge_agent_opcua.certificates import Certificate
from edge_agent_opcua.trust import TrustStore

from edge_agent.cli import main
from edge_agent.command import DEVICE_UNREADABLE, FAULT, OK, USAGE
from tests.rigs.opcua_certificates import authority, certify, rsa_key

pytestmark = pytest.mark.thorough

CONFIG = """\
version: 1
agent: {{id: gw-01, site: plant-1}}
mqtt: {{url: "mqtt://127.0.0.1:1883"}}
buffer: {{path: "{buffer}"}}
connections:
  - name: oven
    driver: opcua
    settings: {{url: "{url}", pki: "{pki}"}}
    devices:
      - name: oven-1
        address: {{namespace: "http://maker.example/oven"}}
        points: {{temperature: {{address: s=Temperature, every: 1s}}}}
"""


@pytest.fixture
def pki(tmp_path):
    return tmp_path / "pki"


@pytest.fixture
def trust(pki, capsys):
    def run(*words):
        code = main(["trust", *words, "--pki", str(pki)])
        return code, capsys.readouterr()

    return run


def told(answer):
    code, said = answer
    assert code == OK
    assert said.out.count("\n") == 1
    return json.loads(said.out)


def test_a_server_shows_its_certificate_and_endpoints_and_nothing_is_trusted_by_that(
    trust, vault, pki
):
    code, said = trust(vault.url)
    assert code == OK
    shown = Certificate.of(vault.certificate)
    plain = " ".join(said.out.split())
    for text in (
        "certificate: NOT TRUSTED YET",
        shown.sha1,
        shown.sha256,
        "urn:maker.example:oven",
        f"{shown.first:%Y-%m-%d} to {shown.last:%Y-%m-%d}",
        "Basic256Sha256 sign anonymous, certificate, username",
        f"to trust it: add --accept {shown.sha1}",
    ):
        assert text in plain
    assert "* Aes256_Sha256_RsaPss encrypt" in plain
    assert TrustStore(pki).trusted == []


def test_the_thumbprint_that_was_compared_is_accepted(trust, vault):
    shown = Certificate.of(vault.certificate)
    before = told(trust(vault.url, "--json"))
    assert before["server"]["state"] == "unknown"
    assert before["server"]["certificate"]["sha256"] == shown.sha256
    written = ":".join(shown.sha1[at : at + 2] for at in range(0, 40, 2)).lower()
    after = told(trust(vault.url, "--accept", written, "--json"))
    assert after["server"]["state"] == "trusted"
    assert [each["sha1"] for each in after["trusted"]] == [shown.sha1]
    assert trust(vault.url)[1].out.count("certificate: trusted\n") == 1


def test_what_was_accepted_is_read_from_then_on(trust, vault, pki, tmp_path, capsys):
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG.format(url=vault.url, pki=pki, buffer=tmp_path / "buffer"))
    assert main(["test", "-c", str(config)]) == DEVICE_UNREADABLE
    said = capsys.readouterr().err
    assert f"then run `edge-agent trust {vault.url} --pki {pki}`" in said
    told(trust(vault.url, "--accept", Certificate.of(vault.certificate).sha1, "--json"))
    assert main(["test", "-c", str(config)]) == OK
    assert "181.5" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["URL"], ["--connection", "oven"]])
def test_a_server_is_judged_by_the_settings_of_its_connection(vault, pki, tmp_path, capsys, words):
    shown = certify("new", hosts=("plc-7",))
    vault.run(vault.show(shown, rsa_key("new")))
    config = tmp_path / "config.yaml"
    text = CONFIG.format(url=vault.url, pki=pki, buffer=tmp_path / "buffer")
    config.write_text(text.replace(', pki: "', ', server_name: plc-7, pki: "'))
    words = [vault.url if word == "URL" else word for word in words]
    asked = ["trust", *words, "-c", str(config), "--json"]
    assert main([*asked, "--accept", Certificate.of(shown).sha1]) == OK
    server = json.loads(capsys.readouterr().out)["server"]
    assert (server["url"], server["state"], server["troubles"]) == (vault.url, "trusted", [])
    assert [each.certificate for each in TrustStore(pki).trusted] == [Certificate.of(shown)]
    assert main(["test", "-c", str(config)]) == OK


def test_a_file_with_mistakes_is_told_of_and_hides_no_server(vault, trust, tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text("version: 7")
    code, said = trust(vault.url, "-c", str(config))
    assert code == OK
    assert "certificate: NOT TRUSTED YET" in said.out
    assert "without the settings of the configuration" in said.err


def test_another_thumbprint_than_is_shown_is_not_accepted(trust, vault, pki):
    code, said = trust(vault.url, "--accept", "00" * 20)
    assert code == USAGE
    assert f"the server shows {Certificate.of(vault.certificate).sha1}" in said.err
    assert TrustStore(pki).trusted == []


def test_a_changed_certificate_is_told_and_replaces_the_old_one_when_accepted(trust, vault):
    old = Certificate.of(vault.certificate).sha1
    told(trust(vault.url, "--accept", old, "--json"))
    new = certify("new", hosts=("plc-7",))
    vault.run(vault.show(new, rsa_key("new")))
    found = told(trust(vault.url, "--json"))["server"]
    assert found["state"] == "changed"
    assert [each["code"] for each in found["troubles"]] == ["E-OPCUA-CERT-HOST"]
    after = told(trust(vault.url, "--accept", Certificate.of(new).sha256, "--json"))
    assert [each["sha1"] for each in after["replaced"]] == [old]
    assert [each["sha1"] for each in after["rejected"]] == [old]


def test_an_authority_that_the_server_shows_can_be_trusted(trust, vault):
    root = authority("root")
    vault.run(vault.show(certify(by=root), rsa_key("oven"), root[0]))
    wanted = Certificate.of(root[0]).sha1
    after = told(trust(vault.url, "--accept", wanted, "--json"))
    assert after["server"]["state"] == "trusted"
    assert after["server"]["issuers"][0]["authority"]


def test_what_was_rejected_is_listed_and_accepted_without_asking_the_server(trust, pki):
    shown = Certificate.of(certify())
    TrustStore(pki).reject(shown, "plc-7_4840_")
    assert shown.sha1 in trust()[1].out
    after = told(trust("--accept", shown.sha1, "--json"))
    assert after["server"] is None
    assert after["trusted"][0]["file"].endswith(f"plc-7_4840_{shown.sha1}.der")
    assert after["rejected"] == []


def test_our_own_certificate_is_shown_so_that_the_server_can_be_told_beforehand(trust, pki):
    own = told(trust("--json"))["own"]
    assert own["file"] == str(pki / "own" / "certificate.der")
    assert told(trust("--json"))["own"] == own


@pytest.mark.parametrize("url", ["http://x", "opc.tcp://me:secret@x"])
def test_a_url_that_is_none_is_a_mistake_of_usage(trust, url):
    code, said = trust(url)
    assert code == USAGE
    assert "Value error" not in said.err


def test_a_server_that_is_not_there_says_so(trust):
    code, said = trust("opc.tcp://127.0.0.1:1")
    assert code == DEVICE_UNREADABLE
    assert "nothing listens at" in said.err


def test_a_folder_that_cannot_be_used_says_so(trust, pki):
    pki.write_text("a file")
    code, said = trust()
    assert code == FAULT
    assert "name another folder with --pki" in said.err


def test_somebody_at_a_terminal_is_asked(vault, pki):
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "edge_agent", "trust", vault.url, "--pki", str(pki)]
    os.write(ours, b"yes\n")
    done = subprocess.run(
        command, stdin=theirs, capture_output=True, timeout=30, check=True, text=True
    )
    os.close(ours)
    os.close(theirs)
    assert "Type yes" in done.stdout
    assert len(TrustStore(pki).trusted) == 1


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("answer", ["y\n", "no\n", ""])
def test_nothing_but_yes_is_taken_for_it(vault, pki, trust, monkeypatch, answer):
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    assert "Type yes" in trust(vault.url)[1].out
    assert TrustStore(pki).trusted == []


def test_what_a_stranger_writes_into_a_certificate_does_nothing_to_the_terminal(trust, vault):
    vault.run(vault.show(certify("\x1b[2Jplc\x07", key=rsa_key("oven")), rsa_key("oven")))
    said = trust(vault.url)[1].out
    assert "plc" in said
    assert "\x1b" not in said
    assert "\x07" not in said
