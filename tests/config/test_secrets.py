"""Secrets that are missing: named by `check` and at a reload, waited for at the start."""

import os
import subprocess
import sys

import pytest

from edge_agent import config
from edge_agent.cli import main
from edge_agent.command import CONFIG_INVALID, OK
from edge_agent.config import secrets
from edge_agent.config.apart import Loading, load
from edge_agent.errors import ConfigInvalid
from tests.rigs.reach import open_to_others

TEXT = """\
version: 1
agent: {id: gw, site: hall}
mqtt:
  url: mqtt://localhost
  username: gw
  password_file: %s
connections: []
"""
EQUIPMENT = """
  - {name: wave, driver: simulated, devices: [{name: wave, points: {a: {}}}]}
  - name: oven
    driver: opcua
    settings:
      {url: "opc.tcp://oven", username: reader,
        password_file: "%s"}
    devices: [{name: oven, points: {a: {address: "i=2258"}}}]"""
NOBODY = 65534


@pytest.fixture
def file(tmp_path):
    def write(secret):
        made = tmp_path / "config.yaml"
        made.write_text(TEXT % secret)
        return made

    return write


def doubts(found):
    return [(one.path, one.line) for one in found.warnings if one.path.startswith("mqtt")]


def trouble(path):
    found = config.inspect(path, secrets.out_of_sight, secrets.missing_here)
    assert doubts(found) == []
    assert (found.config is None) is bool(found.errors)
    return [(problem.path, problem.line, problem.message) for problem in found.errors]


def test_a_secret_that_is_there_is_not_opened(file, tmp_path):
    os.mkfifo(tmp_path / "secret", 0o600)  # opening it would wait for ever
    assert trouble(file("secret")) == []


@pytest.mark.parametrize(
    ("secret", "what"),
    [
        ("missing", "does not exist"),
        pytest.param(".", "is a folder, not a file", marks=pytest.mark.thorough),
    ],
)
def test_a_secret_that_cannot_be_read_is_named_with_its_place(file, tmp_path, secret, what):
    named = tmp_path / secret
    assert trouble(file(secret)) == [("mqtt.password_file", 6, f"{named} {what}")]
    with pytest.raises(ConfigInvalid, match=what):
        load(file(secret))
    assert Loading(file(secret)).result().mqtt.password_file == named, "a start waits for it"


@pytest.mark.parametrize(
    "key", ["password_file", pytest.param("key_file", marks=pytest.mark.thorough)]
)
def test_a_secret_that_others_can_read_is_named_with_the_command_that_helps(file, tmp_path, key):
    secret = tmp_path / "secret"
    secret.touch(0o644)
    path = tmp_path / "config.yaml"
    path.write_text(TEXT.replace("  password_file: %s\n", _lines(key)))
    found = config.inspect(path, secrets.out_of_sight, secrets.missing_here)
    [problem] = found.errors
    assert problem.path == f"mqtt.{key}"
    assert problem.message.endswith("can be read by other users of this machine (mode 0644)")
    assert problem.hint == f"chmod 600 {secret}"
    with pytest.raises(ConfigInvalid, match="chmod 600"):
        load(path)
    assert Loading(path).result().mqtt, "a start waits for it"
    secret.chmod(0o600)
    assert config.inspect(path, around=secrets.missing_here).errors == []


@pytest.mark.parametrize(
    ("mode", "message", "hint"),
    [
        (0o644, "can be read by other users of this machine (mode 0644)", "chmod 600 {secret}"),
        (None, "does not exist", "create it"),
    ],
)
def test_a_secret_for_equipment_is_named_as_those_for_the_broker_are(tmp_path, mode, message, hint):
    secret, path = tmp_path / "secret", tmp_path / "config.yaml"
    if mode is not None:
        secret.touch(mode)
    path.write_text(TEXT.replace("  password_file: %s\n", "").replace("[]", EQUIPMENT % secret))
    [problem] = config.inspect(path, around=secrets.missing_here).errors
    assert (problem.path, problem.line) == ("connections[1].settings.password_file", 12)
    assert problem.message == f"{secret} {message}"
    assert problem.hint.startswith(hint.format(secret=secret))


@pytest.mark.parametrize("key", ["ca_file", "cert_file"])
def test_a_certificate_that_is_missing_is_named_as_a_secret_is(tmp_path, key):
    path, there, key_file = tmp_path / "config.yaml", tmp_path / "there.pem", tmp_path / "key.pem"
    there.touch(0o644)  # certificates are no secrets
    key_file.touch(0o600)
    named = {"ca_file": there, "cert_file": there, "key_file": key_file, key: tmp_path / "none.pem"}
    lines = "".join(f"  {name}: {file}\n" for name, file in named.items())
    text = TEXT.replace("  password_file: %s\n", lines)
    path.write_text(text.replace("mqtt://", "mqtts://"))
    [problem] = config.inspect(path, secrets.out_of_sight, secrets.missing_here).errors
    assert problem.path == f"mqtt.{key}"
    assert problem.message == f"{named[key]} does not exist"
    assert "readable for the user" in problem.hint
    with pytest.raises(ConfigInvalid, match="does not exist"):
        load(path)
    assert Loading(path).result().mqtt, "a start waits for it"
    path.write_text(text)  # without TLS it is not used, and a warning says so
    assert config.inspect(path, around=secrets.missing_here).errors == []


def test_a_secret_for_equipment_that_is_out_of_sight_is_a_doubt(tmp_path):
    path, secret = tmp_path / "config.yaml", "/run/credentials/no-such.service/oven"
    path.write_text(TEXT.replace("  password_file: %s\n", "").replace("[]", EQUIPMENT % secret))
    found = config.inspect(path, secrets.out_of_sight, secrets.missing_here)
    assert found.errors == []
    assert [one.path for one in found.warnings] == ["connections[1].settings.password_file"]


def _lines(key):
    return f"  {key}: secret\n" + ("  cert_file: cert\n" if key == "key_file" else "")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_secret_of_somebody_else_is_named(file, tmp_path):
    (tmp_path / "secret").write_text("x")
    (tmp_path / "secret").chmod(0o600)
    open_to_others(tmp_path)
    program = (
        "import sys; from pathlib import Path; from edge_agent.config.secrets import _trouble; "
        f"import os; os.setuid({NOBODY}); print(_trouble(Path(sys.argv[1])))"
    )
    said = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "secret"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert said.stdout.strip() == "cannot be read by this user", said.stderr


def test_what_cannot_be_seen_from_here_is_a_doubt_for_a_person_and_a_mistake_at_a_reload(file):
    elsewhere = "/run/credentials/no-such.service/mqtt-password"
    path = file(elsewhere)
    found = config.inspect(path, secrets.out_of_sight, secrets.missing_here)
    assert found.errors == []
    assert doubts(found) == [("mqtt.password_file", 6)]
    assert found.config
    with pytest.raises(ConfigInvalid, match=f"{elsewhere} does not exist"):
        load(path)


@pytest.mark.parametrize(("secret", "code"), [("missing", CONFIG_INVALID), ("/no/such/one", OK)])
def test_check_names_a_secret_that_is_not_there(file, capsys, secret, code):
    assert main(["check", "-c", str(file(secret))]) == code
    assert "mqtt.password_file: " in capsys.readouterr().out
