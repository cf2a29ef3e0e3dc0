"""The support bundle: everything that explains, nothing that is secret."""

import base64
import json
import os
import tarfile
from urllib.parse import quote

import pytest
import yaml

from edge_agent.bundle import contents
from edge_agent.bundle.redaction import REMOVED, Scrubber, redacted, secrets_in, secrets_in_text
from edge_agent.cli import main
from tests.rigs.certificates import Authority
from tests.rigs.processor import takes_at_most

WORD = 'cänary/pass"word'
SECRETS = ("canary-user", WORD, "canary-token", "canary-community", "canary-remark")


@pytest.fixture
def journal(tmp_path, monkeypatch):
    """A journalctl whose lines hold what they should not."""
    folder = tmp_path / "bin"
    folder.mkdir()
    said = tmp_path / "journal"
    (folder / "journalctl").write_text(f"#!/bin/sh\ncat {said}\n")
    (folder / "journalctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return said


@pytest.fixture
def configured(tmp_path):
    """A configuration with secrets wherever people put them."""
    _, key = Authority(tmp_path, "ours").certify("gw")
    (tmp_path / "password").touch(0o600)
    (tmp_path / "password").write_text(WORD + "\n")
    document = {
        "version": 1,
        "agent": {"id": "gw-01", "site": "hall"},
        "mqtt": {
            "url": "mqtts://other:canary-inurl@broker.example:8883?token=canary-query",
            "username": "canary-user",
            "password_file": "password",
            "key_file": key.name,
            "token": "canary-token",
        },
        "buffer": {"path": str(tmp_path / "buffer")},
        "connections": [
            {"name": "x", "driver": "modbus", "settings": {"community": ["canary-community"]}}
        ],
    }
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(document) + "# old password: canary-remark\n")
    return file, key.read_text()


def unpacked(file):
    with tarfile.open(file) as archive:
        return {
            one.name.rpartition("/")[2]: archive.extractfile(one).read().decode() for one in archive
        }


def packed(capsys, config, file):
    assert main(["support-bundle", "-c", str(config), "--json", str(file)]) == 0
    return json.loads(capsys.readouterr().out)


def test_no_secret_leaves_the_gateway(tmp_path, configured, journal, capsys):
    config, key = configured
    forms = [WORD, json.dumps(WORD)[1:-1], repr(WORD)[1:-1], quote(WORD, safe="")]
    forms.append(base64.b64encode(WORD.encode()).decode())
    lines = [f'{{"event":"x","why":"{one} was refused"}}' for one in (*forms, *SECRETS)]
    journal.write_text("\n".join([*lines, key, "mqtt://a:canary-inlog@host", "password=canary-pw"]))
    file = tmp_path / "bundle.tar.gz"
    said = packed(capsys, config, file)
    texts = unpacked(file)
    everything = "\n".join(texts.values())
    for secret in (*forms, *SECRETS, "canary", *key.splitlines()[1:-1]):
        assert secret not in everything, secret
    assert "was refused" in texts["log.txt"], "what is around it stays"
    assert file.stat().st_mode & 0o777 == 0o600
    listed = json.loads(texts["manifest.json"])["files"]
    assert listed == said["contents"]
    assert [one["file"] for one in listed] == list(texts)[1:]
    assert said["bytes"] == file.stat().st_size


def test_what_explains_is_there(tmp_path, configured, journal, capsys):
    config, _ = configured
    document = yaml.safe_load(config.read_text())
    document["mqtt"] = {"url": "mqtts://localhost", "username": "u", "password_file": "password"}
    document["connections"] = []
    config.write_text(yaml.safe_dump(document))
    (tmp_path / "buffer").mkdir()
    (tmp_path / "buffer/buffer.db").write_bytes(b"readings")
    journal.write_text("the last line\n")
    file = tmp_path / "bundle.tar.gz"
    packed(capsys, config, file)
    texts = unpacked(file)
    written = json.loads(texts["config.json"])
    assert written["agent"] == {"id": "gw-01", "site": "hall"}
    assert written["mqtt"]["username"] == REMOVED
    assert written["mqtt"]["password_file"] == "password", "a path explains much"  # noqa: S105
    assert json.loads(texts["check.json"])["warnings"]
    assert {one["code"] for one in json.loads(texts["doctor.json"])["findings"]}
    assert json.loads(texts["versions.json"])["packages"]["pydantic"]
    assert "MemTotal" in texts["system.txt"]
    assert " 8 " in texts["buffer.txt"]
    assert "readings" not in texts["buffer.txt"]
    assert texts["log.txt"] == "the last line\n"


