"""What docs/replication.md says is true: its commands run in their order, its answers fit."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from edge_agent import cli
from edge_agent.site.choosing import MOST
from edge_agent.site.template import Kind
from edge_agent.versions import KEPT
from tests.site.conftest import gateway

PAGE = (Path(__file__).parents[2] / "docs" / "replication.md").read_text()
COMMANDS = [
    shlex.split(line, comments=True)
    for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]
[ANSWERS] = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
EXPECTED = {("back", "7"): 2}  # there is no version 7 after so few changes


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_is_one(words):
    assert words[0] == "edge-agent"
    options = cli._parse(words[1:])
    assert options.command == "site"


def test_the_page_names_what_there_is():
    assert f"at most {'ten' if MOST == 10 else MOST} questions" in " ".join(PAGE.split())
    assert KEPT == 10
    assert "the last ten" in PAGE
    for kind in Kind.__args__:
        assert f"`{kind}`" in PAGE


@pytest.mark.thorough
def test_the_commands_do_what_is_said(tmp_path, meter):
    document = gateway(tmp_path, meter.port)
    line = {**document["connections"][0], "name": "press-line"}
    mqtt = {"url": "mqtt://127.0.0.1:1", "username": "gw-01", "password_file": "broker-password"}
    config = tmp_path / "config.yaml"
    config.write_text(json.dumps({**document, "mqtt": mqtt, "connections": [line]}))
    answers = yaml.safe_load(ANSWERS)
    (tmp_path / "answers.yaml").write_text(yaml.dump({**answers, "press-line_host": "127.0.0.1"}))
    (tmp_path / "broker-password").write_text("as before")
    (tmp_path / "broker-password").chmod(0o600)
    environment = {"EDGE_AGENT_CONFIG": str(config), "BROKER_PASSWORD": "sesame"}
    for words in COMMANDS:
        done = subprocess.run(
            [sys.executable, "-m", "edge_agent", *words[1:]],
            env={**os.environ, **environment},
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == EXPECTED.get(tuple(words[2:]), 0), (words, done)
    assert config.read_text().startswith('{"version"')  # back, where it was
