"""`edge-agent check`, as people and programs see it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from edge_agent.cli import main
from edge_agent.command import CONFIG_INVALID, OK

GOOD = """\
version: 1
agent: {id: gw-01, site: hall}
mqtt: {url: mqtt://localhost}
connections:
  - name: hall-3
    driver: modbus
    settings: {transport: rtu, port: /dev/ttyUSB0, baud: 9600}
    devices:
      - name: press-1
        address: {unit: 7}
        points:
          oil_temperature: {address: "30108", max_silence: 60s}
"""
BAD = GOOD.replace("unit: 7", "unit: 300").replace("version: 1", "version: 1\nbufer: {}")


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.yaml"
    path.write_text(GOOD)
    return path


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "bad.yaml"
    path.write_text(BAD)
    return path


def test_a_right_file_is_ok_with_its_size_and_warnings(good: Path, capsys) -> None:
    assert main(["check", "-c", str(good)]) == OK
    out, err = capsys.readouterr()
    assert out == (
        f"{good}:12: warning: connections[0].devices[0].points.oil_temperature.max_silence: "
        "has no effect without `deadband` where a point is polled, since every poll's "
        "value is published\n"
        "    add `deadband: 0` to publish changes only\n"
        f"{good}: ok: 1 connection, 1 device, 1 point, 1 warning\n"
    )
    assert err == ""


def test_every_mistake_has_place_line_what_and_what_to_write(bad: Path, capsys) -> None:
    assert main(["-c", str(bad), "check"]) == CONFIG_INVALID
    out, err = capsys.readouterr()
    assert out.splitlines()[:3] == [
        f"{bad}:2: error: bufer: is not a known key",
        "    did you mean `buffer`?",
        f"{bad}:11: error: connections[0].devices[0].address.unit: must be at most 255, not 300",
    ]
    assert out.splitlines()[-1] == f"{bad}: 2 mistakes, 1 warning"
    assert err == ""


def test_json_is_one_document_of_the_published_form(bad: Path, capsys) -> None:
    assert main(["check", "--json", "-c", str(bad)]) == CONFIG_INVALID
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["ok", "errors", "warnings"]
    assert found["ok"] is False
    assert found["errors"] == [
        {
            "path": "bufer",
            "line": 2,
            "message": "is not a known key",
            "hint": "did you mean `buffer`?",
        },
        {
            "path": "connections[0].devices[0].address.unit",
            "line": 11,
            "message": "must be at most 255, not 300",
            "hint": "",
        },
    ]
    assert [warning["line"] for warning in found["warnings"]] == [13]


def test_json_of_a_right_file_is_ok(good: Path, capsys) -> None:
    assert main(["--json", "check", "-c", str(good)]) == OK
    found = json.loads(capsys.readouterr().out)
    assert (found["ok"], found["errors"]) == (True, [])


def test_explain_shows_addresses_on_the_wire_and_the_load_of_the_line(good: Path, capsys) -> None:
    assert main(["check", "-c", str(good), "--explain"]) == OK
    out = capsys.readouterr().out
    assert "hall-3: modbus on /dev/ttyUSB0, busy " in out
    assert "% of the time" in out
    assert "  press-1  oil_temperature  unit 7 input:107 uint16  every 1 s" in out


def test_explain_says_that_a_line_cannot_carry_what_is_asked_for(tmp_path: Path, capsys) -> None:
    path = tmp_path / "busy.yaml"
    path.write_text(GOOD.replace("max_silence: 60s", "every: 10ms"))
    assert main(["check", "-c", str(path), "--explain"]) == OK
    assert "more than it can be: raise `every`" in capsys.readouterr().out


def test_explain_in_json_adds_the_connections(good: Path, capsys) -> None:
    assert main(["check", "-c", str(good), "--explain", "--json"]) == OK
    (link,) = json.loads(capsys.readouterr().out)["connections"]
    assert (link["connection"], link["line"]) == ("hall-3", "/dev/ttyUSB0")
    assert 0 < link["busy"] < 1
    assert link["points"] == [
        {
            "device": "press-1",
            "point": "oil_temperature",
            "address": "unit 7 input:107 uint16",
            "every": 1.0,
            "profile": "",
        }
    ]
    assert link["profiles"] == []


def test_explain_says_what_came_from_a_profile_and_whether_to_trust_it(
    tmp_path: Path, capsys
) -> None:
    path = tmp_path / "profile.yaml"
    path.write_text(
        GOOD.replace("        points:", "        profile: acrel-adw300\n        points:")
    )
    assert main(["check", "-c", str(path), "--explain"]) == OK
    out = capsys.readouterr().out
    assert "  profile acrel-adw300: Acrel ADW300; unverified: compare its values" in out
    assert re.search(r"press-1 +voltage_l1 .* from acrel-adw300\n", out)
    assert re.search(r"press-1 +oil_temperature .* every 1 s\n", out)
    assert main(["check", "-c", str(path), "--explain", "--json"]) == OK
    (link,) = json.loads(capsys.readouterr().out)["connections"]
    assert {p["point"]: p["profile"] for p in link["points"]}["energy_import"] == "acrel-adw300"
    assert link["profiles"] == [
        {"profile": "acrel-adw300", "title": "Acrel ADW300", "unverified": True}
    ]


def test_explain_of_a_wrong_file_shows_its_mistakes(bad: Path, capsys) -> None:
    assert main(["check", "-c", str(bad), "--explain", "--json"]) == CONFIG_INVALID
    assert list(json.loads(capsys.readouterr().out)) == ["ok", "errors", "warnings"]


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path, capsys) -> None:
    path = tmp_path / "nothing.yaml"
    assert main(["check", "-c", str(path)]) == CONFIG_INVALID
    assert f"error: there is no file {path}" in capsys.readouterr().out
    assert main(["check", "-c", str(path), "--json"]) == CONFIG_INVALID
    assert json.loads(capsys.readouterr().out)["errors"][0]["line"] is None


def test_keys_from_the_file_cannot_command_the_terminal(tmp_path: Path, capsys) -> None:
    path = tmp_path / "escape.yaml"
    path.write_text(GOOD + '"\\e[2J": 1\n')
    assert main(["check", "-c", str(path)]) == CONFIG_INVALID
    assert "\x1b" not in capsys.readouterr().out


def test_the_process_opens_nothing_and_ends_with_the_code(good: Path, bad: Path) -> None:
    for path, code in ((good, OK), (bad, CONFIG_INVALID)):
        done = subprocess.run(
            [sys.executable, "-c", OPENS_NOTHING, "check", "-c", str(path), "--explain"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (code, "")


# Python tells of every socket and every file that is opened for writing.
OPENS_NOTHING = """
import sys
from edge_agent.cli import main

def refuse(event, arguments):
    if event.startswith("socket.") and event != "socket.__new__":
        raise RuntimeError(event)
    if event == "open" and isinstance(arguments[0], str) and arguments[0].startswith("/dev/tty"):
        raise RuntimeError(arguments[0])

sys.addaudithook(refuse)
sys.exit(main(sys.argv[1:]))
"""


def test_a_unit_that_is_not_ucum_is_doubted_once_with_the_code_that_is_meant(
    good: Path, capsys
) -> None:
    points = "".join(
        f"          p{at}: {{address: '3010{at}', unit: {unit}}}\n"
        for at, unit in enumerate(["kWh", "kW.h", "Volt", "kWh", "blobs", "'{pieces}'", "pcs", "C"])
    )
    good.write_text(GOOD.partition("          oil")[0] + points)
    assert main(["check", "--json", "-c", str(good)]) == OK
    found = json.loads(capsys.readouterr().out)["warnings"]
    place = "connections[0].devices[0].points"
    assert [(one["path"], one["line"], one["hint"]) for one in found] == [
        (f"{place}.p0.unit", 12, "write kW.h"),
        (f"{place}.p2.unit", 14, "write V"),
        (
            f"{place}.p4.unit",
            16,
            "write it in UCUM, such as kW.h, Cel or /min; words of your own in braces: {pieces}",
        ),
        (f"{place}.p6.unit", 18, "write 1"),
        (f"{place}.p7.unit", 19, "write Cel"),
    ]
    assert found[0]["message"] == (
        "'kWh' is not the UCUM code of what is probably meant (1 more point has it)"
    )
