"""Versions of a configuration: order by number, ten of them, and whole whatever moment the power
goes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from edge_agent.versions import KEPT, BeingChanged, Version, Versions, write_whole


@pytest.fixture
def versions(tmp_path):
    return Versions(tmp_path / "config.yaml")


def replace(versions: Versions, data: bytes) -> Version | None:
    kept = versions.keep()
    versions.put(data)
    return kept


def test_the_last_ten_are_kept_in_the_order_of_their_numbers(versions, monkeypatch):
    with versions.locked():
        for number in range(13):
            # the clock jumps back and forth
            monkeypatch.setattr(
                "time.gmtime", lambda n=number: (2026 - n % 2, 1, 1, 0, 0, n, 0, 1, 0)
            )
            replace(versions, b"%d" % number)
    kept = versions.all()
    assert len(kept) == KEPT
    assert [one.path.read_bytes() for one in kept] == [b"%d" % n for n in range(2, 12)]
    assert [one.number for one in kept] == list(range(3, 13))
    assert kept[-1].path.name == "config.yaml.0012.20260101T000012Z"


def test_a_version_that_says_the_same_is_kept_once(versions):
    with versions.locked():
        for text in (b"a", b"b", b"a", b"c"):
            replace(versions, text)
    assert [one.path.read_bytes() for one in versions.all()] == [b"b", b"a"]


def test_two_files_of_one_folder_do_not_mix_their_versions(versions):
    other = Versions(versions.config.with_name("other.yaml"))
    with versions.locked(), other.locked():
        for one, text in ((versions, b"a"), (other, b"x"), (versions, b"b"), (other, b"y")):
            replace(one, text)
    assert [one.path.read_bytes() for one in versions.all()] == [b"a"]
    assert [one.path.read_bytes() for one in other.all()] == [b"x"]


def test_one_change_at_a_time(versions):
    with versions.locked():
        with pytest.raises(BeingChanged, match=r"somebody else is changing .*config\.yaml"):
            with Versions(versions.config).locked():
                pass
    with Versions(versions.config).locked():
        pass


def test_who_could_read_the_old_one_can_read_the_new_one(versions):
    versions.config.write_bytes(b"old")
    versions.config.chmod(0o640)
    with versions.locked():
        kept = replace(versions, b"new")
    assert versions.config.stat().st_mode & 0o777 == 0o640
    assert kept is not None
    assert kept.path.stat().st_mode & 0o777 == 0o640


def test_a_link_to_the_file_stays_one(versions, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "real.yaml").write_bytes(b"old")
    versions.config.symlink_to("data/real.yaml")
    versions.put(b"new")
    assert versions.config.is_symlink()
    assert (tmp_path / "data" / "real.yaml").read_bytes() == b"new"


def test_what_an_interrupted_write_left_is_no_obstacle(tmp_path):
    (tmp_path / ".file.new").write_bytes(b"half")
    write_whole(tmp_path / "file", b"whole", like=tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"whole"
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


HELPER = Path(__file__).parent / "rigs" / "killed_change.py"


def kills(folder: Path, how: str) -> tuple[list[dict], dict]:
    """Kill a change at each of its steps; give what was left each time, and the whole change."""
    done = subprocess.run(
        [sys.executable, HELPER, folder, how], capture_output=True, text=True, check=True
    )
    *killed, whole = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(killed) == len(whole["steps"]) > 15
    for one in killed:
        assert one["config"] in {"old", "new"}  # never a part of one
        assert set(one["versions"]) <= {"older", "old"}
        if one["config"] == "new":
            assert "old" in one["versions"], one
    return killed, whole


def test_a_kill_at_any_step_leaves_the_old_one_or_the_new_one(tmp_path):
    killed, whole = kills(tmp_path, "works")
    assert {one["config"] for one in killed} == {"old", "new"}
    for one in killed:
        assert one["after"] == {"config": "new", "versions": ["older", "old"], "trial": False}, one
    # with the new one in force it is known whether somebody saw it work
    unproven = [one["trial"] for one in killed if one["config"] == "new"]
    assert unproven == sorted(unproven, reverse=True)
    assert unproven[0] is True
    assert whole["steps"][-3:] == ["unlink config.yaml.trial", "fsync folder", "settle"]
    for index, step in enumerate(whole["steps"]):
        if step.startswith("replace"):
            assert whole["steps"][index - 1] == "fsync file"
            assert whole["steps"][index + 1] == "fsync folder"


def test_a_kill_at_any_step_of_taking_back_leaves_one_of_both_and_a_note(tmp_path):
    killed, whole = kills(tmp_path, "fails")
    assert whole["config"] == "old"
    assert all(one["trial"] for one in killed if one["config"] == "new")
    for one in killed:
        assert one["after"] == {"config": "old", "versions": ["older", "old"], "trial": False}, one
