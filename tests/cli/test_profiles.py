"""`edge-agent profiles`: what models are known, and what each of them has."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge_agent.cli import main
from edge_agent.command import OK
from tests.rigs.installed import install_driver


def names(capsys, *words: str) -> list[str]:
    assert main(["profiles", *words, "--json"]) == OK
    return [each["name"] for each in json.loads(capsys.readouterr().out)["profiles"]]


def test_all_are_listed_by_name_maker_and_models(capsys) -> None:
    assert main(["profiles"]) == OK
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(names(capsys))
    (line,) = [line for line in lines if line.startswith("acrel-adw300 ")]
    assert line.split() == [
        "acrel-adw300", "Acrel", "ADW300", "安科瑞", "ADW300", "三相电能表", "unverified",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["sdm630"], ["eastron-sdm630"]),
        (["SDM630-Modbus"], ["eastron-sdm630"]),
        (["kem-p"], ["eastron-sdm630"]),
        (["正泰"], ["chint-dtsu666"]),
        (["eastron", "single-phase"], ["eastron-sdm120", "eastron-sdm220", "eastron-sdm230"]),
        (["modbus 温控器"], ["delta-dtb", "omron-e5cc"]),
        (["nobody's"], []),
    ],
)
def test_a_search_wants_every_word_somewhere(words: list[str], found: list[str], capsys) -> None:
    assert names(capsys, *words) == found


def test_a_search_that_finds_nothing_says_what_to_do(capsys) -> None:
    assert main(["profiles", "nobody's"]) == OK
    out, err = capsys.readouterr()
    assert out == ""
    assert 'no profile has "nobody\'s"; try fewer letters' in err


def test_an_exact_name_shows_the_profile_whole(capsys) -> None:
    assert main(["profiles", "acrel-adl3000"]) == OK
    out = capsys.readouterr().out
    assert "unverified: compare every value with the device's display" in out
    assert "source: https://" in out
    assert "parameter ct_ratio: Ratio of the current transformers" in out
    assert "*  active_power       table=holding offset=106 type=int16" in out
    assert out.endswith(
        "  - name: NAME\n    profile: acrel-adl3000\n    parameters: {ct_ratio: ...}\n"
    )
    assert max(map(len, out.splitlines())) < 180


def test_a_controller_shows_where_its_areas_lie(capsys) -> None:
    assert main(["profiles", "delta-dvp"]) == OK
    out = capsys.readouterr().out
    assert "D 0 to 4095     from holding:4096   counts decimal" in out
    assert out.endswith("    points: ...\n")


def test_a_profile_as_json_has_everything(capsys) -> None:
    assert main(["profiles", "eastron-sdm630", "--json"]) == OK
    out, err = capsys.readouterr()
    one = json.loads(out)
    assert (one["name"], one["driver"], one["unverified"]) == ("eastron-sdm630", "modbus", False)
    assert one["points"]["frequency"]["address"] == {
        "table": "input", "offset": 70, "type": "float32",
    }  # fmt: skip
    assert one["points"]["frequency"]["label"] == {"en": "Frequency", "zh": "频率"}
    assert err == ""


def test_a_strangers_broken_profile_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    install_driver(tmp_path, monkeypatch, "sloppy")
    folder = tmp_path / "sloppy_driver" / "profiles"
    folder.mkdir()
    (folder / "bad.yaml").write_text("maker: 5\n")
    assert main(["profiles", "sdm630"]) == OK
    out, err = capsys.readouterr()
    assert out.startswith("eastron-sdm630 ")
    assert "the profile 'bad' has a mistake" in err


def test_a_terminal_without_chinese_gets_codes() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from edge_agent.cli import main; main(['profiles', 'dtsu666'])"],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
    )
    assert rb"\u6b63\u6cf0 DTSU666" in done.stdout
    assert (done.returncode, done.stderr) == (0, b"")


def test_no_driver_is_imported() -> None:
    script = (
        "import sys; from edge_agent.cli import main; main(['profiles']); "
        "sys.exit(any(name.startswith(('asyncua', 'edge_agent_')) for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
