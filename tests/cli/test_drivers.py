"""`edge-agent drivers`: what is installed, without importing it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from edge_agent.cli import main
from edge_agent.command import OK, USAGE
from tests.rigs.installed import install_driver


def test_every_driver_is_listed_with_one_line(capsys) -> None:
    assert main(["drivers"]) == OK
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["modbus", "opcua", "serial", "simulated"]
    assert all(len(line.split()) > 3 for line in lines)


def test_the_list_as_json(capsys) -> None:
    assert main(["drivers", "--json"]) == OK
    found = json.loads(capsys.readouterr().out)["drivers"]
    assert [each["name"] for each in found] == ["modbus", "opcua", "serial", "simulated"]
    assert all(each["description"] for each in found)


def test_a_strangers_driver_is_listed_though_it_cannot_be_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    install_driver(tmp_path, monkeypatch, "lacking", imports="import no_such_package")
    assert main(["drivers"]) == OK
    assert "lacking    A stranger's driver.\n" in capsys.readouterr().out


def test_a_driver_shows_its_commented_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    sample = "# 称重仪表\nconnections: []\n"
    install_driver(tmp_path, monkeypatch, "scale", sample=sample, imports="import no_such_package")
    assert main(["drivers", "scale"]) == OK
    assert capsys.readouterr().out == sample
    assert main(["drivers", "scale", "--json"]) == OK
    assert json.loads(capsys.readouterr().out) == {
        "name": "scale",
        "description": "A stranger's driver.",
        "sample": sample,
    }


def test_a_driver_without_a_sample_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    install_driver(tmp_path, monkeypatch, "bare")
    assert main(["drivers", "bare"]) == USAGE
    assert "driver 'bare' brings no sample.yaml" in capsys.readouterr().err


def test_an_unknown_driver_is_refused_with_the_nearest(capsys) -> None:
    assert main(["drivers", "modbos"]) == USAGE
    assert "did you mean 'modbus'?" in capsys.readouterr().err
    assert main(["drivers", "xyz"]) == USAGE
    assert "installed are: 'modbus', 'opcua', 'serial', 'simulated'" in capsys.readouterr().err


def test_no_driver_is_imported() -> None:
    script = (
        "import sys; from edge_agent.cli import main; main(['drivers']); "
        "sys.exit(any(name.startswith(('asyncua', 'edge_agent_')) for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
