"""`edge-agent site` as people and programs use it: a real meter, a real agent."""

import contextlib
import io
import json
import os
import sys
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import pexpect
import pytest

from edge_agent.cli import main
from edge_agent.setup.answers import Unattended, read_answers
from edge_agent.site.making import read_template
from edge_agent.site.questions import Vault, flow
from edge_agent.site.render import render
from tests.rigs.holding_plc import Plc
from tests.site.conftest import floats, gateway

SESAME, ANOTHER = "sesame-of-the-broker", "another-sesame"


KNOWN = {"THE_PASSWORD": SESAME}


class Said(NamedTuple):
    stdout: str
    stderr: str


class Box:
    """A gateway: a folder with its configuration, buffer and secrets."""

    def __init__(self, folder: Path, template: Path) -> None:
        self.folder, self.template = folder, template
        self.config = folder / "config.yaml"
        folder.mkdir()

    def answer(self, name: str = "answers.yaml", **answers: str) -> str:
        lines = [f"{key.replace('__', '-')}: {value}\n" for key, value in answers.items()]
        (self.folder / name).write_text("".join(lines))
        return str(self.folder / name)

    def site(self, *words, code: int = 0, **environment) -> Said:
        """Call the command in this process; one test calls it from a terminal, as people do."""
        if words[0] in {"apply", "diff"}:
            words = (*words, "--template", self.template)
        out, err = io.StringIO(), io.StringIO()
        with (
            patch.dict(os.environ, environment),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            ended = main(["site", *map(str, words), "-c", str(self.config)])
        assert ended == code, out.getvalue() + err.getvalue()
        return Said(out.getvalue(), err.getvalue())


@pytest.fixture
def meter():
    plc = Plc(floats(231.4) + [0] * 100)
    yield plc
    plc.stop()


@pytest.fixture
def template(tmp_path, meter):
    """What a gateway with one meter exports, its password among the questions."""
    first = Box(tmp_path / "first", tmp_path / "site.yaml")
    document = gateway(tmp_path, meter.port)
    document["connections"] = document["connections"][:1]
    document["mqtt"] = {
        "url": "mqtt://127.0.0.1:1",
        "username": "u",
        "password_file": "password",
    }
    document["buffer"]["path"] = str(tmp_path / "buffer")
    first.config.write_text(json.dumps(document))
    done = first.site("export", "-o", first.template)
    assert done.stdout == f"Written: {first.template}\n"
    assert "gave no value while it looked" not in done.stderr
    return first.template


@pytest.fixture
def box(tmp_path, template):
    return Box(tmp_path / "second", template)


ANSWERS = {"site": "ningbo-1", "gateway": "gw-02", "converter_host": "127.0.0.1"}


def full(box: Box, meter: Plc, **more: str) -> str:
    given = {**ANSWERS, "broker_username": "gw-02", "broker_password": "env:THE_PASSWORD"}
    return box.answer(**given, converter_port=str(meter.port), **more)


def test_what_is_missing_is_listed_and_nobody_is_asked(box):
    answers = box.answer(site="ningbo-1")
    done = box.site("apply", answers, "--json", code=3)
    assert json.loads(done.stdout) == {
        "ok": False,
        "missing": ["gateway", "broker_username", "converter_host"],
    }
    assert "missing, and nothing was done: gateway, broker_username, converter_host" in done.stderr
    assert "Traceback" not in done.stderr
    assert not box.config.exists()


def test_devices_that_gave_nothing_to_know_them_by_are_named(box, meter):
    document = gateway(box.folder, 1)
    document["connections"] = document["connections"][:1]
    document["mqtt"] = {"url": "mqtt://127.0.0.1:1"}
    box.config.write_text(json.dumps(document))
    said = box.site("export", "-o", box.folder / "site.yaml").stderr
    assert "! these gave no value while it looked" in said
    assert "are like them: meter-1; export again" in said


def test_check_and_dry_run_write_nothing_and_apply_does(box, meter, tmp_path):
    answers = full(box, meter)
    assert "env:THE_PASSWORD is not set" in box.site("apply", answers, "--check", code=3).stderr
    checked = json.loads(box.site("apply", answers, "--check", "--json", **KNOWN).stdout)
    assert checked["ok"]
    assert checked["differences"][0]["what"] == "there is no configuration yet"
    tried = json.loads(box.site("apply", answers, "--dry-run", "--json", **KNOWN).stdout)
    assert tried["differences"] == []
    assert tried["devices"][0]["readings"][0]["v"] == pytest.approx(231.4)
    assert [one.name for one in box.folder.iterdir()] == ["answers.yaml"]
    assert not (box.folder / "password").exists()
    assert not (tmp_path / "buffer").exists()

    done = json.loads(box.site("apply", answers, "--json", **KNOWN).stdout)
    assert done["devices"]["meter-1"]["good"]
    assert done["differences"] == []
    assert done["next_step"] == f"start it with: edge-agent run -c {box.config}"
    assert (box.folder / "password").read_text() == SESAME
    assert (box.folder / "password").stat().st_mode & 0o777 == 0o600
    assert SESAME not in box.config.read_text()
    assert box.site("apply", answers, **KNOWN).stdout.startswith("Nothing to do")


@pytest.mark.thorough
def test_a_device_that_is_different_is_told(box, meter):
    text = box.template.read_text()
    assert "seen: 231.4" in text
    box.template.write_text(text.replace("seen: 231.4", "seen: 400.0"))
    told = "meter-1.voltage_l1: is 231.4 V, and in the template 400: another device, or scale?"
    assert told in box.site("apply", full(box, meter), "--dry-run", code=6, **KNOWN).stdout
    done = box.site("apply", full(box, meter), **KNOWN)
    assert f"! {told}" in done.stderr


def in_place(box: Box, answers: str, secret: Path) -> bytes:
    """Put in its place what an apply would, without the agent's trial; give it."""
    secret.write_text(SESAME)
    secret.chmod(0o600)
    template = read_template(box.template)
    given = {**read_answers(Path(answers)), "broker_password": "file:password"}
    driver = Unattended(given, print)
    text = render(template, driver.run(lambda: flow(template, Vault())))
    box.config.write_bytes(text)
    return text


def test_drift_is_told_in_words(box, meter, tmp_path):
    answers = full(box, meter)
    text = in_place(box, answers, box.folder / "password")
    assert box.site("diff", answers, **KNOWN).stdout.startswith("The configuration is what")
    box.config.write_bytes(text.replace(b"every: 200ms", b"every: 7s"))
    drift = box.site("diff", answers, code=6, **KNOWN).stdout
    assert drift == "meter-1.voltage_l1: every changes from 7 to 0.2\n"


def test_where_it_is_called_from_is_no_difference(box, meter, tmp_path, monkeypatch):
    answers = full(box, meter)
    template = box.template.read_text()
    box.template.write_text(template.replace(str(tmp_path / "buffer"), "buffer"))
    in_place(box, answers, box.folder / "password")
    monkeypatch.chdir(box.config.parent)
    box.config = Path(box.config.name)
    assert box.site("diff", answers, **KNOWN).stdout.startswith("The configuration is what")


def test_what_does_not_work_is_taken_back_with_its_secret(box, meter, tmp_path):
    first = in_place(box, full(box, meter), box.folder / "password")
    wrong = wrong_answers(box)
    failed = box.site("apply", wrong, "--json", "--patience", "0.3", code=4, THE_PASSWORD=ANOTHER)
    assert json.loads(failed.stdout)["rolled_back"]
    assert "no good value came from: meter-1 (" in failed.stderr
    assert box.config.read_bytes() == first
    assert (box.folder / "password").read_text() == SESAME


def wrong_answers(box: Box) -> str:
    """Answers by which nobody answers."""
    elsewhere = {**ANSWERS, "converter_host": "127.0.0.9", "converter_port": "1"}
    told = {"broker_username": "x", "broker_password": "env:THE_PASSWORD"}
    return box.answer("wrong.yaml", **elsewhere, **told)


@pytest.mark.thorough
def test_excused_it_stays_and_there_is_a_way_back(box, meter, tmp_path):
    first = in_place(box, full(box, meter), box.folder / "password")
    box.site("apply", wrong_answers(box), "--allow-silent", **KNOWN)
    assert b"127.0.0.9" in box.config.read_bytes()
    listed = json.loads(box.site("versions", "--json").stdout)["versions"]
    assert [one["in_force"] for one in listed] == [False]
    assert box.site("back").stdout.startswith("It works, and is in force.")
    assert box.config.read_bytes() == first
    assert "in force" in box.site("versions").stdout
    assert "no such version" in box.site("back", "99", code=2).stderr


@pytest.mark.thorough
def test_a_second_box_with_the_same_answers_has_the_same_bytes(box, meter, tmp_path):
    made = []
    for name in ("third", "fourth"):
        other = Box(tmp_path / name, box.template)
        other.site("apply", full(other, meter), **KNOWN)
        made.append(other.config.read_bytes())
    assert made[0] == made[1]


def test_a_person_is_asked_what_is_missing(box, meter):
    answers = full(box, meter).removesuffix("answers.yaml") + "some.yaml"
    given = {"site": "ningbo-1", "broker_username": "u", "converter_host": "127.0.0.1"}
    box.answer("some.yaml", **given)
    terminal = pexpect.spawn(
        sys.executable,
        [
            *("-m", "edge_agent", "site", "apply", answers, "--check"),
            *("-c", str(box.config), "--template", str(box.template)),
        ],
        encoding="utf-8",
        timeout=60,
        env={**os.environ, "TERM": "dumb"},
    )
    terminal.expect("A name for this gateway")
    terminal.sendline("Not A Name")
    terminal.expect("does not do as a name")
    terminal.sendline("gw-02")
    terminal.expect("there is no configuration yet")
    terminal.expect(pexpect.EOF)
    terminal.wait()
    terminal.close()
    assert terminal.exitstatus in {0, 3}  # 3: the password is not on this box yet


def test_another_version_of_a_profile_is_told(box, meter):
    text = box.template.read_text()
    stamp = 'profiles:\n  eastron-sdm630: {driver: modbus, sha256: "0"}\n'
    box.template.write_text(text.replace("questions:\n", f"{stamp}questions:\n", 1))
    done = box.site("apply", full(box, meter), "--check", "--json", **KNOWN)
    (told,) = json.loads(done.stdout)["warnings"]
    assert told.startswith("the profile eastron-sdm630 is another version here")


def test_mistakes_of_a_template_are_listed(box):
    text = box.template.read_text()
    box.template.write_text(text.replace("every: 200ms", "every: never"))
    done = box.site("apply", box.answer(**ANSWERS, broker_username="u"), "--json", code=3)
    (wrong,) = json.loads(done.stdout)["errors"]
    assert wrong["path"] == "connections[0].devices[0].every"
    assert not box.config.exists()


def test_a_template_from_anywhere_cannot_overwrite_any_file(box, meter, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    text = box.template.read_text()
    box.template.write_text(text.replace("file:password", f"file:{victim}"))
    for how in (["--check"], []):
        done = box.site("apply", full(box, meter), *how, code=3, **KNOWN)
        assert "put it there yourself" in done.stderr
    assert victim.read_text() == "precious"


@pytest.mark.parametrize("action", ["apply", "diff"])
def test_without_a_template_it_says_where_one_comes_from(tmp_path, action, capsys):
    assert main(["site", action, "-c", str(tmp_path / "config.yaml")]) == 2
    said = capsys.readouterr().err
    assert "--template site.yaml" in said
    assert "edge-agent site export -o site.yaml" in said


@pytest.mark.parametrize("action", ["export", "apply", "diff", "versions", "back"])
def test_the_help_of_each_action_has_an_example(action, capsys):
    with pytest.raises(SystemExit):
        main(["site", action, "--help"])
    assert f"example: edge-agent site {action}" in capsys.readouterr().out