def test_a_broken_file_is_left_out_and_its_mistakes_are_not(tmp_path, journal, capsys):
    journal.write_text("login with canary-1234 failed\n")
    config = tmp_path / "config.yaml"
    config.write_text("mqtt: {password: canary-1234, x: [\n")
    packed(capsys, config, tmp_path / "b")
    texts = unpacked(tmp_path / "b")
    assert "not packed" in texts["config.json"]
    assert json.loads(texts["check.json"])["errors"]
    assert not any("canary" in text for text in texts.values())


def test_its_size_is_bounded_and_the_end_of_the_log_stays(tmp_path, journal, capsys, monkeypatch):
    monkeypatch.setattr(contents, "LARGEST", 1 << 16)
    journal.write_text("line\n" * 50_000 + "the last line\n")
    packed(capsys, tmp_path / "none.yaml", tmp_path / "b")
    text = unpacked(tmp_path / "b")["log.txt"]
    assert len(text) <= contents.LARGEST + 10
    assert text.endswith("the last line\n")


def test_nothing_is_overwritten_and_people_are_told(tmp_path, journal, capsys):
    journal.write_text("")
    there = tmp_path / "there"
    there.write_text("mine")
    none = str(tmp_path / "none.yaml")
    assert main(["support-bundle", "-c", none, str(there)]) == 2
    assert there.read_text() == "mine"
    assert main(["support-bundle", "-c", none, str(tmp_path / "no/such/b")]) == 1
    assert main(["support-bundle", "-c", none, str(tmp_path / "b")]) == 0
    out = capsys.readouterr().out
    assert "doctor.json" in out
    assert "look into it before you send it" in out


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("mqtt://u:p@h:1/x", f"mqtt://{REMOVED}@h:1/x"),
        ("https://h/?a=1&token=b c", f"https://h/?a={REMOVED}&token={REMOVED} c"),
        ("Authorization: Bearer abcdefgh1234", f"Authorization: Bearer {REMOVED}"),
        ('{"password": "a b", "x": 1}', f'{{"password": {REMOVED}, "x": 1}}'),
        ("my_secret='x y' z", f"my_secret={REMOVED} z"),
        ("password_file: /etc/x", "password_file: /etc/x"),
        ("mqtt.password_file: /x is missing", "mqtt.password_file: /x is missing"),
        ("-----BEGIN EC PRIVATE KEY-----\nabc\n", REMOVED),
        ("the user gw-01 is known", "the user gw-01 is known"),
    ],
)
def test_what_looks_like_a_secret_goes(text, clean):
    assert Scrubber(()).text(text) == clean


@pytest.mark.parametrize("text", ["a-" * 50_000, "a" * 100_000, "://" * 30_000, "?a=&" * 25_000])
def test_a_hostile_text_takes_no_time(text):
    assert takes_at_most(3, lambda: Scrubber(()).text(text))
    assert takes_at_most(3, lambda: secrets_in_text(text))


def test_short_and_public_words_stay():
    scrubber = Scrubber(["abc", "gw-01", "hidden\nlines"], {"gw-01"})
    assert scrubber.text("abc gw-01 hidden lines") == f"abc gw-01 {REMOVED} {REMOVED}"


def test_secrets_are_found_by_their_keys():
    tree = {"user": "u1", "a": [{"pin": 1234, "pins": 2}], "auth": {"deep": ["d1", None]}}
    assert secrets_in(tree) == {"u1", "1234", "d1"}
    assert redacted(tree) == {"user": REMOVED, "a": [{"pin": REMOVED, "pins": 2}], "auth": REMOVED}
    text = "# passwd: 'x y'\n  - {token: t1, other: o, secret: \"q r\"}\npassword: a{b # d\n"
    assert {"x y", "t1", "q r", "a{b"} <= secrets_in_text(text)
    assert not secrets_in_text(text) & {"o", "d"}
