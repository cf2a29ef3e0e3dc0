"""`edge-agent test` shows what every point holds and tells by its exit code how much was read."""

import json
import os
import re
import socket
import sys

import pexpect
import pytest

from edge_agent.cli import main

GOOD = """
  - name: demo
    driver: simulated
    settings: {}
    devices:
      - name: oven
        label: 1号炉
        points:
          temperature: {address: {middle: 180, amplitude: 0}, unit: Cel}
          pressure: {address: {middle: 2.5, amplitude: 0}, unit: bar, scale: 2}
"""


@pytest.fixture
def unreachable():
    """A connection to a port of this machine where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"""
  - name: plc
    driver: modbus
    settings: {{transport: tcp, host: 127.0.0.1, port: {taken.getsockname()[1]}}}
    devices:
      - name: press
        points:
          strokes: {{address: "40001"}}
"""


@pytest.fixture
def write(tmp_path):
    def write(connections: str) -> str:
        file = tmp_path / "config.yaml"
        head = "version: 1\nagent: {id: gw, site: here}\nmqtt: {url: mqtt://localhost}\n"
        file.write_text(f"{head}connections:{connections}")
        return str(file)

    return write


def test_a_table_shows_every_point(write, capsys):
    assert main(["test", "-c", write(GOOD)]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "device  point        value  unit  quality",
        "oven    temperature    180  Cel   good",
        "oven    pressure         5  bar   good",
    ]
    assert err == ""


def test_json_is_as_published(write, capsys):
    assert main(["test", "oven", "--json", "-c", write(GOOD)]) == 0
    (device,) = json.loads(capsys.readouterr().out)["devices"]
    assert device.pop("ms") >= 0
    assert device == {
        "device": "oven",
        "state": "up",
        "code": "",
        "detail": "",
        "readings": [
            {"p": "temperature", "v": 180.0, "q": "good", "why": None, "detail": "", "unit": "Cel"},
            {"p": "pressure", "v": 5.0, "q": "good", "why": None, "detail": "", "unit": "bar"},
        ],
    }


def test_nothing_readable_is_4_with_a_sentence_on_stderr(write, unreachable, capsys):
    assert main(["test", "--json", "-c", write(unreachable)]) == 4
    out, err = capsys.readouterr()
    (device,) = json.loads(out)["devices"]
    assert device["state"] == "down"
    assert device["code"] == "E-LINK-DOWN"
    assert "127.0.0.1" in device["detail"]
    why = {"why": "link_down", "detail": device["detail"]}
    assert device["readings"] == [{"p": "strokes", "v": None, "q": "bad", **why, "unit": ""}]
    assert err == f"press is down, E-LINK-DOWN: {device['detail']}\n"


def test_partly_readable_is_6(write, unreachable, capsys):
    assert main(["test", "-c", write(GOOD + unreachable)]) == 6
    assert re.search(r"press +strokes +-- +bad: link_down", capsys.readouterr().out)


def test_only_the_named_device_is_read(write, unreachable, capsys):
    assert main(["test", "oven", "-c", write(GOOD + unreachable)]) == 0
    assert "strokes" not in capsys.readouterr().out


def test_an_unknown_device_names_the_nearest(write, capsys):
    assert main(["test", "ovem", "-c", write(GOOD)]) == 2
    assert "did you mean 'oven'?" in capsys.readouterr().err


def test_an_invalid_configuration_is_3(write, capsys):
    assert main(["test", "-c", write(GOOD.replace("driver: simulated", "driver: simulatd"))]) == 3
    assert "simulatd" in capsys.readouterr().err


def test_a_missing_configuration_is_3(tmp_path, capsys):
    assert main(["test", "-c", str(tmp_path / "none.yaml")]) == 3
    assert "none.yaml" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("term", "escapes"),
    [pytest.param("dumb", False, marks=pytest.mark.thorough), ("xterm-256color", True)],
)
def test_a_terminal_gets_a_table_too(write, unreachable, term, escapes):
    command = "import sys; from edge_agent.cli import main; sys.exit(main(sys.argv[1:]))"
    terminal = pexpect.spawn(
        sys.executable,
        ["-c", command, "test", "-c", write(GOOD + unreachable)],
        env={**os.environ, "TERM": term},
        encoding="utf-8",
        dimensions=(24, 100),
    )
    terminal.expect(pexpect.EOF)
    terminal.wait()
    terminal.close()
    assert terminal.exitstatus == 6
    assert re.search(r"oven +temperature +180 +Cel +good", terminal.before)
    assert ("\x1b" in terminal.before) is escapes


def test_a_terminal_without_rich_gets_a_plain_table(write):
    command = (
        "import sys; sys.modules['rich'] = None; "
        "from edge_agent.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    terminal = pexpect.spawn(
        sys.executable, ["-c", command, "test", "-c", write(GOOD)], encoding="utf-8"
    )
    terminal.expect(pexpect.EOF)
    terminal.wait()
    terminal.close()
    assert terminal.exitstatus == 0, terminal.before
    assert "oven    temperature    180  Cel   good" in terminal.before
